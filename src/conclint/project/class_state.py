"""Class state: collections in the bodies of classes, which all instances share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import Kind
from conclint.model.facts import Flow
from conclint.model.values import Collection, Name
from conclint.project.places import Place
from conclint.project.shared import SharedAccess

if TYPE_CHECKING:
    from conclint.project.project import Project

_MUTABLE = frozenset({"list", "dict", "set"})
_FIXED = frozenset({"builtins.tuple", "builtins.frozenset"})


class ClassCollection(NamedTuple):
    """A mutable collection that is an attribute of a class of the project, and never replaced (must)."""

    owner: str
    """The class that it is assigned in, a subclass maybe of that of `place`."""
    place: Place
    module: int
    flow: Flow
    """What assigns it."""
    accesses: tuple[SharedAccess, ...]

    @property
    def changes(self) -> Iterator[SharedAccess]:
        """What puts something in, or takes it out."""
        return (one for one in self.accesses if one.is_write and one.place.element)


def iter_class_collections(project: Project) -> Iterator[ClassCollection]:
    """Yield them in the order of modules and source.

    What methods assign to is an attribute of the instance from then on: no such collection.
    """
    for module, facts in enumerate(project.modules):
        for flow in facts.flows:
            target = facts.values[flow.target]
            owner = target.symbol.rpartition(".")[0] if isinstance(target, Name) else ""
            place = project.places.find(module, flow.target) if owner in project.symbols.classes else None
            if place is None or not _is_mutable(project, module, flow):
                continue
            accesses = project.shared.by_place.get(place, ())
            if not any(one.is_write and not one.place.element and one.span != flow.span for one in accesses):
                yield ClassCollection(owner, place, module, flow, accesses)


def _is_mutable(project: Project, module: int, flow: Flow) -> bool:
    made = project.value(module, flow.source)
    if isinstance(made, Collection):
        return made.kind in _MUTABLE
    rows = [project.class_row(found) for found in project.objects(module, flow.source)]
    return bool(rows) and all(
        row is not None and row.kind is Kind.COLLECTION and row.names[0] not in _FIXED for row in rows
    )
