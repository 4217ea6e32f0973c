"""Twins: an object that is made twice where one was meant, and whether it matters which of the two somebody has.

It does not where the two never change: then they are equal, whenever they are made.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from conclint.catalog.collections_ import MUTATORS
from conclint.catalog.rows import Domain, Kind
from conclint.model.values import Attribute, Choice, Collection, Local, Result, ValueId
from conclint.project.objects import Object, ObjectKind, Site
from conclint.project.places import Place, PlaceKind

if TYPE_CHECKING:
    from conclint.model.observations import Sequence
    from conclint.project.project import Project

_FILE_LOCKS = frozenset({"fcntl.flock", "msvcrt.locking"})
"""What keeps out everybody who has opened the file on his own; `lockf` lets this process in again."""


class Twins:
    """Answers whether two objects that are made in one place differ."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def may_differ(self, module: int, sequence: Sequence, cache: Place) -> bool:
        """Return whether an entry is made there (must) and has a state of its own that changes (may).

        What is kept in `cache` is no state of the objects in it, though it be an attribute of their class.
        """
        made = self._collect_made(module, sequence.source)
        return any(self._may_differ(module, sequence, one, cache, is_direct) for one, is_direct in made.items())

    def _collect_made(self, module: int, value: ValueId) -> dict[ValueId, bool]:
        """Return what a value is made of, and whether it gets there without a local variable."""
        facts, found, pending = self._project.modules[module], {value: True}, [value]
        while pending:
            current = pending.pop()
            kind, is_direct = facts.values[current], found[current]
            sources: tuple[ValueId, ...] = ()
            if isinstance(kind, Local):
                sources, is_direct = tuple(flow.source for flow in facts.flows if flow.target == current), False
            elif isinstance(kind, Choice | Collection):
                sources = kind.options if isinstance(kind, Choice) else kind.items
            for source in sources:
                if source not in found:
                    found[source] = is_direct
                    pending.append(source)
        return found

    def _may_differ(self, module: int, sequence: Sequence, value: ValueId, cache: Place, is_direct: bool) -> bool:
        made = self._project.value(module, value)
        if isinstance(made, Collection):
            is_empty = not made.items and made.kind != "tuple"
            return (is_empty and is_direct) or self._is_changed(module, sequence.function, value, is_direct)
        if not isinstance(made, Result) or self._is_lookup(Site(module, made.call)):
            return False
        is_empty = not self._project.modules[module].calls[made.call].arguments
        for found in self._project.objects(module, value):
            row = self._project.class_row(found)
            if row is not None and row.kind is Kind.COLLECTION and found.symbol not in self._project.symbols.classes:
                if (is_empty and is_direct) or self._is_changed(module, sequence.function, value, is_direct):
                    return True
            elif self._is_living(found) if row is not None else self._has_state(module, sequence, found, cache):
                return True
        return False

    def _is_lookup(self, site: Site) -> bool:
        """Whether a call only hands out what a collection holds (must)."""
        rows = [
            self._project.class_row(target.receiver) if target.receiver is not None else None
            for target in self._project.externals(site)
        ]
        return bool(rows) and all(row is not None and row.kind is Kind.COLLECTION for row in rows)

    def _is_changed(self, module: int, function: int, value: ValueId, is_direct: bool) -> bool:
        """Whether a collection is changed (may) once it is in the cache: who fills his variable still makes it."""
        symbol = self._project.modules[module].functions[function].symbol
        return any(
            one.name in MUTATORS
            and one.site.what == "call"
            and (is_direct or self._project.call(one.site).function.symbol != symbol)
            for found in self._project.objects(module, value)
            for one in self._project.operations(found)
        )

    def _has_state(self, module: int, sequence: Sequence, found: Object, cache: Place) -> bool:
        """Whether an object is of a class of the project whose objects change, or hold a lock or the like (may)."""
        if found.kind is not ObjectKind.INSTANCE or found.symbol not in self._project.symbols.classes:
            return False
        line = self._project.symbols.linearise(found.symbol)
        # What locks a file for each of its steps may be there twice: another process would be a second one too.
        return self._locking_files.isdisjoint(line) and any(
            place != cache._replace(element=False) and self._changes(place, module, sequence)
            for owner in line
            for place in self._attributes.get(owner, ())
        )

    @cached_property
    def _locking_files(self) -> frozenset[str]:
        """The classes whose methods lock files, other objects of this process out as well."""
        return frozenset(place.function.owner for place in self._project.calls_to(_FILE_LOCKS))

    @cached_property
    def _attributes(self) -> dict[str, list[Place]]:
        """The attributes of each class."""
        found: dict[str, list[Place]] = {}
        for place in self._project.shared.by_place:
            if place.kind is PlaceKind.ATTRIBUTE:
                found.setdefault(place.owner, []).append(place)
        return found

    def _changes(self, place: Place, module: int, sequence: Sequence) -> bool:
        maker = self._project.modules[module].functions[sequence.function].symbol
        writers = {
            one.function
            for one in self._project.shared.by_place[place]
            # Who makes an entry may still change it, as long as nobody else can see it.
            if one.is_write and not (one.function == maker and sequence.check < one.span < sequence.act)
        }
        return any(not self._is_building(writer, frozenset()) for writer in writers) or any(
            self._project.is_living(one) and self._is_living(one) for one in self._project.place_objects(place)
        )

    def _is_living(self, found: Object) -> bool:
        """Whether threads may share an object of a library: one for tasks belongs to the event loop of one thread."""
        row = self._project.class_row(found)
        return row is not None and row.domain is not Domain.TASK

    def _is_building(self, symbol: str, seen: frozenset[str]) -> bool:
        """Whether a function only runs before others can see its object (must)."""
        if symbol in seen or self._project.shared.is_alone(symbol):
            return True
        callers = {caller for caller, _, _ in self._project.call_graph.callers.get(symbol, ())}
        return bool(callers) and all(self._builds(caller, symbol, seen | {symbol}) for caller in callers)

    def _builds(self, caller: str, symbol: str, seen: frozenset[str]) -> bool:
        """Whether all calls of a method in a function are on what that has just made, or on the object it builds."""
        project, place = self._project, self._project.place(caller)
        owner, callee_owner = caller.rpartition(".")[0], symbol.rpartition(".")[0]
        is_builder = owner in project.symbols.linearise(callee_owner) and self._is_building(caller, seen)
        if place is None or is_builder:
            return is_builder
        return all(
            isinstance(callee := project.value(call.site.module, call.call.callee), Attribute)
            and project.shared.is_fresh(call.site.module, call.call.function, callee.base)
            for call in project.calls_in(place)
            if any(target.function == symbol for target in project.callees(call.site))
        )
