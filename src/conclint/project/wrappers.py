"""Wrappers: the locks that decorators of the project hold around the functions that they decorate: `@synchronized`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import LOCK_KINDS
from conclint.model.facts import Acquisition, Call, Function
from conclint.model.span import Span
from conclint.model.values import Attribute, Local
from conclint.project.locks import Lock
from conclint.project.objects import Object
from conclint.project.places import Place, PlaceKind

if TYPE_CHECKING:
    from conclint.project.project import Project


class Wrapped(NamedTuple):
    """A lock around a function: an attribute `name` of its first parameter, or a global, whose `name` is ""."""

    lock: Lock
    name: str
    module: int
    span: Span


class Wrappers:
    """Answers which locks are held around decorated functions."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._found: dict[str, tuple[Wrapped, ...]] = {}

    def find(self, symbol: str) -> tuple[Wrapped, ...]:
        """Return the locks that are held whenever a function runs (must), because a decorator takes them."""
        if symbol not in self._found:
            self._found[symbol] = tuple(self._iter_wrapped(symbol))
        return self._found[symbol]

    def _iter_wrapped(self, symbol: str) -> Iterator[Wrapped]:
        owner = symbol.rpartition(".")[0]
        for decorator in self._project.decorators(symbol):
            place = self._project.place(decorator)
            function = self._project.function(decorator)
            if place is None or function is None or not function.parameters:
                continue
            decorated = Local(decorator, function.parameters[0].name)
            facts = self._project.modules[place.module]
            for call in facts.calls:
                if facts.values[call.callee] == decorated:
                    yield from self._iter_around(place.module, call, owner)

    def _iter_around(self, module: int, call: Call, owner: str) -> Iterator[Wrapped]:
        facts = self._project.modules[module]
        wrapper = facts.functions[call.function]
        for index in facts.contexts[call.context].lockset:
            entry = facts.acquisitions[index]
            found = self._find_lock(module, entry, wrapper, owner)
            if found is not None and not entry.bounded:
                yield Wrapped(*found, module, entry.span)

    def _find_lock(self, module: int, entry: Acquisition, wrapper: Function, owner: str) -> tuple[Lock, str] | None:
        value = self._project.value(module, entry.value)
        if isinstance(value, Attribute) and wrapper.parameters:
            receiver = Local(wrapper.symbol, wrapper.parameters[0].name)
            if self._project.value(module, value.base) == receiver and owner in self._project.symbols.classes:
                lock = self._find_attribute(owner, value.name)
                return (lock, value.name) if lock is not None else None
        lock = self._project.locks.find(module, entry.value)
        return (lock, "") if lock is not None and lock.is_known else None

    def _find_attribute(self, owner: str, name: str) -> Lock | None:
        """Return the lock that the instances of a class keep in an attribute."""
        for one in self._project.symbols.linearise(owner):
            place = Place(PlaceKind.ATTRIBUTE, one, name)
            rows = {found: self._project.class_row(found) for found in self._project.place_objects(place)}
            locks = {found: row for found, row in rows.items() if row is not None and row.kind in LOCK_KINDS}
            if locks:
                found, row = next(iter(locks.items()))
                identity: Object | Place = self._project.locks.identify(found) if len(locks) == 1 else place
                return Lock(identity, row.kind, row.domain)
        return None
