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
    project: Project, starts: Container[Site], modules: Container[int]
) -> Iterator[tuple[CallPlace, Site]]:
    """Yield the calls in the body of these modules that lead to one of `starts` in the same thread, and to which."""
    for module, facts in enumerate(project.modules):
        for number, call in enumerate(facts.calls) if module in modules else ():
            if call.function == 0 and not facts.contexts[call.context].main_guard:
                place = project.call(Site(module, number))
                found = _find_start(project, place, starts, frozenset())
                if found is not None:
                    yield place, found


def _find_start(project: Project, place: CallPlace, starts: Container[Site], seen: frozenset[str]) -> Site | None:
    """Return the first start that a call leads to in its own thread."""
    if place.site in starts:
        return place.site
    for target in project.callees(place.site) if len(seen) < _DEEPEST else ():
        function = project.place(target.function)
        if function is None or target.function in seen:
            continue
        for inner in project.calls_in(function):
            found = _find_start(project, inner, starts, seen | {target.function})
            if found is not None:
                return found
    return None


def is_script(project: Project, facts: ModuleFacts) -> bool:
    """Return whether a module is a script: not part of a package, and imported by no other module."""
    imported = {symbol for other in project.modules if other is not facts for _, symbol in other.aliases}
    is_library = any(symbol == facts.module or symbol.startswith(f"{facts.module}.") for symbol in imported)
    return "." not in facts.module and not facts.is_package and not is_library
