"""Lifetime: where threads, processes and executors are made, started and ended, and whether anybody could end them.

Objects are told apart by the call that makes them. An end that is reached on some way only counts as an end, and so
does one that is only handed on (`atexit.register(thread.join)`): what is said here errs towards silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint import catalog
from conclint.catalog.rows import ClassRow, Kind, Role
from conclint.model.facts import ModuleFacts, Use
from conclint.model.fix import EACH, ONCE, Anchor
from conclint.model.values import Attribute, Choice, Collection, Item, Name, Result, Value, ValueId
from conclint.project.daemons import Daemons
from conclint.project.endings import Endings
from conclint.project.objects import Object, ObjectKind, Site

if TYPE_CHECKING:
    from conclint.project.link import Operation
    from conclint.project.project import CallPlace, Project


class Made(NamedTuple):
    """A thread, process, executor or the like, the call that makes it, and its class in the catalog."""

    found: Object
    place: CallPlace
    row: ClassRow


def find_start_anchors(project: Project, made: Made, start: CallPlace) -> tuple[Anchor, ...]:
    """Return where it is started, if the function that starts it has made it as well: once, or in a loop."""
    in_loop = bool(start.context.loops)
    if made.place.function_place != start.function_place or not (in_loop or made.place.context == start.context):
        return ()
    return (project.anchor(start.site.module, start.call.span, EACH if in_loop else ONCE),)


class Lifetimes:
    """Answers what becomes of the objects that have a life."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._daemons = Daemons(project)
        self._endings = Endings(project)

    def iter_made(self, *kinds: Kind) -> Iterator[Made]:
        """Yield what the program itself makes of these kinds, not what it is given (`current_thread()`)."""
        return (made for made in self._all_made if made.row.kind in kinds)

    @cached_property
    def _all_made(self) -> tuple[Made, ...]:
        return tuple(self._iter_all_made())

    def _iter_all_made(self) -> Iterator[Made]:
        for place in self._project.calls:
            made = [found for found in self._project.result(place.site) if found.site == place.site]
            for found in sorted(made, key=lambda one: one.symbol) if made else ():
                row = self._project.class_row(found)
                if row is not None and self._is_constructed(found, place):
                    yield Made(found, place, row)

    def iter_unjoined(self, *kinds: Kind) -> Iterator[tuple[Made, CallPlace]]:
        """Yield what is made and started, and certainly joined by nobody, with the call that starts it.

        Daemons are left out, and what the interpreter joins at once because the program ends by starting it.
        """
        for made in self.iter_made(*kinds):
            start = next(self.iter_calls(made.found, Role.START), None)
            if start is None or self.may_be_joined(made) or self.may_be_daemon(made):
                continue
            if not self.is_last_done(start):
                yield made, start

    def may_be_joined(self, made: Made) -> bool:
        """Return whether somebody may wait for the end of a thread or process, or make a timer's end harmless."""
        ends = (Role.JOIN, Role.CANCEL) if made.row.kind is Kind.TIMER else (Role.JOIN,)
        return (
            not self.find_roles(made.found).isdisjoint(ends)
            or not _WAITING_ATTRIBUTES.isdisjoint(self._project.loads(made.found))
            or self._is_watched(made.found)
            or made.found in self._known_by_pid
            or self.is_out_of_sight(made.found)
            or made.place.site.module in self._enumerating_modules
        )

    def _is_watched(self, found: Object) -> bool:
        """Whether a loop asks whether it still runs: `while process.is_alive(): …` waits for its end as well."""
        places = (
            self._project.call(operation.site)
            for operation in self.iter_operations(found)
            if operation.name == "is_alive" and operation.site.what == "call"
        )
        return any(
            (place.call.use is Use.TESTED or place.site in self._polled) and place.context.loops for place in places
        )

    @cached_property
    def _polled(self) -> frozenset[Site]:
        """The calls that loops ask, wherever in their test: `while any(one.is_alive() for one in threads):`."""
        return frozenset(
            Site(module, value.call)
            for module, facts in enumerate(self._project.modules)
            for poll in facts.polls
            for value in (facts.values[one.value] for one in poll.asked)
            if isinstance(value, Result)
        )

    @cached_property
    def _known_by_pid(self) -> frozenset[Object]:
        """Processes whose `pid` is given to a function elsewhere, which may end them, and not only write about them."""
        return frozenset(
            found
            for place in self._project.calls
            for argument in place.call.arguments
            if isinstance(value := place.facts.values[argument.value], Attribute) and value.name == "pid"
            if not self._is_written(place)
            for found in self._project.objects(place.site.module, value.base)
        )

    def _is_written(self, place: CallPlace) -> bool:
        callee = place.facts.values[place.call.callee]
        names = [target.name for target in self._project.externals(place.site)]
        return not isinstance(callee, Name) or any(name.startswith(("builtins.", "logging.")) for name in names)

    def iter_operations(self, found: Object) -> Iterator[Operation]:
        """Yield the methods called on an object, those that its own class calls through `super()` included."""
        yield from self._project.operations(found)
        for ancestor in self._project.symbols.linearise(found.symbol):
            if ancestor in self._project.symbols.classes and found.site is not None:
                general = Object(ObjectKind.INSTANCE, ancestor)
                for operation in self._project.operations(general):
                    if found in self._receivers(operation.site):
                        yield operation

    def iter_calls(self, found: Object, role: Role) -> Iterator[CallPlace]:
        """Yield the calls that start, join or otherwise lead the object through its life, in order."""
        sites = {
            operation.site
            for operation in self.iter_operations(found)
            if operation.site.what == "call" and self._find_role(found, operation.name) is role
        }
        if found.site is not None and self._find_role_of_making(found) is role:
            sites.add(found.site)
        for site in sorted(sites):
            yield self._project.call(site)

    def find_roles(self, found: Object) -> frozenset[Role]:
        """Return what may happen to an object in its life: its methods that are called, or handed on to be called."""
        names = {operation.name for operation in self.iter_operations(found)} | self._project.loads(found)
        roles = (self._find_role_of_making(found), *(self._find_role(found, name) for name in names))
        return frozenset(role for role in roles if role is not None)

    def is_out_of_sight(self, found: Object) -> bool:
        """Return whether code that is not understood may get hold of the object (may)."""
        escapes = self._project.escapes
        if escapes.has_escaped(found) or not escapes.unknown_attributes.isdisjoint(self._attributes.get(found, ())):
            return True
        if found in self._read_dynamically or found in self._returned_by_lambdas:
            return True
        return found.symbol in self._project.symbols.classes and self._is_handled_by_class(found)

    def may_be_daemon(self, made: Made) -> bool:
        """Return whether a thread or process may be a daemon: also where that is not known."""
        return self._daemons.may_be_daemon(made.found, made.place)

    def is_said_daemon(self, made: Made) -> bool:
        """Return whether the program says of a thread or process that it is a daemon (may)."""
        return self._daemons.is_said_daemon(made.found, made.place)

    def is_last_done(self, start: CallPlace) -> bool:
        """Return whether the program does nothing more after this call but to wait for its threads to end."""
        return self._endings.is_last_done(start)

    def is_singleton(self, found: Object) -> bool:
        """Return whether the object is kept by a module or a class, and so lives as long as the program."""
        return found in self._singletons

    def find_names(self, found: Object) -> tuple[str, ...]:
        """Return the attributes and global or class-level names, last part only, under which an object is kept."""
        return tuple(sorted(self._attributes.get(found, ())))

    def describe(self, made: Made) -> str:
        """Return the object as its user wrote it, in backticks: `self._thread`, `threads[…]`; "" if it has no name."""
        for target, is_element in self._iter_targets(made.place):
            text = self._project.places.describe(made.place.site.module, target)
            if "…" not in text.replace("[…]", ""):
                return f"`{text}[…]`" if is_element else f"`{text}`"
        return ""

    def _is_constructed(self, found: Object, place: CallPlace) -> bool:
        if found.symbol in self._project.symbols.classes:
            return True
        for target in self._project.externals(place.site):
            if target.receiver is None and catalog.canonical_class(target.name) == found.symbol:
                return True
            row = self._project.find_row(target)
            if row is not None and row.returns == found.symbol and row.spawn is not None:
                return True
        return False

    def _receivers(self, site: Site) -> frozenset[Object]:
        """Return what `self` may be around a call."""
        if site.what != "call":
            return frozenset()
        function = self._project.call(site).function
        if not function.owner or not function.parameters:
            return frozenset()
        return self._project.variable(function.symbol, function.parameters[0].name)

    def _find_role(self, found: Object, method: str) -> Role | None:
        base = self._project.symbols.find_external_base(found.symbol)
        row = catalog.find_method(base, method) if base is not None else None
        return row.role if row is not None else None

    def _find_role_of_making(self, found: Object) -> Role | None:
        """Return what the call that makes an object does to its life besides: some start it."""
        if found.site is None or found.site.what != "call" or found.symbol in self._project.symbols.classes:
            return None
        rows = (row for _, row in self._project.rows(found.site) if found.symbol in (row.returns, *row.names))
        return next((row.role for row in rows if row.role is Role.START), None)

    def _is_handled_by_class(self, found: Object) -> bool:
        """Whether an object of unknown origin but of this very class is joined: it may be this one."""
        return any(
            self._find_role(other, operation.name) in (Role.JOIN, Role.CLOSE)
            for other, operations in self._project.links.operations.items()
            if other.symbol == found.symbol and other.site is not None and other.site.what == "annotation"
            for operation in operations
        )

    @cached_property
    def _attributes(self) -> dict[Object, set[str]]:
        """The names of attributes under which an object, or a collection that holds it, is stored."""
        names: dict[Object, set[str]] = {}
        for module, facts in enumerate(self._project.modules):
            for flow in facts.flows:
                target = facts.values[flow.target]
                name = target.name if isinstance(target, Attribute) else ""
                if isinstance(target, Name):
                    name = target.symbol.rpartition(".")[2]
                for found in self._project.objects(module, flow.source) if name else ():
                    self._add_name(found, name, names)
        return names

    @cached_property
    def _read_dynamically(self) -> frozenset[Object]:
        """What is stored under some attribute of an object whose attributes are read by names that are computed."""
        stored = (
            self._project.objects(module, source)
            for (owner, _), sources in self._project.links.assigned.items()
            if self._project.escapes.is_read_dynamically(owner.symbol)
            for module, source in sources
        )
        return frozenset(self._iter_contents(stored))

    @cached_property
    def _returned_by_lambdas(self) -> frozenset[Object]:
        """What a lambda gives to whoever calls it: `map(lambda job: Thread(target=job), jobs)`."""
        returned = (
            self._project.objects(module, value)
            for module, facts in enumerate(self._project.modules)
            for function in facts.functions
            if function.name == "<lambda>"
            for value in function.returns
        )
        return frozenset(self._iter_contents(returned))

    def _iter_contents(self, groups: Iterable[Iterable[Object]]) -> Iterator[Object]:
        """Yield the objects of all groups, and what collections among them hold."""
        pending = [found for group in groups for found in group]
        seen: set[Object] = set()
        while pending:
            found = pending.pop()
            if found not in seen:
                seen.add(found)
                yield found
                pending.extend(self._project.elements(found))

    @cached_property
    def _singletons(self) -> frozenset[Object]:
        kept = (
            self._project.objects(module, flow.source)
            for module, facts in enumerate(self._project.modules)
            for flow in facts.flows
            if self._is_static(module, facts.values[flow.target])
        )
        return frozenset(self._iter_contents(kept))

    def _is_static(self, module: int, target: Value) -> bool:
        if isinstance(target, Item):
            # An entry of a table of the module.
            return self._is_static(module, self._project.value(module, target.base))
        if isinstance(target, Attribute):
            owners = self._project.objects(module, target.base)
            return any(found.kind in (ObjectKind.CLASS, ObjectKind.MODULE) for found in owners)
        return isinstance(target, Name)

    def _add_name(self, found: Object, name: str, names: dict[Object, set[str]]) -> None:
        known = names.setdefault(found, set())
        if name not in known:
            known.add(name)
            for element in self._project.elements(found):
                self._add_name(element, name, names)

    @cached_property
    def _enumerating_modules(self) -> frozenset[int]:
        return frozenset(
            operation.site.module
            for found, operations in self._project.links.operations.items()
            if found.site is not None and found.site.what == "call" and self._is_enumerated(found.site)
            for operation in operations
            if self._find_role(found, operation.name) is Role.JOIN
        )

    def _is_enumerated(self, site: Site) -> bool:
        return any(target.name in _ENUMERATIONS for target in self._project.externals(site))

    def _iter_targets(self, place: CallPlace) -> Iterator[tuple[ValueId, bool]]:
        """Yield what the result of a call is assigned to or put into, and whether it becomes an element of that."""
        facts = place.facts
        for flow in facts.flows:
            depth = _find_depth(facts, flow.source, place.site.index)
            if depth is not None:
                yield flow.target, depth > 0
        for call in facts.calls:
            callee = facts.values[call.callee]
            if isinstance(callee, Attribute) and any(
                _find_depth(facts, argument.value, place.site.index) is not None for argument in call.arguments
            ):
                yield callee.base, True


_WAITING_ATTRIBUTES = frozenset({"exitcode", "sentinel"})
"""Reading them reaps a process, or is a way to wait for it."""
_ENUMERATIONS = frozenset({"threading.enumerate", "multiprocessing.active_children"})
_DEEPEST = 4


def _find_depth(facts: ModuleFacts, value: ValueId, call: int, depth: int = 0) -> int | None:
    """Return in how many collections the result of a call stands in a value, None where it does not."""
    found = facts.values[value]
    if isinstance(found, Result):
        return depth if found.call == call else None
    inner: tuple[ValueId, ...] = ()
    if isinstance(found, Collection):
        inner = found.items
    elif isinstance(found, Choice):
        inner, depth = found.options, depth - 1
    elif isinstance(found, Item):
        inner, depth = (found.base,), depth - 2
    if depth >= _DEEPEST:
        return None
    depths = (_find_depth(facts, one, call, depth + 1) for one in inner)
    return next((one for one in depths if one is not None), None)
