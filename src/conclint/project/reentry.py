"""Re-entry: a thread acquires a lock that it holds already, at once or through the functions that it calls."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import Kind
from conclint.model.facts import Acquisition, How
from conclint.model.span import Span
from conclint.model.values import Attribute, Local, Super, ValueId
from conclint.project.locks import Lock
from conclint.project.objects import Object, Site
from conclint.project.places import Place, PlaceKind

if TYPE_CHECKING:
    from conclint.project.project import Project

_LONGEST_TRACE = 6


class Step(NamedTuple):
    """One step of a trace: a call, or the acquisition at its end, in `function`."""

    module: int
    span: Span
    function: str


class Reentry(NamedTuple):
    """A lock that is held at `held` and waited for at the end of `trace`, by the same thread."""

    lock: str
    module: int
    held: Span
    trace: tuple[Step, ...]


class Reentries:
    """Finds self-deadlocks on locks that their holder must not acquire again."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._reached: dict[str, dict[Object | Place, tuple[Step, ...]]] = {}

    def iter_all(self) -> Iterator[Reentry]:
        """Yield every re-entry, the shortest trace for each place and lock."""
        for module in range(len(self._project.modules)):
            yield from self._iter_direct(module)
            yield from self._iter_through_calls(module)

    def _iter_direct(self, module: int) -> Iterator[Reentry]:
        facts = self._project.modules[module]
        for entry in facts.acquisitions:
            lock = self._find_plain(module, entry)
            if lock is None:
                continue
            for held, earlier in self._project.locks.held(module, entry.context):
                # Two expressions may be two objects of one class: only the same one is certainly the same lock.
                if held.identity == lock.identity and earlier.value == entry.value and not earlier.bounded:
                    symbol = facts.functions[entry.function].symbol
                    name = self._project.places.describe(module, entry.value)
                    yield Reentry(name, module, earlier.span, (Step(module, entry.span, symbol),))

    def _iter_through_calls(self, module: int) -> Iterator[Reentry]:
        facts = self._project.modules[module]
        for number, call in enumerate(facts.calls):
            held = self._project.locks.held(module, call.context)
            if not held:
                continue
            for symbol in self._iter_certain_callees(Site(module, number)):
                own = self._is_own_call(module, call.callee)
                acquired = self._acquired_by(symbol)
                for lock, earlier in held:
                    trace = acquired.get(lock.identity)
                    if trace is None or earlier.bounded or lock.is_reentrant or not lock.is_known:
                        continue
                    if (own and self._is_on_self(module, earlier.value)) or self._is_global(module, earlier.value):
                        first = Step(module, call.span, facts.functions[call.function].symbol)
                        name = self._project.places.describe(module, earlier.value)
                        yield Reentry(name, module, earlier.span, (first, *trace))

    def _find_plain(self, module: int, entry: Acquisition) -> Lock | None:
        """Return the lock if waiting for it while holding it would never end."""
        lock = self._project.locks.find(module, entry.value)
        if lock is None or lock.kind is not Kind.LOCK or entry.bounded:
            return None
        return lock

    def _acquired_by(self, symbol: str, seen: frozenset[str] = frozenset()) -> dict[Object | Place, tuple[Step, ...]]:
        """Return the plain locks of `self`, and global ones, that a function acquires, with the way there."""
        if symbol in self._reached:
            return self._reached[symbol]
        place = self._project.place(symbol)
        if place is None or symbol in seen or len(seen) >= _LONGEST_TRACE:
            return {}
        found: dict[Object | Place, tuple[Step, ...]] = {}
        facts = self._project.modules[place.module]
        for entry in self._entries_by_function.get((place.module, place.index), ()):
            lock = self._find_plain(place.module, entry)
            if lock is not None and self._is_anchored(place.module, entry.value):
                found.setdefault(lock.identity, (Step(place.module, entry.span, symbol),))
        for number in self._calls_by_function.get((place.module, place.index), ()):
            call = facts.calls[number]
            own = self._is_own_call(place.module, call.callee)
            for callee in self._iter_certain_callees(Site(place.module, number)):
                for identity, trace in self._acquired_by(callee, seen | {symbol}).items():
                    if own or self._is_global_lock(identity):
                        found.setdefault(identity, (Step(place.module, call.span, symbol), *trace))
        if not seen:
            self._reached[symbol] = found
        return found

    def _iter_certain_callees(self, site: Site) -> Iterator[str]:
        """Yield the function that a call runs, where it can only be one."""
        targets = self._project.callees(site)
        if len(targets) == 1 and self._project.runs_at_once(site, targets[0].function):
            yield targets[0].function

    @cached_property
    def _entries_by_function(self) -> dict[tuple[int, int], list[Acquisition]]:
        found: dict[tuple[int, int], list[Acquisition]] = {}
        for module, facts in enumerate(self._project.modules):
            for entry in facts.acquisitions:
                if entry.how is not How.ENTER_CONTEXT:
                    found.setdefault((module, entry.function), []).append(entry)
        return found

    @cached_property
    def _calls_by_function(self) -> dict[tuple[int, int], list[int]]:
        found: dict[tuple[int, int], list[int]] = {}
        for module, facts in enumerate(self._project.modules):
            for number, call in enumerate(facts.calls):
                found.setdefault((module, call.function), []).append(number)
        return found

    def _is_own_call(self, module: int, callee: ValueId) -> bool:
        """Whether a method is called on `self`, so that its `self` is the same object."""
        values = self._project.modules[module].values
        found = values[callee]
        if not isinstance(found, Attribute):
            return False
        return isinstance(values[found.base], Super) or self._is_self(module, found.base)

    def _is_anchored(self, module: int, value: ValueId) -> bool:
        return self._is_on_self(module, value) or self._is_global(module, value)

    def _is_on_self(self, module: int, value: ValueId) -> bool:
        found = self._project.modules[module].values[value]
        return isinstance(found, Attribute) and self._is_self(module, found.base)

    def _is_self(self, module: int, value: ValueId) -> bool:
        found = self._project.modules[module].values[value]
        if not isinstance(found, Local):
            return False
        function = self._project.function(found.function)
        return function is not None and bool(function.owner) and function.parameters[0].name == found.name

    def _is_global(self, module: int, value: ValueId) -> bool:
        lock = self._project.locks.find(module, value)
        return lock is not None and self._is_global_lock(lock.identity)

    def _is_global_lock(self, identity: Object | Place) -> bool:
        """Whether there is one such lock in the program: it is made at import time."""
        if isinstance(identity, Place):
            return identity.kind is PlaceKind.GLOBAL
        return identity.site is not None and self._project.function_at(identity.site).name == "<module>"
