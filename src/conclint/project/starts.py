"""Starts: what begins to run whenever a module is imported, directly or through the functions that it calls."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import TYPE_CHECKING

from conclint.project.objects import Site

if TYPE_CHECKING:
    from conclint.model.facts import ModuleFacts
    from conclint.project.project import CallPlace, Project

_DEEPEST = 6


def iter_import_starts(
    project: Project, starts: Container[Site], modules: Container[int], *, certain: bool = False
) -> Iterator[tuple[CallPlace, ...]]:
    """Yield the ways by calls in the same thread from the body of these modules to one of `starts`, the last call.

    With `certain`, only ways that are always taken: no call on it is conditional.
    """
    for module, facts in enumerate(project.modules):
        for number, call in enumerate(facts.calls) if module in modules else ():
            if call.function == 0 and not facts.contexts[call.context].main_guard:
                way = _find_way(project, (project.call(Site(module, number)),), starts, certain=certain)
                if way:
                    yield way


def _find_way(
    project: Project, way: tuple[CallPlace, ...], starts: Container[Site], *, certain: bool
) -> tuple[CallPlace, ...]:
    """Return the first way to a start that begins like this, () where there is none."""
    context = way[-1].context
    if certain and (context.branches or context.after_return or context.protected):
        return ()
    if way[-1].site in starts:
        return way
    on_way = {place.function_place for place in way}
    for target in project.callees(way[-1].site) if len(way) <= _DEEPEST else ():
        function = project.place(target.function)
        for inner in project.calls_in(function) if function is not None and function not in on_way else ():
            found = _find_way(project, (*way, inner), starts, certain=certain)
            if found:
                return found
    return ()


def is_script(project: Project, facts: ModuleFacts) -> bool:
    """Return whether a module is a script: not part of a package, and imported by no other module."""
    imported = {symbol for other in project.modules if other is not facts for _, symbol in other.aliases}
    is_library = any(symbol == facts.module or symbol.startswith(f"{facts.module}.") for symbol in imported)
    return "." not in facts.module and not facts.is_package and not is_library
