"""Locks across functions: which lock a value is, what is held where, and on entry to a function."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import LOCK_KINDS, Domain, Kind, RunsIn
from conclint.model.facts import Acquisition
from conclint.model.ids import AcquisitionId, ContextId
from conclint.model.naming import has_test_name
from conclint.model.values import Local, ValueId
from conclint.project.objects import Object, ObjectKind
from conclint.project.places import Place

if TYPE_CHECKING:
    from conclint.project.paths import Paths
    from conclint.project.project import CallPlace, Project
    from conclint.project.wrappers import Wrappers


Way = tuple[tuple[str, str, ContextId], ...]
"""Calls that lead into a function, the last one first: caller, callee, and the context of the call."""


class Lock(NamedTuple):
    """A lock: its identity is the object, where there is just one, else the place that holds it.

    `kind` is None for a context manager of unknown class, which may be a lock: enough to keep silent, not to speak.
    """

    identity: Object | Place
    kind: Kind | None
    domain: Domain | None

    @property
    def is_known(self) -> bool:
        """Whether this certainly is a lock."""
        return self.kind is not None


class Locks:
    """Answers which locks are held."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._found: dict[tuple[int, ValueId], Lock | None] = {}
        self._locksets: dict[tuple[int, int, ContextId], frozenset[Object | Place]] = {}
        self._given_by_function: dict[str, frozenset[Object | Place]] = {}

    def find(self, module: int, value: ValueId) -> Lock | None:
        """Return the lock that a value is, None for what is certainly none or has no identity."""
        key = (module, value)
        if key not in self._found:
            self._found[key] = self._find(module, value)
        return self._found[key]

    def _find(self, module: int, value: ValueId) -> Lock | None:
        return self._identify(self._project.objects(module, value), self._project.places.find(module, value))

    def find_at(self, place: Place) -> Lock | None:
        """Return the lock that is kept at a place, None where that is certainly none."""
        return self._identify(self._project.place_objects(place), place)

    def _identify(self, objects: frozenset[Object], place: Place | None) -> Lock | None:
        project = self._project
        rows = {found: row for found in objects if (row := project.class_row(found)) is not None}
        locks = {found: row for found, row in rows.items() if row.kind in LOCK_KINDS}
        if len(locks) == 1:
            found, row = next(iter(locks.items()))
            underlying = self._find_underlying(found) if row.kind is Kind.CONDITION else None
            if underlying is not None:
                return underlying
            made_here = found.site is not None and found.site.what == "call"
            identity = found if made_here or place is None else place
            return Lock(identity, row.kind, row.domain)
        if locks and place is not None:
            row = next(iter(locks.values()))
            return Lock(place, row.kind, row.domain)
        if objects and all(found in rows or found.symbol in project.symbols.classes for found in objects):
            return self._find_wrapped(objects, place)
        return Lock(place, None, None) if place is not None else None

    def identify(self, lock: Object) -> Object | Place:
        """Return the identity of a lock object: for a Condition, that of the lock that it was made from."""
        underlying = self._find_underlying(lock)
        return underlying.identity if underlying is not None else lock

    def _find_wrapped(self, objects: frozenset[Object], place: Place | None) -> Lock | None:
        # A class of the project that may be a lock of its own making: unknown, but with an identity.
        managers = [found for found in objects if self._project.symbols.find_method(found.symbol, "__enter__")]
        return Lock(place, None, None) if managers and place is not None else None

    def _find_underlying(self, condition: Object) -> Lock | None:
        """Return the lock that a Condition was made from; it *is* that lock."""
        given = self.find_given_lock(condition)
        return self.find(*given) if given is not None else None

    def find_given_lock(self, condition: Object) -> tuple[int, ValueId] | None:
        """Return what a Condition was made from, with the module; None where that is nothing, or not known."""
        site = condition.site
        made = self._project.find_call(self._project.links.factories.get(site, site) if site is not None else None)
        argument = made.find_argument("lock", 0) if made is not None else None
        if site is None or made is None or argument is None:
            return None
        value = made.facts.values[argument.value]
        if made.site == site or not isinstance(value, Local):
            return made.site.module, argument.value
        # A helper made it, from what the call of the helper gives.
        given = self.paths.bind_values(site, made.function.symbol).get(value.name)
        return (site.module, given) if given is not None else (made.site.module, argument.value)

    def held(self, module: int, context: ContextId) -> tuple[tuple[Lock, Acquisition], ...]:
        """Return the locks held at a place of a function (must), with what acquires them, outermost first."""
        entered = self._project.modules[module].contexts[context].lockset
        return tuple(found for index in entered for found in self.entered(module, index)) if entered else ()

    def entered(self, module: int, acquisition: AcquisitionId) -> Iterator[tuple[Lock, Acquisition]]:
        """Yield the locks that an acquisition takes: its own, and those of a context manager of the project."""
        entry = self._project.modules[module].acquisitions[acquisition]
        lock = self.find(module, entry.value)
        if lock is not None:
            yield lock, entry
        for inner in self._held_by_manager(module, entry.value, frozenset()):
            yield inner, entry

    def _held_by_manager(self, module: int, value: ValueId, seen: frozenset[str]) -> Iterator[Lock]:
        """Yield what a context manager of the project holds while it yields, or acquires in `__enter__`."""
        project = self._project
        for found in project.objects(module, value):
            if found.kind is ObjectKind.GENERATOR and found.symbol not in seen:
                place = project.place(found.symbol)
                for produced in project.modules[place.module].yields if place is not None else ():
                    if place is not None and produced.function == place.index:
                        yield from (lock for lock, _ in self.held(place.module, produced.context))
            elif found.kind is ObjectKind.INSTANCE and found.symbol in project.symbols.classes:
                method = project.symbols.find_method(found.symbol, "__enter__")
                place = project.place(method) if method is not None else None
                if place is not None:
                    for entry in project.modules[place.module].acquisitions:
                        if entry.function == place.index and (lock := self.find(place.module, entry.value)):
                            yield lock

    def lockset(self, module: int, function: int, context: ContextId) -> frozenset[Object | Place]:
        """Return the identities of all locks held at a place (must), those held on entry included."""
        key = (module, function, context)
        known = self._locksets.get(key)
        if known is None:
            symbol = self._project.modules[module].functions[function].symbol
            held = frozenset(lock.identity for lock, _ in self.held(module, context))
            entry = self.held_on_entry.get(symbol)
            known = self._locksets[key] = held | (entry or frozenset()) | self._given(symbol)
        return known

    def is_held_at(self, place: CallPlace) -> bool:
        """Return whether its function calls with a lock held that is not for tasks (may): it should not await there."""
        held = (lock for lock, _ in self.held(place.site.module, place.call.context))
        return any(lock.domain is not Domain.TASK for lock in held)

    @cached_property
    def paths(self) -> Paths:
        """How functions name locks, and what they invoke with what."""
        from conclint.project.paths import Paths

        return Paths(self._project)

    @cached_property
    def wrappers(self) -> Wrappers:
        """Which locks decorators hold around functions."""
        from conclint.project.wrappers import Wrappers

        return Wrappers(self._project)

    def _given(self, symbol: str) -> frozenset[Object | Place]:
        """Return what is held whenever a function runs: decorators take it, or a comment says that callers do."""
        known = self._given_by_function.get(symbol)
        if known is None:
            wrapping = frozenset(wrapped.lock.identity for wrapped in self.wrappers.find(symbol))
            required = self._project.declarations.required.get(symbol, ())
            known = self._given_by_function[symbol] = wrapping | {one.lock.identity for one in required}
        return known

    def is_reached_without(self, symbol: str, identity: Object | Place) -> bool:
        """Return whether some known way into a function certainly does not hold the lock."""
        return self.find_way_without(symbol, identity) is not None

    def find_way_without(self, symbol: str, identity: Object | Place, *, strict: bool = False) -> Way | None:
        """Return a way into a function that certainly does not hold the lock, None where there is none.

        A way begins at a root, or at a public function that nobody in the project calls. One that is handed on as a
        value, or whose name says that its caller locks, is called in circumstances that are not known: no such way, but
        with `strict`, which takes nothing on trust but the name.
        """
        project = self._project
        pending: list[tuple[str, Way]] = [(symbol, ())]
        seen = {symbol}
        while pending:
            current, way = pending.pop()
            if identity in self._given(current):
                continue
            if current in self._roots:
                return way
            # A test runs alone: that it takes no lock says nothing. Nor does it that a function calls itself.
            callers = [
                caller
                for caller in (*project.call_graph.callers.get(current, ()), *self._readers.get(current, ()))
                if not has_test_name(caller[0]) and caller[0] != current
            ]
            is_open = strict or project.call_graph.is_open(current)
            if not callers and is_open and not self.is_locked_by_name(current):
                return way
            for caller, module, context in callers:
                held = {lock.identity for lock, _ in self.held(module, context)}
                if caller not in seen and identity not in held and not project.shared.is_building(caller):
                    seen.add(caller)
                    pending.append((caller, (*way, (caller, current, context))))
        return None

    @cached_property
    def _readers(self) -> dict[str, list[tuple[str, int, int]]]:
        """Who runs a property by reading it, as `CallGraph.callers` tells who calls a function."""
        found: dict[str, list[tuple[str, int, int]]] = {}
        for place, getters in self._project.property_loads.values():
            for getter in getters:
                reader = (place.function.symbol, place.site.module, place.call.context)
                found.setdefault(getter, []).append(reader)
        return found

    @cached_property
    def _roots(self) -> frozenset[str]:
        return frozenset(root.function for root in self._project.roots if root.runs_in is not RunsIn.HERE)

    def is_locked_by_name(self, symbol: str) -> bool:
        """Return whether the name of a function says that its callers hold the lock."""
        return symbol.rpartition(".")[2].endswith(("_locked", "_unlocked", "_unsafe", "_nolock", "_no_lock"))

    @cached_property
    def held_on_entry(self) -> dict[str, frozenset[Object | Place]]:
        """What every known caller of a function holds (must).

        That a public function has other callers, outside of the project, is possible, but where all known ones hold
        a lock it is rarely meant. Roots are missing: nothing is held where a thread begins.
        """
        project = self._project
        called = {symbol for symbol in project.call_graph.callers if symbol not in self._roots}
        entry: dict[str, frozenset[Object | Place] | None] = dict.fromkeys(called)
        changed = True
        while changed:
            changed = False
            for symbol in sorted(called):
                held = self._intersect_callers(symbol, entry)
                if held is not None and held != entry[symbol]:
                    entry[symbol] = held
                    changed = True
        return {symbol: held for symbol, held in entry.items() if held is not None}

    def _intersect_callers(
        self, symbol: str, entry: dict[str, frozenset[Object | Place] | None]
    ) -> frozenset[Object | Place] | None:
        """Return what all callers hold; None while nothing is known of any, as within a cycle."""
        result: frozenset[Object | Place] | None = None
        for caller, module, context in self._project.call_graph.callers[symbol]:
            held = self._given(caller) | {lock.identity for lock, _ in self.held(module, context)}
            if caller in entry:
                above = entry[caller]
                if above is None:
                    continue
                held |= above
            result = held if result is None else result & held
        return result


def find_lock_sites(project: Project) -> Iterator[tuple[int, int, Acquisition, Lock]]:
    """Yield every acquisition of what is certainly a lock: module, index, acquisition, lock."""
    for module, facts in enumerate(project.modules):
        for index, entry in enumerate(facts.acquisitions):
            lock = project.locks.find(module, entry.value)
            if lock is not None and lock.is_known:
                yield module, index, entry, lock
