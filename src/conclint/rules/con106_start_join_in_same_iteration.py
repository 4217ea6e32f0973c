"""CON106: see docs/rules/CON106.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Kind, Role
from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.project.iteration import is_over_items
from conclint.project.lifetime import Made
from conclint.project.order import precedes
from conclint.project.project import CallPlace, Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON106",
    name="start-join-in-same-iteration",
    summary="each thread of a loop is joined before the next one is started",
    help="start all threads in one loop, and join them in a second one",
    category=Category.THREAD,
    since="0.1.0",
)

_QUIET = ("logging.", "builtins.print")


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report loops over items that start a thread and wait for it at once, themselves or through a helper."""
    for made in project.lifetimes.iter_made(Kind.THREAD, Kind.PROCESS):
        for start in project.lifetimes.iter_calls(made.found, Role.START):
            for join in project.lifetimes.iter_calls(made.found, Role.JOIN):
                if _is_at_once(project, made, start, join) and (loop := _find_loop(project, made, start)) is not None:
                    noun = made.row.kind.value
                    started = project.related(start.site.module, start.call.span, f"the {noun} is started here")
                    ends = [started, project.related(loop.site.module, loop.call.span, "this call is repeated")]
                    message = f"each {noun} is joined before the next one starts: they run one after the other"
                    related = ends[: 1 if loop.site == start.site else 2]
                    yield project.alarm(join.site.module, RULE.code, join.call.span, message, *related)


def _is_at_once(project: Project, made: Made, start: CallPlace, join: CallPlace) -> bool:
    """Whether nothing is done between start and join, and neither depends on a condition of its own."""
    places = {(one.site.module, one.call.function, one.context.loops) for one in (made.place, start, join)}
    if len(places) != 1 or join.call.arguments or join.context.branches != start.context.branches:
        return False
    return precedes(start.call.span, join.call.span) and all(
        _is_quiet(project, place)
        for place in project.calls_in(start.function_place)
        if precedes(start.call.span, place.call.span) and precedes(place.call.span, join.call.span)
    )


def _is_quiet(project: Project, place: CallPlace) -> bool:
    externals = project.externals(place.site)
    return bool(externals) and all(target.name.startswith(_QUIET) for target in externals)


def _find_loop(project: Project, made: Made, start: CallPlace) -> CallPlace | None:
    """Return the call that a loop over items repeats: the start itself, or the call of the function around it."""
    if start.context.loops:
        return start if is_over_items(made.place) else None
    sites = sorted(site for site in project.call_graph.sites(start.function.symbol) if site.what == "call")
    callers = (place for place in map(project.call, sites) if place.context.loops)
    return next((place for place in callers if is_over_items(place)), None)
