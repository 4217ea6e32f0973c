"""The map as a whole: what concerns the files that are shown, and what is asked for by name."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from msgspec.structs import replace

from conclint.model.map import Map, MapEdge, MapLock, MapRoot, MapState, Where
from conclint.project.map.locks import MapLocks
from conclint.project.map.names import Names
from conclint.project.map.roots import MapRoots
from conclint.project.map.state import MapStates

if TYPE_CHECKING:
    from conclint.project.project import Project

_WILDCARDS = frozenset("*?[")


def collect_map(project: Project, shown: Collection[str], asked: Collection[str] = ()) -> Map:
    """Return the map of what has a place in one of the files `shown`.

    `asked` are names to look at closely: ids, or what they end with after a dot, with the wildcards of file names.
    """
    names = Names(project)
    roots = MapRoots(project, names)
    locks = MapLocks(project, names, roots)
    # A pattern would find much that no two threads share.
    exact = [name for name in asked if not _WILDCARDS.intersection(name)]
    states = MapStates(project, names, roots).collect(lambda name: _is_asked(exact, name))
    state = tuple(one for one in states if _touches(_iter_state_paths(one), shown))
    found_locks = tuple(one for one in locks.collect(state) if _touches(_iter_lock_paths(one), shown))
    found_roots = tuple(one for one in roots.collect() if _touches(_iter_root_paths(one), shown))
    order = tuple(edge for edge in locks.collect_order() if _touches(_iter_edge_paths(edge), shown))
    edges = {(edge.held, edge.taken) for edge in order}
    return Map(
        roots=tuple(_complete(root, state, found_locks) for root in found_roots),
        state=state,
        locks=found_locks,
        order=order,
        cycles=tuple(
            one for one in locks.collect_cycles() if not edges.isdisjoint(zip(one, one[1:] + one[:1], strict=True))
        ),
        asked=(
            *(root.id for root in found_roots if _is_asked(asked, root.id, f"{root.kind}:{root.function}")),
            *(one.id for one in state if _is_asked(asked, one.id)),
            *(lock.id for lock in found_locks if _is_asked(asked, lock.id, *lock.aliases)),
        ),
    )


def _is_asked(asked: Collection[str], *names: str) -> bool:
    return any(fnmatchcase(name, one) or fnmatchcase(name, f"*[.:@]{one}") for one in asked for name in names)


def _complete(root: MapRoot, state: tuple[MapState, ...], locks: tuple[MapLock, ...]) -> MapRoot:
    return replace(
        root,
        state=tuple(one.id for one in state if root.id in one.roots),
        locks=tuple(lock.id for lock in locks if any(root.id in one.roots for one in lock.acquisitions)),
    )


def _touches(paths: Iterator[str], shown: Collection[str]) -> bool:
    return any(path in shown for path in paths)


def _iter_state_paths(state: MapState) -> Iterator[str]:
    yield state.path
    yield from (access.where.path for access in state.accesses)


def _iter_lock_paths(lock: MapLock) -> Iterator[str]:
    yield lock.path
    yield from (where.path for where in lock.made)
    yield from (one.where.path for one in lock.acquisitions)


def _iter_root_paths(root: MapRoot) -> Iterator[str]:
    places: tuple[Where | None, ...] = (root.where, *(spawn.where for spawn in root.spawns))
    return (place.path for place in places if place is not None)


def _iter_edge_paths(edge: MapEdge) -> Iterator[str]:
    return (step.where.path for way in edge.ways for step in way)
