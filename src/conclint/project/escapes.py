"""Escape: which objects get out of sight, so that nothing can be said of their further life.

An object escapes (may) when it is passed to a function that is not known or may keep it, returned or yielded, stored
on an object other than `self`, or stored under an attribute that is read from an object of unknown class. What a
collection holds escapes with the collection.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint import catalog
from conclint.catalog.collections_ import ADDERS, VIEWS
from conclint.catalog.rows import Kind
from conclint.model.facts import ModuleFacts
from conclint.model.values import Attribute, Item, Local, Value
from conclint.project.objects import Object, ObjectKind, Site

if TYPE_CHECKING:
    from conclint.project.project import Project

_ADDING = frozenset(name for name, _ in ADDERS)


class Escapes:
    """Answers whether an object escapes, and how."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._escaped: set[Object] = set()
        self._returned: set[Object] = set()
        self.unknown_attributes: frozenset[str] = frozenset(self._iter_unknown_attributes())
        for module, facts in enumerate(project.modules):
            self._add_arguments(module, facts)
            self._add_stores(module, facts)
            self._add_results(module, facts)
        self._close()

    def has_escaped(self, found: Object) -> bool:
        """Return whether the object is handed to code that is not known, or out of the project."""
        return found in self._escaped or found in self._returned

    def is_returned(self, found: Object) -> bool:
        """Return whether some function returns or yields the object."""
        return found in self._returned

    def _iter_unknown_attributes(self) -> Iterator[str]:
        for module, facts in enumerate(self._project.modules):
            for value in facts.values:
                if isinstance(value, Attribute) and not self._project.objects(module, value.base):
                    yield value.name

    def _add_arguments(self, module: int, facts: ModuleFacts) -> None:
        for number, call in enumerate(facts.calls):
            site = Site(module, number)
            if self._keeps(site):
                for argument in call.arguments:
                    self._escaped |= self._project.objects(module, argument.value)

    def _keeps(self, site: Site) -> bool:
        """Whether some function that the call may run is unknown, or may keep its arguments."""
        project = self._project
        externals = project.externals(site)
        if not externals:
            return not project.callees(site) and not _is_understood(project.result(site))
        for target in externals:
            name = target.name.rpartition(".")[2]
            receiver = project.class_row(target.receiver) if target.receiver is not None else None
            if receiver is not None and receiver.kind in (Kind.COLLECTION, Kind.QUEUE) and name in _ADDING:
                continue
            if target.name in VIEWS or name == "__init__":
                continue
            row = project.find_row(target)
            if row is not None and (not row.keeps or row.spawn is not None):
                continue
            if row is None and catalog.find_class(target.name) is not None:
                continue
            return True
        return False

    def _add_stores(self, module: int, facts: ModuleFacts) -> None:
        for flow in facts.flows:
            target = facts.values[flow.target]
            if isinstance(target, Attribute):
                own = _is_self(facts, facts.values[target.base], flow.function)
                if own or self._is_class(module, target.base):
                    continue
            elif not isinstance(target, Item) or self._project.objects(module, target.base):
                continue
            self._escaped |= self._project.objects(module, flow.source)

    def _is_class(self, module: int, base: int) -> bool:
        objects = self._project.objects(module, base)
        return bool(objects) and all(found.kind is ObjectKind.CLASS for found in objects)

    def _add_results(self, module: int, facts: ModuleFacts) -> None:
        for function in facts.functions:
            if function.name != "<lambda>":
                for value in function.returns:
                    self._returned |= self._project.objects(module, value)
        for produced in facts.yields:
            self._returned |= self._project.objects(module, produced.value)

    def _close(self) -> None:
        """Let the elements of collections that escape escape too."""
        for gone in (self._escaped, self._returned):
            pending = list(gone)
            while pending:
                found = pending.pop()
                for element in self._project.elements(found):
                    if element not in gone:
                        gone.add(element)
                        pending.append(element)


def _is_self(facts: ModuleFacts, base: Value, function: int) -> bool:
    if not isinstance(base, Local) or not base.function:
        return False
    around: int | None = function
    while around is not None:
        current = facts.functions[around]
        if current.symbol == base.function:
            return bool(current.owner) and bool(current.parameters) and current.parameters[0].name == base.name
        around = current.parent
    return False


def _is_understood(result: frozenset[Object]) -> bool:
    return any(found.kind is ObjectKind.INSTANCE for found in result)
