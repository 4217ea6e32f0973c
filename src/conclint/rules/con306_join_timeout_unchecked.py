"""CON306: see docs/rules/CON306.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Kind, Role
from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.project.given_up import Sequel, find_sequel, is_ignored
from conclint.project.lifetime import Made
from conclint.project.project import CallPlace, Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON306",
    name="join-timeout-unchecked",
    summary="`join` gives up after its timeout, and the code goes on as if the thread or process had ended",
    help="ask `is_alive()` afterwards: `join` returns None either way",
    category=Category.TIMEOUT,
    since="0.1.0",
    default=False,
)

_ASKING = frozenset({"is_alive", "exitcode", "kill", "terminate", "sentinel"})


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report joins with a timeout after which the function goes on, and nobody ever asks whether the thread lives."""
    for made in project.lifetimes.iter_made(Kind.THREAD, Kind.TIMER, Kind.PROCESS):
        joins = [place for place in project.lifetimes.iter_calls(made.found, Role.JOIN) if is_ignored(project, place)]
        if joins and not _is_asked(project, made):
            for place in joins:
                sequel = _find_sequel(project, made, place)
                if sequel is not None:
                    yield _report(project, made, place, sequel)


def _is_asked(project: Project, made: Made) -> bool:
    names = {one.name for one in project.lifetimes.iter_operations(made.found)} | project.loads(made.found)
    return not names.isdisjoint(_ASKING) or project.lifetimes.is_out_of_sight(made.found)


def _find_sequel(project: Project, made: Made, place: CallPlace) -> Sequel | None:
    """Return what relies on the end of the thread; for a daemon, which may go on, only what reads its results."""
    roots = project.stalls.joins.find_roots(place)
    sequel = find_sequel(project, place, project.call_graph.reach(root.function for root in roots))
    is_free = sequel is not None and sequel.written is None and project.lifetimes.may_be_daemon(made)
    return None if is_free else sequel


def _report(project: Project, made: Made, place: CallPlace, sequel: Sequel) -> Alarm:
    module = place.site.module
    noun = "process" if made.row.kind is Kind.PROCESS else "thread"
    callee = project.places.describe(module, place.call.callee)
    message = f"`{callee}` may give up, and nobody asks whether the {noun} still runs"
    return project.alarm(module, RULE.code, place.call.span, message, *sequel.relate(project, place))
