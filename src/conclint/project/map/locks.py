"""The locks of the map, and the order in which they are taken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model.map import Action, MapAcquisition, MapEdge, MapLock, MapState, MapStep
from conclint.project.lock_order import Edge
from conclint.project.locks import find_lock_sites
from conclint.project.map.names import Identity
from conclint.project.places import Place

if TYPE_CHECKING:
    from conclint.project.map.names import Names
    from conclint.project.map.roots import MapRoots
    from conclint.project.project import Project


class MapLocks:
    """Collects the locks."""

    def __init__(self, project: Project, names: Names, roots: MapRoots) -> None:
        self._project, self._names, self._roots = project, names, roots

    def collect(self, state: tuple[MapState, ...]) -> tuple[MapLock, ...]:
        """Return all locks, with what they guard of `state`."""
        guarded: dict[str, list[str]] = {}
        for one in state:
            guarded.setdefault(one.guard, []).append(one.id)
        acquired: dict[Identity, set[MapAcquisition]] = {}
        for identity, acquisition in self._iter_acquisitions():
            acquired.setdefault(identity, set()).add(acquisition)
        locks = (
            self._describe(identity, acquired.get(identity, set()), guarded.get(self._names.lock(identity), []))
            for identity in self._names.locks
        )
        return tuple(sorted(locks, key=lambda lock: lock.id))

    def _describe(self, identity: Identity, acquired: set[MapAcquisition], guarded: list[str]) -> MapLock:
        lock = self._names.locks[identity]
        made = self._names.made(identity)
        acquisitions = tuple(sorted(acquired, key=lambda one: (one.where, one.how)))
        if isinstance(identity, Place):
            path = self._names.path(identity)
        else:
            path = next((where.path for where in (*made, *(one.where for one in acquisitions))), "")
        return MapLock(
            self._names.lock(identity),
            lock.kind.value if lock.kind is not None else "",
            lock.domain.value if lock.domain is not None else "",
            self._names.aliases(identity),
            path,
            made,
            acquisitions,
            tuple(guarded),
        )

    def _iter_acquisitions(self) -> Iterator[tuple[Identity, MapAcquisition]]:
        project = self._project
        for module, _, entry, lock in find_lock_sites(project):
            symbol = project.modules[module].functions[entry.function].symbol
            held = project.locks.lockset(module, entry.function, entry.context) - {lock.identity}
            yield (
                lock.identity,
                MapAcquisition(
                    self._names.where(module, entry.span, symbol),
                    entry.how.value,
                    entry.bounded,
                    tuple(sorted(self._names.lock(one) for one in held if one in self._names.locks)),
                    self._roots.running(symbol),
                ),
            )
        for symbol in project.symbols.functions:
            where = self._names.definition(symbol)
            for wrapped in project.locks.wrappers.find(symbol) if where is not None else ():
                if wrapped.lock.is_known and where is not None:
                    running = self._roots.running(symbol)
                    yield wrapped.lock.identity, MapAcquisition(where, "decorator", False, (), running)

    def collect_order(self) -> tuple[MapEdge, ...]:
        """Return the edges held → taken."""
        in_cycles = {(edge.held, edge.taken) for cycle in self._project.lock_order.cycles for edge in cycle.edges}
        edges = (
            MapEdge(
                self._names.lock(held),
                self._names.lock(taken),
                (held, taken) in in_cycles,
                tuple(sorted({self._describe_way(edge) for edge in ways}, key=_way_order)),
            )
            for (held, taken), ways in self._project.lock_order.edges.items()
        )
        return tuple(sorted(edges, key=lambda edge: (edge.held, edge.taken)))

    def _describe_way(self, edge: Edge) -> tuple[MapStep, ...]:
        holder = edge.steps[0].function
        taken = self._names.where(edge.module, edge.acquired, holder)
        steps = [MapStep(Action.TAKE, self._names.lock(edge.held), taken)]
        for step, following in zip(edge.steps, edge.steps[1:], strict=False):
            where = self._names.where(step.module, step.span, step.function)
            steps.append(MapStep(Action.CALL, following.function, where))
        last = edge.steps[-1]
        where = self._names.where(last.module, last.span, last.function)
        return (*steps, MapStep(Action.WAIT, self._names.lock(edge.taken), where))

    def collect_cycles(self) -> tuple[tuple[str, ...], ...]:
        """Return the cycles, each from its first lock on."""
        cycles = [[self._names.lock(edge.held) for edge in cycle.edges] for cycle in self._project.lock_order.cycles]
        return tuple(sorted(tuple(_rotate(cycle)) for cycle in cycles))


def _rotate(cycle: list[str]) -> list[str]:
    start = cycle.index(min(cycle))
    return cycle[start:] + cycle[:start]


def _way_order(way: tuple[MapStep, ...]) -> tuple[int, list[tuple[object, str]]]:
    """Put the shortest ways first."""
    return len(way), [(step.where, step.name) for step in way]
