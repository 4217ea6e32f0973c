"""CON525: see docs/rules/CON525.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Kind
from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.model.values import Item, Name, Result
from conclint.project.iteration import find_assigned, find_items, is_given
from conclint.project.lifetime import Made
from conclint.project.objects import Site
from conclint.project.project import CallPlace, Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON525",
    name="executor-in-loop",
    summary="an executor is made, and closed again, for each item of a loop",
    help="make the executor once, before the loop",
    category=Category.PROCESS,
    since="0.1.0",
)

_ENDS = frozenset({"__exit__", "close", "shutdown", "terminate"})


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report executors and pools of which a loop over items makes the same one again and again."""
    for made in project.lifetimes.iter_made(Kind.EXECUTOR, Kind.POOL):
        place = made.place
        if place.context.loops and _is_repeated(place) and _is_closed_within(project, made):
            noun = "executor" if made.row.kind is Kind.EXECUTOR else "pool"
            message = f"this {noun} is made, and closed again, in each round of the loop"
            yield project.alarm(place.site.module, RULE.code, place.call.span, message)


def _is_repeated(place: CallPlace) -> bool:
    """Whether each item of the loop gets an equal executor; where one is made again after an error, that is a retry."""
    loop = place.context.loops[-1]
    if place.context.protected or place.has_stars or is_given(place, find_assigned(place.facts, loop)):
        return False
    facts = place.facts
    items = find_items(facts, loop)
    sources = (facts.values[flow.source] for flow in facts.flows if flow.target in items)
    counted = (isinstance(one, Item) and _is_range(place, one) for one in sources)
    return bool(items) and not any(counted)


def _is_range(place: CallPlace, item: Item) -> bool:
    """Whether a loop only counts its rounds: a number of attempts."""
    base = place.facts.values[item.base]
    callee = place.facts.calls[base.call].callee if isinstance(base, Result) else None
    return callee is not None and place.facts.values[callee] == Name("builtins.range")


def _is_closed_within(project: Project, made: Made) -> bool:
    """Whether the same round of the loop closes the executor; those that are kept are as many on purpose."""
    here = (made.place.function_place, made.place.context.loops)
    return any(
        operation.name in _ENDS and _find_loops(project, operation.site) == here
        for operation in project.lifetimes.iter_operations(made.found)
    )


def _find_loops(project: Project, site: Site) -> tuple[object, tuple[int, ...]]:
    if site.what == "call":
        place = project.call(site)
        return place.function_place, place.context.loops
    facts = project.modules[site.module]
    entered = facts.acquisitions[site.index]
    return (site.module, entered.function), facts.contexts[entered.context].loops
