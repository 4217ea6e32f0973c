"""The linker: turns the facts of all modules into constraints and solves them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from conclint import catalog
from conclint.catalog.rows import Kind
from conclint.model.facts import ModuleFacts
from conclint.model.hints import NO_HINTS, Hints
from conclint.model.values import (
    Constant,
    Name,
    Result,
    Unknown,
    ValueId,
)
from conclint.project.link import calls, flows, functions, values
from conclint.project.link.links import Links, Target
from conclint.project.objects import Object, ObjectKind, Site
from conclint.project.solver import NodeId, Solver
from conclint.project.symbols import Symbols

_LIVING = frozenset(Kind) - {Kind.OTHER}


class Linker:
    """Builds the constraints. `Links` and the solver's objects are the outcome.

    What is made of values, calls and the like stands in the modules beside this one; here is what they share.
    """

    def __init__(
        self, modules: Sequence[ModuleFacts], dormant: Mapping[str, bool] | None = None, hints: Hints = NO_HINTS
    ) -> None:
        self.hints = hints
        self.lock_factories: dict[str, int] = {}
        """The functions that give locks, as they are called here, with their number in the settings."""
        self.symbols = Symbols(modules, dormant)
        self.solver = Solver()
        self.links = Links()
        self.modules = self.symbols.modules
        self.value_nodes: list[list[NodeId]] = []
        self.pending: dict[str, NodeId] = {}
        """The nodes of names that belong to dormant modules."""
        self.bound: set[tuple[Site, Target]] = set()
        self._received = 0
        """Of the classes, how many have been handed to their methods."""
        self._decorators: dict[str, tuple[str, ...]] = {}

    def add(self, modules: Sequence[ModuleFacts]) -> None:
        """Add modules that were dormant."""
        self.symbols.add(modules)
        self._decorators.clear()

    def run(self) -> None:
        """Add the constraints of the modules that have none yet, and solve them."""
        qualified = map(self.symbols.qualify, self.hints.lock_factories)
        self.lock_factories = {name: number for number, name in enumerate(qualified)}
        first = len(self.value_nodes)
        self.value_nodes += [[-1] * len(facts.values) for facts in self.modules[first:]]
        for symbol, node in tuple(self.pending.items()):
            values.fill_name(self, symbol, node)
        for index, facts in enumerate(self.modules[first:], first):
            # Also what flows nowhere is asked for: arguments of unknown calls, attributes that are only read.
            for number, value in enumerate(facts.values):
                if not isinstance(value, Constant | Unknown):
                    self.value_node(index, number)
            functions.add_functions(self, index, facts)
            flows.add_flows(self, index, facts)
            for number, call in enumerate(facts.calls):
                calls.add_call(self, index, number, call)
            calls.add_entries(self, index, facts)
        # Bases are awake before the classes that have them are linked: those of earlier runs have got all of theirs.
        functions.add_receivers(self, self._received)
        self._received = len(self.symbols.classes)
        self.solver.solve()

    def finish(self) -> None:
        """Take names of modules that are still dormant for names outside of the project."""
        self.symbols.forget_dormant()
        self._decorators.clear()
        self.run()

    def iter_state(self) -> Iterator[tuple[tuple[str, str], frozenset[Object]]]:
        """Yield owner and name of every attribute and global that may be something, with what it may be."""
        for key, node in self.solver.iter_named():
            if not isinstance(key, tuple) or key[0] not in ("a", "g"):
                continue
            objects = self.solver.objects(node)
            if objects and key[0] == "a":
                yield (key[1], key[2]), objects
            elif objects:
                owner, _, name = key[1].rpartition(".")
                yield (owner, name), objects

    def objects(self, module: int, value: ValueId) -> frozenset[Object]:
        """Return what a value may be; empty where nothing is known."""
        node = self.value_nodes[module][value]
        return self.solver.objects(node if node >= 0 else None)

    def value_node(self, module: int, value: ValueId) -> NodeId:
        """Return the node of a value of a module."""
        node = self.value_nodes[module][value]
        if node < 0:
            node = values.build_value(self, module, value, self.modules[module].values[value])
            self.value_nodes[module][value] = node
        return node

    def name_node(self, symbol: str) -> NodeId:
        """Return the node of a qualified name."""
        known = self.solver.find_node(("n", symbol))
        if known is not None:
            return known
        node = self.solver.node(("n", symbol))
        values.fill_name(self, symbol, node)
        return node

    def attribute_node(self, symbol: str, name: str) -> NodeId:
        """Return the node of an attribute of the instances of a class: what is set on them, their class or a base."""
        known = self.solver.find_node(("i", symbol, name))
        if known is not None:
            return known
        node = self.solver.node(("i", symbol, name))
        for ancestor in self.symbols.linearise(symbol):
            self.solver.connect(self.solver.node(("a", ancestor, name)), node)
            self.solver.connect(self.solver.node(("g", f"{ancestor}.{name}")), node)
        return node

    def connect_owners(self, name: str, node: NodeId) -> None:
        """Let `node` become a module-level or class-level variable, of bases too."""
        owner, _, attribute = name.rpartition(".")
        owners = self.symbols.linearise(owner) if owner in self.symbols.classes else (owner,)
        for ancestor in owners:
            self.solver.connect(self.solver.node(("g", f"{ancestor}.{attribute}")), node)

    def elements(self, collection: Object) -> NodeId:
        """Return the node of what a collection holds."""
        return self.solver.node(("e", collection))

    def place_elements(self, collection: Object, elements: Sequence[NodeId]) -> None:
        """Tell the elements of a tuple apart. To be said before the tuple gets anywhere."""
        for index, element in enumerate(elements):
            self.solver.connect(element, self.solver.node(("p", collection, index)))

    def element_at(self, collection: Object, index: int | None) -> NodeId:
        """Return the node of what a collection holds at a place, of all that it holds where places are not told."""
        known = self.solver.find_node(("p", collection, index)) if index is not None else None
        return known if known is not None else self.elements(collection)

    def result(self, site: Site) -> NodeId:
        """Return the node of what a call gives."""
        return self.solver.node(("c", site.module, site.index))

    def make_instance(self, symbol: str, site: Site) -> Object:
        """Return the object that calling a class at `site` makes."""
        base = self.symbols.find_external_base(symbol)
        row = catalog.find_class(base) if base is not None else None
        lives = row is not None and row.kind in _LIVING
        return Object(ObjectKind.INSTANCE, symbol, site if lives else None)

    def decorators(self, function: str) -> tuple[str, ...]:
        """Return the qualified names of the decorators of a function, "" for one that is not a plain name."""
        known = self._decorators.get(function)
        if known is None:
            place = self.symbols.functions[function][0]
            facts = self.modules[place.module]
            values = self.symbols.function(place).decorators
            known = self._decorators[function] = tuple(self._decorator_name(facts, value) for value in values)
        return known

    def _decorator_name(self, facts: ModuleFacts, value: ValueId) -> str:
        found = facts.values[value]
        if isinstance(found, Result):
            found = facts.values[facts.calls[found.call].callee]
        return self.symbols.resolve(found.symbol).name if isinstance(found, Name) else ""

    def bind_receiver(self, method: str, receiver: Object) -> None:
        """Let the first parameter of a method become the object, or the class, that it is bound to."""
        for place in self.symbols.functions.get(method, ()):
            function = self.symbols.function(place)
            decorators = self.decorators(method)
            if function.owner and function.parameters and "builtins.staticmethod" not in decorators:
                bound = receiver
                if "builtins.classmethod" in decorators or function.name == "__new__":
                    bound = Object(ObjectKind.CLASS, receiver.symbol)
                self.solver.add(self.solver.node(("l", method, function.parameters[0].name)), bound)
