"""CON418: see docs/rules/CON418.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Kind
from conclint.model.alarm import Alarm
from conclint.model.facts import How
from conclint.model.naming import is_test_code
from conclint.model.rule import Category, Rule
from conclint.model.values import Attribute, Item
from conclint.project.iteration import find_items
from conclint.project.objects import Site
from conclint.project.outgoing import Outgoing
from conclint.project.places import PlaceKind
from conclint.project.project import CallPlace, Project
from conclint.project.ways import relate_calls
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON418",
    name="await-in-loop",
    summary="requests that do not need each other are awaited one after the other",
    help="begin them together: `asyncio.gather(...)`, or a `TaskGroup`, with a semaphore if there may be many",
    category=Category.ASYNC,
    since="0.1.0",
    default=False,
)

_GATHERING = frozenset({"asyncio.gather", "asyncio.wait", "asyncio.as_completed", "asyncio.TaskGroup"})
_HARMLESS = frozenset({Kind.SESSION, Kind.CANCEL_SCOPE})


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report calls that make a request for each item of a loop, and wait for its answer before the next one."""
    outgoing = Outgoing(project)
    gathering = {place.function.symbol for place in project.calls_to(_GATHERING)}
    rounds = [(module, number) for module, facts in enumerate(project.modules) for number in facts.rounds]
    writers = _find_writers(project) if rounds else set()
    for module, number in rounds:
        place = project.call(Site(module, number))
        symbol = place.function.symbol
        # Who gathers elsewhere in the function knows how, and why not here.
        if symbol in gathering or is_test_code(symbol) or not _is_free(project, place):
            continue
        calls = outgoing.find(place.site)
        if calls is None or (not _is_of_item(place) and any(one.function.symbol in writers for one in calls[1:])):
            continue
        callee = project.places.describe(module, place.call.callee)
        message = f"`{callee}` makes one request after the other, and waits for each answer"
        yield project.alarm(module, RULE.code, place.call.span, message, *relate_calls(project, calls[1:]))


def _find_writers(project: Project) -> set[str]:
    """Return the functions that change an object: what they do for one item may matter for the next one."""
    return {
        access.function
        for place, accesses in project.shared.by_place.items()
        if place.kind is PlaceKind.ATTRIBUTE
        for access in accesses
        if access.is_write
    }


def _is_of_item(place: CallPlace) -> bool:
    """Whether it is the item of the loop itself that is asked: each has a state of its own."""
    items = find_items(place.facts, place.context.loops[-1])
    base = place.call.callee
    while isinstance(value := place.facts.values[base], Attribute | Item):
        base = value.base
        if base in items:
            return True
    return False


def _is_free(project: Project, place: CallPlace) -> bool:
    """Whether nothing around the loop asks for one at a time: a lock, a transaction, a connection."""
    facts = place.facts
    for acquisition in place.context.lockset:
        entry = facts.acquisitions[acquisition]
        if entry.how not in (How.WITH, How.ASYNC_WITH):
            return False
        rows = [project.class_row(one) for one in project.objects(place.site.module, entry.value)]
        if not rows or any(row is None or row.kind not in _HARMLESS for row in rows):
            return False
    return True
