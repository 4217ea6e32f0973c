"""Lock order: which lock is waited for while which other one is held, and where that goes in a circle."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint.model.span import Span
from conclint.project.locks import Lock
from conclint.project.objects import Object, Site
from conclint.project.places import Place, PlaceKind
from conclint.project.wrappers import Wrapped

if TYPE_CHECKING:
    from conclint.project.project import CallPlace, Project
    from conclint.project.symbols import FunctionPlace

Identity = Object | Place
_LONGEST_TRACE = 6
_LONGEST_CYCLE = 4


class Step(NamedTuple):
    """One step of an edge: a call in `function`, or, last, the acquisition."""

    module: int
    span: Span
    function: str


class Edge(NamedTuple):
    """Somebody holds `held` and waits for `taken`: acquired at `acquired` in `module`, then along `steps`."""

    held: Identity
    taken: Identity
    held_name: str
    taken_name: str
    module: int
    acquired: Span
    steps: tuple[Step, ...]
    gates: frozenset[Identity]
    """The other locks that are held all the way (must)."""


class Cycle(NamedTuple):
    """Edges, each of which waits for the lock that the next one holds, and the last for that of the first."""

    edges: tuple[Edge, ...]


class LockOrder:
    """Collects the edges held → taken, and finds the cycles among them."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._acquired: dict[str, dict[Identity, tuple[str, tuple[Step, ...]]]] = {}

    @cached_property
    def cycles(self) -> tuple[Cycle, ...]:
        """Each cycle once, the shortest for each edge."""
        found: dict[frozenset[Identity], Cycle] = {}
        for (held, taken), edges in self.edges.items():
            for edge in edges:
                cycle = self._close(edge, held, taken)
                if cycle is not None:
                    found.setdefault(frozenset(one.held for one in cycle.edges), cycle)
                    break
        return tuple(found.values())

    @cached_property
    def edges(self) -> dict[tuple[Identity, Identity], list[Edge]]:
        """All edges by their two locks, in the order of modules and source."""
        found: dict[tuple[Identity, Identity], list[Edge]] = {}
        for module in range(len(self._project.modules)):
            for edge in (*self._iter_direct(module), *self._iter_through_calls(module)):
                found.setdefault((edge.held, edge.taken), []).append(edge)
        return found

    def _iter_direct(self, module: int) -> Iterator[Edge]:
        facts = self._project.modules[module]
        for entry in facts.acquisitions:
            taken = self._find_waited(module, entry.value, bounded=entry.bounded)
            if taken is not None:
                symbol = facts.functions[entry.function].symbol
                name = self._name(module, entry.value)
                steps = (Step(module, entry.span, symbol),)
                yield from self._iter_edges(module, entry.context, taken.identity, name, steps)

    def _iter_through_calls(self, module: int) -> Iterator[Edge]:
        facts = self._project.modules[module]
        for place in self._calls[module]:
            caller = facts.functions[place.call.function].symbol
            if not place.context.lockset and caller not in self._wrapped:
                continue
            first = Step(module, place.call.span, caller)
            for symbol in self._iter_certain_callees(place.site):
                for identity, (name, steps) in self.find_acquired(symbol).items():
                    yield from self._iter_edges(module, place.call.context, identity, name, (first, *steps))

    @cached_property
    def _calls(self) -> tuple[list[CallPlace], ...]:
        """The calls of each module, the loads of properties among them."""
        found: tuple[list[CallPlace], ...] = tuple([] for _ in self._project.modules)
        for place in self._project.calls:
            found[place.site.module].append(place)
        for functions in self._loads.values():
            for place in functions:
                found[place.site.module].append(place)
        return found

    @cached_property
    def _loads(self) -> dict[FunctionPlace, list[CallPlace]]:
        """The loads of properties in each function."""
        found: dict[FunctionPlace, list[CallPlace]] = {}
        for place, _ in self._project.property_loads.values():
            found.setdefault(place.function_place, []).append(place)
        return found

    def _iter_edges(
        self, module: int, context: int, taken: Identity, name: str, steps: tuple[Step, ...]
    ) -> Iterator[Edge]:
        held = [(lock, entry) for lock, entry in self._project.locks.held(module, context) if lock.is_known]
        wrapped = self._wrapped.get(steps[0].function, ())
        identities = frozenset(lock.identity for lock, _ in held) | {one.lock.identity for one in wrapped}
        if taken in identities:
            # Acquired again: a self-deadlock, or a reentrant lock that is no new edge.
            return
        for lock, entry in held:
            if not entry.bounded:
                held_name = self._name(module, entry.value)
                gates = identities - {lock.identity}
                yield Edge(lock.identity, taken, held_name, name, module, entry.span, steps, gates)
        for one in wrapped:
            identity = one.lock.identity
            held_name = self._name_wrapped(steps[0].function, one)
            yield Edge(identity, taken, held_name, name, one.module, one.span, steps, identities - {identity})

    @cached_property
    def _wrapped(self) -> dict[str, tuple[Wrapped, ...]]:
        """The locks that decorators hold around functions, as long as these run (must)."""
        found: dict[str, tuple[Wrapped, ...]] = {}
        for symbol in self._project.symbols.functions:
            function = self._project.function(symbol)
            # A generator and a coroutine run when their decorator has let go already.
            if function is not None and function.decorators and not (function.is_generator or function.is_async):
                found[symbol] = self._project.locks.wrappers.find(symbol)
        return {symbol: wrapped for symbol, wrapped in found.items() if wrapped}

    def _name_wrapped(self, symbol: str, wrapped: Wrapped) -> str:
        if wrapped.name:
            return f"{symbol.split('.')[-2]}.{wrapped.name}"
        return self._project.guards.lock_names.get(wrapped.lock.identity, "the lock of the decorator")

    def _name(self, module: int, value: int) -> str:
        """Return a lock as its user writes it; one of `self` with its class, since two classes may call it the same."""
        place = self._project.places.find(module, value)
        written = self._project.places.describe(module, value)
        if place is None or place.kind is not PlaceKind.ATTRIBUTE or not written.startswith("self."):
            return written
        return f"{place.owner.rpartition('.')[2]}.{place.name}"

    def _find_waited(self, module: int, value: int, *, bounded: bool) -> Lock | None:
        lock = self._project.locks.find(module, value) if not bounded else None
        return lock if lock is not None and lock.is_known else None

    def find_acquired(
        self, symbol: str, seen: frozenset[str] = frozenset()
    ) -> dict[Identity, tuple[str, tuple[Step, ...]]]:
        """Return the locks that a function waits for, by itself or through calls, with name and way."""
        if symbol in self._acquired:
            return self._acquired[symbol]
        place = self._project.place(symbol)
        if place is None or symbol in seen or len(seen) >= _LONGEST_TRACE:
            return {}
        found: dict[Identity, tuple[str, tuple[Step, ...]]] = {
            one.lock.identity: (self._name_wrapped(symbol, one), (Step(one.module, one.span, symbol),))
            for one in self._wrapped.get(symbol, ())
        }
        facts = self._project.modules[place.module]
        for entry in facts.acquisitions:
            if entry.function == place.index:
                lock = self._find_waited(place.module, entry.value, bounded=entry.bounded)
                if lock is not None:
                    name = self._name(place.module, entry.value)
                    found.setdefault(lock.identity, (name, (Step(place.module, entry.span, symbol),)))
        for made in (*self._project.calls_in(place), *self._loads.get(place, ())):
            step = Step(place.module, made.call.span, symbol)
            for callee in self._iter_certain_callees(made.site):
                for identity, (name, steps) in self.find_acquired(callee, seen | {symbol}).items():
                    found.setdefault(identity, (name, (step, *steps)))
        if not seen:
            self._acquired[symbol] = found
        return found

    def _iter_certain_callees(self, site: Site) -> Iterator[str]:
        """Yield what a call runs in this thread, where it can only be one function, or the overrides of one method."""
        load = self._project.property_loads.get(site)
        if load is not None:
            yield from load[1] if len(load[1]) == 1 else ()
            return
        functions = sorted({target.function for target in self._project.callees(site)})
        if len(functions) > 1:
            # What a base class only declares is not what runs.
            functions = [one for one in functions if not self._is_stub(one)]
        if len(functions) > 1 and not self._project.locks.paths.is_overridden(site, functions):
            return
        yield from (one for one in functions if self._project.call_graph.runs_at_once(site, one))

    def _is_stub(self, symbol: str) -> bool:
        function = self._project.function(symbol)
        return function is not None and function.is_stub

    def _close(self, first: Edge, held: Identity, taken: Identity) -> Cycle | None:
        """Return the shortest way back from what an edge takes to what it holds."""
        pending: deque[tuple[Edge, ...]] = deque([(first,)])
        reached = {taken}
        while pending:
            path = pending.popleft()
            for (start, end), edges in self.edges.items():
                if start != path[-1].taken or (end in reached and end != held):
                    continue
                following = next((edge for edge in edges if self._may_meet((*path, edge))), None)
                if following is None:
                    continue
                if end == held:
                    return Cycle((*path, following))
                if len(path) + 1 < _LONGEST_CYCLE:
                    reached.add(end)
                    pending.append((*path, following))
        return None

    def _may_meet(self, path: tuple[Edge, ...]) -> bool:
        """Whether the threads of these edges may wait for each other, as far as one knows."""
        *earlier, last = path
        # A lock that is held around two of the edges would keep their threads from meeting.
        if any(last.gates & other.gates for other in earlier):
            return False
        owners = {step.function.rpartition(".")[0] for edge in path for step in edge.steps}
        return not any(self._are_siblings(one, other, owners) for one in owners for other in owners)

    def _are_siblings(self, one: str, other: str, owners: set[str]) -> bool:
        """Whether two classes override methods of a third one on the way: one object is never of both."""
        symbols = self._project.symbols
        ours, theirs = symbols.linearise(one), symbols.linearise(other)
        if one in theirs or other in ours:
            return False
        return any(base in ours and base in theirs for base in owners)
