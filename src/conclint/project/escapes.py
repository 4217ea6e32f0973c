"""Escape: which objects get out of sight, so that nothing can be said of their further life.

An object escapes (may) when it is passed to a function that is not known or may keep it, returned or yielded (but by
a private function, whose callers are seen), stored
on an object other than `self`, or passed in a way that linking does not follow. What a collection holds escapes with
the collection. What is stored under one of the `unknown_attributes` may be reached by code that is not understood.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint import catalog
from conclint.catalog.collections_ import ADDERS, VIEWS
from conclint.catalog.rows import Kind, Spawn
from conclint.model.facts import Argument, Call, Function, ModuleFacts
from conclint.model.values import Attribute, Collection, Item, Local, Name, Value
from conclint.project.callables import is_transparent
from conclint.project.link import MOST_SUBCLASSES, find_argument
from conclint.project.objects import Object, ObjectKind, Site
from conclint.project.symbols import SymbolKind

if TYPE_CHECKING:
    from conclint.project.project import Project

_ADDING = frozenset(name for name, _ in ADDERS)
_FOLLOWED = (ObjectKind.FUNCTION, ObjectKind.BOUND)


class Escapes:
    """Answers whether an object escapes, and how."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._escaped: set[Object] = set()
        self._returned: set[Object] = set()
        self._dynamic: set[str] = set()
        self.unknown_attributes: frozenset[str] = frozenset(self._iter_unknown_attributes())
        for module, facts in enumerate(project.modules):
            self._add_arguments(module, facts)
            self._add_stores(module, facts)
            self._add_results(module, facts)
        self._close()

    def has_escaped(self, found: Object) -> bool:
        """Return whether the object is handed to code that is not known, or out of the project."""
        return found in self._escaped or found in self._returned

    def is_read_dynamically(self, owner: str) -> bool:
        """Return whether `getattr(thing, name)` may read any attribute of the instances of a class."""
        return owner in self._dynamic

    def _iter_unknown_attributes(self) -> Iterator[str]:
        symbols = self._project.symbols
        for module, facts in enumerate(self._project.modules):
            for number, value in enumerate(facts.values):
                if isinstance(value, Attribute):
                    if not self._project.objects(module, value.base) or self._is_inherited_by_many(facts, value):
                        yield value.name
                elif isinstance(value, Name) and not self._project.objects(module, number):
                    # `CONFIG.pool.workers`, where `CONFIG` is a variable that nothing is known of.
                    yield from symbols.resolve(value.symbol).rest

    def _is_inherited_by_many(self, facts: ModuleFacts, value: Attribute) -> bool:
        """Whether `self.x` stands in a class whose methods are not followed into its subclasses."""
        base = facts.values[value.base]
        owner = base.function.rpartition(".")[0] if isinstance(base, Local) else ""
        return len(self._project.symbols.subclasses.get(owner, ())) > MOST_SUBCLASSES

    def _add_arguments(self, module: int, facts: ModuleFacts) -> None:
        for number, call in enumerate(facts.calls):
            # Of most arguments nothing is known, and then nothing has to be asked.
            given = [(one, found) for one in call.arguments if (found := self._project.objects(module, one.value))]
            if not given:
                continue
            site = Site(module, number)
            if self._is_dynamic(site, call):
                objects = self._project.objects(module, call.arguments[0].value)
                self._dynamic |= {found.symbol for found in objects if found.kind is ObjectKind.INSTANCE}
            keeps = self._keeps(site)
            for argument, objects in given:
                if keeps or self._is_lost(site, call, argument):
                    self._escaped |= objects

    def _is_dynamic(self, site: Site, call: Call) -> bool:
        """Whether the call is `getattr(thing, name)` with a name that is not written there."""
        named = any(target.name == "builtins.getattr" for target in self._project.externals(site))
        return (
            named and len(call.arguments) > 1 and self._project.constant(site.module, call.arguments[1].value) is None
        )

    def _is_lost(self, site: Site, call: Call, argument: Argument) -> bool:
        """Whether the functions of the project that the call runs get the argument in a way that is not followed."""
        spawned = [row.spawn for _, row in self._project.rows(site) if row.spawn is not None]
        if spawned:
            return any(self._is_lost_in_spawn(site, call, argument, spawn) for spawn in spawned)
        if argument.keyword in ("*", "**"):
            return bool(self._project.callees(site))
        if not argument.keyword:
            # Positional arguments of a dataclass or named tuple; its keywords are followed.
            return not self._project.callees(site) and not self._project.externals(site)
        functions = (self._project.function(target.function) for target in self._project.callees(site))
        names = [{one.name for one in function.parameters} for function in functions if function is not None]
        return bool(names) and not all(argument.keyword in known for known in names)

    def _is_lost_in_spawn(self, site: Site, call: Call, argument: Argument, spawn: Spawn) -> bool:
        if not _is_passed_on(call, argument, spawn):
            return False
        if spawn.maps or argument.keyword in ("*", "**") or argument.keyword == (spawn.kwargs_keyword or "*"):
            return True
        spawned = find_argument(call, spawn.keyword, spawn.position)
        known = self._project.objects(site.module, spawned.value) if spawned is not None else frozenset()
        if not known or any(one.kind not in _FOLLOWED for one in known):
            return True
        # Anything but a tuple or list written at the call is not followed to the parameters.
        as_tuple = spawn.arguments_from is None
        return as_tuple and not isinstance(self._project.value(site.module, argument.value), Collection)

    def _keeps(self, site: Site) -> bool:
        """Whether some function that the call may run is unknown, or may keep its arguments."""
        project = self._project
        externals = project.externals(site)
        if not externals:
            return not project.callees(site) and not _is_understood(project.result(site))
        for target in externals:
            name = target.name.rpartition(".")[2]
            receiver = project.class_row(target.receiver) if target.receiver is not None else None
            if receiver is not None and receiver.kind in (Kind.COLLECTION, Kind.QUEUE) and name in _ADDING:
                continue
            if target.name in VIEWS or name == "__init__":
                continue
            row = project.find_row(target)
            if row is not None and (not row.keeps or row.spawn is not None):
                continue
            if row is None and catalog.find_class(target.name) is not None:
                continue
            return True
        return False

    def _add_stores(self, module: int, facts: ModuleFacts) -> None:
        for flow in facts.flows:
            target = facts.values[flow.target]
            if isinstance(target, Attribute):
                own = _is_self(facts, facts.values[target.base], flow.function)
                if own or self._is_class(module, target.base):
                    continue
            elif isinstance(target, Name):
                if self._project.symbols.resolve(target.symbol).kind is not SymbolKind.EXTERNAL:
                    continue
            elif not isinstance(target, Item) or self._is_collection(module, target.base):
                continue
            self._escaped |= self._project.objects(module, flow.source)

    def _is_collection(self, module: int, base: int) -> bool:
        """Whether what is stored in `base[k]` is followed: all that it may be is told apart by its creation."""
        objects = self._project.objects(module, base)
        return bool(objects) and all(found.kind is ObjectKind.INSTANCE and found.site is not None for found in objects)

    def _is_class(self, module: int, base: int) -> bool:
        objects = self._project.objects(module, base)
        return bool(objects) and all(found.kind is ObjectKind.CLASS for found in objects)

    def _add_results(self, module: int, facts: ModuleFacts) -> None:
        for function in facts.functions:
            if function.name != "<lambda>" and not self._is_followed(function):
                for value in function.returns:
                    self._returned |= self._project.objects(module, value)
        for produced in facts.yields:
            self._returned |= self._project.objects(module, produced.value)

    def _is_followed(self, function: Function) -> bool:
        """Whether all callers of a function are seen, and so what they do with its result: it is private."""
        return (
            function.name.startswith("_")
            and not function.name.endswith("__")
            and function.symbol in self._project.call_graph.callers
            and function.symbol not in self._project.call_graph.passed_functions
            and is_transparent(self._project, function.symbol)
        )

    def _close(self) -> None:
        """Let the elements of collections that escape escape too."""
        self._escaped |= self._project.lost_objects
        for gone in (self._escaped, self._returned):
            pending = list(gone)
            while pending:
                found = pending.pop()
                for element in self._project.elements(found):
                    if element not in gone:
                        gone.add(element)
                        pending.append(element)


def _is_self(facts: ModuleFacts, base: Value, function: int) -> bool:
    if not isinstance(base, Local) or not base.function:
        return False
    around: int | None = function
    while around is not None:
        current = facts.functions[around]
        if current.symbol == base.function:
            return bool(current.owner) and bool(current.parameters) and current.parameters[0].name == base.name
        around = current.parent
    return False


def _is_understood(result: frozenset[Object]) -> bool:
    return any(found.kind is ObjectKind.INSTANCE for found in result)


def _is_passed_on(call: Call, argument: Argument, spawn: Spawn) -> bool:
    """Whether the spawned callable gets the argument, or what is in it."""
    if argument.keyword in ("*", "**"):
        return not spawn.variadic
    if spawn.arguments_from is not None:
        return bool(argument.keyword) or call.arguments.index(argument) >= spawn.arguments_from
    if spawn.kwargs_keyword and argument.keyword == spawn.kwargs_keyword:
        return True
    given = find_argument(call, spawn.args_keyword, spawn.args_position)
    return given is not None and argument is given
