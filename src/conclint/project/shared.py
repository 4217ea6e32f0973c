"""Shared state: every access to attributes, globals and closure variables, by place."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.collections_ import ATOMIC, MUTATORS
from conclint.catalog.rows import LOCK_KINDS, Domain, Kind
from conclint.model.facts import Access, AccessKind, Call
from conclint.model.span import Span
from conclint.model.values import Attribute, Item, Local, Result, ValueId
from conclint.project.objects import Object, ObjectKind
from conclint.project.places import Place, PlaceKind

if TYPE_CHECKING:
    from conclint.project.project import Project

_BUILDERS = frozenset(
    {"__init__", "__new__", "__post_init__", "__attrs_post_init__", "__setstate__", "__init_subclass__"}
)
_QUIET = frozenset({"__del__", "__repr__", "__str__", "__getstate__", "__reduce__", "__copy__", "__deepcopy__"})
WRITES = frozenset({AccessKind.WRITE, AccessKind.UPDATE, AccessKind.DELETE})


class SharedAccess(NamedTuple):
    """An access to state that other functions may see."""

    place: Place
    kind: AccessKind
    module: int
    function: str
    span: Span
    lockset: frozenset[Object | Place]
    """Identities of the locks held there, those held on entry included (must)."""
    atomic: bool
    """Whether the GIL makes it one step: a plain assignment, `d[k] = v`, `list.append`."""
    protected: bool
    """Whether it stands in the body of a `try`."""
    method: str = ""
    """The method that changes a collection, "" for other accesses."""
    collections: frozenset[str] = frozenset()
    """The classes of the collection that `method` changes (may)."""
    target: ValueId = -1
    """What is accessed, as the module tells it."""
    suspends: bool = False
    """Whether it is an iteration between whose steps something is awaited."""

    @property
    def sets_up(self) -> bool:
        """Whether `__enter__` gives the state its first value, before the block of the `with` starts anything."""
        enters = self.function.endswith((".__enter__", ".__aenter__"))
        return enters and self.kind is AccessKind.WRITE and not self.method and not self.place.element

    @property
    def is_write(self) -> bool:
        """Whether it changes the state."""
        return self.kind in WRITES


class Shared:
    """The accesses of the program, by place."""

    def __init__(self, project: Project) -> None:
        self._project = project

    @cached_property
    def by_place(self) -> dict[Place, tuple[SharedAccess, ...]]:
        """All accesses by the place of the reference: those to elements stand with it."""
        found: dict[Place, list[SharedAccess]] = {}
        for module in range(len(self._project.modules)):
            for access in (*self._iter_accesses(module), *self._iter_mutations(module)):
                found.setdefault(access.place._replace(element=False), []).append(access)
        return {place: _drop_carriers(accesses) for place, accesses in found.items()}

    def is_excused(self, module: int, symbol: str, value: ValueId, *, inside: bool = False) -> bool:
        """Return whether nothing is said of some state in a function: that is quiet, or the state is vouched for."""
        return self.is_quiet(symbol) or self.is_vouched_for(module, value, inside=inside)

    def is_vouched_for(self, module: int, value: ValueId, *, inside: bool = False) -> bool:
        """Return whether comments or settings want silence about some state; `inside`, about what it holds."""
        place = self._project.places.find(module, value)
        if place is not None and self._project.declarations.is_settled(place):
            return True
        return self.is_safe(module, value) or (inside and self.is_safe_object(module, value))

    def is_safe(self, module: int, value: ValueId) -> bool:
        """Return whether the settings say that some state needs no lock: an attribute or element of a safe type."""
        if not self._safe_types:
            return False
        found = self._project.value(module, value)
        if isinstance(found, Item):
            return self.is_safe_object(module, found.base)
        split = self._project.places.split(module, value)
        return split is not None and self.is_safe_object(module, split[0])

    def is_safe_object(self, module: int, value: ValueId) -> bool:
        """Return whether a value certainly is of a class whose state, so the settings say, needs no lock."""
        objects = self._project.objects(module, value) if self._safe_types else frozenset()
        return bool(objects) and all(
            found.kind is ObjectKind.INSTANCE and self._is_safe(found.symbol) for found in objects
        )

    def _is_safe(self, symbol: str) -> bool:
        return bool(self._safe_types) and not self._safe_types.isdisjoint(self._project.symbols.linearise(symbol))

    @cached_property
    def _safe_types(self) -> frozenset[str]:
        return frozenset(map(self._project.symbols.qualify, self._project.hints.thread_safe_types))

    def _iter_accesses(self, module: int) -> Iterator[SharedAccess]:
        facts = self._project.modules[module]
        for access in facts.accesses:
            place = self._project.places.find(module, access.target)
            if place is None or self.is_fresh(module, access.function, access.target):
                continue
            if not self.is_safe(module, access.target):
                made = self._make(module, access, place, access.kind, access.target)
                yield made._replace(suspends=True) if access.suspends else made

    def _iter_mutations(self, module: int) -> Iterator[SharedAccess]:
        facts = self._project.modules[module]
        for call in facts.calls:
            base, method = self._project.places.split(module, call.callee) or (call.callee, "")
            if method not in MUTATORS:
                continue
            collections = self._find_collections(module, base)
            if not collections or self.is_fresh(module, call.function, base) or self.is_safe_object(module, base):
                continue
            place = self._project.places.find(module, base)
            if place is not None and not place.element:
                made = self._make(module, call, place._replace(element=True), AccessKind.WRITE, base)
                yield made._replace(atomic=method in ATOMIC, method=method, collections=collections)

    def _make(self, module: int, fact: Access | Call, place: Place, kind: AccessKind, target: ValueId) -> SharedAccess:
        facts = self._project.modules[module]
        symbol = facts.functions[fact.function].symbol
        lockset = self._project.locks.lockset(module, fact.function, fact.context)
        protected, atomic = facts.contexts[fact.context].protected, kind is not AccessKind.UPDATE
        return SharedAccess(place, kind, module, symbol, fact.span, lockset, atomic, protected, target=target)

    def _find_collections(self, module: int, value: ValueId) -> frozenset[str]:
        rows = (self._project.class_row(found) for found in self._project.objects(module, value))
        return frozenset(row.names[0] for row in rows if row is not None and row.kind is Kind.COLLECTION)

    def is_fresh(self, module: int, function: int, value: ValueId) -> bool:
        """Return whether state belongs to an object that this very function has made, before others can see it."""
        facts = self._project.modules[module]
        found = facts.values[value]
        while isinstance(found, Attribute | Item):
            value = found.base
            found = facts.values[value]
        if not isinstance(found, Local) or found.function != facts.functions[function].symbol:
            return False
        return value in self._fresh_locals[module]

    @cached_property
    def _fresh_locals(self) -> tuple[frozenset[ValueId], ...]:
        """Per module, the local variables that only ever hold what a constructor, called there, has made."""
        return tuple(frozenset(self._iter_fresh(module)) for module in range(len(self._project.modules)))

    def _iter_fresh(self, module: int) -> Iterator[ValueId]:
        facts = self._project.modules[module]
        made: dict[ValueId, bool] = {}
        for flow in facts.flows:
            if isinstance(facts.values[flow.target], Local):
                source = facts.values[flow.source]
                fresh = isinstance(source, Result) and self._is_constructor(module, source.call)
                made[flow.target] = made.get(flow.target, True) and fresh
        return (value for value, fresh in made.items() if fresh)

    def _is_constructor(self, module: int, call: int) -> bool:
        callee = self._project.objects(module, self._project.modules[module].calls[call].callee)
        return bool(callee) and all(found.kind is ObjectKind.CLASS for found in callee)

    def is_quiet(self, symbol: str) -> bool:
        """Return whether nothing is said of what a function does: it runs alone, or its author vouches for it."""
        return self.is_alone(symbol) or self._project.declarations.is_trusted(symbol)

    def is_alone(self, symbol: str) -> bool:
        """Return whether a function runs while nobody else can see the state: at import time, or in `__init__`."""
        return symbol.endswith(".<module>") or symbol in self._importing or self.is_building(symbol)

    def is_building(self, symbol: str) -> bool:
        """Return whether a function runs before its object is shared, or after: `__init__` and what only it calls."""
        return symbol.rpartition(".")[2] in _QUIET or symbol in self._building

    @cached_property
    def _building(self) -> frozenset[str]:
        """Constructors, and the functions that only they call."""
        functions = self._project.symbols.functions
        builders = {symbol for symbol in functions if symbol.rpartition(".")[2] in _BUILDERS}
        return self._add_called(builders, self._project.call_graph.callers.keys())

    @cached_property
    def _importing(self) -> frozenset[str]:
        """The bodies of modules that start nothing, and the private functions that only they call."""
        graph, roots = self._project.call_graph, self._project.roots
        starting = graph.collect_callers(graph.function_at(one.site).symbol for one in roots if one.site.what == "call")
        bodies = {f"{facts.module}.<module>" for facts in self._project.modules} - starting
        private = {symbol for symbol in graph.callers if not graph.is_open(symbol)}
        return self._add_called(bodies, private - graph.passed_functions)

    def _add_called(self, found: set[str], candidates: AbstractSet[str]) -> frozenset[str]:
        """Return `found` and those candidates that only these call, or what they call, not under a main guard."""
        project = self._project
        pending = candidates - found - project.root_functions
        changed = True
        while changed:
            only = {
                symbol
                for symbol in pending
                if all(
                    caller in found and not project.modules[module].contexts[context].main_guard
                    for caller, module, context in project.call_graph.callers[symbol]
                )
            }
            changed = bool(only)
            found = found | only
            pending -= only
        return frozenset(found)

    def owned_locks(self, owner: str) -> frozenset[Object | Place]:
        """Return the identities of the thread locks that a class keeps in attributes, of the instance or its own."""
        return self._locks_by_owner.get((PlaceKind.ATTRIBUTE, owner), frozenset())

    def global_locks(self, module: str) -> frozenset[Object | Place]:
        """Return the identities of the thread locks among the globals of a module."""
        return self._locks_by_owner.get((PlaceKind.GLOBAL, module), frozenset())

    @cached_property
    def _locks_by_owner(self) -> dict[tuple[PlaceKind, str], frozenset[Object | Place]]:
        found: dict[tuple[PlaceKind, str], set[Object | Place]] = {}
        for place in self.by_place:
            for held in self._project.place_objects(place):
                row = self._project.class_row(held)
                if row is not None and row.kind in LOCK_KINDS and row.domain is Domain.THREAD:
                    lock = self._project.locks.identify(held)
                    found.setdefault((place.kind, place.owner), set()).update((lock, held, place))
        return {owner: frozenset(locks) for owner, locks in found.items()}


def _drop_carriers(accesses: list[SharedAccess]) -> tuple[SharedAccess, ...]:
    """Sort accesses; the READ of `d` in `d[k] = v`, which begins where the write does, is no access of its own."""
    changes = {(access.module, access.span.line, access.span.column) for access in accesses if access.is_write}
    kept = (
        access
        for access in accesses
        if access.kind is not AccessKind.READ or (access.module, access.span.line, access.span.column) not in changes
    )
    return tuple(sorted(kept, key=_order))


def _order(access: SharedAccess) -> tuple[int, Span]:
    return access.module, access.span
