"""Spawns: callables that are handed over to run elsewhere, with the arguments that they get there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conclint import catalog
from conclint.catalog.rows import Kind, RunsIn, Spawn
from conclint.model.facts import Argument, Call, ModuleFacts, ParameterKind
from conclint.model.values import Collection
from conclint.project.link.functions import bind, bind_partial
from conclint.project.link.links import SpawnSite, Target, find_argument
from conclint.project.objects import Object, ObjectKind, Site
from conclint.project.solver import NodeId

if TYPE_CHECKING:
    from conclint.project.link.linker import Linker

_RUN_BY_KIND = {Kind.THREAD: RunsIn.THREAD, Kind.TIMER: RunsIn.TIMER, Kind.PROCESS: RunsIn.PROCESS}


def spawn(linker: Linker, site: Site, call: Call, spawn: Spawn, receiver: Object | None) -> None:
    """Note a call that has something run elsewhere, and pass on its arguments."""
    argument = find_argument(call, spawn.keyword, spawn.position)
    if argument is None:
        return
    node = linker.value_node(site.module, argument.value)
    if spawn.of_class:
        node = _make_handlers(linker, node, receiver)
    linker.links.spawns.append(SpawnSite(site, spawn.runs_in, node, receiver))
    linker.solver.react(node, lambda found: _bind_spawned(linker, site, call, spawn, found))


def spawn_run(linker: Linker, site: Site, made: Object) -> None:
    """Note that making a thread or process of a subclass has its `run` run elsewhere."""
    base = linker.symbols.find_external_base(made.symbol)
    row = catalog.find_class(base) if base is not None else None
    method = linker.symbols.find_method(made.symbol, "run")
    if row is None or method is None or row.kind not in _RUN_BY_KIND:
        return
    node = linker.solver.new_node()
    linker.solver.add(node, Object(ObjectKind.BOUND, method, receiver=made))
    linker.links.spawns.append(SpawnSite(site, _RUN_BY_KIND[row.kind], node, made))
    linker.bind_receiver(method, made)


def _make_handlers(linker: Linker, classes: NodeId, server: Object | None) -> NodeId:
    """Return the node of the methods that a library runs on new objects of `classes`, with `server` as attribute."""
    methods = linker.solver.new_node()

    def on_class(found: Object) -> None:
        if found.kind is not ObjectKind.CLASS or found.symbol not in linker.symbols.classes:
            return
        handler = Object(ObjectKind.INSTANCE, found.symbol)
        for method in linker.symbols.find_run_methods(found.symbol):
            linker.solver.add(methods, Object(ObjectKind.BOUND, method, receiver=handler))
        if server is not None:
            linker.solver.add(linker.solver.node(("a", found.symbol, "server")), server)

    linker.solver.react(classes, on_class)
    return methods


def _bind_spawned(linker: Linker, site: Site, call: Call, spawn: Spawn, found: Object) -> None:
    if found.kind is ObjectKind.PARTIAL and found.site is not None:
        passed = collect_passed(linker.modules[site.module], call, spawn)
        bind_partial(linker, site.module, passed, found.site, lambda target: None)
    if found.kind is ObjectKind.INSTANCE and (method := linker.symbols.find_method(found.symbol, "__call__")):
        target = Target(method, found)
    elif found.kind in (ObjectKind.FUNCTION, ObjectKind.BOUND):
        target = Target(found.symbol, found.receiver)
    else:
        return
    if (site, target) in linker.bound:
        return
    linker.bound.add((site, target))
    bind(linker, site.module, collect_passed(linker.modules[site.module], call, spawn), target)
    _pass_promised(linker, site, spawn, target)


def _pass_promised(linker: Linker, site: Site, spawn: Spawn, target: Target) -> None:
    """Hand over what the library calls the callable with: reader and writer of a new connection."""
    function = linker.symbols.function(linker.symbols.functions[target.function][0])
    positional = [one.name for one in function.parameters if one.kind is ParameterKind.POSITIONAL]
    for name, symbol in zip(positional[target.receiver is not None :], spawn.passes, strict=False):
        linker.links.promised.add((target.function, name))
        linker.solver.add(linker.solver.node(("l", target.function, name)), linker.make_instance(symbol, site))


def collect_passed(facts: ModuleFacts, call: Call, spawn: Spawn) -> tuple[Argument, ...]:
    """Return the arguments that the spawned callable will get, as far as they stand at the call."""
    if spawn.arguments_from is not None:
        passed = [one for one in call.arguments if one.keyword == ""][spawn.arguments_from :]
        if spawn.maps:
            # It gets the elements of these, one by one, which are not followed.
            return ()
        named = [one for one in call.arguments if one.keyword not in ("", "*", "**")]
        return (*passed, *named)
    given = find_argument(call, spawn.args_keyword, spawn.args_position)
    if given is None:
        return ()
    value = facts.values[given.value]
    if isinstance(value, Collection):
        return tuple(Argument("", item, given.span) for item in value.items)
    return ()
