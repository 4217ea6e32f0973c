"""CON602: see docs/rules/CON602.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import RunsIn
from conclint.model.alarm import Alarm
from conclint.model.facts import Use
from conclint.model.observations import Handler
from conclint.model.rule import Category, Rule
from conclint.project.confinement import Way, collect_confined, goes_own_way
from conclint.project.exceptions import Exceptions, last_name
from conclint.project.order import contains
from conclint.project.project import CallPlace, Project
from conclint.project.symbols import FunctionPlace
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON602",
    name="error-swallowed-in-worker",
    summary="work that fails in a thread, process or task leaves no trace",
    help="log the error (`logger.exception(...)`), hand it on, or name the exceptions that are expected",
    category=Category.ERROR,
    since="0.1.0",
)

_NOUNS = {
    RunsIn.THREAD: "thread",
    RunsIn.TIMER: "thread",
    RunsIn.PROCESS: "process",
    RunsIn.TASK: "task",
    RunsIn.EXECUTOR_THREAD: "job",
    RunsIn.EXECUTOR_PROCESS: "job",
}
"""The roots that begin something of their own, in the user's words."""
_CLOSING = frozenset(
    """
    abort aclose cancel clean cleanup close closesocket del delete destroy disconnect dispose down exit finalize join
    kill logout quit release remove rmtree shutdown stop terminate unlink unregister
    """.split()
)
"""Words in the names of what ends things, whose failure nobody needs to know: believed of any object."""


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report handlers that catch everything and do nothing, where only the root itself could notice."""
    errors = Exceptions(project)
    confined = collect_confined(project, lambda root: root.runs_in in _NOUNS and goes_own_way(project, root))
    for module, facts in enumerate(project.modules):
        for handler in facts.handlers:
            function = facts.functions[handler.function]
            way = confined.get(function.symbol)
            if way is None or not handler.is_silent or handler.is_cleanup or _ends_something(function.name):
                continue
            work = _find_work(project, errors, module, handler)
            if work is not None:
                yield _report(project, handler, work, way)


def _report(project: Project, handler: Handler, work: CallPlace, way: Way) -> Alarm:
    module = work.site.module
    callee = project.places.describe(module, work.call.callee)
    message = f"nobody gets to know when `{callee}` fails in this {_NOUNS[way.root.runs_in]}"
    failing = project.related(module, work.call.span, "what this raises is swallowed")
    return project.alarm(module, RULE.code, handler.span, message, failing, *way.relate(project))


def _find_work(project: Project, errors: Exceptions, module: int, handler: Handler) -> CallPlace | None:
    """Return the first guarded call that may fail; None where something is to be ended."""
    guarded = [
        place
        for place in project.calls_in(FunctionPlace(module, handler.function))
        if contains(handler.guarded, place.call.span)
    ]
    first = next((place for place in guarded if place.call.use in (Use.DROPPED, Use.AWAITED)), None)
    if first is not None and _ends_something(last_name(first)):
        return None
    failing = (place for place in guarded if errors.may_fail(place) or errors.is_handed_in(place))
    return next(failing, None)


def _ends_something(name: str) -> bool:
    return not _CLOSING.isdisjoint(name.strip("_").split("_"))
