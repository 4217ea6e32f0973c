"""Starts: what begins to run whenever a module is imported, directly or through the functions that it calls."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator
from typing import TYPE_CHECKING

from conclint.project.objects import Site

if TYPE_CHECKING:
    from conclint.project.project import CallPlace, Project

_DEEPEST = 6


def iter_import_starts(
    project: Project, starts: Collection[Site], modules: Container[int], *, certain: bool = False
) -> Iterator[tuple[CallPlace, ...]]:
    """Yield the ways by calls in the same thread from the body of these modules to one of `starts`, the last call.

    With `certain`, only ways that are always taken: no call on it is conditional.
    """
    leading = project.call_graph.collect_callers(project.call(site).function.symbol for site in starts)
    for module, facts in enumerate(project.modules):
        if module not in modules or f"{facts.module}.<module>" not in leading:
            continue
        for number, call in enumerate(facts.calls):
            if call.function == 0 and not facts.contexts[call.context].main_guard:
                way = _find_way(project, (project.call(Site(module, number)),), (starts, leading), certain=certain)
                if way:
                    yield way


def _find_way(
    project: Project, way: tuple[CallPlace, ...], goal: tuple[Collection[Site], frozenset[str]], *, certain: bool
) -> tuple[CallPlace, ...]:
    """Return the first way to a start that begins like this, () where there is none."""
    starts, leading = goal
    context = way[-1].context
    if certain and (context.branches or context.after_return or context.protected):
        return ()
    if way[-1].site in starts:
        return way
    on_way = {place.function_place for place in way}
    for target in project.callees(way[-1].site) if len(way) <= _DEEPEST else ():
        function = project.place(target.function) if target.function in leading else None
        for inner in project.calls_in(function) if function is not None and function not in on_way else ():
            found = _find_way(project, (*way, inner), goal, certain=certain)
            if found:
                return found
    return ()


def collect_scripts(project: Project) -> frozenset[int]:
    """Return the modules that are scripts: not part of a package, and imported by no other module."""
    imported: dict[str, set[int]] = {}
    for module, facts in enumerate(project.modules):
        for _, symbol in facts.aliases:
            imported.setdefault(symbol.partition(".")[0], set()).add(module)
    return frozenset(
        module
        for module, facts in enumerate(project.modules)
        if "." not in facts.module and not facts.is_package and imported.get(facts.module, set()) <= {module}
    )


def collect_script_functions(project: Project) -> frozenset[str]:
    """Return the functions that the main guard of their own module runs (may): somebody has started them by hand."""
    graph = project.call_graph
    found: set[str] = set()
    for module, facts in enumerate(project.modules):
        if not facts.main_guard:
            continue
        own = {function.symbol for function in facts.functions}
        pending = [
            target.function
            for number, call in enumerate(facts.calls)
            if facts.contexts[call.context].main_guard
            for target in project.callees(Site(module, number))
        ]
        while pending:
            symbol = pending.pop()
            if symbol in own and symbol not in found:
                found.add(symbol)
                pending.extend(graph.called_by(symbol))
    return frozenset(found)
