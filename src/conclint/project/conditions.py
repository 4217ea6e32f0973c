"""Conditions: calls of `wait` and `notify` on a Condition, which need its lock, and what is held there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import Kind
from conclint.model.values import Local, ValueId
from conclint.project.locks import Lock

if TYPE_CHECKING:
    from conclint.project.objects import Object
    from conclint.project.project import CallPlace, Project

_NEEDING_LOCK = frozenset({"wait", "wait_for", "notify", "notify_all", "notifyAll"})

_WAITING = frozenset({"wait", "wait_for"})


class Use(NamedTuple):
    """A call of a method of a Condition, which is certainly one."""

    place: CallPlace
    name: str
    condition: str
    """The Condition as its user writes it."""
    conditions: frozenset[Object]
    lock: Lock
    """The lock of the Condition: its own, or the one that it was made from."""

    @property
    def waits(self) -> bool:
        """Whether the call waits for a notification."""
        return self.name in _WAITING


def iter_uses(project: Project) -> Iterator[Use]:
    """Yield the calls that need the lock of their Condition, where nothing else can be called."""
    for place in project.external_calls:
        targets = project.externals(place.site)
        names = {target.name.rpartition(".")[2] for target in targets}
        if len(names) != 1 or not names <= _NEEDING_LOCK or project.callees(place.site):
            continue
        receivers = frozenset(target.receiver for target in targets if target.receiver is not None)
        rows = [project.class_row(found) for found in receivers]
        split = project.places.split(place.site.module, place.call.callee)
        if split is None or not rows or any(row is None or row.kind is not Kind.CONDITION for row in rows):
            continue
        lock = project.locks.find(place.site.module, split[0])
        if lock is not None and lock.is_known and all(_has_known_lock(project, found) for found in receivers):
            condition = project.places.describe(place.site.module, split[0])
            yield Use(place, names.pop(), condition, receivers, lock)


def _has_known_lock(project: Project, condition: Object) -> bool:
    """Whether a Condition is made here, with a lock of its own or one that has an identity."""
    if condition.site is None or condition.site.what != "call" or condition.symbol in project.symbols.classes:
        return False
    given = project.locks.find_given_lock(condition)
    if given is None:
        return not project.call(condition.site).has_stars
    lock = project.locks.find(*given)
    # A parameter of a factory is another lock at each call.
    return lock is not None and lock.is_known and not is_parameter(project, *given)


def is_parameter(project: Project, module: int, value: ValueId) -> bool:
    """Return whether a value is a parameter: what callers call it, they know."""
    found = project.value(module, value)
    function = project.function(found.function) if isinstance(found, Local) else None
    return (
        isinstance(found, Local)
        and function is not None
        and any(parameter.name == found.name for parameter in function.parameters)
    )
