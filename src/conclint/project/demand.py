"""Demand: which modules that were not analysed matter, and are analysed after all.

A dormant module says nothing of concurrency by itself, but a thread may run through it, a class of it may be the base
of one that matters, and code that holds a lock may call into it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from conclint.model.facts import ModuleFacts
from conclint.model.values import Instance, Name, ValueId
from conclint.project.locks import find_lock_sites
from conclint.project.objects import Object, ObjectKind, Site
from conclint.project.symbols import Symbols

if TYPE_CHECKING:
    from conclint.project.project import CallPlace, Project

_Sleeping = Mapping[int, Mapping[ValueId, str]]
"""By module: the values that are names of dormant modules, and what these names stand for. They are few."""


def find_needed(symbols: Symbols) -> frozenset[str]:
    """Return the dormant modules without which names cannot be linked: those of bases, and packages that re-export."""
    bases = {base for symbol in symbols.classes for base in symbols.iter_bases(symbol)}
    return _find_modules(symbols, bases.union(_iter_package_names(symbols)))


def _iter_package_names(symbols: Symbols) -> Iterator[str]:
    for resolved in symbols.iter_pending():
        if symbols.is_package(resolved.name.rpartition(".")[0]):
            yield resolved.name


def find_called(symbols: Symbols, modules: Iterable[ModuleFacts]) -> frozenset[str]:
    """Return the dormant modules of what `modules` call, make or hand on.

    More than what matters, where only a part of `modules` does; but each further look at the whole project costs more.
    """
    return _find_modules(symbols, (symbols.resolve(name).name for facts in modules for name in _iter_used(facts)))


def _iter_used(facts: ModuleFacts) -> Iterator[str]:
    used = {call.callee for call in facts.calls}
    used.update(argument.value for call in facts.calls for argument in call.arguments)
    values = (facts.values[one] for one in sorted(used))
    return (value.symbol for value in values if isinstance(value, Name))


def find_wanted(project: Project) -> frozenset[str]:
    """Return the dormant modules that matter to what runs or is locked in the project, as far as it is linked."""
    sleeping = _collect_sleeping(project)
    if not sleeping:
        return frozenset()
    return _find_modules(project.symbols, {*_iter_reached(project, sleeping), *_iter_spawned(project, sleeping)})


def _collect_sleeping(project: Project) -> _Sleeping:
    return {
        module: names
        for module, facts in enumerate(project.modules)
        if (
            names := {
                number: project.symbols.resolve(value.symbol).name
                for number, value in enumerate(facts.values)
                if isinstance(value, Name) and value.symbol in project.pending_names
            }
        )
    }


def find_users(project: Project, imports: Mapping[str, Iterable[str]]) -> frozenset[str]:
    """Return the dormant modules, of which `imports` says what they import, that may use locks, threads or clients.

    They need not name what they use: `with ledger.lock:` says nothing of threads by itself. What the settings name
    counts as well.
    """
    living = frozenset(_iter_living(project))
    hinted = (*project.hints.root_decorators, *project.hints.lock_factories)
    using = {
        module
        for module, names in imports.items()
        if project.symbols.find_dormant(module) == module
        and any(_matters(project.symbols.resolve(name).name, living, hinted) for name in names)
    }
    return _find_modules(project.symbols, hinted) | using


def _matters(name: str, living: frozenset[str], hinted: Iterable[str]) -> bool:
    """Whether an imported name is something living, or leads to what the settings name."""
    return name in living or any(f"{one}.".startswith(f"{name}.") for one in hinted)


def _iter_living(project: Project) -> Iterator[str]:
    """Yield the globals that are, and the classes that keep, something with a life of its own; with their modules.

    Thread-local classes too: other files may derive from them, or change what their bodies hold.
    """
    for owner, name in project.iter_living_state():
        if owner in project.symbols.classes:
            yield owner
            yield project.symbols.module_of(owner)
        else:
            yield f"{owner}.{name}"
            yield owner
    # Whoever imports a class of threads may make one, and need not say so.
    classes = (symbol for symbol in project.symbols.classes if project.is_living(Object(ObjectKind.INSTANCE, symbol)))
    for symbol in classes:
        yield symbol
        yield project.symbols.module_of(symbol)


def _find_modules(symbols: Symbols, names: Iterable[str]) -> frozenset[str]:
    found = (symbols.find_dormant(name) for name in names)
    return frozenset(module for module in found if module is not None)


def _iter_reached(project: Project, sleeping: _Sleeping) -> Iterator[str]:
    """Yield what is called, or made, by code that runs in a root, on a loop, or with a lock held."""
    starts = set(project.root_functions)
    starts |= {
        symbol
        for symbol in project.symbols.functions
        if (function := project.function(symbol)) is not None and function.is_async
    }
    locked = tuple(_iter_locked(project))
    holders = {place.function.symbol for place in locked}
    starts.update(target.function for place in locked for target in project.callees(place.site))
    reached = _add_siblings(project, project.call_graph.reach(starts))
    for module, names in sleeping.items():
        facts = project.modules[module]
        for call in facts.calls:
            if facts.functions[call.function].symbol in reached or facts.contexts[call.context].lockset:
                yield from _iter_names(names, (call.callee, *(argument.value for argument in call.arguments)))
        for function in facts.functions:
            if function.symbol in reached or function.symbol in holders:
                annotations = [parameter.annotation for parameter in function.parameters]
                promised = (*annotations, function.returns_annotation)
                instances = [facts.values[one] for one in promised if one is not None]
                yield from _iter_names(names, (one.of for one in instances if isinstance(one, Instance)))


def _iter_locked(project: Project) -> Iterator[CallPlace]:
    """Yield the calls that are made while a lock is held that is known to be one."""
    locks = {(module, index) for module, index, _, _ in find_lock_sites(project)}
    for place in project.calls:
        if any((place.site.module, index) in locks for index in place.context.lockset):
            yield place


def _add_siblings(project: Project, reached: set[str]) -> set[str]:
    """Add the other methods of the classes of methods: what they keep in `self` is used by all."""
    owners = {symbol.rpartition(".")[0] for symbol in reached} & project.symbols.classes.keys()
    lines = {ancestor for owner in owners for ancestor in project.symbols.linearise(owner)}
    return reached | {method for owner in lines for method in project.symbols.methods.get(owner, {}).values()}


def _iter_spawned(project: Project, sleeping: _Sleeping) -> Iterator[str]:
    for spawn in project.links.spawns:
        yield from _iter_arguments(project, spawn.site, sleeping)
    # A helper may be what spawns: `background.run(shrink, path)`.
    spawning = {project.call_graph.function_at(spawn.site).symbol for spawn in project.links.spawns}
    for site, targets in project.links.callees.items():
        if site.what == "call" and any(target.function in spawning for target in targets):
            yield from _iter_arguments(project, site, sleeping)


def _iter_arguments(project: Project, site: Site, sleeping: _Sleeping) -> Iterator[str]:
    names = sleeping.get(site.module, {})
    call = project.modules[site.module].calls[site.index]
    return _iter_names(names, (argument.value for argument in call.arguments))


def _iter_names(names: Mapping[ValueId, str], values: Iterable[ValueId]) -> Iterator[str]:
    return (names[value] for value in values if value in names)
