"""Holding: whether one more lock may be held around a statement, and how the code there would name it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from conclint.catalog.rows import Domain, Effect
from conclint.model.values import Item, Local, Name, ValueId
from conclint.project.blocking import LOOP_STOPPERS, find_blocking
from conclint.project.half_guarded import EXCLUSIVE
from conclint.project.locks import Lock
from conclint.project.objects import Object, ObjectKind
from conclint.project.places import Place, PlaceKind
from conclint.project.shared import SharedAccess

if TYPE_CHECKING:
    from conclint.model.facts import Acquisition
    from conclint.project.project import CallPlace, Project

_WAITS = LOOP_STOPPERS | Effect.WAIT
_OF_OBJECT, _OF_MODULE = "object", "module"


class Holding:
    """Tells fixers what they cannot read off a file, in words."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def describe(self, access: SharedAccess, identity: Object | Place) -> tuple[str, ...]:
        """Return how to name a lock at an access, and what must not stand under it; nothing where that is not sure.

        The words: whether the lock is an attribute of the `object` that has the state, or a global of the `module`;
        its name; the name of the state; then the lines of the function that the lock may not be held around.
        """
        named = self._name(access, identity)
        lines = self.find_unfit_lines(access.module, access.function, access.lockset, identity) if named else None
        return (*named, access.place.name, *map(str, lines)) if lines is not None else ()

    def find_single_lock(self, place: Place) -> Object | Place | None:
        """Return the one lock that is kept next to some state: in its object, or in its module; None for several."""
        found = {
            lock.identity
            for other in self._project.shared.by_place
            if (other.kind, other.owner) == (place.kind, place.owner)
            and (lock := self._find_exclusive(other)) is not None
        }
        identity = next(iter(found)) if len(found) == 1 else None
        return identity if identity in self._project.guards.find_own_locks(place) else None

    def find_unfit_lines(
        self,
        module: int,
        symbol: str,
        held: frozenset[Object | Place],
        identity: Object | Place,
        *,
        apart_from: CallPlace | None = None,
    ) -> tuple[int, ...] | None:
        """Return the lines of a function at which locks are taken, or waited for something, also by what is called.

        None where some lock is held already: nobody knows the order that the two would have to be taken in.
        """
        place = self._project.place(symbol)
        if held or place is None or place.module != module or self._may_be_held(symbol, identity):
            return None
        taken = (entry.span.line for entry in self._takers.get(symbol, ()))
        calls = (
            one.call.span.line for one in self._project.calls_in(place) if one != apart_from and self._is_unfit(one)
        )
        return tuple(sorted({*taken, *calls}))

    def _may_be_held(self, symbol: str, identity: Object | Place) -> bool:
        """Whether some way into a function holds the lock."""
        graph = self._project.call_graph
        return any(
            lock.identity == identity
            for callee in graph.collect_callers([symbol])
            for _, module, context in graph.callers.get(callee, ())
            for lock, _ in self._project.locks.held(module, context)
        )

    def _is_unfit(self, place: CallPlace) -> bool:
        if find_blocking(self._project, place, _WAITS) is not None:
            return True
        called = {target.function for target in self._project.callees(place.site)}
        return any(one in self._takers or self._waits(one) for one in self._project.call_graph.reach(called))

    def _waits(self, symbol: str) -> bool:
        place = self._project.place(symbol)
        calls = self._project.calls_in(place) if place is not None else ()
        return any(find_blocking(self._project, one, _WAITS) is not None for one in calls)

    @cached_property
    def _takers(self) -> dict[str, list[Acquisition]]:
        """The functions that take anything that may be a lock."""
        found: dict[str, list[Acquisition]] = {}
        for module, facts in enumerate(self._project.modules):
            for entry in facts.acquisitions:
                if self._project.locks.find(module, entry.value) is not None:
                    found.setdefault(facts.functions[entry.function].symbol, []).append(entry)
        return found

    def _name(self, access: SharedAccess, identity: Object | Place) -> tuple[str, ...]:
        for place in sorted(self._iter_places(identity), key=lambda one: one.name):
            if place.kind is PlaceKind.GLOBAL and place.owner == self._project.modules[access.module].module:
                return _OF_MODULE, place.name
            if place.kind is access.place.kind is PlaceKind.ATTRIBUTE and self._is_reached(access, place):
                return _OF_OBJECT, place.name
        return ()

    def _iter_places(self, identity: Object | Place) -> Iterator[Place]:
        for place in self._project.shared.by_place:
            lock = self._find_exclusive(place)
            if lock is not None and lock.identity == identity:
                yield place

    def _find_exclusive(self, place: Place) -> Lock | None:
        """Return the lock between threads that is kept at a place, if it lets in one at a time."""
        lock = self._project.locks.find_at(place) if not place.element else None
        is_fitting = lock is not None and lock.kind in EXCLUSIVE and lock.domain is Domain.THREAD
        return lock if is_fitting else None

    def _is_reached(self, access: SharedAccess, lock: Place) -> bool:
        """Whether what has the state at an access certainly has the lock as well."""
        project = self._project
        value = project.modules[access.module].values[access.target]
        target = value.base if isinstance(value, Item) else access.target
        split = project.places.split(access.module, target)
        if split is None:
            return False
        family = {lock.owner, *project.symbols.subclasses.get(lock.owner, ())}
        objects = project.objects(access.module, split[0])
        if not objects or any(found.symbol not in family for found in objects):
            return self._is_self(access, split[0], family)
        is_of_class = any(found.kind is not ObjectKind.INSTANCE for found in objects)
        return not is_of_class or self._is_kept_in_class(lock)

    def _is_self(self, access: SharedAccess, base: ValueId, family: set[str]) -> bool:
        value, function = self._project.value(access.module, base), self._project.function(access.function)
        if function is None or function.owner not in family or not function.parameters:
            return False
        return value == Local(access.function, function.parameters[0].name)

    def _is_kept_in_class(self, lock: Place) -> bool:
        symbol = f"{lock.owner}.{lock.name}"
        return any(facts.values[flow.target] == Name(symbol) for facts in self._project.modules for flow in facts.flows)
