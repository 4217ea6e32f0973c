"""Demand: which names of modules that were not analysed matter, so that those modules are analysed after all.

A dormant module says nothing of concurrency by itself, but a thread may run through it, a class of it may be the base
of one that matters, and code that holds a lock may call into it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.model.values import Name, ValueId
from conclint.project.symbols import SymbolKind

if TYPE_CHECKING:
    from conclint.project.project import Project


def find_wanted(project: Project) -> frozenset[str]:
    """Return qualified names, not of the project as it is linked, that matter to what runs or is locked in it."""
    return frozenset((*_iter_bases(project), *_iter_reached(project), *_iter_spawned(project)))


def _iter_bases(project: Project) -> Iterator[str]:
    for symbol in project.symbols.classes:
        for base in project.symbols.iter_bases(symbol):
            if base not in project.symbols.classes:
                yield base


def _iter_reached(project: Project) -> Iterator[str]:
    """Yield what is called, or made, by code that runs in a root, on a loop, or with a lock held."""
    starts = {root.function for root in project.roots}
    starts |= {
        symbol
        for symbol in project.symbols.functions
        if (function := project.function(symbol)) is not None and function.is_async
    }
    reached = project.reach(starts)
    for module, facts in enumerate(project.modules):
        for call in facts.calls:
            if facts.functions[call.function].symbol in reached or facts.contexts[call.context].lockset:
                yield from _iter_external(project, module, call.callee)
                for argument in call.arguments:
                    yield from _iter_external(project, module, argument.value)


def _iter_spawned(project: Project) -> Iterator[str]:
    for spawn in project.links.spawns:
        call = project.call(spawn.site)
        for argument in call.call.arguments:
            yield from _iter_external(project, spawn.site.module, argument.value)


def _iter_external(project: Project, module: int, value: ValueId) -> Iterator[str]:
    found = project.modules[module].values[value]
    if isinstance(found, Name):
        resolved = project.symbols.resolve(found.symbol)
        if resolved.kind is SymbolKind.EXTERNAL:
            yield resolved.name
