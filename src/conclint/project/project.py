"""`Project`: what the rules may ask about the whole program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property

from conclint import catalog
from conclint.catalog.rows import CallRow, ClassRow, Kind
from conclint.model.alarm import Alarm, Related
from conclint.model.facts import Function, ModuleFacts
from conclint.model.fix import Anchor
from conclint.model.hints import Hints
from conclint.model.span import Span
from conclint.model.values import Constant, Value, ValueId
from conclint.project.call_graph import CallGraph
from conclint.project.call_place import CallPlace
from conclint.project.callables import Handover, iter_handovers
from conclint.project.checks import Checks
from conclint.project.declarations import Declarations
from conclint.project.escapes import Escapes
from conclint.project.guards import Guards
from conclint.project.handlers import Handlers
from conclint.project.iterations import Iterations
from conclint.project.lifetime import Lifetimes
from conclint.project.link import ExternalTarget, Linker, Links, Operation, Target
from conclint.project.loads import collect_property_loads
from conclint.project.lock_order import LockOrder
from conclint.project.locks import Locks
from conclint.project.objects import Object, ObjectKind, Site
from conclint.project.parallel import Parallel
from conclint.project.places import Place, PlaceKind, Places
from conclint.project.races import Races
from conclint.project.reentry import Reentries
from conclint.project.results import collect_unread
from conclint.project.roots import Root, collect_roots
from conclint.project.shared import Shared
from conclint.project.solver import NodeId
from conclint.project.stalls import Stalls
from conclint.project.symbols import FunctionPlace, Symbols
from conclint.project.ways import collect_plain_calls

__all__ = ["CallPlace", "Project"]


class Project:
    """The linked program. Every answer is about all of its modules; what is unknown is empty or None."""

    def __init__(self, modules: Sequence[ModuleFacts] = (), *, linker: Linker | None = None) -> None:
        """Link `modules`, or take what `linker` has linked."""
        if linker is None:
            linker = Linker(modules)
            linker.run()
        self._take(linker)

    def refresh(self) -> None:
        """Take what the linker has found out since, and forget all that was worked out before."""
        linker = self._linker
        vars(self).clear()
        self._take(linker)

    def _take(self, linker: Linker) -> None:
        self.modules = tuple(linker.symbols.modules)
        self._linker = linker
        self._solver = linker.solver
        self.symbols: Symbols = linker.symbols
        self.links: Links = linker.links
        self.hints: Hints = linker.hints
        self._rows: dict[tuple[str, bool], CallRow | None] = {}

    # Values

    def objects(self, module: int, value: ValueId) -> frozenset[Object]:
        """Return what a value may be (may); empty where nothing is known of it."""
        return self._linker.objects(module, value)

    def value(self, module: int, value: ValueId) -> Value:
        """Return the value itself, as its module tells it."""
        return self.modules[module].values[value]

    def constant(self, module: int, value: ValueId) -> Constant | None:
        """Return the constant that a value is written as, None for anything else."""
        found = self.modules[module].values[value]
        return found if isinstance(found, Constant) else None

    def result(self, site: Site) -> frozenset[Object]:
        """Return what a call may give; nothing for the site of anything else."""
        if site.what != "call":
            return frozenset()
        return self._solver.objects(self._solver.find_node(("c", site.module, site.index)))

    def class_row(self, found: Object) -> ClassRow | None:
        """Return the catalog's class of an instance; for a subclass in the project, that of its base."""
        if found.kind is not ObjectKind.INSTANCE:
            return None
        base = self.symbols.find_external_base(found.symbol)
        return catalog.find_class(base) if base is not None else None

    def is_living(self, found: Object) -> bool:
        """Return whether an object has a life that others may see: a lock, thread, executor, task, client or queue.

        So has a thread-local object with a class of its own, whose body the threads share.
        """
        row = self.class_row(found)
        if row is None or row.kind in (Kind.COLLECTION, Kind.CANCEL_SCOPE, Kind.OTHER):
            return False
        return row.kind is not Kind.THREAD_LOCAL or found.symbol in self.symbols.classes

    def iter_living_state(self) -> Iterator[tuple[str, str]]:
        """Yield owner and name of the attributes and globals that may be something living."""
        return (key for key, objects in self._linker.iter_state() if any(map(self.is_living, objects)))

    # Calls

    @cached_property
    def unread_results(self) -> Mapping[Site, str]:
        """The calls whose results are bound to a local variable that is never read, with its name (must)."""
        return collect_unread(self)

    @cached_property
    def external_calls(self) -> tuple[CallPlace, ...]:
        """The calls that may run a function outside the project, in the same order."""
        return tuple(place for place in self.calls if place.site in self.links.externals)

    def calls_to(self, names: AbstractSet[str]) -> Iterator[CallPlace]:
        """Yield the calls that may run one of the functions, or methods, of these qualified names."""
        found = {place.site: place for name in names for place in self._calls_by_name.get(name, ())}
        return (found[site] for site in sorted(found))

    @cached_property
    def _calls_by_name(self) -> dict[str, list[CallPlace]]:
        found: dict[str, list[CallPlace]] = {}
        for place in self.external_calls:
            for name in {target.name for target in self.externals(place.site)}:
                found.setdefault(name, []).append(place)
        return found

    @cached_property
    def plain_calls(self) -> tuple[tuple[CallPlace, tuple[str, ...]], ...]:
        """The calls of functions that run when they are called, with the functions that they may run in turn."""
        return collect_plain_calls(self)

    @cached_property
    def calls(self) -> tuple[CallPlace, ...]:
        """All calls, in the order of modules and source."""
        return tuple(
            CallPlace(Site(index, number), call, facts)
            for index, facts in enumerate(self.modules)
            for number, call in enumerate(facts.calls)
        )

    def calls_in(self, place: FunctionPlace) -> tuple[CallPlace, ...]:
        """Return the calls in the body of a function, those of nested functions apart."""
        return tuple(self._calls_by_function.get(place, ()))

    @cached_property
    def _calls_by_function(self) -> dict[FunctionPlace, list[CallPlace]]:
        found: dict[FunctionPlace, list[CallPlace]] = {}
        for place in self.calls:
            found.setdefault(place.function_place, []).append(place)
        return found

    def call(self, site: Site) -> CallPlace:
        """Return the call at `site`; ValueError where something else stands there."""
        if site.what != "call":
            raise ValueError(f"no call stands at {site}")
        facts = self.modules[site.module]
        return CallPlace(site, facts.calls[site.index], facts)

    def find_call(self, site: Site | None) -> CallPlace | None:
        """Return the call that makes an object, or from which a root begins; None where it is no call."""
        return self.call(site) if site is not None and site.what == "call" else None

    def callees(self, site: Site) -> tuple[Target, ...]:
        """Return the functions of the project that a call may run."""
        return self.links.callees.get(site, ())

    def externals(self, site: Site) -> tuple[ExternalTarget, ...]:
        """Return the functions outside the project that a call may run."""
        return self.links.externals.get(site, ())

    def rows(self, site: Site) -> tuple[tuple[ExternalTarget, CallRow], ...]:
        """Return what the catalog knows of the functions that a call may run."""
        return self._rows_by_site.get(site, ())

    @cached_property
    def _rows_by_site(self) -> dict[Site, tuple[tuple[ExternalTarget, CallRow], ...]]:
        """All calls for which the catalog has rows: most calls are of other functions."""
        found = {
            site: tuple((target, row) for target in targets if (row := self.find_row(target)) is not None)
            for site, targets in self.links.externals.items()
        }
        return {site: rows for site, rows in found.items() if rows}

    def find_row(self, target: ExternalTarget) -> CallRow | None:
        """Return the catalog's row of a function or method."""
        key = (target.name, target.receiver is None)
        if key not in self._rows:
            owner, _, method = target.name.rpartition(".")
            self._rows[key] = catalog.find_call(target.name) if key[1] else catalog.find_method(owner, method)
        return self._rows[key]

    def operations(self, found: Object) -> tuple[Operation, ...]:
        """Return the methods called on an object anywhere, `__enter__` for `with`."""
        return tuple(self.links.operations.get(found, ()))

    def loads(self, found: Object) -> frozenset[str]:
        """Return the attributes of an object, not of the project, that are read anywhere, called or not."""
        return frozenset(self.links.loads.get(found, ()))

    def variable(self, function: str, name: str) -> frozenset[Object]:
        """Return what a local variable or parameter of a function may be."""
        return self._solver.objects(self._solver.find_node(("l", function, name)))

    @property
    def lost_objects(self) -> frozenset[Object]:
        """What went where too much came together to be told apart."""
        return self._solver.lost

    def place_objects(self, place: Place) -> frozenset[Object]:
        """Return what a piece of state may be."""
        keys: list[tuple[str, ...]] = [("g", f"{place.owner}.{place.name}")]
        if place.kind is PlaceKind.ATTRIBUTE:
            subclasses = self.symbols.subclasses.get(place.owner, ())
            keys += [("a", owner, place.name) for owner in (place.owner, *subclasses)]
        elif place.kind is PlaceKind.CLOSURE:
            keys = [("l", place.owner, place.name)]
        return frozenset(found for key in keys for found in self._solver.objects(self._solver.find_node(key)))

    def assigned(self, found: Object, name: str) -> tuple[Value, ...]:
        """Return what is assigned to an attribute of an object from anywhere."""
        return tuple(self.modules[module].values[value] for module, value in self.links.assigned.get((found, name), ()))

    # Functions

    def function(self, symbol: str) -> Function | None:
        """Return the facts of a function by its symbol, None where it is not of the project."""
        place = self.place(symbol)
        return self.symbols.function(place) if place is not None else None

    def place(self, symbol: str) -> FunctionPlace | None:
        """Return where a function stands."""
        places = self.symbols.functions.get(symbol)
        return places[0] if places else None

    def decorators(self, symbol: str) -> tuple[str, ...]:
        """Return the qualified names of a function's decorators, "" for one that is not known."""
        return self._linker.decorators(symbol) if symbol in self.symbols.functions else ()

    # Roots and lifetimes

    @property
    def pending_names(self) -> AbstractSet[str]:
        """The qualified names that belong to dormant modules."""
        return self._linker.pending.keys()

    def spawned_objects(self, node: NodeId) -> frozenset[Object]:
        """Return what the callable of a spawn may be."""
        return self._solver.objects(node)

    def elements(self, found: Object) -> frozenset[Object]:
        """Return what a collection may hold."""
        return self._solver.objects(self._solver.find_node(("e", found)))

    @cached_property
    def roots(self) -> tuple[Root, ...]:
        """All places where something new begins to run."""
        return collect_roots(self)

    @cached_property
    def root_functions(self) -> frozenset[str]:
        """The functions that begin to run somewhere."""
        return frozenset(root.function for root in self.roots)

    @cached_property
    def lifetimes(self) -> Lifetimes:
        """What becomes of threads, processes and executors."""
        return Lifetimes(self)

    @cached_property
    def escapes(self) -> Escapes:
        """Which objects get out of sight."""
        return Escapes(self)

    @cached_property
    def call_graph(self) -> CallGraph:
        """Which function of the project may call which."""
        return CallGraph(self)

    @cached_property
    def handlers(self) -> Handlers:
        """What may stop an exception."""
        return Handlers(self)

    @cached_property
    def places(self) -> Places:
        """Where state lives."""
        return Places(self)

    @cached_property
    def lock_order(self) -> LockOrder:
        """Which locks are waited for while others are held."""
        return LockOrder(self)

    @cached_property
    def locks(self) -> Locks:
        """Which locks are held where."""
        return Locks(self)

    @cached_property
    def declarations(self) -> Declarations:
        """What authors say of locks and threads."""
        return Declarations(self)

    @cached_property
    def guards(self) -> Guards:
        """Which lock protects which state."""
        return Guards(self)

    @cached_property
    def parallel(self) -> Parallel:
        """What may run in parallel with what."""
        return Parallel(self)

    @cached_property
    def handovers(self) -> tuple[Handover, ...]:
        """What every call hands over to be called later, or elsewhere."""
        return tuple(iter_handovers(self))

    @cached_property
    def property_loads(self) -> Mapping[Site, tuple[CallPlace, tuple[str, ...]]]:
        """The reads of attributes that run a property, as calls, with the functions that they may run."""
        return collect_property_loads(self)

    @cached_property
    def checks(self) -> Checks:
        """Which tests of shared state may be stale when they are acted upon."""
        return Checks(self)

    @cached_property
    def iterations(self) -> Iterations:
        """Which iterations others may disturb."""
        return Iterations(self)

    @cached_property
    def races(self) -> Races:
        """Which accesses may interleave."""
        return Races(self)

    @cached_property
    def reentries(self) -> Reentries:
        """Which locks are acquired by the thread that holds them."""
        return Reentries(self)

    @cached_property
    def shared(self) -> Shared:
        """The accesses to all state that functions share."""
        return Shared(self)

    @cached_property
    def stalls(self) -> Stalls:
        """Which calls wait while a lock is held."""
        return Stalls(self)

    # Reporting

    def alarm(
        self,
        module: int,
        code: str,
        span: Span,
        message: str,
        *related: Related,
        help: str = "",
        anchors: tuple[Anchor, ...] = (),
    ) -> Alarm:
        """Return an alarm in a module."""
        return Alarm(self.modules[module].path, span, code, message, related, help, anchors)

    def related(self, module: int, span: Span, message: str) -> Related:
        """Return another end of an alarm."""
        return Related(self.modules[module].path, span, message)

    def anchor(self, module: int, span: Span, *words: str) -> Anchor:
        """Return a place where an alarm is to be fixed."""
        return Anchor(self.modules[module].path, span, words)
