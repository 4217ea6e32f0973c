"""Guards: the lock under which a piece of shared state is accessed, inferred from most of its accesses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import LOCK_KINDS, Domain
from conclint.model.naming import has_test_name
from conclint.project.declarations import Declared
from conclint.project.locks import find_lock_sites
from conclint.project.objects import Object
from conclint.project.places import Place, PlaceKind
from conclint.project.shared import SharedAccess

if TYPE_CHECKING:
    from conclint.project.project import Project

_LEAST_GUARDED = 2
_LEAST_FUNCTIONS = 2
_WRITE_WEIGHT = 2
_GUARDED_TO_UNGUARDED = 2
"""At most a third of the accesses, writes counted twice, may be unguarded."""


class Guard(NamedTuple):
    """The lock that protects a place: `identity`, with the names of state and lock as their users write them."""

    place: Place
    identity: Object | Place
    state: str
    lock: str
    guarded: tuple[SharedAccess, ...]
    unguarded: tuple[SharedAccess, ...]
    """Accesses without the lock, outside constructors and functions whose name says that the caller holds it."""
    declared: Declared | None = None
    """What names the guard, where it is not inferred."""

    @property
    def witness(self) -> SharedAccess:
        """The guarded access that shows best that the lock is the guard: a write, if there is one.

        Of a declared guard that nobody heeds it is some other access.
        """
        return next((access for access in self.guarded if access.is_write), (self.guarded or self.unguarded)[0])


class Guards:
    """Infers guards."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def find(self, place: Place) -> Guard | None:
        """Return the guard of a place, None where it has none; a declared one comes before one that is inferred."""
        place = place._replace(element=False)
        return next((guard for guard in self.declared if guard.place == place), self._by_place.get(place))

    @cached_property
    def declared(self) -> tuple[Guard, ...]:
        """The guards that comments and annotations name."""
        declared = self._project.declarations.guards
        return tuple(
            self._declare(place, one) for place in sorted(declared, key=_place_order) for one in declared[place]
        )

    def _declare(self, place: Place, one: Declared) -> Guard:
        identity = one.lock.identity
        counted = [
            access
            for access in self._project.shared.by_place.get(place, ())
            if not self._project.shared.is_alone(access.function) and not has_test_name(access.function)
        ]
        guarded = tuple(access for access in counted if identity in access.lockset)
        unguarded = tuple(
            access
            for access in counted
            if identity not in access.lockset
            and self._project.locks.find_way_without(access.function, identity, strict=True) is not None
        )
        return Guard(place, identity, place.written, one.name, guarded, unguarded, one)

    @cached_property
    def all(self) -> tuple[Guard, ...]:
        """All inferred guards, by place."""
        return tuple(self._by_place[place] for place in sorted(self._by_place, key=_place_order))

    @cached_property
    def _by_place(self) -> dict[Place, Guard]:
        declarations = self._project.declarations
        found = (
            self._infer(place, accesses)
            for place, accesses in self._project.shared.by_place.items()
            if not declarations.is_settled(place)
        )
        return {guard.place: guard for guard in found if guard is not None}

    @cached_property
    def lock_names(self) -> dict[Object | Place, str]:
        """How the program writes each thread lock that is certainly one, where it is acquired first."""
        names: dict[Object | Place, str] = {}
        for module, _, entry, lock in find_lock_sites(self._project):
            if lock.domain is Domain.THREAD:
                names.setdefault(lock.identity, self._project.places.describe(module, entry.value))
        for symbol in self._project.symbols.functions:
            for wrapped in self._project.locks.wrappers.find(symbol):
                if wrapped.lock.domain is Domain.THREAD and wrapped.name:
                    names.setdefault(wrapped.lock.identity, f"self.{wrapped.name}")
        return names

    def _infer(self, place: Place, accesses: tuple[SharedAccess, ...]) -> Guard | None:
        if place.kind is PlaceKind.CLOSURE:
            return None
        shared = self._project.shared
        counted = [access for access in accesses if not shared.is_quiet(access.function)]
        own = self.find_own_locks(place)
        locks = Counter(identity for access in counted for identity in access.lockset if identity in own)
        if not locks:
            return None
        identity = max(locks, key=lambda lock: (locks[lock], self.lock_names[lock]))
        guarded = tuple(access for access in counted if identity in access.lockset)
        unguarded = tuple(
            access
            for access in counted
            if identity not in access.lockset and self.is_reached_without(access.function, identity)
        )
        if not _is_convincing(guarded, unguarded) or self._is_lock(place):
            return None
        if any(access.function in self._trying.get(identity, ()) for access in unguarded):
            # Looked at before the lock is only tried: the state is made to be used while others hold it.
            return None
        holders = {access.function for access in guarded}
        related = tuple(
            access for access in unguarded if any(self.may_share(place, access.function, one) for one in holders)
        )
        return Guard(place, identity, place.written, self.lock_names[identity], guarded, related)

    @cached_property
    def _trying(self) -> dict[Object | Place, set[str]]:
        """The functions that try each lock, and do something else if they do not get it; and those that they call."""
        found: dict[Object | Place, set[str]] = {}
        for module, _, entry, lock in find_lock_sites(self._project):
            if entry.bounded:
                symbol = self._project.modules[module].functions[entry.function].symbol
                called = self._project.call_graph.called_by(symbol)
                found.setdefault(lock.identity, set()).update((symbol, *called))
        return found

    def is_reached_without(self, symbol: str, identity: Object | Place) -> bool:
        """Return whether some known way into a function does not hold the lock, though it could."""
        if self._project.locks.is_locked_by_name(symbol) or identity in self._made_by.get(symbol, ()):
            return False
        return self._project.locks.is_reached_without(symbol, identity)

    @cached_property
    def _made_by(self) -> dict[str, set[Object | Place]]:
        """The locks that a function makes itself: it builds the object, or builds it anew after a fork."""
        found: dict[str, set[Object | Place]] = {}
        for identity in self.lock_names:
            if isinstance(identity, Object) and identity.site is not None and identity.site.what == "call":
                found.setdefault(self._project.call(identity.site).function.symbol, set()).add(identity)
        for place, accesses in self._project.shared.by_place.items():
            if self._is_lock(place):
                for access in accesses:
                    if access.is_write and not access.place.element:
                        found.setdefault(access.function, set()).update(self._identities(place))
        return found

    def _identities(self, place: Place) -> set[Object | Place]:
        return {place, *self._project.place_objects(place)}

    def may_share(self, place: Place, first: str, second: str) -> bool:
        """Return whether two functions may get at the same object's state (may).

        Methods of sister classes do not: what one class does with what both inherit says nothing of the other.
        """
        project = self._project
        functions = [project.function(symbol) for symbol in (first, second)]
        owners = [function.owner for function in functions if function is not None]
        own = [owner for owner in owners if place.owner in project.symbols.linearise(owner)]
        if len(set(own)) < 2:
            return True
        one, other = ({owner, *project.symbols.subclasses.get(owner, ())} for owner in own)
        return not one.isdisjoint(other)

    def find_own_locks(self, place: Place) -> frozenset[Object | Place]:
        """Return the locks that may be meant for a place: those of its class, and the globals of its module.

        A lock of another object may be held around every call without having to do with this state.
        """
        project = self._project
        module = place.owner
        own: set[Object | Place] = set()
        if place.kind is PlaceKind.ATTRIBUTE:
            for owner in (*project.symbols.linearise(place.owner), *project.symbols.subclasses.get(place.owner, ())):
                own |= project.shared.owned_locks(owner)
            module = project.symbols.module_of(place.owner)
        return frozenset(own | project.shared.global_locks(module)) & frozenset(self.lock_names)

    def _is_lock(self, place: Place) -> bool:
        objects = self._project.place_objects(place)
        rows = [self._project.class_row(found) for found in objects]
        return any(row is not None and row.kind in LOCK_KINDS for row in rows)


def _is_convincing(guarded: tuple[SharedAccess, ...], unguarded: tuple[SharedAccess, ...]) -> bool:
    if len(guarded) < _LEAST_GUARDED or len({access.function for access in guarded}) < _LEAST_FUNCTIONS:
        return False
    if not any(access.is_write for access in guarded):
        return False
    return weigh(guarded) >= _GUARDED_TO_UNGUARDED * weigh(unguarded)


def find_witness(accesses: Sequence[SharedAccess], lock: Object | Place) -> SharedAccess | None:
    """Return a write under a lock, where at least half of the accesses are: else it guards something next to them."""
    guarded = [access for access in accesses if lock in access.lockset]
    witness = next((access for access in guarded if access.is_write), None)
    return witness if 2 * weigh(guarded) >= weigh(accesses) else None


def weigh(accesses: Iterable[SharedAccess]) -> int:
    """Count accesses, writes twice."""
    return sum(_WRITE_WEIGHT if access.is_write else 1 for access in accesses)


def _place_order(place: Place) -> tuple[str, str, str]:
    return place.kind.value, place.owner, place.name
