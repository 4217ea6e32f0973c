"""Declarations: which lock an author names for which state and function, and whom he calls thread-safe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint.model.observations import Declaration, DeclarationKind
from conclint.model.span import Span
from conclint.model.values import Name
from conclint.project.locks import Lock
from conclint.project.objects import Object, ObjectKind
from conclint.project.places import Place, PlaceKind
from conclint.project.symbols import SymbolKind

if TYPE_CHECKING:
    from conclint.project.project import Project

_RECEIVERS = ("self", "cls")
_TRUST = frozenset({DeclarationKind.THREAD_SAFE, DeclarationKind.SINGLE_THREADED})


class Declared(NamedTuple):
    """A lock that a declaration names, as it is written there."""

    lock: Lock
    name: str
    module: int
    span: Span


class Mistake(NamedTuple):
    """A declaration that cannot be believed, and why."""

    module: int
    declaration: Declaration
    reason: str


class Declarations:
    """Answers what authors declare."""

    def __init__(self, project: Project) -> None:
        self._project = project

    @property
    def guards(self) -> dict[Place, tuple[Declared, ...]]:
        """The locks that are declared to guard each place (must)."""
        return self._found[0]

    @property
    def required(self) -> dict[str, tuple[Declared, ...]]:
        """The locks that the callers of each function hold (must), by its symbol; overriding methods inherit them."""
        return self._found[1]

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The declarations that name no lock, or stand at nothing that a lock could guard."""
        return self._found[2]

    def is_trusted(self, symbol: str) -> bool:
        """Return whether a function, or what it is nested in, is declared thread-safe or single-threaded."""
        while symbol and self._trusted:
            if symbol in self._trusted:
                return True
            symbol = symbol.rpartition(".")[0]
        return False

    def is_settled(self, place: Place) -> bool:
        """Return whether nothing is left to infer of a place: its guard is declared, or it or its class is trusted."""
        place = place._replace(element=False)
        return place in self.guards or place in self._trusted_places or self.is_trusted(place.owner)

    @cached_property
    def _trusted(self) -> frozenset[str]:
        return frozenset(_find_symbol(self._project, *one) for one in self._iter_all() if one[1].kind in _TRUST)

    @cached_property
    def _trusted_places(self) -> frozenset[Place]:
        found = (
            self._project.places.find(module, one.subject)
            for module, one in self._iter_all()
            if one.kind in _TRUST and one.subject is not None
        )
        return frozenset(place for place in found if place is not None)

    def _iter_all(self) -> Iterator[tuple[int, Declaration]]:
        for module, facts in enumerate(self._project.modules):
            for declaration in facts.declarations:
                yield module, declaration

    @cached_property
    def _found(
        self,
    ) -> tuple[dict[Place, tuple[Declared, ...]], dict[str, tuple[Declared, ...]], tuple[Mistake, ...]]:
        guards: dict[Place, tuple[Declared, ...]] = {}
        required: dict[str, tuple[Declared, ...]] = {}
        mistakes: list[Mistake] = []
        for module, one in self._iter_all():
            if one.kind not in (DeclarationKind.GUARDED_BY, DeclarationKind.REQUIRES_LOCK):
                continue
            found = self._find_lock(module, one)
            if isinstance(found, str):
                mistakes.append(Mistake(module, one, found))
            elif one.kind is DeclarationKind.GUARDED_BY and one.subject is not None:
                place = self._project.places.find(module, one.subject)
                if place is not None:
                    guards[place] = (*guards.get(place, ()), found)
            else:
                for symbol in self._iter_overrides(_find_symbol(self._project, module, one)):
                    required[symbol] = (*required.get(symbol, ()), found)
        return guards, required, tuple(mistakes)

    def _iter_overrides(self, symbol: str) -> Iterator[str]:
        yield symbol
        symbols = self._project.symbols
        owner, _, name = symbol.rpartition(".")
        for subclass in symbols.subclasses.get(owner, ()):
            if (method := symbols.methods.get(subclass, {}).get(name)) is not None:
                yield method

    def _find_lock(self, module: int, one: Declaration) -> Declared | str:
        """Return the lock that a declaration names, or what is wrong with it."""
        if one.subject is None:
            what = "function" if one.kind is DeclarationKind.REQUIRES_LOCK else "assignment of an attribute or global"
            return f"`{one.kind.value}` stands at no {what}"
        if not one.lock:
            return f"`{one.kind.value}` names no lock"
        place = self._find_place(module, one)
        if place is None:
            return f"`{one.kind.value}` names `{one.lock}`, which does not exist"
        lock = self._project.locks.find_at(place)
        if lock is None:
            return f"`{one.kind.value}` names `{one.lock}`, which is no lock"
        return Declared(lock, one.lock, module, one.span)

    def _find_place(self, module: int, one: Declaration) -> Place | None:
        names = one.lock.split(".")
        own = names[1:] if names[0] in _RECEIVERS and len(names) > 1 else names
        place = self._follow(self._iter_owners(module, one), own)
        return place or self._find_variable(module, one, names) or self._find_global(module, one.lock)

    def _iter_owners(self, module: int, one: Declaration) -> Iterator[str]:
        """Yield the classes whose attribute the lock may be: that around the declaration, and that of the state."""
        facts = self._project.modules[module]
        assert one.subject is not None
        subject = facts.values[one.subject]
        place = self._project.places.find(module, one.subject)
        owners = [
            facts.functions[one.function].owner,
            subject.symbol.rpartition(".")[0] if isinstance(subject, Name) else "",
            place.owner if place is not None else "",
        ]
        return (owner for owner in dict.fromkeys(owners) if owner in self._project.symbols.classes)

    def _follow(self, owners: Iterable[str], names: list[str]) -> Place | None:
        """Return the place of `names`, attributes of attributes of one of the classes."""
        for owner in owners:
            place = self._project.places.attribute(owner, names[0])
            if not self._may_have(owner, place):
                continue
            if len(names) == 1:
                return place
            return self._follow(self._classes_of(self._project.place_objects(place)), names[1:])
        return None

    def _may_have(self, owner: str, place: Place) -> bool:
        symbols = self._project.symbols
        has_method = symbols.find_method(owner, place.name) is not None
        return self._project.places.is_stored(place) or has_method or symbols.has_unknown_base(owner)

    def _classes_of(self, objects: Iterable[Object]) -> list[str]:
        classes = self._project.symbols.classes
        return sorted({one.symbol for one in objects if one.kind is ObjectKind.INSTANCE and one.symbol in classes})

    def _find_variable(self, module: int, one: Declaration, names: list[str]) -> Place | None:
        """Return the lock that is a parameter or a variable around the declaration, or an attribute of one."""
        symbol = self._project.modules[module].functions[one.function].symbol
        if one.kind is DeclarationKind.REQUIRES_LOCK:
            symbol = _find_symbol(self._project, module, one)
        while symbol:
            objects = self._project.variable(symbol, names[0])
            if objects and len(names) == 1:
                return Place(PlaceKind.CLOSURE, symbol, names[0])
            if objects:
                return self._follow(self._classes_of(objects), names[1:])
            symbol = symbol.rpartition(".<locals>.")[0]
        return None

    def _find_global(self, module: int, name: str) -> Place | None:
        symbol = self._project.symbols.resolve(f"{self._project.modules[module].module}.{name}")
        owner, _, last = symbol.name.rpartition(".")
        if symbol.kind is not SymbolKind.VARIABLE or len(symbol.rest) > 1:
            return None
        place = Place(PlaceKind.GLOBAL, owner, last)
        if symbol.rest:
            return self._follow(self._classes_of(self._project.place_objects(place)), [*symbol.rest])
        if owner in self._project.symbols.classes:
            return self._follow([owner], [last])
        return place if self._project.places.is_stored(place) else None


def _find_symbol(project: Project, module: int, one: Declaration) -> str:
    """Return the function or class that a declaration speaks of."""
    value = project.value(module, one.subject) if one.subject is not None else None
    return value.symbol if isinstance(value, Name) else ""
