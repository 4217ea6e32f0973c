"""Locks that every instance has of its own, held around state that all instances share."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import LOCK_KINDS, Domain
from conclint.model.facts import AccessKind
from conclint.model.naming import is_within_test
from conclint.model.span import Span
from conclint.model.values import Attribute, Constant, Item, Name, Unknown, ValueId
from conclint.project.half_guarded import KEYED, MAKING, OF_STATE
from conclint.project.objects import Object, ObjectKind, Site
from conclint.project.places import Place, PlaceKind

if TYPE_CHECKING:
    from conclint.project.project import Project

_PLAIN_METACLASSES = frozenset({"abc.ABCMeta", "builtins.type", "typing._ProtocolMeta"})


class Misguarded(NamedTuple):
    """A change of what all instances share (must), with locks held of which each instance has its own (must)."""

    module: int
    span: Span
    state: str
    lock: str
    made: Site
    """The call by which an instance makes the lock."""
    instances: tuple[Site, ...]
    """Calls that make instances of the class: two, or one in a loop."""


class InstanceLocks:
    """Finds what the locks of instances cannot protect."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def iter_misguarded(self) -> Iterator[Misguarded]:
        """Yield updates, and check-then-acts by their check, that a method of another instance may come between."""
        for accesses in self._project.shared.by_place.values():
            for access in accesses:
                if access.kind is AccessKind.UPDATE and access.lockset:
                    found = self._judge(access.module, access.target, access.function, access.lockset, keyed=False)
                    if found is not None:
                        yield found._replace(span=access.span)
        locks = self._project.locks
        for module, facts in enumerate(self._project.modules):
            for sequence in facts.sequences:
                # A number that is worked out twice is the same number.
                plain = isinstance(facts.values[sequence.source], Constant | Unknown)
                if sequence.kind not in OF_STATE or (sequence.kind in MAKING and plain):
                    continue
                symbol = facts.functions[sequence.function].symbol
                contexts = (sequence.check_context, sequence.act_context)
                held = [locks.lockset(module, sequence.function, context) for context in contexts]
                keyed = sequence.kind in KEYED
                found = self._judge(module, sequence.target, symbol, held[0] | held[1], keyed=keyed)
                if found is not None:
                    yield found._replace(span=sequence.check)

    def _judge(
        self, module: int, target: ValueId, symbol: str, lockset: frozenset[Object | Place], *, keyed: bool
    ) -> Misguarded | None:
        """Judge a change of `target`, or, `keyed`, of what the collection there holds."""
        place = self._project.places.find(module, target)
        owner = symbol.partition(".<locals>.")[0].rpartition(".")[0]
        if place is None or owner not in self._project.symbols.classes:
            return None
        if self._project.shared.is_excused(module, symbol, target, inside=keyed):
            return None
        if not self._is_common(module, target, place) and not (keyed and self._is_class_level(place)):
            return None
        makers = {lock: self._find_maker(lock, owner) for lock in lockset}
        if not makers or None in makers.values():
            # Any other lock may be the one that all instances share.
            return None
        instances = self._find_instances(owner)
        if not instances:
            return None
        lock, made = min(((self._project.guards.lock_names[one], made) for one, made in makers.items() if made))
        state = self._project.places.describe(module, target)
        return Misguarded(module, Span(1, 1, 1, 1), state, lock, made, instances)

    def _is_common(self, module: int, target: ValueId, place: Place) -> bool:
        """Whether it is a global, an attribute of the class itself, or an element of one that no instance replaces."""
        if place.kind is not PlaceKind.ATTRIBUTE:
            return place.kind is PlaceKind.GLOBAL
        value = self._project.value(module, target)
        if isinstance(value, Item):
            return self._is_common(module, value.base, place) or self._is_class_level(place)
        if isinstance(value, Attribute):
            objects = self._project.objects(module, value.base)
            return bool(objects) and all(found.kind is ObjectKind.CLASS for found in objects)
        return isinstance(value, Name)

    def _is_class_level(self, place: Place) -> bool:
        return (place.owner, place.name) in self._class_level

    @cached_property
    def _class_level(self) -> frozenset[tuple[str, str]]:
        """Class and name of the attributes that are assigned in a class body, and never on an instance."""
        instances = {
            (owner, name)
            for target, name in self._project.links.assigned
            if target.kind is ObjectKind.INSTANCE
            for owner in self._project.symbols.linearise(target.symbol)
        }
        return self._project.places.named - instances

    def _find_maker(self, lock: Object | Place, owner: str) -> Site | None:
        """Return the call by which a method of the class makes the lock for its object, None for any other lock."""
        if not isinstance(lock, Object) or lock.site is None or lock.site.what != "call":
            return None
        row = self._project.class_row(lock)
        function = self._project.call(lock.site).function
        known = row is not None and row.kind in LOCK_KINDS and row.domain is Domain.THREAD
        made_there = function.name == "__init__" and function.owner in self._project.symbols.linearise(owner)
        return lock.site if known and made_there else None

    def _find_instances(self, owner: str) -> tuple[Site, ...]:
        """Return two calls of different functions that make instances, or one in a loop; none for a singleton."""
        if self._may_be_singleton(owner):
            return ()
        classes = {owner, *self._project.symbols.subclasses.get(owner, ())}
        sites = sorted(site for name in classes for site in self._constructors.get(name, ()))
        repeated = [site for site in sites if self._project.call(site).context.loops]
        if repeated:
            return (repeated[0],)
        by_function = {self._project.call(site).function.symbol: site for site in reversed(sites)}
        return tuple(sorted(by_function.values())[:2]) if len(by_function) > 1 else ()

    def _may_be_singleton(self, owner: str) -> bool:
        """Whether making an instance may give one that is there already."""
        symbols = self._project.symbols
        for ancestor in symbols.linearise(owner):
            if ancestor in symbols.classes:
                module, found = symbols.classes[ancestor]
                if found.decorators or "__new__" in symbols.methods.get(ancestor, {}):
                    return True
                if found.metaclass is not None:
                    metaclass = self._project.value(module, found.metaclass)
                    if not isinstance(metaclass, Name) or metaclass.symbol not in _PLAIN_METACLASSES:
                        return True
        return False

    @cached_property
    def _constructors(self) -> dict[str, list[Site]]:
        """The calls that make instances of each class, those in tests apart: a test keeps its own to itself."""
        found: dict[str, list[Site]] = {}
        for place in self._project.calls:
            if not is_within_test(place.function.symbol):
                for made in self._project.objects(place.site.module, place.call.callee):
                    if made.kind is ObjectKind.CLASS and made.symbol in self._project.symbols.classes:
                        found.setdefault(made.symbol, []).append(place.site)
        return found
