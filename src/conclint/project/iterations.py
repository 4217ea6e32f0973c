"""Iterations over collections that somebody else may change in the meantime."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import Kind, RunsIn
from conclint.model.facts import AccessKind
from conclint.model.naming import is_within_test
from conclint.model.values import Attribute, Collection
from conclint.project.objects import Object
from conclint.project.order import precedes
from conclint.project.parallel import Control
from conclint.project.places import Place, PlaceKind
from conclint.project.roots import Root
from conclint.project.shared import SharedAccess

if TYPE_CHECKING:
    from conclint.project.project import Project

_LISTS = frozenset({"builtins.list", "collections.UserList"})
_TAKES_KEYS = frozenset({"builtins.dict", "collections.UserDict", "collections.OrderedDict"})
_ADDS_MISSING_KEYS = frozenset({"collections.defaultdict", "collections.Counter"})
_GUARDED_TO_UNGUARDED = 2
_GROWS_LIST = frozenset({"append", "extend"})
_REMOVERS = frozenset({"discard", "pop", "popitem", "popleft", "remove"})
_PROTOCOL = ("__iter__", "__setitem__")


class Disturbed(NamedTuple):
    """An iteration, and a change of the same collection that may come in the midst of it (may).

    Either both are made in threads that begin at `roots` (or in the main thread, which has none), or the change is
    made with `lock` held, or another task makes it during an `await` of the loop.
    """

    access: SharedAccess
    change: SharedAccess
    state: str
    lock: str
    roots: tuple[Root, ...]

    @property
    def is_by_task(self) -> bool:
        """Whether it is a task that interferes, not a thread."""
        return not self.lock and not self.roots


class Iterations:
    """Finds what disturbs iterations."""

    def __init__(self, project: Project) -> None:
        self._project = project

    @cached_property
    def disturbed(self) -> tuple[Disturbed, ...]:
        """All iterations that another thread may disturb, except those outside of the guard of their collection."""
        return tuple(self._iter_disturbed())

    def is_disturbed(self, place: Place, access: SharedAccess) -> bool:
        """Return whether a thread other than the one that iterates may change the collection."""
        changes = [one for one in self.find_changes(place) if self._is_exposed(one)]
        return bool(changes) and not self._has_one_thread(access, changes)

    def find_changes(self, place: Place) -> tuple[SharedAccess, ...]:
        """Return what changes the collection at a place so that iterations over it go wrong (may)."""
        classes = self._find_classes(place)
        accesses = self._project.shared.by_place.get(place, ()) if classes else ()
        changes = (one for one in accesses if one.is_write and self._disturbs(one, classes))
        return tuple(one for one in changes if not self._is_registration(one))

    def _is_registration(self, change: SharedAccess) -> bool:
        """Whether it stands in a function that adds to a global, and that modules call while they are imported."""
        if change.place.kind is not PlaceKind.GLOBAL or change.kind is AccessKind.DELETE:
            return False
        callers = [caller for caller, _, _ in self._project.call_graph.callers.get(change.function, ())]
        is_root = change.function in self._project.root_functions
        return not is_root and bool(callers) and all(one.endswith(".<module>") for one in callers)

    def _iter_disturbed(self) -> Iterator[Disturbed]:
        for place, accesses in self._project.shared.by_place.items():
            iterations = [one for one in accesses if one.kind is AccessKind.ITERATE and self._is_exposed(one)]
            changes = [one for one in self.find_changes(place) if self._is_exposed(one)] if iterations else []
            guard = self._project.guards.find(place) if changes else None
            for access in iterations:
                # Those that are reported as forgotten by the guard need no second alarm.
                if guard is None or access not in guard.unguarded:
                    found = (
                        self._find_parallel(place, access, changes)
                        or self._find_locked(place, access, changes)
                        or self._find_in_task(place, access, changes)
                    )
                    if found is not None:
                        yield found

    def _is_exposed(self, access: SharedAccess) -> bool:
        if access.place.element and access.kind is AccessKind.ITERATE:
            return False
        return not self._project.shared.is_excused(access.module, access.function, access.target, inside=True)

    def _find_classes(self, place: Place) -> frozenset[str]:
        """Return the classes of the collection at a place; none if it may be something else."""
        objects = self._project.place_objects(place)
        rows = [self._project.class_row(found) for found in objects if not self._is_special(found)]
        names = [row.names[0] for row in rows if row is not None and row.kind is Kind.COLLECTION]
        return frozenset(names) if len(names) == len(objects) else frozenset()

    def _is_special(self, found: Object) -> bool:
        """Whether it is a collection of the project that goes through its elements in a way of its own."""
        return any(self._project.symbols.find_method(found.symbol, name) is not None for name in _PROTOCOL)

    def _disturbs(self, change: SharedAccess, classes: frozenset[str]) -> bool:
        if not change.place.element:
            # Whoever iterates goes on with the collection that he has.
            return False
        if change.method:
            # Appending to a list does not disturb those who iterate over it.
            return change.method not in _GROWS_LIST or not change.collections <= _LISTS
        if change.kind is AccessKind.DELETE:
            return True
        adding = _ADDS_MISSING_KEYS if change.kind is AccessKind.UPDATE else _TAKES_KEYS | _ADDS_MISSING_KEYS
        return classes <= adding and not self._has_known_keys(change.place)

    def _has_known_keys(self, place: Place) -> bool:
        """Whether the dict is made with its keys, so that setting them adds none."""
        made = self._project.place_objects(place._replace(element=False))
        return any(self._is_filled(found) for found in made)

    def _is_filled(self, found: Object) -> bool:
        if found.site is None or found.site.what != "collection":
            return False
        facts = self._project.modules[found.site.module]
        return any(
            isinstance(value, Collection) and value.site == found.site.index and value.items for value in facts.values
        )

    def _find_parallel(self, place: Place, access: SharedAccess, changes: list[SharedAccess]) -> Disturbed | None:
        """Return a change in another thread of control, without a common lock."""
        for change in changes:
            if access.lockset & change.lockset:
                continue
            pair = self._project.races.find_pair(place, access, change)
            if pair is not None:
                roots = tuple(dict.fromkeys(one.root for one in pair if one.root is not None))
                return Disturbed(access, change, self._describe(access), "", roots)
        return None

    def _find_locked(self, place: Place, access: SharedAccess, changes: list[SharedAccess]) -> Disturbed | None:
        """Return a change under a lock of the class, or module, that most changes elsewhere are made under."""
        guards = self._project.guards
        elsewhere = [change for change in changes if change.function != access.function]
        if access.lockset or self._has_one_thread(access, elsewhere):
            # A lock that is held may be the same one by another name.
            return None
        for lock in sorted(guards.find_own_locks(place), key=lambda lock: guards.lock_names[lock]):
            guarded = [change for change in elsewhere if lock in change.lockset]
            if not guarded or len(guarded) < _GUARDED_TO_UNGUARDED * (len(elsewhere) - len(guarded)):
                continue
            if self._project.guards.is_reached_without(access.function, lock):
                return Disturbed(access, guarded[0], self._describe(access), guards.lock_names[lock], ())
        return None

    def _find_in_task(self, place: Place, access: SharedAccess, changes: list[SharedAccess]) -> Disturbed | None:
        """Return what removes elements while the loop awaits: another function, or a callback of a task.

        What is only ever filled may be filled before the loop runs; what elements leave again is in use.
        """
        if not access.suspends or access.lockset or is_within_test(access.function):
            return None
        below = self._project.call_graph.reach([access.function])
        for change in changes:
            removes = change.kind is AccessKind.DELETE or change.method in _REMOVERS
            elsewhere = change.function not in below or self._is_visit(place, access, change)
            if removes and elsewhere and not is_within_test(change.function):
                return Disturbed(access, change, self._describe(access), "", ())
        handed = self._handed.get(place)
        return Disturbed(access, handed, self._describe(access), "", ()) if handed is not None else None

    def _is_visit(self, place: Place, access: SharedAccess, change: SharedAccess) -> bool:
        """Whether a coroutine puts something in before the loop and takes it out behind it.

        Would it run just once at a time, there would be nothing to iterate over.
        """
        first = min(
            (
                one.span
                for one in self._project.shared.by_place[place]
                if one.function == access.function and one.place.element and one.is_write
            ),
            default=change.span,
        )
        return (
            change.function == access.function and precedes(first, access.span) and precedes(access.span, change.span)
        )

    @cached_property
    def _handed(self) -> dict[Place, SharedAccess]:
        """What `task.add_done_callback(self.tasks.discard)` takes away, by place."""
        project = self._project
        found: dict[Place, SharedAccess] = {}
        for handover in project.handovers:
            module, facts = handover.place.site.module, handover.place.facts
            value = facts.values[handover.argument.value]
            if handover.spawn.runs_in is not RunsIn.LOOP_CALLBACK or not isinstance(value, Attribute):
                continue
            place = project.places.find(module, value.base)
            if value.name in _REMOVERS and place is not None and self._find_classes(place):
                symbol = handover.place.function.symbol
                change = SharedAccess(
                    *(place._replace(element=True), AccessKind.WRITE, module, symbol, handover.argument.span),
                    *(frozenset(), True, False, value.name),
                )
                found.setdefault(place, change)
        return found

    def _has_one_thread(self, access: SharedAccess, changes: list[SharedAccess]) -> bool:
        """Whether one thread does all of it: then the lock is there for those who read in others."""
        controls: set[Control] = set()
        for one in (access, *changes):
            controls.update(self._project.parallel.controls(one.function))
        return len(controls) == 1 and all(one.root is not None and not one.many for one in controls)

    def _describe(self, access: SharedAccess) -> str:
        return self._project.places.describe(access.module, access.target)
