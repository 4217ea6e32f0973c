"""The roots of the map: by function, each with the places that spawn it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from conclint.catalog.rows import RunsIn
from conclint.model.map import MAIN_ID, Concurrency, MapRoot, MapSpawn, Where
from conclint.project.parallel import MAIN, OTHER_MEMORY, Control
from conclint.project.roots import Root

if TYPE_CHECKING:
    from conclint.project.map.names import Names
    from conclint.project.project import Project


class MapRoots:
    """Collects the roots, and says which of them a function runs in."""

    def __init__(self, project: Project, names: Names) -> None:
        self._project, self._names = project, names

    def collect(self) -> tuple[MapRoot, ...]:
        """Return all roots, without the state and the locks that they use."""
        return tuple(self._describe(name, roots) for name, roots in sorted(self._by_id.items()))

    def running(self, symbol: str) -> tuple[str, ...]:
        """Return the roots that a function may run in, the main thread first."""
        return self._running.get(symbol, ())

    @cached_property
    def _by_id(self) -> dict[str, list[Root]]:
        found: dict[str, list[Root]] = {}
        for root in self._project.roots:
            if root.runs_in is not RunsIn.HERE:
                found.setdefault(self._names.root(root), []).append(root)
        return found

    @cached_property
    def _running(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {
            symbol: [MAIN_ID]
            for symbol in self._project.symbols.functions
            if MAIN in self._project.parallel.controls(symbol)
        }
        for name, roots in sorted(self._by_id.items()):
            for symbol in self._reach[roots[0].function]:
                found.setdefault(symbol, []).append(name)
        return {symbol: tuple(names) for symbol, names in found.items()}

    @cached_property
    def _reach(self) -> dict[str, set[str]]:
        starts = {root.function for roots in self._by_id.values() for root in roots}
        return {start: self._project.call_graph.reach({start}) for start in starts}

    def _describe(self, name: str, roots: list[Root]) -> MapRoot:
        first = roots[0]
        spawns = sorted({spawn for root in roots if (spawn := self._spawn(root)) is not None}, key=_spawn_order)
        threads = sum(self._find_control(root) is not None for root in roots)
        return MapRoot(
            name,
            first.runs_in.value,
            first.function,
            self._names.receiver(first),
            self._find_concurrency(roots),
            any(spawn.many for spawn in spawns) or threads > 1,
            self._names.definition(first.function),
            tuple(spawns),
            len(self._reach[first.function]),
            (),
            (),
        )

    def _spawn(self, root: Root) -> MapSpawn | None:
        site = self._names.site(root.site)
        if site is None:
            return None
        symbol, where = site
        control = self._find_control(root)
        if control is None:
            return MapSpawn(where, self._is_many(root), same_object=False, roots=self.running(symbol))
        same_object = control.many and self._project.parallel.has_shared_receiver(root)
        return MapSpawn(where, control.many, same_object, self.running(symbol))

    def _is_many(self, root: Root) -> bool:
        """Whether several processes or tasks of a root may run at once."""
        if root.runs_in is RunsIn.EXECUTOR_PROCESS:
            return not self._project.parallel.is_single_worker(root)
        spawn = self._project.find_call(root.site)
        looped = spawn is not None and bool(spawn.context.loops)
        return looped and (root.runs_in is RunsIn.TASK or root.runs_in in OTHER_MEMORY)

    def _find_concurrency(self, roots: list[Root]) -> Concurrency:
        if any(self._find_control(root) is not None for root in roots):
            return Concurrency.THREAD
        return Concurrency.PROCESS if roots[0].runs_in in OTHER_MEMORY else Concurrency.TURNS

    def _find_control(self, root: Root) -> Control | None:
        """Return the thread of control that begins at a root, None where it begins none in this process."""
        controls = self._project.parallel.controls(root.function)
        return next((control for control in controls if control.root == root), None)


def _spawn_order(spawn: MapSpawn) -> tuple[Where, bool, bool]:
    return spawn.where, spawn.many, spawn.same_object
