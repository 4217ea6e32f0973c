"""Access paths: how a function names a lock, so that its callers can tell whether they name the same one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import Kind
from conclint.model.facts import Acquisition, Argument, Function, How, ParameterKind
from conclint.model.span import Span
from conclint.model.values import Attribute, Instance, Local, Name, Result, Super, ValueId
from conclint.project.locks import Lock
from conclint.project.objects import Object, ObjectKind, Site
from conclint.project.places import Place, PlaceKind

if TYPE_CHECKING:
    from conclint.project.project import CallPlace, Project
    from conclint.project.symbols import Symbols
    from conclint.project.wrappers import Wrapped


_MAKERS = ("__init__", "__new__")
_RECEIVERS = (ObjectKind.INSTANCE, ObjectKind.METHOD)
"""An attribute of a class with a base outside the project may also be a method of that base."""


class Path(NamedTuple):
    """`base.name.name`: the variable of a function (its symbol and the variable), or "" and "" for a global."""

    function: str
    variable: str
    names: tuple[str, ...] = ()


class LockPath(NamedTuple):
    """A lock as some function reaches it; `path` is None for one that is the only one of its kind."""

    identity: Object | Place
    path: Path | None


class Invocation(NamedTuple):
    """Something that runs `callee` at once: a call, the load of a property, the entry of a `with`.

    `given` says what the caller calls the object that each parameter is, as far as that is known.
    """

    span: Span
    context: int
    callee: str
    given: Mapping[str, Path]


class Paths:
    """Answers how locks are named, and what is invoked with what."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def iter_wrapping(self, symbol: str) -> Iterator[tuple[LockPath, Wrapped]]:
        """Yield the plain locks that decorators hold around a function, as it would name them."""
        function = self._project.function(symbol)
        for wrapped in self._project.locks.wrappers.find(symbol):
            if wrapped.lock.kind is Kind.LOCK and function is not None:
                own = wrapped.name and function.parameters
                path = Path(symbol, function.parameters[0].name, (wrapped.name,)) if own else None
                yield LockPath(wrapped.lock.identity, path), wrapped

    def find(self, module: int, value: ValueId) -> Path | None:
        """Return the access path of a value, None for what is no chain of attributes."""
        names: list[str] = []
        found = self._project.value(module, value)
        while isinstance(found, Attribute):
            names.append(found.name)
            found = self._project.value(module, found.base)
        if isinstance(found, Local):
            if (found.function, found.name) in self._rebound:
                return None
            return Path(found.function, found.name, tuple(reversed(names)))
        if isinstance(found, Name):
            return Path("", "", (*found.symbol.split("."), *reversed(names)))
        return None

    def find_lock(self, module: int, value: ValueId, lock: Lock) -> LockPath | None:
        """Return the lock `lock` as the value `value` names it."""
        if self._is_only(lock.identity):
            return LockPath(lock.identity, None)
        path = self.find(module, value)
        return LockPath(lock.identity, path) if path is not None else None

    def iter_held(self, module: int, context: int) -> Iterator[tuple[LockPath, Acquisition, Lock]]:
        """Yield the locks that are certainly held at a place, also through context managers of the project."""
        for lock, entry in self._project.locks.held(module, context):
            if lock.kind is not Kind.LOCK or entry.bounded:
                continue
            if self._project.locks.find(module, entry.value) == lock:
                found = self.find_lock(module, entry.value, lock)
                if found is not None:
                    yield found, entry, lock
            else:
                for inner in self._iter_managed(module, entry.value):
                    if inner.identity == lock.identity:
                        yield inner, entry, lock

    def _iter_managed(self, module: int, value: ValueId) -> Iterator[LockPath]:
        """Yield what a context manager acquires and keeps: in `__enter__`, or around its `yield`."""
        project = self._project
        for found in project.objects(module, value):
            if found.kind is ObjectKind.GENERATOR:
                made = project.value(module, value)
                place = project.place(found.symbol)
                if place is None or not isinstance(made, Result):
                    continue
                given = self.bind(Site(module, made.call), found.symbol)
                for produced in project.modules[place.module].yields:
                    if produced.function == place.index:
                        for lock, _, _ in self.iter_held(place.module, produced.context):
                            yield from self.translate(lock, found.symbol, given)
            elif found.kind is ObjectKind.INSTANCE:
                method = project.symbols.find_method(found.symbol, "__enter__")
                function = project.function(method) if method is not None else None
                if method is not None and function is not None and function.parameters:
                    path = self.find(module, value)
                    given = {function.parameters[0].name: path} if path is not None else {}
                    for lock in self._iter_kept(method):
                        yield from self.translate(lock, method, given)

    def _iter_kept(self, symbol: str) -> Iterator[LockPath]:
        """Yield the locks that a function acquires and does not release again."""
        place = self._project.place(symbol)
        if place is None:
            return
        facts = self._project.modules[place.module]
        calls = [call for call in facts.calls if call.function == place.index]
        if any((self._project.places.split(place.module, call.callee) or (0, ""))[1] == "release" for call in calls):
            return
        for entry in facts.acquisitions:
            if entry.function == place.index and entry.how is How.ACQUIRE and not entry.bounded:
                lock = self._project.locks.find(place.module, entry.value)
                found = self.find_lock(place.module, entry.value, lock) if lock is not None else None
                if found is not None:
                    yield found

    def translate(self, lock: LockPath, callee: str, given: Mapping[str, Path]) -> Iterator[LockPath]:
        """Yield a lock that `callee` names in the words of its caller, if that one can name it."""
        path = lock.path
        if path is None or path.function == "":
            yield lock
        elif path.function != callee:
            # A variable of the function around the callee; its caller stands there too, or names it in vain.
            yield lock
        elif path.variable in given:
            base = given[path.variable]
            yield LockPath(lock.identity, base._replace(names=base.names + path.names))

    def is_same(self, first: LockPath, second: LockPath) -> bool:
        """Return whether both certainly are one lock: the same attribute of the same object."""
        if first.identity != second.identity:
            return False
        if first.path is None or second.path is None:
            return first.path is second.path
        one, other = first.path, second.path
        if (one.function, one.variable) != (other.function, other.variable):
            return False
        return one.names[:-1] == other.names[:-1] or self._is_component(first.identity, one, other)

    def _is_component(self, identity: Object | Place, one: Path, other: Path) -> bool:
        """Whether an object has made the lock and handed it to a part: `self._lock` is `self._buffer._lock`."""
        if not isinstance(identity, Object) or identity.site is None or identity.site.what != "call":
            return False
        maker = self._project.call(identity.site).function.owner
        function = self._project.function(one.function)
        if not maker or function is None or not function.owner or sorted((len(one.names), len(other.names))) != [1, 2]:
            return False
        symbols = self._project.symbols
        if one.variable not in [first.name for first in function.parameters[:1]] or not _are_related(
            symbols, function.owner, maker
        ):
            return False
        part = max(one.names, other.names, key=len)[0]
        parts = self._project.place_objects(Place(PlaceKind.ATTRIBUTE, function.owner, part))
        return bool(parts) and not any(_are_related(symbols, found.symbol, maker) for found in parts)

    def bind(self, site: Site, callee: str) -> dict[str, Path]:
        """Return what the caller calls the object that each parameter of `callee` gets from a call."""
        place = self._project.call(site)
        function = self._project.function(callee)
        given: dict[str, Path] = {}
        if function is not None and self._has_receiver(function):
            path = self._find_receiver(place, function)
            if path is not None:
                given[function.parameters[0].name] = path
            elif function.name not in _MAKERS:
                # `Base.close(self)`, or a callback: how the arguments fall is not known.
                return {}
        for name, value in self.bind_values(site, callee).items():
            if (path := self.find(site.module, value)) is not None:
                given[name] = path
        return given

    def bind_values(self, site: Site, callee: str) -> dict[str, ValueId]:
        """Return what each parameter of `callee` gets from a call, its receiver apart."""
        function = self._project.function(callee)
        if function is None:
            return {}
        names = [one.name for one in function.parameters if one.kind is ParameterKind.POSITIONAL]
        return dict(_match(self._project.call(site).call.arguments, names[self._has_receiver(function) :], function))

    def _has_receiver(self, function: Function) -> bool:
        static = "builtins.staticmethod" in self._project.decorators(function.symbol)
        return bool(function.owner and function.parameters) and not static

    def _find_receiver(self, place: CallPlace, function: Function) -> Path | None:
        """Return the object that a method is called on: `pool` in `pool.close()`, `self` in `super().close()`."""
        module = place.site.module
        base, name = self._project.places.split(module, place.call.callee) or (place.call.callee, "")
        if name != function.name:
            return None
        if isinstance(self._project.value(module, base), Super):
            caller = place.function
            return Path(caller.symbol, _first_name(caller)) if caller.parameters else None
        objects = self._project.objects(module, base)
        return self.find(module, base) if all(one.kind in _RECEIVERS for one in objects) else None

    def invocations(self, module: int, function: int) -> tuple[Invocation, ...]:
        """Return what a function runs at once, where it can only be one function, or the overrides of one method."""
        return self._invocations.get((module, function), ())

    @cached_property
    def _invocations(self) -> dict[tuple[int, int], tuple[Invocation, ...]]:
        found: dict[tuple[int, int], list[Invocation]] = {}
        for module, facts in enumerate(self._project.modules):
            for number, call in enumerate(facts.calls):
                found.setdefault((module, call.function), []).extend(self._iter_called(Site(module, number)))
            for number, entry in enumerate(facts.acquisitions):
                found.setdefault((module, entry.function), []).extend(self._iter_entered(module, number, entry))
        for place, getters in self._project.property_loads.values():
            found.setdefault((place.site.module, place.call.function), []).extend(self._iter_loaded(place, getters))
        return {key: tuple(invocations) for key, invocations in found.items() if invocations}

    def _iter_called(self, site: Site) -> Iterator[Invocation]:
        project = self._project
        callees = list(dict.fromkeys(target.function for target in project.callees(site)))
        if len(callees) > 1 and not self.is_overridden(site, callees):
            return
        call = project.call(site).call
        for callee in callees:
            if project.call_graph.runs_at_once(site, callee):
                yield Invocation(call.span, call.context, callee, self.bind(site, callee))

    def is_overridden(self, site: Site, callees: Sequence[str]) -> bool:
        """Whether the callees are a method of `self` and what subclasses make of it: each runs, on its own objects."""
        place = self._project.call(site)
        owner = place.function.owner
        base, _ = self._project.places.split(site.module, place.call.callee) or (place.call.callee, "")
        path = self.find(site.module, base)
        parameters = place.function.parameters
        if not owner or not parameters or path != Path(place.function.symbol, parameters[0].name):
            return False
        return len({callee.rpartition(".")[2] for callee in callees}) == 1

    def _iter_entered(self, module: int, number: int, entry: Acquisition) -> Iterator[Invocation]:
        path = self.find(module, entry.value)
        for target in self._project.callees(Site(module, number, "acquisition")):
            function = self._project.function(target.function)
            if path is not None and function is not None and function.name == "__enter__":
                yield Invocation(entry.span, entry.context, target.function, {_first_name(function): path})

    def _iter_loaded(self, place: CallPlace, getters: tuple[str, ...]) -> Iterator[Invocation]:
        path = self.find(place.site.module, place.call.callee)
        function = self._project.function(getters[0])
        if path is not None and function is not None and len(getters) == 1:
            given = {_first_name(function): path._replace(names=path.names[:-1])}
            yield Invocation(place.call.span, place.call.context, function.symbol, given)

    def _is_only(self, identity: Object | Place) -> bool:
        """Whether there is one such lock in the program: it is made at import time."""
        if isinstance(identity, Place):
            return identity.kind is PlaceKind.GLOBAL
        return identity.site is not None and self._project.call_graph.function_at(identity.site).name == "<module>"

    @cached_property
    def _rebound(self) -> frozenset[tuple[str, str]]:
        """Variables that may hold several objects one after the other."""
        seen: set[tuple[str, str]] = set()
        found: set[tuple[str, str]] = set()
        for facts in self._project.modules:
            parameters = {(one.symbol, parameter.name) for one in facts.functions for parameter in one.parameters}
            seen |= parameters
            for flow in facts.flows:
                target = facts.values[flow.target]
                # The annotation of a variable is no second value of it.
                if isinstance(target, Local) and not isinstance(facts.values[flow.source], Instance):
                    key = (target.function, target.name)
                    (found if key in seen else seen).add(key)
        return frozenset(found)


def _first_name(function: Function) -> str:
    """Return how a method calls its object."""
    return function.parameters[0].name if function.parameters else ""


def _match(arguments: tuple[Argument, ...], names: list[str], function: Function) -> Iterator[tuple[str, ValueId]]:
    known = {one.name for one in function.parameters if one.kind in (ParameterKind.POSITIONAL, ParameterKind.KEYWORD)}
    following = iter(names)
    for argument in arguments:
        if argument.keyword in ("*", "**"):
            return
        name = next(following, None) if argument.keyword == "" else argument.keyword
        if name is not None and name in known:
            yield name, argument.value


def _are_related(symbols: Symbols, first: str, second: str) -> bool:
    return first in symbols.linearise(second) or second in symbols.linearise(first)
