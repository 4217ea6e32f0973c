"""Places: where state lives, one name for all access paths that lead there."""

from __future__ import annotations

import enum
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint.model.facts import ModuleFacts
from conclint.model.values import (
    Attribute,
    Await,
    Choice,
    Constant,
    Instance,
    Item,
    Local,
    Name,
    Result,
    Super,
    Value,
    ValueId,
)
from conclint.project.objects import Object, ObjectKind
from conclint.project.symbols import SymbolKind

if TYPE_CHECKING:
    from conclint.project.project import Project

_DEEPEST = 6


class PlaceKind(enum.Enum):
    """Whose state it is."""

    # Members are singletons, and `Enum` hashes their names in Python, for every place in a set.
    __hash__ = object.__hash__

    ATTRIBUTE = "attribute"
    """An attribute of the instances of `owner`, or of the class itself."""
    GLOBAL = "global"
    CLOSURE = "closure"
    """A variable of the function `owner`."""


class Place(NamedTuple):
    """A piece of state. `element` means what the collection there holds, not the reference to it."""

    kind: PlaceKind
    owner: str
    name: str
    element: bool = False

    @property
    def written(self) -> str:
        """How its own class, module or function writes it."""
        return f"self.{self.name}" if self.kind is PlaceKind.ATTRIBUTE else self.name


class Places:
    """Finds the place of a value."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._owners: dict[tuple[str, str], str] = {}
        self._found: dict[tuple[int, ValueId], Place | None] = {}

    def find(self, module: int, value: ValueId) -> Place | None:
        """Return the place that a value names, None where it names none or may name several."""
        key = (module, value)
        if key not in self._found:
            self._found[key] = self._find(module, value)
        return self._found[key]

    def _find(self, module: int, value: ValueId) -> Place | None:
        found = self._project.value(module, value)
        if isinstance(found, Item):
            base = self.find(module, found.base)
            return base._replace(element=True) if base is not None else None
        if isinstance(found, Attribute):
            return self._find_attribute(self._project.objects(module, found.base), found.name)
        if isinstance(found, Local):
            return Place(PlaceKind.CLOSURE, found.function, found.name)
        if isinstance(found, Name):
            return self._find_name(found.symbol)
        return None

    def split(self, module: int, value: ValueId) -> tuple[ValueId, str] | None:
        """Return the object and the name of an attribute, also of `queue.append` where `queue` is a global."""
        found = self._project.value(module, value)
        if isinstance(found, Attribute):
            return found.base, found.name
        if not isinstance(found, Name):
            return None
        base, _, name = found.symbol.rpartition(".")
        index = self._names[module].get(base)
        return (index, name) if index is not None else None

    @cached_property
    def _names(self) -> tuple[dict[str, ValueId], ...]:
        return tuple(
            {value.symbol: index for index, value in enumerate(facts.values) if isinstance(value, Name)}
            for facts in self._project.modules
        )

    def describe(self, module: int, value: ValueId, depth: int = 0) -> str:
        """Return a value as its user would write it: `self._lock`, `registry[…]`."""
        found: Value = self._project.value(module, value)
        if isinstance(found, Name):
            return _write_symbol(self._project.modules[module], found.symbol)
        if isinstance(found, Local):
            return found.name
        if isinstance(found, Super):
            return "super()"
        if depth < _DEEPEST:
            if isinstance(found, Choice) and isinstance(self._project.value(module, found.options[-1]), Instance):
                # A variable behind `isinstance` is still that variable.
                return self.describe(module, found.options[0], depth + 1)
            if isinstance(found, Attribute):
                return f"{self.describe(module, found.base, depth + 1)}.{found.name}"
            if isinstance(found, Item):
                return f"{self.describe(module, found.base, depth + 1)}[…]"
            if isinstance(found, Await):
                return f"await {self.describe(module, found.base, depth + 1)}"
            if isinstance(found, Result):
                callee = self._project.modules[module].calls[found.call].callee
                return f"{self.describe(module, callee, depth + 1)}(…)"
        return repr(found.value) if isinstance(found, Constant) else "…"

    def attribute(self, owner: str, name: str) -> Place:
        """Return the place of an attribute of a class, which may be inherited."""
        return Place(PlaceKind.ATTRIBUTE, self._find_owner(owner, name), name)

    def is_stored(self, place: Place) -> bool:
        """Return whether anything is assigned to an attribute or a global, anywhere."""
        return (place.owner, place.name) in self._stored

    def _find_attribute(self, objects: frozenset[Object], name: str) -> Place | None:
        owners = {
            self._find_owner(found.symbol, name)
            for found in objects
            if found.kind in (ObjectKind.INSTANCE, ObjectKind.CLASS) and found.symbol in self._project.symbols.classes
        }
        return Place(PlaceKind.ATTRIBUTE, owners.pop(), name) if len(owners) == 1 else None

    def _find_name(self, symbol: str) -> Place | None:
        resolved = self._project.symbols.resolve(symbol)
        if resolved.kind is not SymbolKind.VARIABLE or len(resolved.rest) > 1:
            return None
        if resolved.rest:
            # `state.count`, where `state` is a global.
            owner, _, name = resolved.name.rpartition(".")
            state = self._project.place_objects(Place(PlaceKind.GLOBAL, owner, name))
            return self._find_attribute(state, resolved.rest[0])
        owner, _, name = resolved.name.rpartition(".")
        if owner in self._project.symbols.classes:
            return Place(PlaceKind.ATTRIBUTE, self._find_owner(owner, name), name)
        return Place(PlaceKind.GLOBAL, owner, name)

    def _find_owner(self, symbol: str, name: str) -> str:
        """Return the most basic class that has the attribute: subclasses share its place."""
        key = (symbol, name)
        if key not in self._owners:
            classes = self._project.symbols.classes
            line = self._project.symbols.linearise(symbol)
            having = [one for one in line if (one, name) in self._stored and one in classes]
            self._owners[key] = having[-1] if having else symbol
        return self._owners[key]

    @cached_property
    def _stored(self) -> frozenset[tuple[str, str]]:
        return self.named | {(target.symbol, name) for target, name in self._project.links.assigned}

    @cached_property
    def named(self) -> frozenset[tuple[str, str]]:
        """Owner and name of the globals, and of the attributes that are assigned on their class or in its body."""
        found: set[tuple[str, str]] = set()
        for facts in self._project.modules:
            for flow in facts.flows:
                target = facts.values[flow.target]
                if isinstance(target, Name):
                    owner, _, name = target.symbol.rpartition(".")
                    found.add((owner, name))
        return frozenset(found)


def _write_symbol(facts: ModuleFacts, symbol: str) -> str:
    """Undo the qualification of a name: by the longest import that it begins with, or the module's own name."""
    name, target = max(
        ((name, target) for name, target in facts.aliases if f"{symbol}.".startswith(f"{target}.")),
        key=lambda alias: len(alias[1]),
        default=("", ""),
    )
    if target:
        return name + symbol[len(target) :]
    return symbol.removeprefix(f"{facts.module}.").removeprefix("builtins.").rpartition("<locals>.")[2]
