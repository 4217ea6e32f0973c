"""Values: the node of each kind of value, and what is known of it from the start."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from conclint import catalog
from conclint.model.values import (
    Attribute,
    Await,
    Choice,
    Collection,
    Entered,
    Instance,
    Item,
    Local,
    Name,
    Result,
    Super,
    Value,
    ValueId,
)
from conclint.project.link.attributes import react_attribute
from conclint.project.link.elements import react_await, react_enter, react_item
from conclint.project.objects import Object, ObjectKind, Site
from conclint.project.solver import NodeId
from conclint.project.symbols import SymbolKind

if TYPE_CHECKING:
    from conclint.project.link.linker import Linker

_Derived = Attribute | Item | Await | Entered


def build_value(linker: Linker, module: int, number: ValueId, value: Value) -> NodeId:
    """Return the node of a value that has none yet."""
    if isinstance(value, Local):
        return linker.solver.node(("l", value.function, value.name))
    if isinstance(value, Result):
        return linker.solver.node(("c", module, value.call))
    if isinstance(value, Name):
        return linker.name_node(value.symbol)
    node = linker.solver.new_node()
    # Known before it is filled, since reactions to what it is made of may ask for it.
    linker.value_nodes[module][number] = node
    build = _BUILDERS.get(type(value))
    if build is not None:
        build(linker, module, number, value, node)
    return node


def _react(linker: Linker, module: int, _: ValueId, value: _Derived, node: NodeId) -> None:
    base = linker.value_node(module, value.base)
    if isinstance(value, Attribute):
        react_attribute(linker, base, value.name, node)
    elif isinstance(value, Item):
        react_item(linker, base, node, value.index)
    else:
        _REACTIONS[type(value)](linker, base, node)


def _fill_choice(linker: Linker, module: int, _: ValueId, value: Choice, node: NodeId) -> None:
    for option in value.options:
        linker.solver.connect(linker.value_node(module, option), node)


def _fill_super(linker: Linker, _: int, __: ValueId, value: Super, node: NodeId) -> None:
    linker.solver.add(node, Object(ObjectKind.SUPER, value.owner))


def fill_name(linker: Linker, symbol: str, node: NodeId) -> None:
    """Let the node of a qualified name become what the name stands for."""
    found = linker.symbols.resolve(symbol)
    if found.kind is SymbolKind.PENDING:
        linker.pending[symbol] = node
        return
    linker.pending.pop(symbol, None)
    if found.kind is SymbolKind.VARIABLE:
        connect_variable(linker, found.name, found.rest, node)
    elif found.kind is SymbolKind.FUNCTION:
        linker.solver.add(node, Object(ObjectKind.FUNCTION, found.name))
    elif found.kind is SymbolKind.MODULE:
        linker.solver.add(node, Object(ObjectKind.MODULE, found.name))
    elif found.kind is SymbolKind.CLASS:
        linker.solver.add(node, Object(ObjectKind.CLASS, found.name))
    elif (canonical := catalog.canonical_class(found.name)) is not None:
        linker.solver.add(node, Object(ObjectKind.CLASS, canonical))
    else:
        linker.solver.add(node, Object(ObjectKind.EXTERNAL, found.name))


def connect_variable(linker: Linker, name: str, rest: tuple[str, ...], node: NodeId) -> None:
    """Let `node` become the attributes `rest` of a variable, one after the other."""
    if not rest:
        linker.connect_owners(name, node)
        return
    current = linker.solver.new_node()
    linker.connect_owners(name, current)
    for attribute in rest[:-1]:
        following = linker.solver.new_node()
        react_attribute(linker, current, attribute, following)
        current = following
    react_attribute(linker, current, rest[-1], node)


def _fill_collection(linker: Linker, module: int, _: ValueId, value: Collection, node: NodeId) -> None:
    made = Object(ObjectKind.INSTANCE, f"builtins.{value.kind}", Site(module, value.site, "collection"))
    if value.kind == "tuple" and not any(isinstance(linker.modules[module].values[item], Item) for item in value.items):
        linker.place_elements(made, [linker.value_node(module, item) for item in value.items])
    linker.solver.add(node, made)
    elements = linker.elements(made)
    for item in value.items:
        linker.solver.connect(linker.value_node(module, item), elements)


def _fill_instance(linker: Linker, module: int, number: ValueId, value: Instance, node: NodeId) -> None:
    classes = linker.value_node(module, value.of)
    site = Site(module, number, "annotation")

    def on_class(found: Object) -> None:
        if found.kind is ObjectKind.CLASS:
            made = linker.make_instance(found.symbol, site)
            linker.solver.add(node, made)
            if value.item is not None:
                linker.solver.connect(linker.value_node(module, value.item), linker.elements(made))

    linker.solver.react(classes, on_class)


_REACTIONS = {Await: react_await, Entered: react_enter}

_BUILDERS: dict[type[Value], Callable[[Linker, int, ValueId, Any, NodeId], None]] = {
    Attribute: _react,
    Item: _react,
    Await: _react,
    Entered: _react,
    Choice: _fill_choice,
    Collection: _fill_collection,
    Instance: _fill_instance,
    Super: _fill_super,
}
