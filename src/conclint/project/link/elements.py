"""Elements: what collections, generators, coroutines and context managers hold, and give back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from conclint import catalog
from conclint.catalog.collections_ import ADDERS, GETTERS, TAKES_ELEMENTS, VIEWS
from conclint.catalog.rows import Kind
from conclint.model.facts import Call
from conclint.project.link.attributes import load_dynamic
from conclint.project.objects import Object, ObjectKind, Site
from conclint.project.solver import NodeId

if TYPE_CHECKING:
    from conclint.project.link.linker import Linker

_ADDED_ARGUMENT = dict(ADDERS)
_PAIRS = frozenset({"items", "popitem", "builtins.enumerate", "builtins.zip"})


def react_item(linker: Linker, base: NodeId, node: NodeId, index: int | None = None) -> None:
    """Let `node` become the elements, or the one at `index`, of whatever reaches `base`."""
    linker.solver.react(base, partial(_load_item, linker, node, index))


def _load_item(linker: Linker, node: NodeId, index: int | None, found: Object) -> None:
    if found.kind is ObjectKind.INSTANCE and found.site is not None:
        linker.solver.connect(linker.element_at(found, index), node)
        load_dynamic(linker, found, node)
    elif found.kind is ObjectKind.GENERATOR:
        linker.solver.connect(linker.solver.node(("y", found.symbol)), node)
    elif found.kind is ObjectKind.INSTANCE and found.symbol in linker.symbols.classes:
        for special in ("__getitem__", "__iter__"):
            if (method := linker.symbols.find_method(found.symbol, special)) is not None:
                linker.bind_receiver(method, found)
                kind = "y" if special == "__iter__" else "r"
                linker.solver.connect(linker.solver.node((kind, method)), node)


def react_await(linker: Linker, base: NodeId, node: NodeId) -> None:
    """Let `node` become what awaiting whatever reaches `base` gives."""
    linker.solver.react(base, partial(_load_awaited, linker, node))


def _load_awaited(linker: Linker, node: NodeId, found: Object) -> None:
    if found.kind is ObjectKind.COROUTINE:
        linker.solver.connect(linker.solver.node(("r", found.symbol)), node)
    elif found.kind is ObjectKind.INSTANCE:
        # Awaited constructors and catalog calls (`await asyncio.open_connection()`) give the object itself.
        linker.solver.add(node, found)


def react_enter(linker: Linker, base: NodeId, node: NodeId) -> None:
    """Let `node` become what `with base as node` binds."""
    linker.solver.react(base, partial(_load_entered, linker, node))


def _load_entered(linker: Linker, node: NodeId, found: Object) -> None:
    if found.kind is ObjectKind.GENERATOR:
        linker.solver.connect(linker.solver.node(("y", found.symbol)), node)
    elif found.kind is ObjectKind.INSTANCE:
        methods = [linker.symbols.find_method(found.symbol, name) for name in ("__enter__", "__aenter__")]
        for method in methods:
            if method is not None:
                linker.bind_receiver(method, found)
                linker.solver.connect(linker.solver.node(("r", method)), node)
        if methods == [None, None]:
            linker.solver.add(node, found)


def apply_collection(linker: Linker, site: Site, call: Call, receiver: Object, name: str) -> None:
    """Do what a method of a collection or queue does with its elements."""
    row = catalog.find_class(receiver.symbol)
    if row is None or row.kind not in (Kind.COLLECTION, Kind.QUEUE) or receiver.site is None:
        return
    elements = linker.elements(receiver)
    position = _ADDED_ARGUMENT.get(name)
    if position is not None and len(call.arguments) > position:
        value = linker.value_node(site.module, call.arguments[position].value)
        if name in TAKES_ELEMENTS:
            react_item(linker, value, elements)
        else:
            linker.solver.connect(value, elements)
    if name in VIEWS or name in _PAIRS:
        _fill_view(linker, site, elements, pairs=name in _PAIRS)
    elif name in GETTERS:
        linker.solver.connect(elements, linker.result(site))


def view(linker: Linker, site: Site, call: Call, name: str) -> None:
    """Let the result of `list(x)`, `zip(x, y)` and the like hold the elements of what is given."""
    for argument in call.arguments:
        elements = linker.solver.new_node()
        react_item(linker, linker.value_node(site.module, argument.value), elements)
        if argument.keyword == "*":
            # `zip(*pairs)`: each argument is a collection of its own.
            inner = linker.solver.new_node()
            react_item(linker, elements, inner)
            elements = inner
        _fill_view(linker, site, elements, pairs=name in _PAIRS)


def _fill_view(linker: Linker, site: Site, elements: NodeId, *, pairs: bool) -> None:
    view = Object(ObjectKind.INSTANCE, "builtins.list", Site(site.module, site.index, "view"))
    linker.solver.add(linker.result(site), view)
    if pairs:
        pair = Object(ObjectKind.INSTANCE, "builtins.tuple", Site(site.module, site.index, "pair"))
        linker.solver.add(linker.elements(view), pair)
        linker.solver.connect(elements, linker.elements(pair))
    else:
        linker.solver.connect(elements, linker.elements(view))


def fill_dict(linker: Linker, module: int, call: Call, made: Object) -> None:
    """Let a new dict hold the values that its constructor is given."""
    elements = linker.elements(made)
    for argument in call.arguments:
        value = linker.value_node(module, argument.value)
        if argument.keyword not in ("", "*", "**"):
            linker.solver.connect(value, elements)
            continue
        # Another dict, or pairs of key and value.
        items = linker.solver.new_node()
        react_item(linker, value, items)
        linker.solver.connect(items, elements)
        react_item(linker, items, elements)
