"""Waiters: what those who wait for a Condition wait for, and who wakes only one of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import Kind
from conclint.model.facts import AccessKind
from conclint.model.values import Constant
from conclint.project.objects import ObjectKind
from conclint.project.order import precedes
from conclint.project.places import Place

if TYPE_CHECKING:
    from conclint.project.project import CallPlace, Project

_WAITS = frozenset({"wait", "wait_for"})
_READS = frozenset({AccessKind.READ, AccessKind.CHECK})


class SingleNotify(NamedTuple):
    """A `notify()` that wakes one waiter (must), where two of them wait for other things (may)."""

    notify: CallPlace
    first: CallPlace
    second: CallPlace


def iter_single_notifies(project: Project) -> Iterator[SingleNotify]:
    """Yield calls of `notify()` on Conditions whose waiters ask for different state before they go on."""
    for condition, operations in project.links.operations.items():
        names = {one.name for one in operations}
        if "notify" not in names or names.isdisjoint(_WAITS) or condition.site is None:
            continue
        row = project.class_row(condition)
        # One that is only annotated stands for many.
        if row is None or row.kind is not Kind.CONDITION or condition.site.what != "call":
            continue
        calls = [(project.call(one.site), one.name) for one in sorted(operations) if one.site.what == "call"]
        waiters = [
            (asked, place) for place, name in calls if name in _WAITS and (asked := _find_asked(project, place, name))
        ]
        for place, name in calls:
            if _wakes_one(project, place, name):
                first_of: dict[frozenset[Place], CallPlace] = {}
                for asked, waiter in waiters:
                    if not _shuts_out(project, waiter, place):
                        first_of.setdefault(asked, waiter)
                if len(first_of) > 1:
                    first, second, *_ = first_of.values()
                    yield SingleNotify(place, first, second)


def _wakes_one(project: Project, place: CallPlace, name: str) -> bool:
    given = place.find_argument("n", 0)
    if name != "notify" or place.has_stars:
        return False
    number = project.constant(place.site.module, given.value) if given is not None else None
    return given is None or (number is not None and number.value == 1)


def _shuts_out(project: Project, waiter: CallPlace, notify: CallPlace) -> bool:
    """Whether a waiter sets a flag first that who notifies has asked before: nobody does so while it waits (may)."""
    module, facts = notify.site.module, notify.facts
    asked = {
        project.places.find(module, access.target)
        for access in facts.accesses
        if access.function == notify.call.function
        and access.kind is AccessKind.CHECK
        and not facts.contexts[access.context].loops
        and precedes(access.span, notify.call.span)
    }
    return any(
        project.places.find(waiter.site.module, flow.target) in asked - {None}
        for flow in waiter.facts.flows
        if flow.function == waiter.call.function
        and isinstance(project.value(waiter.site.module, flow.source), Constant)
        and precedes(flow.span, waiter.call.span)
    )


def _find_asked(project: Project, place: CallPlace, name: str) -> frozenset[Place]:
    """Return the state that a waiter asks for: in the test of the loop around, or in its predicate."""
    if name == "wait":
        loops = place.context.loops
        return _find_read(project, place, loops) if loops else frozenset()
    predicate = place.find_argument("predicate", 0)
    objects = project.objects(place.site.module, predicate.value) if predicate is not None else frozenset()
    where = [project.place(one.symbol) for one in objects if one.kind in (ObjectKind.FUNCTION, ObjectKind.BOUND)]
    if len(where) != 1 or where[0] is None:
        return frozenset()
    facts = project.modules[where[0].module]
    found = (
        project.places.find(where[0].module, access.target)
        for access in facts.accesses
        if access.function == where[0].index and access.kind in _READS
    )
    return frozenset(one._replace(element=False) for one in found if one is not None)


def _find_read(project: Project, place: CallPlace, loops: tuple[int, ...]) -> frozenset[Place]:
    """Return what the loop around a wait checks, the state of the Condition's own loop only."""
    found = (
        project.places.find(place.site.module, access.target)
        for access in place.facts.accesses
        if access.function == place.call.function
        and access.kind is AccessKind.CHECK
        and place.facts.contexts[access.context].loops == loops
    )
    return frozenset(one._replace(element=False) for one in found if one is not None)
