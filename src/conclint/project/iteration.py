"""Iteration: which calls are repeated for one item after the other."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from conclint.model.facts import ModuleFacts
from conclint.model.values import Attribute, Collection, Item, Value, ValueId

if TYPE_CHECKING:
    from conclint.project.project import CallPlace


def is_over_items(place: CallPlace) -> bool:
    """Return whether a call stands in a `for` loop or comprehension and is given its variable.

    A loop that repeats the same work (`while`, a number of attempts) is a supervisor, which waits on purpose.
    """
    return is_given(place, find_items(place.facts, place.context.loops[-1]))


def find_items(facts: ModuleFacts, loop: int) -> frozenset[ValueId]:
    """Return the variables that hold an item, or a part of one, of a `for` loop or comprehension."""
    return frozenset(
        flow.target
        for flow in facts.flows
        if isinstance(facts.values[flow.source], Item) and loop in facts.contexts[flow.context].loops
        # What `total += amounts` adds goes into `total`: that is no item itself.
        if not isinstance(facts.values[flow.target], Item)
    )


def find_assigned(facts: ModuleFacts, loop: int) -> frozenset[ValueId]:
    """Return all variables that a loop gives another value in each round (may)."""
    return frozenset(flow.target for flow in facts.flows if loop in facts.contexts[flow.context].loops)


def is_given(place: CallPlace, variables: AbstractSet[ValueId]) -> bool:
    """Return whether some argument of a call is one of these variables, a part of one, or holds one."""
    return any(_uses(place.facts, argument.value, variables) for argument in place.call.arguments)


def _uses(facts: ModuleFacts, value: ValueId, variables: AbstractSet[ValueId]) -> bool:
    found: Value = facts.values[value]
    if value in variables:
        return True
    if isinstance(found, Collection):
        return any(_uses(facts, item, variables) for item in found.items)
    return isinstance(found, Attribute | Item) and _uses(facts, found.base, variables)
