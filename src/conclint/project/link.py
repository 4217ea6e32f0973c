"""Turns the facts of all modules into constraints and solves them: what every value may be, who calls whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from conclint import catalog
from conclint.catalog.collections_ import ADDERS, GETTERS, TAKES_ELEMENTS, VIEWS
from conclint.catalog.rows import CallRow, Kind, RunsIn, Spawn
from conclint.model.facts import Argument, Call, Function, How, ModuleFacts, ParameterKind
from conclint.model.values import (
    Attribute,
    Await,
    Choice,
    Collection,
    Constant,
    Entered,
    Instance,
    Item,
    Local,
    Name,
    Result,
    Super,
    Unknown,
    Value,
    ValueId,
)
from conclint.project.objects import Object, ObjectKind, Site
from conclint.project.solver import NodeId, Solver
from conclint.project.symbols import SymbolKind, Symbols

_ADDED_ARGUMENT = dict(ADDERS)
_PAIRS = frozenset({"items", "popitem", "builtins.enumerate", "builtins.zip"})
_PASS_THROUGH = {"typing.cast": 1, "copy.copy": 0, "weakref.proxy": 0, "asyncio.shield": 0}
_HARMLESS_DECORATORS = frozenset(
    """
    builtins.staticmethod builtins.classmethod builtins.property functools.wraps abc.abstractmethod typing.override
    typing_extensions.override typing.final typing.overload functools.lru_cache functools.cache
    functools.cached_property contextlib.contextmanager contextlib.asynccontextmanager
    """.split()
)
_PROPERTIES = ("builtins.property", "functools.cached_property", "abc.abstractproperty")
_CONTEXT_MANAGERS = ("contextlib.contextmanager", "contextlib.asynccontextmanager")
_ENTRY_METHODS = ("__enter__", "__aenter__", "__exit__", "__aexit__")
_LIVING = frozenset(Kind) - {Kind.OTHER}
MOST_SUBCLASSES = 16
"""A class with more subclasses hands its methods only its own instances: the rest would crowd every node."""


class Target(NamedTuple):
    """A function of the project that a call may run, and the object it is bound to."""

    function: str
    receiver: Object | None


class ExternalTarget(NamedTuple):
    """A function outside the project that a call may run: qualified name, or method of the receiver's class."""

    name: str
    receiver: Object | None


class Operation(NamedTuple):
    """A method called on an object whose class is not of the project: `join` at a call or acquisition."""

    name: str
    site: Site


class SpawnSite(NamedTuple):
    """A call that has something run elsewhere."""

    site: Site
    runs_in: RunsIn
    callable: NodeId
    receiver: Object | None
    """The executor, loop or task group, or the subclassed thread itself."""


@dataclass(slots=True)
class Links:
    """What linking finds out, besides the objects of every value."""

    callees: dict[Site, dict[Target, None]] = field(default_factory=dict)
    externals: dict[Site, dict[ExternalTarget, None]] = field(default_factory=dict)
    operations: dict[Object, dict[Operation, None]] = field(default_factory=dict)
    assigned: dict[tuple[Object, str], list[tuple[int, ValueId]]] = field(default_factory=dict)
    loads: dict[Object, dict[str, None]] = field(default_factory=dict)
    """The attributes of an object that are read anywhere, called or not, and are not of the project."""
    spawns: list[SpawnSite] = field(default_factory=list)


class Linker:
    """Builds the constraints. `Links` and the solver's objects are the outcome."""

    def __init__(self, modules: Sequence[ModuleFacts], dormant: Mapping[str, bool] | None = None) -> None:
        self.symbols = Symbols(modules, dormant)
        self.solver = Solver()
        self.links = Links()
        self._modules = self.symbols.modules
        self._value_nodes: list[list[NodeId]] = []
        self._pending: dict[str, NodeId] = {}
        """The nodes of names that belong to dormant modules."""
        self._bound: set[tuple[Site, Target]] = set()

    def add(self, modules: Sequence[ModuleFacts]) -> None:
        """Add modules that were dormant."""
        self.symbols.add(modules)

    def run(self) -> None:
        """Add the constraints of the modules that have none yet, and solve them."""
        first = len(self._value_nodes)
        self._value_nodes += [[-1] * len(facts.values) for facts in self._modules[first:]]
        for symbol, node in tuple(self._pending.items()):
            self._fill_name(symbol, node)
        for index, facts in enumerate(self._modules[first:], first):
            # Also what flows nowhere is asked for: arguments of unknown calls, attributes that are only read.
            for number, value in enumerate(facts.values):
                if not isinstance(value, Constant | Unknown):
                    self.value_node(index, number)
            self._add_functions(index, facts)
            self._add_flows(index, facts)
            for number, call in enumerate(facts.calls):
                self._add_call(index, number, call)
            self._add_entries(index, facts)
        self._add_receivers()
        self.solver.solve()

    def finish(self) -> None:
        """Take names of modules that are still dormant for names outside of the project."""
        self.symbols.forget_dormant()
        self.run()

    def objects(self, module: int, value: ValueId) -> AbstractSet[Object]:
        """Return what a value may be; empty where nothing is known."""
        node = self._value_nodes[module][value]
        return self.solver.objects[node].keys() if node >= 0 else frozenset()

    # Values

    def value_node(self, module: int, value: ValueId) -> NodeId:
        """Return the node of a value of a module."""
        node = self._value_nodes[module][value]
        if node < 0:
            node = self._build_value(module, value, self._modules[module].values[value])
            self._value_nodes[module][value] = node
        return node

    def _build_value(self, module: int, number: ValueId, value: Value) -> NodeId:
        if isinstance(value, Local):
            return self.solver.node(("l", value.function, value.name))
        if isinstance(value, Result):
            return self.solver.node(("c", module, value.call))
        if isinstance(value, Name):
            return self._name_node(value.symbol)
        node = self.solver.new_node()
        self._value_nodes[module][number] = node
        if isinstance(value, Attribute):
            self._react_attribute(self.value_node(module, value.base), value.name, node)
        elif isinstance(value, Item):
            self._react_item(self.value_node(module, value.base), node)
        elif isinstance(value, Collection):
            self._fill_collection(module, value, node)
        elif isinstance(value, Choice):
            for option in value.options:
                self.solver.connect(self.value_node(module, option), node)
        elif isinstance(value, Await):
            self._react_await(self.value_node(module, value.base), node)
        elif isinstance(value, Entered):
            self._react_enter(self.value_node(module, value.base), node)
        elif isinstance(value, Instance):
            self._fill_instance(module, number, value, node)
        elif isinstance(value, Super):
            self.solver.add(node, Object(ObjectKind.SUPER, value.owner))
        return node

    def _name_node(self, symbol: str) -> NodeId:
        known = self.solver.find_node(("n", symbol))
        if known is not None:
            return known
        node = self.solver.node(("n", symbol))
        self._fill_name(symbol, node)
        return node

    def _fill_name(self, symbol: str, node: NodeId) -> None:
        found = self.symbols.resolve(symbol)
        if found.kind is SymbolKind.PENDING:
            self._pending[symbol] = node
            return
        self._pending.pop(symbol, None)
        if found.kind is SymbolKind.VARIABLE:
            self._connect_variable(found.name, found.rest, node)
        elif found.kind is SymbolKind.FUNCTION:
            self.solver.add(node, Object(ObjectKind.FUNCTION, found.name))
        elif found.kind is SymbolKind.MODULE:
            self.solver.add(node, Object(ObjectKind.MODULE, found.name))
        elif found.kind is SymbolKind.CLASS:
            self.solver.add(node, Object(ObjectKind.CLASS, found.name))
        elif (canonical := catalog.canonical_class(found.name)) is not None:
            self.solver.add(node, Object(ObjectKind.CLASS, canonical))
        else:
            self.solver.add(node, Object(ObjectKind.EXTERNAL, found.name))

    def _connect_variable(self, name: str, rest: tuple[str, ...], node: NodeId) -> None:
        if not rest:
            self._connect_owners(name, node)
            return
        current = self.solver.new_node()
        self._connect_owners(name, current)
        for attribute in rest[:-1]:
            following = self.solver.new_node()
            self._react_attribute(current, attribute, following)
            current = following
        self._react_attribute(current, rest[-1], node)

    def _connect_owners(self, name: str, node: NodeId) -> None:
        owner, _, attribute = name.rpartition(".")
        owners = self.symbols.linearise(owner) if owner in self.symbols.classes else (owner,)
        for ancestor in owners:
            self.solver.connect(self.solver.node(("g", f"{ancestor}.{attribute}")), node)

    def _fill_collection(self, module: int, value: Collection, node: NodeId) -> None:
        made = Object(ObjectKind.INSTANCE, f"builtins.{value.kind}", Site(module, value.site, "collection"))
        self.solver.add(node, made)
        elements = self._elements(made)
        for item in value.items:
            self.solver.connect(self.value_node(module, item), elements)

    def _fill_instance(self, module: int, number: ValueId, value: Instance, node: NodeId) -> None:
        classes = self.value_node(module, value.of)
        site = Site(module, number, "annotation")

        def on_class(found: Object) -> None:
            if found.kind is ObjectKind.CLASS:
                made = self._make_instance(found.symbol, site)
                self.solver.add(node, made)
                if value.item is not None:
                    self.solver.connect(self.value_node(module, value.item), self._elements(made))

        self.solver.react(classes, on_class)

    def _make_instance(self, symbol: str, site: Site) -> Object:
        base = self.symbols.find_external_base(symbol)
        row = catalog.find_class(base) if base is not None else None
        lives = row is not None and row.kind in _LIVING
        return Object(ObjectKind.INSTANCE, symbol, site if lives else None)

    def _elements(self, collection: Object) -> NodeId:
        return self.solver.node(("e", collection))

    # Reactions

    def _react_attribute(self, base: NodeId, name: str, node: NodeId) -> None:
        self.solver.react(base, lambda found: self._load_attribute(found, name, node))

    def _load_attribute(self, found: Object, name: str, node: NodeId) -> None:
        if found.kind is ObjectKind.INSTANCE:
            self._load_instance(found, name, node)
        elif found.kind is ObjectKind.SUPER:
            self._load_super(found, name, node)
        elif found.kind is ObjectKind.CLASS:
            self._load_class(found, name, node)
        elif found.kind in (ObjectKind.MODULE, ObjectKind.EXTERNAL):
            self.solver.connect(self._name_node(f"{found.symbol}.{name}"), node)

    def _load_instance(self, found: Object, name: str, node: NodeId) -> None:
        if found.symbol in self.symbols.classes:
            method = self.symbols.find_method(found.symbol, name)
            if method is not None:
                self._load_method(method, found, node)
                return
            for ancestor in self.symbols.linearise(found.symbol):
                self.solver.connect(self.solver.node(("a", ancestor, name)), node)
                self.solver.connect(self.solver.node(("g", f"{ancestor}.{name}")), node)
        elif found.symbol == "builtins.generator":
            return
        base = self.symbols.find_external_base(found.symbol)
        if base is not None:
            self.links.loads.setdefault(found, {})[name] = None
            self.solver.add(node, Object(ObjectKind.METHOD, name, receiver=found))

    def _load_method(self, method: str, receiver: Object, node: NodeId) -> None:
        decorators = self.decorators(method)
        if any(name in _PROPERTIES for name in decorators):
            self._bind_receiver(method, receiver)
            self.solver.connect(self.solver.node(("r", method)), node)
        elif "builtins.staticmethod" in decorators:
            self.solver.add(node, Object(ObjectKind.FUNCTION, method))
        elif "builtins.classmethod" in decorators:
            owner = Object(ObjectKind.CLASS, receiver.symbol)
            self.solver.add(node, Object(ObjectKind.BOUND, method, receiver=owner))
        else:
            # A method that is only handed on (`atexit.register(worker.stop)`) will be called on its object too.
            self._bind_receiver(method, receiver)
            self.solver.add(node, Object(ObjectKind.BOUND, method, receiver=receiver))

    def _load_super(self, found: Object, name: str, node: NodeId) -> None:
        # `super()` in a mixin may go to any class; the bases of its own class are what is certain.
        receiver = Object(ObjectKind.INSTANCE, found.symbol)
        method = self.symbols.find_method(found.symbol, name, after=found.symbol)
        if method is not None:
            self._load_method(method, receiver, node)
        elif self.symbols.find_external_base(found.symbol) is not None:
            self.solver.add(node, Object(ObjectKind.METHOD, name, receiver=receiver))

    def _load_class(self, found: Object, name: str, node: NodeId) -> None:
        if found.symbol not in self.symbols.classes:
            self.solver.add(node, Object(ObjectKind.EXTERNAL, f"{found.symbol}.{name}"))
            return
        method = self.symbols.find_method(found.symbol, name)
        if method is None:
            self._connect_owners(f"{found.symbol}.{name}", node)
        elif "builtins.classmethod" in self.decorators(method):
            self.solver.add(node, Object(ObjectKind.BOUND, method, receiver=found))
        else:
            self.solver.add(node, Object(ObjectKind.FUNCTION, method))

    def _react_item(self, base: NodeId, node: NodeId) -> None:
        def on_collection(found: Object) -> None:
            if found.kind is ObjectKind.INSTANCE and found.site is not None:
                self.solver.connect(self._elements(found), node)
            elif found.kind is ObjectKind.GENERATOR:
                self.solver.connect(self.solver.node(("y", found.symbol)), node)
            elif found.kind is ObjectKind.INSTANCE and found.symbol in self.symbols.classes:
                for special in ("__getitem__", "__iter__"):
                    if (method := self.symbols.find_method(found.symbol, special)) is not None:
                        self._bind_receiver(method, found)
                        kind = "y" if special == "__iter__" else "r"
                        self.solver.connect(self.solver.node((kind, method)), node)

        self.solver.react(base, on_collection)

    def _react_await(self, base: NodeId, node: NodeId) -> None:
        def on_awaitable(found: Object) -> None:
            if found.kind is ObjectKind.COROUTINE:
                self.solver.connect(self.solver.node(("r", found.symbol)), node)
            elif found.kind is ObjectKind.INSTANCE:
                # Awaited constructors and catalog calls (`await asyncio.open_connection()`) give the object itself.
                self.solver.add(node, found)

        self.solver.react(base, on_awaitable)

    def _react_enter(self, base: NodeId, node: NodeId) -> None:
        def on_manager(found: Object) -> None:
            if found.kind is ObjectKind.GENERATOR:
                self.solver.connect(self.solver.node(("y", found.symbol)), node)
            elif found.kind is ObjectKind.INSTANCE:
                methods = [self.symbols.find_method(found.symbol, name) for name in ("__enter__", "__aenter__")]
                for method in methods:
                    if method is not None:
                        self._bind_receiver(method, found)
                        self.solver.connect(self.solver.node(("r", method)), node)
                if methods == [None, None]:
                    self.solver.add(node, found)

        self.solver.react(base, on_manager)

    # Functions and flows

    def decorators(self, function: str) -> tuple[str, ...]:
        """Return the qualified names of the decorators of a function, "" for one that is not a plain name."""
        place = self.symbols.functions[function][0]
        facts = self._modules[place.module]
        return tuple(self._decorator_name(facts, value) for value in self.symbols.function(place).decorators)

    def _decorator_name(self, facts: ModuleFacts, value: ValueId) -> str:
        found = facts.values[value]
        if isinstance(found, Result):
            found = facts.values[facts.calls[found.call].callee]
        return self.symbols.resolve(found.symbol).name if isinstance(found, Name) else ""

    def _add_functions(self, module: int, facts: ModuleFacts) -> None:
        for function in facts.functions:
            for parameter in function.parameters:
                node = self.solver.node(("l", function.symbol, parameter.name))
                for value in (parameter.default, parameter.annotation):
                    if value is not None:
                        self.solver.connect(self.value_node(module, value), node)
            result = self.solver.node(("r", function.symbol))
            for value in function.returns:
                self.solver.connect(self.value_node(module, value), result)
            if function.returns_annotation is not None and not function.is_generator:
                self.solver.connect(self.value_node(module, function.returns_annotation), result)
        for produced in facts.yields:
            symbol = facts.functions[produced.function].symbol
            self.solver.connect(self.value_node(module, produced.value), self.solver.node(("y", symbol)))

    def _add_receivers(self) -> None:
        """Hand every method its own class's instances, and those of the subclasses that inherit it."""
        for symbol in self.symbols.classes:
            receiver = Object(ObjectKind.INSTANCE, symbol)
            names = {name for ancestor in self.symbols.linearise(symbol) for name in self.symbols.methods.get(ancestor, ())}
            for name in sorted(names):
                method = self.symbols.find_method(symbol, name)
                if method is None:
                    continue
                owner = method.rpartition(".")[0]
                if owner == symbol or len(self.symbols.subclasses.get(owner, ())) <= MOST_SUBCLASSES:
                    self._bind_receiver(method, receiver)

    def _bind_receiver(self, method: str, receiver: Object) -> None:
        for place in self.symbols.functions.get(method, ()):
            function = self.symbols.function(place)
            decorators = self.decorators(method)
            if function.owner and function.parameters and "builtins.staticmethod" not in decorators:
                bound = receiver
                if "builtins.classmethod" in decorators or function.name == "__new__":
                    bound = Object(ObjectKind.CLASS, receiver.symbol)
                self.solver.add(self.solver.node(("l", method, function.parameters[0].name)), bound)

    def _add_flows(self, module: int, facts: ModuleFacts) -> None:
        for flow in facts.flows:
            if isinstance(facts.values[flow.source], Unknown):
                continue
            self._store(module, facts.values[flow.target], flow.source)

    def _store(self, module: int, target: Value, source: ValueId) -> None:
        constant = isinstance(self._modules[module].values[source], Constant)
        if isinstance(target, Attribute):
            self._store_attribute(module, self.value_node(module, target.base), target.name, source)
        elif constant:
            return
        elif isinstance(target, Local):
            node = self.solver.node(("l", target.function, target.name))
            self.solver.connect(self.value_node(module, source), node)
        elif isinstance(target, Item):
            base, element = self.value_node(module, target.base), self.value_node(module, source)
            self.solver.react(base, lambda found: self._store_item(found, element))
        elif isinstance(target, Name):
            self._store_name(module, target.symbol, source)

    def _store_name(self, module: int, name: str, source: ValueId) -> None:
        symbol = self.symbols.resolve(name)
        if symbol.kind is not SymbolKind.VARIABLE:
            return
        if not symbol.rest:
            self.solver.connect(self.value_node(module, source), self.solver.node(("g", symbol.name)))
            return
        base = self.solver.new_node()
        if len(symbol.rest) == 1:
            self._connect_owners(symbol.name, base)
        else:
            self._connect_variable(symbol.name, symbol.rest[:-1], base)
        self._store_attribute(module, base, symbol.rest[-1], source)

    def _store_item(self, found: Object, element: NodeId) -> None:
        if found.kind is ObjectKind.INSTANCE and found.site is not None:
            self.solver.connect(element, self._elements(found))

    def _store_attribute(self, module: int, base: NodeId, name: str, source: ValueId) -> None:
        constant = isinstance(self._modules[module].values[source], Constant)

        def on_object(found: Object) -> None:
            if found.kind is ObjectKind.INSTANCE:
                self.links.assigned.setdefault((found, name), []).append((module, source))
                target = self.solver.node(("a", found.symbol, name))
            elif found.kind is ObjectKind.CLASS or found.kind is ObjectKind.MODULE:
                target = self.solver.node(("g", f"{found.symbol}.{name}"))
            else:
                return
            if not constant:
                self.solver.connect(self.value_node(module, source), target)

        self.solver.react(base, on_object)

    # Calls

    def _add_call(self, module: int, number: int, call: Call) -> None:
        site = Site(module, number)
        self.solver.react(self.value_node(module, call.callee), lambda found: self._call(site, call, found))

    def _call(self, site: Site, call: Call, callee: Object) -> None:
        kind = callee.kind
        if kind is ObjectKind.FUNCTION:
            self._call_function(site, call.arguments, Target(callee.symbol, None))
        elif kind is ObjectKind.BOUND:
            self._call_function(site, call.arguments, Target(callee.symbol, callee.receiver))
        elif kind is ObjectKind.CLASS:
            self._construct(site, call, callee.symbol)
        elif kind is ObjectKind.EXTERNAL:
            self._call_external(site, call, callee.symbol)
        elif kind is ObjectKind.METHOD and callee.receiver is not None:
            self._call_method(site, call, callee.receiver, callee.symbol)
        elif kind is ObjectKind.PARTIAL and callee.site is not None:
            self._call_partial(site, call, callee.site)
        elif kind is ObjectKind.INSTANCE and (method := self.symbols.find_method(callee.symbol, "__call__")):
            self._call_function(site, call.arguments, Target(method, callee))

    def _result(self, site: Site) -> NodeId:
        return self.solver.node(("c", site.module, site.index))

    def _call_function(self, site: Site, arguments: Sequence[Argument], target: Target) -> None:
        if (site, target) in self._bound:
            return
        self._bound.add((site, target))
        self.links.callees.setdefault(site, {})[target] = None
        self.bind(site.module, arguments, target)
        self._connect_result(site, target.function)

    def _connect_result(self, site: Site, function: str) -> None:
        facts = self.symbols.function(self.symbols.functions[function][0])
        decorators = self.decorators(function)
        result = self._result(site)
        if any(name in _CONTEXT_MANAGERS for name in decorators):
            self.solver.add(result, Object(ObjectKind.GENERATOR, function))
        elif any(name not in _HARMLESS_DECORATORS for name in decorators):
            # What an unknown decorator makes of the result is unknown.
            return
        elif facts.is_generator:
            self.solver.add(result, Object(ObjectKind.GENERATOR, function))
        elif facts.is_async:
            self.solver.add(result, Object(ObjectKind.COROUTINE, function, site))
        else:
            self.solver.connect(self.solver.node(("r", function)), result)

    def bind(self, module: int, arguments: Sequence[Argument], target: Target, *, skip: int = 0) -> None:
        """Let the arguments of a call reach the parameters of the function, but for the first `skip` ones."""
        if target.receiver is not None:
            self._bind_receiver(target.function, target.receiver)
            skip += 1
        for place in self.symbols.functions[target.function]:
            self._bind_arguments(module, arguments, self.symbols.function(place), skip)

    def _bind_arguments(self, module: int, arguments: Sequence[Argument], function: Function, skip: int) -> None:
        positional = [one.name for one in function.parameters if one.kind is ParameterKind.POSITIONAL]
        names = {one.name for one in function.parameters if one.kind in (ParameterKind.POSITIONAL, ParameterKind.KEYWORD)}
        rest = next((one.name for one in function.parameters if one.kind is ParameterKind.STAR), None)
        following = iter(positional[skip:])
        for argument in arguments:
            if argument.keyword == "":
                name = next(following, None)
                if name is not None:
                    self._pass(module, argument.value, function.symbol, name)
                elif rest is not None:
                    self._pass_rest(module, argument.value, function, rest)
            elif argument.keyword == "*":
                for name in following:
                    item = self.solver.new_node()
                    self._react_item(self.value_node(module, argument.value), item)
                    self.solver.connect(item, self.solver.node(("l", function.symbol, name)))
            elif argument.keyword in names:
                self._pass(module, argument.value, function.symbol, argument.keyword)

    def _pass(self, module: int, value: ValueId, function: str, parameter: str) -> None:
        if not isinstance(self._modules[module].values[value], Constant | Unknown):
            self.solver.connect(self.value_node(module, value), self.solver.node(("l", function, parameter)))

    def _pass_rest(self, module: int, value: ValueId, function: Function, parameter: str) -> None:
        place = self.symbols.functions[function.symbol][0]
        rest = Object(ObjectKind.INSTANCE, "builtins.tuple", Site(place.module, place.index, "star"))
        self.solver.add(self.solver.node(("l", function.symbol, parameter)), rest)
        self.solver.connect(self.value_node(module, value), self._elements(rest))

    def _construct(self, site: Site, call: Call, symbol: str) -> None:
        made = self._make_instance(symbol, site)
        self.solver.add(self._result(site), made)
        if symbol in self.symbols.classes:
            self._construct_own(site, call, made)
            return
        self.links.externals.setdefault(site, {})[ExternalTarget(symbol, None)] = None
        row = catalog.find_call(symbol)
        if row is not None and row.spawn is not None:
            self._spawn(site, call, row.spawn, made)
        if symbol in VIEWS and call.arguments and call.arguments[0].keyword == "":
            self._react_item(self.value_node(site.module, call.arguments[0].value), self._elements(made))
        if catalog.is_subclass(symbol, "builtins.dict"):
            self._fill_dict(site.module, call, made)

    def _fill_dict(self, module: int, call: Call, made: Object) -> None:
        elements = self._elements(made)
        for argument in call.arguments:
            value = self.value_node(module, argument.value)
            if argument.keyword not in ("", "*", "**"):
                self.solver.connect(value, elements)
                continue
            # Another dict, or pairs of key and value.
            items = self.solver.new_node()
            self._react_item(value, items)
            self.solver.connect(items, elements)
            self._react_item(items, elements)

    def _construct_own(self, site: Site, call: Call, made: Object) -> None:
        for name in ("__new__", "__init__"):
            method = self.symbols.find_method(made.symbol, name)
            if method is not None:
                target = Target(method, made)
                self.links.callees.setdefault(site, {})[target] = None
                self.bind(site.module, call.arguments, target)
        if self.symbols.find_method(made.symbol, "__init__") is None:
            self._fill_fields(site.module, call, made)
            base = self.symbols.find_external_base(made.symbol)
            row = catalog.find_call(base) if base is not None else None
            if row is not None and row.spawn is not None:
                self._spawn(site, call, row.spawn, made)
        self._spawn_run(site, made)

    def _fill_fields(self, module: int, call: Call, made: Object) -> None:
        # Dataclasses, attrs and named tuples: keyword arguments are attributes.
        for argument in call.arguments:
            if argument.keyword not in ("", "*", "**"):
                node = self.solver.node(("a", made.symbol, argument.keyword))
                self.solver.connect(self.value_node(module, argument.value), node)

    def _spawn_run(self, site: Site, made: Object) -> None:
        base = self.symbols.find_external_base(made.symbol)
        row = catalog.find_class(base) if base is not None else None
        method = self.symbols.find_method(made.symbol, "run")
        if row is None or method is None or row.kind not in _RUN_BY_KIND:
            return
        node = self.solver.new_node()
        self.solver.add(node, Object(ObjectKind.BOUND, method, receiver=made))
        self.links.spawns.append(SpawnSite(site, _RUN_BY_KIND[row.kind], node, made))
        self._bind_receiver(method, made)

    def _call_external(self, site: Site, call: Call, name: str) -> None:
        self.links.externals.setdefault(site, {})[ExternalTarget(name, None)] = None
        if name == "functools.partial":
            self.solver.add(self._result(site), Object(ObjectKind.PARTIAL, name, site))
        elif name in _PASS_THROUGH and len(call.arguments) > _PASS_THROUGH[name]:
            source = call.arguments[_PASS_THROUGH[name]].value
            self.solver.connect(self.value_node(site.module, source), self._result(site))
        elif name == "builtins.getattr":
            self._call_getattr(site, call)
        elif name in VIEWS:
            self._view(site, call, name)
        elif name in GETTERS and call.arguments:
            self._react_item(self.value_node(site.module, call.arguments[0].value), self._result(site))
        elif (row := catalog.find_call(name)) is not None:
            self._apply_row(site, call, row, None)

    def _call_getattr(self, site: Site, call: Call) -> None:
        values = self._modules[site.module].values
        if len(call.arguments) > 1:
            name = values[call.arguments[1].value]
            if isinstance(name, Constant) and isinstance(name.value, str):
                base = self.value_node(site.module, call.arguments[0].value)
                self._react_attribute(base, name.value, self._result(site))

    def _call_method(self, site: Site, call: Call, receiver: Object, name: str) -> None:
        base = self.symbols.find_external_base(receiver.symbol)
        if base is None:
            return
        self.links.operations.setdefault(receiver, {})[Operation(name, site)] = None
        self.links.externals.setdefault(site, {})[ExternalTarget(f"{base}.{name}", receiver)] = None
        row = catalog.find_method(base, name)
        if name == "__init__" and (constructor := catalog.find_call(base)) is not None:
            if constructor.spawn is not None:
                self._spawn(site, call, constructor.spawn, receiver)
        elif row is not None:
            self._apply_row(site, call, row, receiver)
        self._apply_collection(site, call, receiver, name)

    def _apply_row(self, site: Site, call: Call, row: CallRow, receiver: Object | None) -> None:
        if row.returns or row.returns_item:
            made = self._make_instance(row.returns or "builtins.list", site)
            self.solver.add(self._result(site), made)
            if row.returns_item:
                self.solver.add(self._elements(made), self._make_instance(row.returns_item, site))
        if row.spawn is not None:
            self._spawn(site, call, row.spawn, receiver)

    def _apply_collection(self, site: Site, call: Call, receiver: Object, name: str) -> None:
        row = catalog.find_class(receiver.symbol)
        if row is None or row.kind not in (Kind.COLLECTION, Kind.QUEUE) or receiver.site is None:
            return
        elements = self._elements(receiver)
        position = _ADDED_ARGUMENT.get(name)
        if position is not None and len(call.arguments) > position:
            value = self.value_node(site.module, call.arguments[position].value)
            if name in TAKES_ELEMENTS:
                self._react_item(value, elements)
            else:
                self.solver.connect(value, elements)
        if name in VIEWS or name in _PAIRS:
            self._fill_view(site, elements, pairs=name in _PAIRS)
        elif name in GETTERS:
            self.solver.connect(elements, self._result(site))

    def _view(self, site: Site, call: Call, name: str) -> None:
        for argument in call.arguments:
            elements = self.solver.new_node()
            self._react_item(self.value_node(site.module, argument.value), elements)
            if argument.keyword == "*":
                # `zip(*pairs)`: each argument is a collection of its own.
                inner = self.solver.new_node()
                self._react_item(elements, inner)
                elements = inner
            self._fill_view(site, elements, pairs=name in _PAIRS)

    def _fill_view(self, site: Site, elements: NodeId, *, pairs: bool) -> None:
        view = Object(ObjectKind.INSTANCE, "builtins.list", Site(site.module, site.index, "view"))
        self.solver.add(self._result(site), view)
        if pairs:
            pair = Object(ObjectKind.INSTANCE, "builtins.tuple", Site(site.module, site.index, "pair"))
            self.solver.add(self._elements(view), pair)
            self.solver.connect(elements, self._elements(pair))
        else:
            self.solver.connect(elements, self._elements(view))

    def _call_partial(self, site: Site, call: Call, origin: Site) -> None:
        def on_target(target: Target) -> None:
            self.links.callees.setdefault(site, {})[target] = None
            self._connect_result(site, target.function)

        self._bind_partial(site.module, call.arguments, origin, on_target)

    def _bind_partial(
        self, module: int, arguments: Sequence[Argument], origin: Site, on_target: Callable[[Target], None]
    ) -> None:
        """Let the arguments of the partial made at `origin`, and those of its call, reach its function."""
        made = self._modules[origin.module].calls[origin.index].arguments
        if not made:
            return
        given = sum(argument.keyword == "" for argument in made[1:])

        def on_callee(found: Object) -> None:
            if found.kind in (ObjectKind.FUNCTION, ObjectKind.BOUND):
                target = Target(found.symbol, found.receiver)
                self.bind(origin.module, made[1:], target)
                self.bind(module, arguments, target, skip=given)
                on_target(target)

        self.solver.react(self.value_node(origin.module, made[0].value), on_callee)

    def _add_entries(self, module: int, facts: ModuleFacts) -> None:
        for number, entry in enumerate(facts.acquisitions):
            if entry.how in (How.ACQUIRE, How.AWAITED_ACQUIRE):
                continue
            site = Site(module, number, "acquisition")
            self.solver.react(self.value_node(module, entry.value), partial(self._enter, site))

    def _enter(self, site: Site, found: Object) -> None:
        if found.kind is not ObjectKind.INSTANCE:
            return
        for name in _ENTRY_METHODS:
            method = self.symbols.find_method(found.symbol, name)
            if method is not None:
                self.links.callees.setdefault(site, {})[Target(method, found)] = None
                self._bind_receiver(method, found)
        if self.symbols.find_external_base(found.symbol) is not None:
            self.links.operations.setdefault(found, {})[Operation("__exit__", site)] = None

    # Spawns

    def _spawn(self, site: Site, call: Call, spawn: Spawn, receiver: Object | None) -> None:
        argument = find_argument(call, spawn.keyword, spawn.position)
        if argument is None:
            return
        node = self.value_node(site.module, argument.value)
        self.links.spawns.append(SpawnSite(site, spawn.runs_in, node, receiver))
        self.solver.react(node, lambda found: self._bind_spawned(site, call, spawn, found))

    def _bind_spawned(self, site: Site, call: Call, spawn: Spawn, found: Object) -> None:
        if found.kind is ObjectKind.PARTIAL and found.site is not None:
            passed = self._spawned_arguments(site.module, call, spawn)
            self._bind_partial(site.module, passed, found.site, lambda target: None)
        if found.kind not in (ObjectKind.FUNCTION, ObjectKind.BOUND):
            return
        target = Target(found.symbol, found.receiver)
        if (site, target) in self._bound:
            return
        self._bound.add((site, target))
        self.bind(site.module, self._spawned_arguments(site.module, call, spawn), target)

    def _spawned_arguments(self, module: int, call: Call, spawn: Spawn) -> tuple[Argument, ...]:
        """Return the arguments that the spawned callable will get, as far as they stand at the call."""
        if spawn.arguments_from is not None:
            passed = [one for one in call.arguments if one.keyword == ""][spawn.arguments_from :]
            if spawn.maps:
                values = self._modules[module].values
                return tuple(one for one in passed if not isinstance(values[one.value], Constant))[:0]
            named = [one for one in call.arguments if one.keyword not in ("", "*", "**")]
            return (*passed, *named)
        given = find_argument(call, spawn.args_keyword, spawn.args_position)
        if given is None:
            return ()
        value = self._modules[module].values[given.value]
        if isinstance(value, Collection):
            return tuple(Argument("", item, given.span) for item in value.items)
        return ()


_RUN_BY_KIND = {Kind.THREAD: RunsIn.THREAD, Kind.TIMER: RunsIn.TIMER, Kind.PROCESS: RunsIn.PROCESS}


def find_argument(call: Call, keyword: str, position: int | None) -> Argument | None:
    """Return the argument given by keyword or at `position`; None where it is not given, or hidden by a star."""
    if keyword:
        for argument in call.arguments:
            if argument.keyword == keyword:
                return argument
    if position is None:
        return None
    for index, argument in enumerate(call.arguments):
        if argument.keyword != "":
            return None
        if index == position:
            return argument
    return None
