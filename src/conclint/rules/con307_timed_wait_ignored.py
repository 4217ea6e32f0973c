"""CON307: see docs/rules/CON307.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from conclint.catalog.rows import Domain, Kind
from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.project.given_up import find_sequel, is_ignored
from conclint.project.link import Operation
from conclint.project.objects import Object
from conclint.project.order import precedes
from conclint.project.project import CallPlace, Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON307",
    name="timed-wait-ignored",
    summary="a wait gives up after its timeout, and the code goes on as if what it waited for had happened",
    help="look at what the wait returns: it is False when the time is over",
    category=Category.TIMEOUT,
    since="0.1.0",
    default=False,
)

_HAPPENS = {Kind.EVENT: frozenset({"set"}), Kind.CONDITION: frozenset({"notify", "notify_all", "notifyAll"})}
"""What makes a wait end in time; without it, the wait is a pause."""
_ASKING = frozenset({"is_set", "isSet", "clear", "wait", "wait_for"})


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report waits for events and conditions whose result is dropped, while the function goes on."""
    for found, operations in project.links.operations.items():
        row = project.class_row(found)
        if row is None or row.kind not in _HAPPENS or row.domain is Domain.TASK:
            continue
        happens = [project.call(one.site) for one in _iter_called(operations) if one.name in _HAPPENS[row.kind]]
        writers = {place.function.symbol for place in happens}
        for place in _find_waits(project, found, operations) if writers else ():
            sequel = find_sequel(project, place, writers - {place.function.symbol})
            if sequel is not None:
                callee = project.places.describe(place.site.module, place.call.callee)
                message = f"`{callee}` may give up after its timeout, and the code goes on all the same"
                steps = sequel.relate(project, place)
                yield project.alarm(place.site.module, RULE.code, place.call.span, message, *steps)


def _iter_called(operations: Iterable[Operation]) -> Iterator[Operation]:
    return (one for one in operations if one.site.what == "call")


def _find_waits(project: Project, found: Object, operations: Iterable[Operation]) -> Iterator[CallPlace]:
    """Yield the waits for an object, and for nothing else, that are ignored, and after which it is not asked."""
    asked = [(project.call(one.site), one.name) for one in _iter_called(operations) if one.name in _ASKING]
    for place, name in asked:
        is_wait = name.startswith("wait") and len(project.externals(place.site)) == 1
        if is_wait and is_ignored(project, place) and not _is_asked(project, place, [other for other, _ in asked]):
            yield place


def _is_asked(project: Project, place: CallPlace, asked: list[CallPlace]) -> bool:
    """Whether the function, or one that it calls, looks at the object below the wait (may)."""
    below = [other for other in project.calls_in(place.function_place) if precedes(place.call.span, other.call.span)]
    helpers = project.call_graph.reach(target.function for other in below for target in project.callees(other.site))
    sites = {other.site for other in below}
    return any(other.site in sites or other.function.symbol in helpers for other in asked)
