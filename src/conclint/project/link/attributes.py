"""Attributes: what `base.name` gives, by what the base may be."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from conclint import catalog
from conclint.catalog.rows import Kind
from conclint.project.objects import Object, ObjectKind
from conclint.project.solver import NodeId

if TYPE_CHECKING:
    from conclint.project.link.linker import Linker

_PROPERTIES = ("builtins.property", "functools.cached_property", "abc.abstractproperty")


def react_attribute(linker: Linker, base: NodeId, name: str, node: NodeId) -> None:
    """Let `node` become the attribute `name` of whatever reaches `base`."""
    linker.solver.react(base, partial(_load_attribute, linker, name, node))


def _load_attribute(linker: Linker, name: str, node: NodeId, found: Object) -> None:
    if found.kind is ObjectKind.INSTANCE:
        _load_instance(linker, found, name, node)
    elif found.kind is ObjectKind.SUPER:
        _load_super(linker, found, name, node)
    elif found.kind is ObjectKind.CLASS:
        _load_class(linker, found, name, node)
    elif found.kind in (ObjectKind.MODULE, ObjectKind.EXTERNAL):
        linker.solver.connect(linker.name_node(f"{found.symbol}.{name}"), node)


def _load_instance(linker: Linker, found: Object, name: str, node: NodeId) -> None:
    if found.symbol in linker.symbols.classes:
        method = linker.symbols.find_method(found.symbol, name)
        if method is not None:
            _load_method(linker, method, found, node)
            return
        linker.solver.connect(linker.attribute_node(found.symbol, name), node)
    elif found.symbol == "builtins.generator":
        return
    base = linker.symbols.find_external_base(found.symbol)
    if base is not None:
        linker.links.loads.setdefault(found, {})[name] = None
        linker.solver.add(node, Object(ObjectKind.METHOD, name, receiver=found))
        if catalog.find_method(base, name) is None:
            load_dynamic(linker, found, node)
            if takes_attributes(found):
                linker.solver.connect(linker.solver.node(("o", found, name)), node)


def takes_attributes(found: Object) -> bool:
    """Return whether an object of a library holds what the program stores in it: a `threading.local()`."""
    row = catalog.find_class(found.symbol)
    return row is not None and row.kind is Kind.THREAD_LOCAL


def load_dynamic(linker: Linker, found: Object, node: NodeId) -> None:
    """Let `node` become what attributes and items of any name are: `client.orders` of a MongoClient is a Database."""
    row = catalog.find_class(found.symbol)
    if row is not None and row.attributes:
        linker.solver.add(node, Object(ObjectKind.INSTANCE, row.attributes, found.site))


def _load_method(linker: Linker, method: str, receiver: Object, node: NodeId) -> None:
    decorators = linker.decorators(method)
    if any(name in _PROPERTIES for name in decorators):
        linker.bind_receiver(method, receiver)
        linker.solver.connect(linker.solver.node(("r", method)), node)
    elif "builtins.staticmethod" in decorators:
        linker.solver.add(node, Object(ObjectKind.FUNCTION, method))
    elif "builtins.classmethod" in decorators:
        owner = Object(ObjectKind.CLASS, receiver.symbol)
        linker.solver.add(node, Object(ObjectKind.BOUND, method, receiver=owner))
    else:
        # A method that is only handed on (`atexit.register(worker.stop)`) will be called on its object too.
        linker.bind_receiver(method, receiver)
        linker.solver.add(node, Object(ObjectKind.BOUND, method, receiver=receiver))


def _load_super(linker: Linker, found: Object, name: str, node: NodeId) -> None:
    # `super()` in a mixin may go to any class; the bases of its own class are what is certain.
    receiver = Object(ObjectKind.INSTANCE, found.symbol)
    method = linker.symbols.find_method(found.symbol, name, after=found.symbol)
    if method is not None:
        _load_method(linker, method, receiver, node)
    elif linker.symbols.find_external_base(found.symbol) is not None:
        linker.solver.add(node, Object(ObjectKind.METHOD, name, receiver=receiver))


def _load_class(linker: Linker, found: Object, name: str, node: NodeId) -> None:
    if found.symbol not in linker.symbols.classes:
        linker.solver.add(node, Object(ObjectKind.EXTERNAL, f"{found.symbol}.{name}"))
        return
    method = linker.symbols.find_method(found.symbol, name)
    if method is None:
        linker.connect_owners(f"{found.symbol}.{name}", node)
    elif "builtins.classmethod" in linker.decorators(method):
        linker.solver.add(node, Object(ObjectKind.BOUND, method, receiver=found))
    else:
        linker.solver.add(node, Object(ObjectKind.FUNCTION, method))
