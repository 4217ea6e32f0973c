"""Calls: what runs when something is called or entered, and what that gives."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from conclint import catalog
from conclint.catalog.collections_ import GETTERS, VIEWS
from conclint.catalog.rows import CallRow
from conclint.model.facts import Argument, Call, How, ModuleFacts
from conclint.model.values import (
    Constant,
)
from conclint.project.link.attributes import react_attribute
from conclint.project.link.elements import apply_collection, fill_dict, react_item, view
from conclint.project.link.functions import bind, bind_partial, connect_result
from conclint.project.link.links import ExternalTarget, Operation, Target
from conclint.project.link.spawns import spawn, spawn_run
from conclint.project.objects import Object, ObjectKind, Site

if TYPE_CHECKING:
    from conclint.project.link.linker import Linker

_PASS_THROUGH = {"typing.cast": 1, "copy.copy": 0, "weakref.proxy": 0, "asyncio.shield": 0}
_WEAK_REFERENCE = "weakref.ref"
_REFERENCES = (_WEAK_REFERENCE, "weakref.WeakMethod")
_ENTRY_METHODS = ("__enter__", "__aenter__", "__exit__", "__aexit__")


def add_call(linker: Linker, module: int, number: int, call: Call) -> None:
    """Let whatever reaches the callee of a call be called."""
    site = Site(module, number)
    linker.solver.react(linker.value_node(module, call.callee), partial(_call, linker, site, call))


def _call(linker: Linker, site: Site, call: Call, callee: Object) -> None:
    kind = callee.kind
    if kind is ObjectKind.FUNCTION:
        _call_function(linker, site, call.arguments, Target(callee.symbol, None))
    elif kind is ObjectKind.BOUND:
        _call_function(linker, site, call.arguments, Target(callee.symbol, callee.receiver))
    elif kind is ObjectKind.CLASS:
        _construct(linker, site, call, callee.symbol)
    elif kind is ObjectKind.EXTERNAL:
        _call_external(linker, site, call, callee.symbol)
    elif kind is ObjectKind.METHOD and callee.receiver is not None:
        _call_method(linker, site, call, callee.receiver, callee.symbol)
    elif kind is ObjectKind.PARTIAL and callee.site is not None:
        _call_partial(linker, site, call, callee.site)
    elif callee.symbol == _WEAK_REFERENCE and callee.site is not None:
        # It refers to what it was made from, as long as that lives.
        linker.solver.connect(linker.elements(callee), linker.result(site))
    elif kind is ObjectKind.INSTANCE and (method := linker.symbols.find_method(callee.symbol, "__call__")):
        _call_function(linker, site, call.arguments, Target(method, callee))
    elif kind is ObjectKind.INSTANCE and catalog.find_method(callee.symbol, "__call__") is not None:
        _call_method(linker, site, call, callee, "__call__")


def _call_function(linker: Linker, site: Site, arguments: Sequence[Argument], target: Target) -> None:
    if (site, target) in linker.bound:
        return
    linker.bound.add((site, target))
    linker.links.add_callee(site, target)
    bind(linker, site.module, arguments, target)
    if not _make_lock(linker, site, target.function):
        connect_result(linker, site, target.function)


def _make_lock(linker: Linker, site: Site, name: str) -> bool:
    """Let a call give a lock, if the settings say that the function called `name` does; return whether they do.

    All calls of one function give the same lock here: those with equal arguments may, and sharing keeps us silent.
    """
    number = linker.lock_factories.get(name)
    if number is not None:
        made = Object(ObjectKind.INSTANCE, "threading.RLock", Site(0, number, "setting"))
        linker.solver.add(linker.result(site), made)
    return number is not None


def _construct(linker: Linker, site: Site, call: Call, symbol: str) -> None:
    made = linker.make_instance(symbol, site)
    linker.solver.add(linker.result(site), made)
    if symbol in linker.symbols.classes:
        _construct_own(linker, site, call, made)
        return
    linker.links.add_external(site, ExternalTarget(symbol, None))
    row = catalog.find_call(symbol)
    if row is not None and row.spawn is not None:
        spawn(linker, site, call, row.spawn, made)
    if symbol in VIEWS and call.arguments and call.arguments[0].keyword == "":
        react_item(linker, linker.value_node(site.module, call.arguments[0].value), linker.elements(made))
    if catalog.is_subclass(symbol, "builtins.dict"):
        fill_dict(linker, site.module, call, made)


def _construct_own(linker: Linker, site: Site, call: Call, made: Object) -> None:
    for name in ("__new__", "__init__"):
        method = linker.symbols.find_method(made.symbol, name)
        if method is not None:
            target = Target(method, made)
            linker.links.add_callee(site, target)
            bind(linker, site.module, call.arguments, target)
    if linker.symbols.find_method(made.symbol, "__init__") is None:
        _fill_fields(linker, site.module, call, made)
        base = linker.symbols.find_external_base(made.symbol)
        row = catalog.find_call(base) if base is not None else None
        if row is not None and row.spawn is not None:
            spawn(linker, site, call, row.spawn, made)
    spawn_run(linker, site, made)


def _fill_fields(linker: Linker, module: int, call: Call, made: Object) -> None:
    # Dataclasses, attrs and named tuples: keyword arguments are attributes.
    for argument in call.arguments:
        if argument.keyword not in ("", "*", "**"):
            node = linker.solver.node(("a", made.symbol, argument.keyword))
            linker.solver.connect(linker.value_node(module, argument.value), node)


def _call_external(linker: Linker, site: Site, call: Call, name: str) -> None:
    linker.links.add_external(site, ExternalTarget(name, None))
    if _make_lock(linker, site, name):
        return
    if name == "functools.partial":
        linker.solver.add(linker.result(site), Object(ObjectKind.PARTIAL, name, site))
    elif name in _PASS_THROUGH and len(call.arguments) > _PASS_THROUGH[name]:
        source = call.arguments[_PASS_THROUGH[name]].value
        linker.solver.connect(linker.value_node(site.module, source), linker.result(site))
        if (row := catalog.find_call(name)) is not None and row.spawn is not None:
            spawn(linker, site, call, row.spawn, None)
    elif (row := catalog.find_call(name)) is not None and row.names[0] in _REFERENCES and call.arguments:
        made = Object(ObjectKind.INSTANCE, _WEAK_REFERENCE, site)
        linker.solver.connect(linker.value_node(site.module, call.arguments[0].value), linker.elements(made))
        linker.solver.add(linker.result(site), made)
        _apply_row(linker, site, call, row, None)
    elif name == "builtins.getattr":
        _call_getattr(linker, site, call)
    elif name in VIEWS:
        view(linker, site, call, name)
    elif name in GETTERS and call.arguments:
        react_item(linker, linker.value_node(site.module, call.arguments[0].value), linker.result(site))
    elif (row := catalog.find_call(name)) is not None:
        _apply_row(linker, site, call, row, None)


def _call_getattr(linker: Linker, site: Site, call: Call) -> None:
    values = linker.modules[site.module].values
    if len(call.arguments) > 1:
        name = values[call.arguments[1].value]
        if isinstance(name, Constant) and isinstance(name.value, str):
            base = linker.value_node(site.module, call.arguments[0].value)
            react_attribute(linker, base, name.value, linker.result(site))


def _call_method(linker: Linker, site: Site, call: Call, receiver: Object, name: str) -> None:
    base = linker.symbols.find_method_base(receiver.symbol, name)
    if base is None:
        return
    linker.links.operations.setdefault(receiver, {})[Operation(name, site)] = None
    linker.links.add_external(site, ExternalTarget(f"{base}.{name}", receiver))
    if _make_lock(linker, site, f"{base}.{name}"):
        return
    row = catalog.find_method(base, name)
    if name == "__init__" and (constructor := catalog.find_call(base)) is not None:
        if constructor.spawn is not None:
            spawn(linker, site, call, constructor.spawn, receiver)
    elif row is not None:
        _apply_row(linker, site, call, row, receiver)
    apply_collection(linker, site, call, receiver, name)


def _apply_row(linker: Linker, site: Site, call: Call, row: CallRow, receiver: Object | None) -> None:
    if row.returns_items:
        _give_tuple(linker, site, row.returns_items)
    if row.returns or row.returns_item:
        made = linker.make_instance(row.returns or "builtins.list", site)
        linker.solver.add(linker.result(site), made)
        if row.returns_item:
            linker.solver.add(linker.elements(made), linker.make_instance(row.returns_item, site))
    for one in (row.spawn, *row.callbacks):
        if one is not None:
            spawn(linker, site, call, one, receiver)


def _give_tuple(linker: Linker, site: Site, classes: Sequence[str]) -> None:
    made = Object(ObjectKind.INSTANCE, "builtins.tuple", site)
    nodes = [linker.solver.new_node() for _ in classes]
    for node, symbol in zip(nodes, classes, strict=True):
        linker.solver.add(node, linker.make_instance(symbol, site))
        linker.solver.connect(node, linker.elements(made))
    linker.place_elements(made, nodes)
    linker.solver.add(linker.result(site), made)


def _call_partial(linker: Linker, site: Site, call: Call, origin: Site) -> None:
    def on_target(target: Target) -> None:
        linker.links.add_callee(site, target)
        connect_result(linker, site, target.function)

    bind_partial(linker, site.module, call.arguments, origin, on_target)


def add_entries(linker: Linker, module: int, facts: ModuleFacts) -> None:
    """Let whatever is entered by a `with` be entered."""
    for number, entry in enumerate(facts.acquisitions):
        if entry.how in (How.ACQUIRE, How.AWAITED_ACQUIRE):
            continue
        site = Site(module, number, "acquisition")
        linker.solver.react(linker.value_node(module, entry.value), partial(_enter, linker, site))


def _enter(linker: Linker, site: Site, found: Object) -> None:
    if found.kind is not ObjectKind.INSTANCE:
        return
    for name in _ENTRY_METHODS:
        method = linker.symbols.find_method(found.symbol, name)
        if method is not None:
            linker.links.add_callee(site, Target(method, found))
            linker.bind_receiver(method, found)
    if linker.symbols.find_external_base(found.symbol) is not None:
        linker.links.operations.setdefault(found, {})[Operation("__exit__", site)] = None
