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
        under = [place for place in self._calls[module] if place.context.lockset]
        for place in under:
            first = Step(module, place.call.span, facts.functions[place.call.function].symbol)
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
        identities = frozenset(lock.identity for lock, _ in held)
        if taken in identities:
            # Acquired again: a self-deadlock, or a reentrant lock that is no new edge.
            return
        for lock, entry in held:
            if not entry.bounded:
                held_name = self._name(module, entry.value)
                gates = identities - {lock.identity}
                yield Edge(lock.identity, taken, held_name, name, module, entry.span, steps, gates)

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
        found: dict[Identity, tuple[str, tuple[Step, ...]]] = {}
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
        """Yield the function that a call runs in this thread, where it can only be one."""
        load = self._project.property_loads.get(site)
        if load is not None:
            yield from load[1] if len(load[1]) == 1 else ()
            return
        functions = {target.function for target in self._project.callees(site)}
        if len(functions) == 1:
            yield from (one for one in functions if self._project.call_graph.runs_at_once(site, one))

    def _close(self, first: Edge, held: Identity, taken: Identity) -> Cycle | None:
        """Return the shortest way back from what an edge takes to what it holds."""
        pending: deque[tuple[Edge, ...]] = deque([(first,)])
        reached = {taken}
        while pending:
            path = pending.popleft()
            for (start, end), edges in self.edges.items():
                if start != path[-1].taken or (end in reached and end != held):
                    continue
                following = next((edge for edge in edges if _may_wait_together(path, edge)), None)
                if following is None:
                    continue
                if end == held:
                    return Cycle((*path, following))
                if len(path) + 1 < _LONGEST_CYCLE:
                    reached.add(end)
                    pending.append((*path, following))
        return None


def _may_wait_together(path: tuple[Edge, ...], edge: Edge) -> bool:
    """Whether no lock is held around two of the edges, which would keep their threads from meeting."""
    return not any(edge.gates & other.gates for other in path)
