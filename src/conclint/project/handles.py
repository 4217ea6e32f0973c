"""Handles: the variables by which all threads of one root reach the same object.

The points-to analysis tells objects of a project's class apart by their class only. So that two threads use the same
one is shown by the way that it takes: made once before the threads are, handed to each, and passed on from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from conclint.catalog.rows import RunsIn
from conclint.model.facts import ParameterKind
from conclint.model.values import Attribute, Item, Local, ValueId
from conclint.project.link.spawns import collect_passed
from conclint.project.paths import Path
from conclint.project.roots import Root

if TYPE_CHECKING:
    from conclint.project.project import CallPlace, Project

_MOST_HANDLES = 200


class Handles:
    """Answers which objects all threads of a root have in common."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._paths = project.locks.paths
        self._found: dict[Root, frozenset[Path]] = {}

    def is_common(self, root: Root, module: int, target: ValueId) -> bool:
        """Return whether several threads of a root certainly use the same object where they access its attribute."""
        found = self._project.value(module, target)
        while isinstance(found, Item):
            found = self._project.value(module, found.base)
        if not isinstance(found, Attribute) or not self._is_repeated(root):
            return False
        return self._is_reached(root, module, found.base)

    def is_same(self, root: Root, module: int, value: ValueId) -> bool:
        """Return whether a value is certainly the same object in several threads of a root."""
        return self._is_repeated(root) and self._is_reached(root, module, value)

    def _is_reached(self, root: Root, module: int, value: ValueId) -> bool:
        path = self._paths.find(module, value)
        return path is not None and any(begins(path, handle) for handle in self._handles(root))

    def _handles(self, root: Root) -> frozenset[Path]:
        if root not in self._found:
            self._found[root] = self.spread(self._iter_first(root))
        return self._found[root]

    def spread(self, first: Iterable[Path]) -> frozenset[Path]:
        """Return the variables that certainly reach what those of `first` do, in all that is called from there."""
        handles = set(first)
        pending = list(handles)
        while pending and len(handles) < _MOST_HANDLES:
            for handle in self._iter_next(pending.pop()):
                if handle not in handles:
                    handles.add(handle)
                    pending.append(handle)
        return frozenset(handles)

    def _is_repeated(self, root: Root) -> bool:
        """Whether the root begins several times, and its threads then run side by side."""
        spawn = self._project.find_call(root.site)
        if spawn is None or not self._project.parallel.is_many(root):
            return False
        # A method that submits jobs of its own object is called often, else it had no use for an executor.
        is_job = root.runs_in is RunsIn.EXECUTOR_THREAD
        return not is_job or bool(spawn.context.loops) or self._project.parallel.has_shared_receiver(root)

    def _iter_first(self, root: Root) -> Iterator[Path]:
        """Yield what the root's function gets, where every spawn gives it the same object."""
        place = self._project.find_call(root.site)
        function = self._project.function(root.function)
        if place is None or function is None:
            return
        names = [one.name for one in function.parameters if one.kind is ParameterKind.POSITIONAL]
        if function.owner and names:
            receiver = names.pop(0)
            if self._project.parallel.has_shared_receiver(root):
                yield Path(function.symbol, receiver)
            elif root.receiver is not None and root.receiver.site == root.site:
                yield from self._iter_kept(place, Path(function.symbol, receiver), root.receiver.symbol)
            elif root.runs_in is RunsIn.REQUEST_THREAD:
                yield Path(function.symbol, receiver, ("server",))
        for _, row in self._project.rows(root.site):
            if row.spawn is not None:
                for name, argument in zip(names, collect_passed(place.facts, place.call, row.spawn), strict=False):
                    if argument.keyword == "" and self.is_made_before(place, argument.value):
                        yield Path(function.symbol, name)

    def _iter_kept(self, place: CallPlace, receiver: Path, symbol: str) -> Iterator[Path]:
        """Yield the attributes in which each thread, of a subclass, keeps the same object that it was made with."""
        method = self._project.symbols.find_method(symbol, "__init__")
        where = self._project.place(method) if method is not None else None
        if method is None or where is None:
            return
        given = self._paths.bind_values(place.site, method)
        shared = {Path(method, name) for name, value in given.items() if self.is_made_before(place, value)}
        facts = self._project.modules[where.module]
        for flow in facts.flows:
            target = facts.values[flow.target]
            if flow.function != where.index or not isinstance(target, Attribute):
                continue
            if self._paths.find(where.module, flow.source) in shared:
                yield receiver._replace(names=(target.name,))

    def is_made_before(self, place: CallPlace, value: ValueId) -> bool:
        """Return whether a value is the same object in every round of the loop around a spawn."""
        path = self._paths.find(place.site.module, value)
        if path is None or path.function == "":
            return path is not None
        if path.function != place.function.symbol:
            return False
        owner = place.function.owner
        if owner and path.variable in [one.name for one in place.function.parameters[:1]]:
            return True
        loops = self._bindings.get((path.function, path.variable), 0)
        return not path.names and loops < len(place.context.loops)

    @cached_property
    def _bindings(self) -> dict[tuple[str, str], int]:
        """How many loops stand around the assignment of each local variable."""
        found: dict[tuple[str, str], int] = {}
        for facts in self._project.modules:
            for flow in facts.flows:
                target = facts.values[flow.target]
                if isinstance(target, Local):
                    key = (target.function, target.name)
                    found[key] = max(found.get(key, 0), len(facts.contexts[flow.context].loops))
        return found

    def _iter_next(self, handle: Path) -> Iterator[Path]:
        """Yield what the function around a handle makes of it: other variables, parameters of what it calls."""
        where = self._project.place(handle.function)
        if where is None:
            return
        for one in self._paths.invocations(where.module, where.index):
            for name, path in one.given.items():
                yield from _pass_on(handle, path, Path(one.callee, name))
        for target, source in self._aliases.get(handle.function, ()):
            yield from _pass_on(handle, source, target)

    @cached_property
    def _aliases(self) -> dict[str, list[tuple[Path, Path]]]:
        """The variables of each function that are another name for a path, with that path."""
        found: dict[str, list[tuple[Path, Path]]] = {}
        for module, facts in enumerate(self._project.modules):
            for flow in facts.flows:
                if isinstance(facts.values[flow.target], Local):
                    target, source = (self._paths.find(module, one) for one in (flow.target, flow.source))
                    if target is not None and source is not None and source.function == target.function:
                        found.setdefault(target.function, []).append((target, source))
        return found


def _pass_on(handle: Path, source: Path, target: Path) -> Iterator[Path]:
    """Yield the handle that `target` is, or has, if it is what `source` is."""
    if begins(source, handle):
        yield target
    elif begins(handle, source):
        yield target._replace(names=handle.names[len(source.names) :])


def begins(path: Path, handle: Path) -> bool:
    """Return whether a path is a handle, or leads on from it."""
    same = (path.function, path.variable) == (handle.function, handle.variable)
    return same and path.names[: len(handle.names)] == handle.names
