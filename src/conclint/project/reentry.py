"""Re-entry: a thread acquires a lock that it holds already, at once or through the functions that it calls."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import Kind
from conclint.model.facts import Acquisition, How
from conclint.model.span import Span
from conclint.project.locks import Lock
from conclint.project.order import precedes
from conclint.project.paths import Invocation, LockPath
from conclint.project.symbols import FunctionPlace

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
        self._reached: dict[str, dict[LockPath, tuple[Step, ...]]] = {}

    def iter_all(self) -> Iterator[Reentry]:
        """Yield every re-entry, the shortest trace for each place and lock."""
        for module in range(len(self._project.modules)):
            yield from self._iter_direct(module)
            for function in range(len(self._project.modules[module].functions)):
                yield from self._iter_invoked(module, function)

    def _iter_direct(self, module: int) -> Iterator[Reentry]:
        facts = self._project.modules[module]
        for entry in facts.acquisitions:
            lock = self._find_plain(module, entry)
            if lock is None:
                continue
            for held, earlier in self._project.locks.held(module, entry.context):
                # Two expressions may be two objects of one class: only the same one is certainly the same lock.
                if held.identity == lock.identity and earlier.value == entry.value and not earlier.bounded:
                    if entry.how is How.ACQUIRE and self._is_released_elsewhere(module, entry):
                        continue
                    symbol = facts.functions[entry.function].symbol
                    name = self._project.places.describe(module, entry.value)
                    yield Reentry(name, module, earlier.span, (Step(module, entry.span, symbol),))

    def _is_released_elsewhere(self, module: int, entry: Acquisition) -> bool:
        """Whether a function releases the lock that never acquires it: to wait for it is to wait for a signal."""
        operations = [
            (self._project.call(one.site).function.symbol, one.name)
            for found in self._project.objects(module, entry.value)
            for one in self._project.operations(found)
            if one.site.what == "call"
        ]
        acquiring = {symbol for symbol, name in operations if name == "acquire"}
        return any(name == "release" and symbol not in acquiring for symbol, name in operations)

    def _iter_invoked(self, module: int, function: int) -> Iterator[Reentry]:
        symbol = self._project.modules[module].functions[function].symbol
        paths = self._project.locks.paths
        for one in paths.invocations(module, function):
            step = Step(module, one.span, symbol)
            for held, earlier, _ in paths.iter_held(module, one.context):
                trace = self._find_again(symbol, one, held)
                if trace:
                    name = self._project.places.describe(module, earlier.value)
                    yield Reentry(name, module, earlier.span, (step, *trace))
            for lock, wrapped in paths.iter_wrapping(symbol):
                trace = self._find_again(symbol, one, lock)
                if trace:
                    name = f"self.{wrapped.name}" if wrapped.name else "the lock of the decorator"
                    yield Reentry(name, wrapped.module, wrapped.span, (step, *trace))

    def _find_again(self, symbol: str, invocation: Invocation, held: LockPath) -> tuple[Step, ...]:
        """Return the way to where an invocation waits for a lock that is held; empty where it does not."""
        for lock, trace in self._translate(symbol, invocation).items():
            if self._project.locks.paths.is_same(held, lock):
                return trace
        return ()

    def _find_plain(self, module: int, entry: Acquisition) -> Lock | None:
        """Return the lock if waiting for it while holding it would never end."""
        lock = self._project.locks.find(module, entry.value)
        if lock is None or lock.kind is not Kind.LOCK or entry.bounded:
            return None
        return lock

    def _translate(
        self, caller: str, invocation: Invocation, seen: frozenset[str] = frozenset()
    ) -> dict[LockPath, tuple[Step, ...]]:
        """Return the locks that an invocation acquires, in the words of the caller, with the way there."""
        found: dict[LockPath, tuple[Step, ...]] = {}
        for lock, trace in self._acquired_by(invocation.callee, seen).items():
            if self._is_consistent(caller, trace):
                for translated in self._project.locks.paths.translate(lock, invocation.callee, invocation.given):
                    found.setdefault(translated, trace)
        return found

    def _acquired_by(self, symbol: str, seen: frozenset[str]) -> dict[LockPath, tuple[Step, ...]]:
        """Return the plain locks that a function acquires and can name, with the way there."""
        if symbol in self._reached:
            return self._reached[symbol]
        place = self._project.place(symbol)
        if place is None or symbol in seen or len(seen) >= _LONGEST_TRACE:
            return {}
        found: dict[LockPath, tuple[Step, ...]] = {
            path: (Step(wrapped.module, wrapped.span, symbol),)
            for path, wrapped in self._project.locks.paths.iter_wrapping(symbol)
        }
        for entry in self._entries_by_function.get((place.module, place.index), ()):
            lock = self._find_plain(place.module, entry)
            path = self._project.locks.paths.find_lock(place.module, entry.value, lock) if lock is not None else None
            if path is not None:
                found.setdefault(path, (Step(place.module, entry.span, symbol),))
        for one in self._project.locks.paths.invocations(place.module, place.index):
            for path, trace in self._translate(symbol, one, seen | {symbol}).items():
                if not self._is_tried_before(place, path, one):
                    found.setdefault(path, (Step(place.module, one.span, symbol), *trace))
        if not seen:
            self._reached[symbol] = found
        return found

    def _is_tried_before(self, place: FunctionPlace, path: LockPath, invocation: Invocation) -> bool:
        """Whether a function tries a lock, and invokes something in a branch below: who tries, knows what is held.

        `if lock.acquire(False):` is False for the thread that holds the lock, which then takes another branch.
        """
        facts, locks = self._project.modules[place.module], self._project.locks
        around = {*facts.contexts[invocation.context].branches}
        return any(
            entry.bounded
            and precedes(entry.span, invocation.span)
            and around.difference(facts.contexts[entry.context].branches)
            and (lock := locks.find(place.module, entry.value)) is not None
            and lock.identity == path.identity
            for entry in self._entries_by_function.get((place.module, place.index), ())
        )

    def _is_consistent(self, caller: str, trace: tuple[Step, ...]) -> bool:
        """Whether one object may go the whole way: overrides of two sibling classes do not meet in one `self`."""
        symbols = self._project.symbols
        base = caller.rpartition(".")[0]
        if base not in symbols.classes:
            return True
        owners = {step.function.rpartition(".")[0] for step in trace}
        own = [owner for owner in owners if base in symbols.linearise(owner)]
        return all(
            one in symbols.linearise(other) or other in symbols.linearise(one)
            for index, one in enumerate(own)
            for other in own[index:]
        )

    @cached_property
    def _entries_by_function(self) -> dict[tuple[int, int], list[Acquisition]]:
        found: dict[tuple[int, int], list[Acquisition]] = {}
        for module, facts in enumerate(self._project.modules):
            for entry in facts.acquisitions:
                if entry.how is not How.ENTER_CONTEXT:
                    found.setdefault((module, entry.function), []).append(entry)
        return found
