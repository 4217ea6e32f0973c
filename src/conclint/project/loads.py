"""Loads of properties: reads of attributes that run a function of the project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from conclint.model.facts import AccessKind, Call, Use
from conclint.model.values import Attribute
from conclint.project.call_place import CallPlace
from conclint.project.objects import Site

if TYPE_CHECKING:
    from conclint.project.project import Project

_PROPERTY = ("builtins.property",)


def collect_property_loads(project: Project) -> Mapping[Site, tuple[CallPlace, tuple[str, ...]]]:
    """Return the loads of properties, as calls without arguments, with the functions that each may run.

    All objects that are known to be there have such a property; what is a plain attribute of one of them is left out.
    """
    loads = _iter_loads(project, _collect_names(project))
    return {place.site: (place, getters) for place, getters in loads if getters}


def _collect_names(project: Project) -> frozenset[str]:
    symbols = project.symbols.functions
    return frozenset(symbol.rpartition(".")[2] for symbol in symbols if project.decorators(symbol) == _PROPERTY)


def _iter_loads(project: Project, names: frozenset[str]) -> Iterator[tuple[CallPlace, tuple[str, ...]]]:
    for module, facts in enumerate(project.modules):
        for number, access in enumerate(facts.accesses):
            target = facts.values[access.target]
            reads = access.kind in (AccessKind.READ, AccessKind.CHECK)
            if reads and isinstance(target, Attribute) and target.name in names:
                call = Call(access.function, access.target, (), access.span, Use.USED, access.context)
                place = CallPlace(Site(module, number, "access"), call, facts)
                yield place, find_getters(project, module, target)


def find_getters(project: Project, module: int, target: Attribute) -> tuple[str, ...]:
    """Return the properties that an attribute may be; none where one of the objects has a plain one, or is unknown."""
    found = {
        project.symbols.find_method(one.symbol, target.name) if one.symbol in project.symbols.classes else None
        for one in project.objects(module, target.base)
    }
    if not all(symbol is not None and project.decorators(symbol) == _PROPERTY for symbol in found):
        return ()
    return tuple(sorted(symbol for symbol in found if symbol is not None))
