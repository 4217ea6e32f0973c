"""Certainty: whether all sources of a value stand in the program, or some are not seen.

What a value may be (`Project.objects`) is as complete as the code that is seen: a parameter without an annotation also
gets what callers outside the project pass. A rule that needs *all* possible values asks here first.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from conclint import catalog
from conclint.catalog.collections_ import GETTERS, VIEWS
from conclint.catalog.rows import Kind
from conclint.model.facts import Function, ModuleFacts
from conclint.model.values import (
    Attribute,
    Await,
    Choice,
    Collection,
    Constant,
    Entered,
    Instance,
    Item,
    Local,
    Name,
    Result,
    Super,
    ValueId,
)
from conclint.project.objects import Object, ObjectKind, Site
from conclint.project.symbols import SymbolKind

if TYPE_CHECKING:
    from conclint.project.project import Project


class Certainty:
    """Answers whether everything that a value may be is known. Elements count as known with their collection."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._known: dict[tuple[int, ValueId], bool] = {}

    def is_closed(self, module: int, value: ValueId) -> bool:
        """Return whether all sources of a value are known (must, elements of collections apart)."""
        key = (module, value)
        if key not in self._known:
            # A cycle adds no source of its own.
            self._known[key] = True
            self._known[key] = self._look(module, value)
        return self._known[key]

    def _look(self, module: int, value: ValueId) -> bool:
        found = self._project.value(module, value)
        if isinstance(found, Constant | Collection | Super):
            return True
        if isinstance(found, Choice):
            last = found.options[-1]
            if isinstance(self._project.value(module, last), Instance):
                # Behind `isinstance` a variable is what the test says, whatever it was before.
                return bool(self._project.objects(module, last))
            return all(self.is_closed(module, option) for option in found.options)
        if not self._project.objects(module, value):
            return False
        if isinstance(found, Item | Await | Entered):
            return self.is_closed(module, found.base) and self._is_entered_closed(module, found)
        if isinstance(found, Name):
            return self._is_closed_name(found.symbol)
        if isinstance(found, Local):
            return self._is_closed_local(found)
        if isinstance(found, Attribute):
            return self.is_closed(module, found.base) and self._is_closed_attribute(module, found)
        if isinstance(found, Result):
            return self.is_closed_result(Site(module, found.call))
        return isinstance(found, Instance)

    def _is_entered_closed(self, module: int, found: Item | Await | Entered) -> bool:
        """Whether `with base as x`, if it is that, gives something that is known."""
        if not isinstance(found, Entered):
            return True
        names = ("__enter__", "__aenter__")
        bases = self._project.objects(module, found.base)
        methods = (self._project.symbols.find_method(base.symbol, name) for base in bases for name in names)
        return all(self._returns_closed(method) for method in methods if method is not None)

    def _is_closed_name(self, name: str) -> bool:
        symbol = self._project.symbols.resolve(name)
        if symbol.kind is not SymbolKind.VARIABLE:
            return True
        return not symbol.rest and self._are_closed(self._flows.get(symbol.name, []))

    def _is_closed_local(self, found: Local) -> bool:
        function = self._project.function(found.function)
        place = self._project.place(found.function)
        if function is None or place is None:
            return False
        for index, parameter in enumerate(function.parameters):
            if parameter.name == found.name:
                if (index == 0 and function.owner) or (found.function, found.name) in self._project.links.promised:
                    return True
                annotation = parameter.annotation
                return annotation is not None and bool(self._project.objects(place.module, annotation))
        return self._are_closed(self._flows.get((found.function, found.name), []))

    def is_known_attribute(self, module: int, value: ValueId) -> bool:
        """Return whether all known objects have the attribute that is read from them; so has what is no attribute."""
        found = self._project.value(module, value)
        return not isinstance(found, Attribute) or self._is_closed_attribute(module, found)

    def _is_closed_attribute(self, module: int, found: Attribute) -> bool:
        return all(self._has_closed(owner, found.name) for owner in self._project.objects(module, found.base))

    def _has_closed(self, owner: Object, name: str) -> bool:
        """Whether it is known what an attribute of one object is: a method, or what is assigned to it."""
        symbols = self._project.symbols
        if owner.kind is ObjectKind.INSTANCE and owner.symbol not in symbols.classes:
            row = self._project.class_row(owner)
            gives_elements = row is not None and row.kind is Kind.COLLECTION and (name in VIEWS or name in GETTERS)
            is_dynamic = row is not None and bool(row.attributes)
            return gives_elements or is_dynamic or catalog.find_method(owner.symbol, name) is not None
        if owner.kind not in (ObjectKind.INSTANCE, ObjectKind.CLASS) or owner.symbol not in symbols.classes:
            return True
        if symbols.find_method(owner.symbol, "__getattribute__") is not None:
            return False
        if symbols.find_method(owner.symbol, name) is not None:
            # `self.send = self._send_now` puts another function before the method.
            return not self._project.links.assigned.get((owner, name))
        stored = self._stored(owner, name)
        base = symbols.find_external_base(owner.symbol)
        inherited = base is not None and catalog.find_method(base, name) is not None
        return self._are_closed(stored) if stored else inherited

    def _stored(self, owner: Object, name: str) -> list[tuple[int, ValueId]]:
        stored = [*self._project.links.assigned.get((owner, name), ())]
        for ancestor in self._project.symbols.linearise(owner.symbol):
            stored += self._flows.get(f"{ancestor}.{name}", [])
        return stored

    def is_closed_result(self, site: Site) -> bool:
        """Return whether it is known what a call runs, and all that this may return (must)."""
        facts = self._project.modules[site.module]
        if not self.is_closed(site.module, facts.calls[site.index].callee):
            return False
        return all(self._returns_closed(target.function) for target in self._project.callees(site))

    def _returns_closed(self, symbol: str) -> bool:
        for place in self._project.symbols.functions[symbol]:
            function = self._project.symbols.function(place)
            returns = () if self._is_annotated(place.module, function) else function.returns
            if not all(self.is_closed(place.module, value) for value in returns):
                return False
        return True

    def _is_annotated(self, module: int, function: Function) -> bool:
        annotation = function.returns_annotation
        return annotation is not None and bool(self._project.objects(module, annotation))

    def _are_closed(self, sources: list[tuple[int, ValueId]]) -> bool:
        # An annotation speaks for all the values of its variable; that of a subclass comes before those of its bases.
        annotated = [
            bool(self._project.objects(module, value))
            for module, value in sources
            if isinstance(self._project.value(module, value), Instance)
        ]
        if any(annotated):
            return annotated[0]
        return bool(sources) and all(self.is_closed(module, value) for module, value in sources)

    @cached_property
    def _flows(self) -> dict[str | tuple[str, str], list[tuple[int, ValueId]]]:
        """What is assigned to each global or class-level variable, and to each local one."""
        found: dict[str | tuple[str, str], list[tuple[int, ValueId]]] = {}
        for module, facts in enumerate(self._project.modules):
            for flow in facts.flows:
                key = _key(facts, flow.target)
                if key is not None:
                    found.setdefault(key, []).append((module, flow.source))
        return found


def _key(facts: ModuleFacts, target: ValueId) -> str | tuple[str, str] | None:
    value = facts.values[target]
    if isinstance(value, Name):
        return value.symbol
    return (value.function, value.name) if isinstance(value, Local) else None
