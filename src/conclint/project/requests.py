"""Requests: what handlers that several threads run at once keep of one request where the others see it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.flask_ import REQUEST_DATA
from conclint.catalog.rows import RunsIn
from conclint.model.facts import AccessKind
from conclint.model.values import Attribute, Await, Choice, Collection, Entered, Item, Local, Name, Result, ValueId
from conclint.project.objects import ObjectKind
from conclint.project.places import Place, PlaceKind
from conclint.project.roots import Root
from conclint.project.shared import SharedAccess

if TYPE_CHECKING:
    from conclint.project.project import Project

_ASKS = (AccessKind.READ, AccessKind.CHECK, AccessKind.ITERATE)


class Mixture(NamedTuple):
    """State that all requests share (must), a write of what belongs to one of them, and a read by any (may)."""

    root: Root
    write: SharedAccess
    read: SharedAccess


class Requests:
    """Finds state in which one request may find the data of another one."""

    def __init__(self, project: Project) -> None:
        self._project = project

    @cached_property
    def _roots(self) -> dict[str, Root]:
        """The handlers that threads run at once, by function."""
        if self._project.parallel.takes_turns:
            return {}
        return {root.function: root for root in self._project.roots if root.runs_in is RunsIn.REQUEST_THREAD}

    def iter_mixtures(self) -> Iterator[Mixture]:
        """Yield one for each piece of state."""
        reached = self._project.call_graph.reach(self._roots) if self._roots else ()
        for place, accesses in self._project.shared.by_place.items() if reached else ():
            handled = [access for access in accesses if access.function in reached]
            if place.kind is not PlaceKind.CLOSURE and any(access.kind is AccessKind.WRITE for access in handled):
                found = next(self._iter_mixed(place, handled), None)
                if found is not None:
                    yield found

    def _iter_mixed(self, place: Place, handled: list[SharedAccess]) -> Iterator[Mixture]:
        """Yield the plain writes, without a lock, of what a request brings, if a handler reads the state at all."""
        if self._project.declarations.is_settled(place):
            return
        read = next((access for access in handled if access.kind in _ASKS and not access.place.element), None)
        # Who asks before he writes makes it once, for all: that is CON203.
        asking = {access.function for access in handled if access.kind is AccessKind.CHECK}
        for write in handled:
            if write.kind is not AccessKind.WRITE or write.place.element or write.lockset or write.function in asking:
                continue
            if read is None or self._project.shared.is_excused(write.module, write.function, write.target):
                continue
            root = self._find_root(place, write)
            if root is not None and self._stems_from_request(write):
                yield Mixture(root, write, read)

    def _find_root(self, place: Place, write: SharedAccess) -> Root | None:
        """Return a handler that leads to a write, all of whose threads certainly share the state."""
        for control in self._project.parallel.controls(write.function):
            root = control.root
            if root is not None and root.function in self._roots and root.runs_in is RunsIn.REQUEST_THREAD:
                is_global = place.kind is PlaceKind.GLOBAL or self._is_of_program(write)
                if is_global or self._project.races.is_common(control, place, write.module, write.target):
                    return root
        return None

    def _is_of_program(self, write: SharedAccess) -> bool:
        """Whether an attribute belongs to a class, or to an object that a global stands for."""
        path = self._project.locks.paths.find(write.module, write.target)
        split = self._project.places.split(write.module, write.target)
        owners = self._project.objects(write.module, split[0]) if split is not None else frozenset()
        is_of_class = bool(owners) and all(found.kind is ObjectKind.CLASS for found in owners)
        return is_of_class or (path is not None and path.function == "")

    # What a request brings

    def _stems_from_request(self, write: SharedAccess) -> bool:
        """Whether what is written is an argument of a handler, a part of one, or made from one (may)."""
        facts = self._project.modules[write.module]
        seen: set[tuple[int, ValueId]] = set()
        return any(
            self._brings(write.module, flow.source, seen)
            for flow in facts.flows
            if flow.target == write.target and facts.functions[flow.function].symbol == write.function
        )

    def _brings(self, module: int, value: ValueId, seen: set[tuple[int, ValueId]]) -> bool:
        if (module, value) in seen:
            return False
        seen.add((module, value))
        found = self._project.value(module, value)
        if isinstance(found, Name):
            return f"{found.symbol}.".startswith(REQUEST_DATA)
        if isinstance(found, Local):
            return any(self._brings(*source, seen) for source in self._iter_sources(module, value, found)) or (
                found.function in self._roots and self._is_given(self._roots[found.function], found)
            )
        return any(self._brings(module, part, seen) for part in self._iter_parts(module, value))

    def _iter_parts(self, module: int, value: ValueId) -> Iterator[ValueId]:
        found = self._project.value(module, value)
        if isinstance(found, Attribute | Item | Await | Entered):
            yield found.base
        elif isinstance(found, Result):
            call = self._project.modules[module].calls[found.call]
            yield call.callee
            yield from (argument.value for argument in call.arguments)
        elif isinstance(found, Collection):
            yield from found.items
        elif isinstance(found, Choice):
            yield from found.options

    def _iter_sources(self, module: int, value: ValueId, found: Local) -> Iterator[tuple[int, ValueId]]:
        """Yield what a variable becomes by assignment, and a parameter by the calls of handlers and their helpers."""
        facts = self._project.modules[module]
        yield from ((module, flow.source) for flow in facts.flows if flow.target == value)
        for site in self._project.call_graph.sites(found.function):
            if site.what == "call":
                given = self._project.locks.paths.bind_values(site, found.function).get(found.name)
                if given is not None:
                    yield site.module, given

    def _is_given(self, root: Root, found: Local) -> bool:
        """Whether a variable is a parameter of a handler that is another one for each request."""
        function = self._project.function(root.function)
        names = [one.name for one in function.parameters] if function is not None else []
        if function is not None and function.owner and names and found.name == names[0]:
            return not self._project.parallel.has_shared_receiver(root)
        return found.name in names
