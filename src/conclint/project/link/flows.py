"""Flows: what assignments store in variables, attributes and elements."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from conclint.model.facts import ModuleFacts
from conclint.model.values import (
    Attribute,
    Constant,
    Item,
    Local,
    Name,
    Unknown,
    Value,
    ValueId,
)
from conclint.project.link.attributes import takes_attributes
from conclint.project.link.values import connect_variable
from conclint.project.objects import Object, ObjectKind
from conclint.project.solver import NodeId
from conclint.project.symbols import SymbolKind

if TYPE_CHECKING:
    from conclint.project.link.linker import Linker


def add_flows(linker: Linker, module: int, facts: ModuleFacts) -> None:
    """Add the assignments of a module."""
    for flow in facts.flows:
        _store(linker, module, facts.values[flow.target], flow.source)


def _store(linker: Linker, module: int, target: Value, source: ValueId) -> None:
    if isinstance(target, Attribute):
        _store_attribute(linker, module, linker.value_node(module, target.base), target.name, source)
    elif isinstance(target, Name):
        _store_name(linker, module, target.symbol, source)
    elif not _may_be_object(linker, module, source):
        return
    elif isinstance(target, Local):
        node = linker.solver.node(("l", target.function, target.name))
        linker.solver.connect(linker.value_node(module, source), node)
    elif isinstance(target, Item):
        base, element = linker.value_node(module, target.base), linker.value_node(module, source)
        linker.solver.react(base, partial(_store_item, linker, element))


def _store_name(linker: Linker, module: int, name: str, source: ValueId) -> None:
    symbol = linker.symbols.resolve(name)
    if symbol.kind is not SymbolKind.VARIABLE:
        return
    if not symbol.rest:
        if _may_be_object(linker, module, source):
            linker.solver.connect(linker.value_node(module, source), linker.solver.node(("g", symbol.name)))
        return
    base = linker.solver.new_node()
    if len(symbol.rest) == 1:
        linker.connect_owners(symbol.name, base)
    else:
        connect_variable(linker, symbol.name, symbol.rest[:-1], base)
    _store_attribute(linker, module, base, symbol.rest[-1], source)


def _store_item(linker: Linker, element: NodeId, found: Object) -> None:
    if found.kind is ObjectKind.INSTANCE and found.site is not None:
        linker.solver.connect(element, linker.elements(found))


def _store_attribute(linker: Linker, module: int, base: NodeId, name: str, source: ValueId) -> None:
    linker.solver.react(base, partial(_store_on, linker, module, name, source))


def _store_on(linker: Linker, module: int, name: str, source: ValueId, found: Object) -> None:
    if found.kind is ObjectKind.INSTANCE:
        linker.links.assigned.setdefault((found, name), []).append((module, source))
        target = linker.solver.node(("a", found.symbol, name))
    elif found.kind is ObjectKind.CLASS or found.kind is ObjectKind.MODULE:
        target = linker.solver.node(("g", f"{found.symbol}.{name}"))
    else:
        return
    if _may_be_object(linker, module, source):
        linker.solver.connect(linker.value_node(module, source), target)
        if takes_attributes(found):
            linker.solver.connect(linker.value_node(module, source), linker.solver.node(("o", found, name)))


def _may_be_object(linker: Linker, module: int, value: ValueId) -> bool:
    """Whether a value may be something that is followed. That a number is assigned says that there is state."""
    return not isinstance(linker.modules[module].values[value], Constant | Unknown)
