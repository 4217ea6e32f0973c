"""Symbols across modules: imports, re-exports, star imports, classes with their linear order of bases."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from conclint import catalog
from conclint.catalog.rows import ClassRow
from conclint.model.facts import Class, Function, ModuleFacts
from conclint.model.values import Name

_DEEPEST = 20
_STUBS = (Name("typing.overload"), Name("typing_extensions.overload"))


class SymbolKind(enum.Enum):
    """What a qualified name turned out to be."""

    MODULE = "module"
    CLASS = "class"
    FUNCTION = "function"
    VARIABLE = "variable"
    EXTERNAL = "external"
    PENDING = "pending"
    """It belongs to a dormant module of the project, whose facts are only asked for when they matter."""


class Symbol(NamedTuple):
    """A resolved name; `rest` are the attributes that follow a variable: `CONFIG.lock` → `mod.CONFIG`, ("lock",)."""

    kind: SymbolKind
    name: str
    rest: tuple[str, ...] = ()


class FunctionPlace(NamedTuple):
    """A function of the project: the index of its module, and its own index there."""

    module: int
    index: int  # type: ignore[assignment]  # hides `tuple.index`, which nobody needs


class Symbols:
    """All modules, functions and classes of the project by qualified name.

    `dormant` are the modules without facts, with whether each is a package.
    """

    def __init__(self, modules: Sequence[ModuleFacts], dormant: Mapping[str, bool] | None = None) -> None:
        self.modules: list[ModuleFacts] = []
        self.module_index: dict[str, int] = {}
        self._dormant = dict(dormant or {})
        self.functions: dict[str, list[FunctionPlace]] = {}
        self.classes: dict[str, tuple[int, Class]] = {}
        self.methods: dict[str, dict[str, str]] = {}
        """Class symbol → method name → function symbol."""
        self._stubs: set[str] = set()
        """The functions of which only overloads were found so far."""
        self._variables: set[str] = set()
        self.names: set[str] = set()
        """All qualified names that the modules mention."""
        self._unsettled: set[str] = set()
        """Those of which it is not known yet that they have nothing to do with dormant modules."""
        self._aliases: list[dict[str, str]] = []
        self._resolved: dict[str, Symbol] = {}
        self._linear: dict[str, tuple[str, ...]] = {}
        self._external_bases: dict[str, str | None] = {}
        self.subclasses: dict[str, tuple[str, ...]] = {}
        self.add(modules)

    def add(self, modules: Sequence[ModuleFacts]) -> None:
        """Add modules; names that were resolved before may mean something else now."""
        for facts in modules:
            index = len(self.modules)
            self.modules.append(facts)
            self.module_index[facts.module] = index
            self._dormant.pop(facts.module, None)
            self._aliases.append(dict(reversed(facts.aliases)))
            for number, function in enumerate(facts.functions):
                is_stub = any(facts.values[value] in _STUBS for value in function.decorators)
                self._add_function(function, FunctionPlace(index, number), is_stub=is_stub)
            for found in facts.classes:
                self.classes.setdefault(found.symbol, (index, found))
            named = {value.symbol for value in facts.values if type(value) is Name}
            self.names |= named
            self._unsettled |= named
        self._variables.update(_iter_variables(modules))
        self._forget()

    def forget_dormant(self) -> None:
        """Take what still is dormant for outside of the project: nobody asked for it."""
        self._dormant.clear()
        self._forget()

    def _forget(self) -> None:
        self._resolved.clear()
        self._linear.clear()
        self._external_bases.clear()
        self.subclasses = self._collect_subclasses()

    def iter_pending(self) -> Iterator[Symbol]:
        """Yield what the names of dormant modules stand for, as far as that is known."""
        for name in tuple(self._unsettled):
            found = self.resolve(name)
            if found.kind is SymbolKind.PENDING:
                yield found
            else:
                self._unsettled.discard(name)

    def is_package(self, name: str) -> bool:
        """Return whether `name` is a dormant package, which may re-export anything."""
        return self._dormant.get(name, False)

    def find_dormant(self, name: str) -> str | None:
        """Return the dormant module that a qualified name belongs to, None where it belongs to none."""
        while name:
            if name in self._dormant:
                return name
            name = name.rpartition(".")[0]
        return None

    def _add_function(self, function: Function, place: FunctionPlace, *, is_stub: bool) -> None:
        places = self.functions.setdefault(function.symbol, [])
        if is_stub:
            places.append(place)
            self._stubs.add(function.symbol)
        elif function.symbol in self._stubs:
            # What runs stands below its overloads.
            places.insert(0, place)
            self._stubs.discard(function.symbol)
        else:
            places.append(place)
        if function.owner:
            self.methods.setdefault(function.owner, {})[function.symbol.rpartition(f"{function.owner}.")[2]] = (
                function.symbol
            )

    def _collect_subclasses(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for symbol in self.classes:
            for ancestor in self.linearise(symbol)[1:]:
                found.setdefault(ancestor, []).append(symbol)
        return {name: tuple(subclasses) for name, subclasses in found.items()}

    def function(self, place: FunctionPlace) -> Function:
        """Return the facts of a function."""
        return self.modules[place.module].functions[place.index]

    def module_of(self, symbol: str) -> str:
        """Return the module in which a class of the project is defined."""
        return self.modules[self.classes[symbol][0]].module

    def resolve(self, name: str, depth: int = 0) -> Symbol:
        """Return what a qualified name stands for, through imports and re-exports."""
        found = self._resolved.get(name)
        if found is None:
            found = self._resolve(name, depth)
            self._resolved[name] = found
        return found

    def qualify(self, name: str) -> str:
        """Return a qualified name with imports and re-exports resolved."""
        found = self.resolve(name)
        return ".".join((found.name, *found.rest))

    def _resolve(self, name: str, depth: int) -> Symbol:
        found = self._resolve_known(name, depth)
        if found.kind is SymbolKind.EXTERNAL and self.find_dormant(found.name) is not None:
            return Symbol(SymbolKind.PENDING, found.name)
        return found

    def _resolve_known(self, name: str, depth: int) -> Symbol:
        if name in self.functions:
            return Symbol(SymbolKind.FUNCTION, name)
        if name in self.classes:
            return Symbol(SymbolKind.CLASS, name)
        if name in self.module_index:
            return Symbol(SymbolKind.MODULE, name)
        if depth > _DEEPEST:
            return Symbol(SymbolKind.EXTERNAL, name)
        head, _, attribute = name.rpartition(".")
        if not head:
            return Symbol(SymbolKind.EXTERNAL, name)
        base = self.resolve(head, depth + 1)
        if base.kind is SymbolKind.MODULE:
            return self._resolve_member(base.name, attribute, depth)
        if base.kind is SymbolKind.CLASS:
            return self._resolve_class_member(base.name, attribute)
        if base.kind is SymbolKind.VARIABLE:
            return Symbol(SymbolKind.VARIABLE, base.name, (*base.rest, attribute))
        return Symbol(SymbolKind.EXTERNAL, f"{base.name}.{attribute}")

    def _resolve_member(self, module: str, name: str, depth: int) -> Symbol:
        index = self.module_index[module]
        target = self._aliases[index].get(name)
        if target is not None and target != f"{module}.{name}":
            return self.resolve(target, depth + 1)
        full = f"{module}.{name}"
        if full in self.functions or full in self.classes or full in self.module_index:
            return self._resolve(full, depth + 1)
        for origin in self.modules[index].star_imports if full not in self._variables else ():
            if origin in self.module_index and origin != module:
                found = self._resolve_member(origin, name, depth + 1) if depth < _DEEPEST else None
                if found is not None and (found.kind is not SymbolKind.VARIABLE or found.name in self._variables):
                    return found
        if full in self._dormant and full not in self._variables:
            # A module in a package that is awake.
            return Symbol(SymbolKind.EXTERNAL, full)
        return Symbol(SymbolKind.VARIABLE, full)

    def _resolve_class_member(self, owner: str, name: str) -> Symbol:
        method = self.find_method(owner, name)
        if method is not None:
            return Symbol(SymbolKind.FUNCTION, method)
        base = self.find_external_base(owner)
        if base is not None and catalog.find_method(base, name) is not None:
            return Symbol(SymbolKind.EXTERNAL, f"{base}.{name}")
        return Symbol(SymbolKind.VARIABLE, f"{owner}.{name}")

    def linearise(self, symbol: str) -> tuple[str, ...]:
        """Return the class and all its bases in method resolution order, those outside the project by name.

        Where C3 has no answer, as for bases that are only partly known, the order is depth first, left to right.
        """
        if symbol not in self._linear:
            self._linear[symbol] = (symbol,)
            self._linear[symbol] = (symbol, *self._merge([self.linearise(base) for base in self.iter_bases(symbol)]))
        return self._linear[symbol]

    def iter_bases(self, symbol: str) -> Iterator[str]:
        """Yield the direct bases of a class, resolved."""
        if symbol not in self.classes:
            return
        module, found = self.classes[symbol]
        for base in found.bases:
            value = self.modules[module].values[base]
            if isinstance(value, Name):
                resolved = self.resolve(value.symbol)
                # A library that is itself checked has its own classes, whatever the catalog calls them.
                is_own = resolved.kind is SymbolKind.CLASS
                yield resolved.name if is_own else catalog.canonical_class(resolved.name) or resolved.name

    @staticmethod
    def _merge(lines: list[tuple[str, ...]]) -> tuple[str, ...]:
        merged: list[str] = []
        pending = [list(line) for line in lines if line]
        while pending:
            heads = (line[0] for line in pending)
            tails = {name for line in pending for name in line[1:]}
            head = next((name for name in heads if name not in tails), pending[0][0])
            merged.append(head)
            pending = [[name for name in line if name != head] for line in pending]
            pending = [line for line in pending if line]
        return tuple(merged)

    def find_method(self, owner: str, name: str, *, after: str | None = None) -> str | None:
        """Return the function that `name` means on a class; with `after`, what `super()` in that class finds."""
        line = self.linearise(owner)
        if after is not None:
            line = line[line.index(after) + 1 :] if after in line else self.linearise(after)[1:]
        for ancestor in line:
            found = self.methods.get(ancestor, {}).get(name)
            if found is not None:
                return found
        return None

    def find_run_methods(self, symbol: str) -> tuple[str, ...]:
        """Return the methods of a class that a library of which it is a subclass runs by itself."""
        row = self.find_runner(symbol)
        patterns = row.runs if row is not None else ()
        line = self.linearise(symbol)
        names = {name: None for ancestor in line for name in self.methods.get(ancestor, ())}
        run = (name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns))
        return tuple(method for name in run if (method := self.find_method(symbol, name)) is not None)

    def find_runner(self, symbol: str) -> ClassRow | None:
        """Return the catalog's class that runs methods of its subclass `symbol`, None where there is none."""
        bases = (
            row
            for base in self.linearise(symbol)
            for name in catalog.resolve_mro(base)
            if (row := catalog.find_class(name))
        )
        return next((row for row in bases if row.runs), None)

    def find_external_base(self, symbol: str) -> str | None:
        """Return the catalog's class that a class is or derives from, None where there is none."""
        if symbol not in self._external_bases:
            known = (base for base in self.linearise(symbol) if catalog.find_class(base) is not None)
            self._external_bases[symbol] = next(known, None)
        return self._external_bases[symbol]

    def find_method_base(self, symbol: str, name: str) -> str | None:
        """Return the catalog's class from which a class has a method: the first that tells of it, else the first."""
        bases = [base for base in self.linearise(symbol) if catalog.find_class(base) is not None]
        return next(
            (base for base in bases if catalog.find_method(base, name) is not None), bases[0] if bases else None
        )

    def is_subclass(self, symbol: str, base: str) -> bool:
        """Return whether a class is, or derives from, `base`."""
        return any(name == base or catalog.is_subclass(name, base) for name in self.linearise(symbol))

    def has_unknown_base(self, symbol: str) -> bool:
        """Return whether some base is neither of the project nor of the catalog."""
        known = ("builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol", "enum.Enum")
        return any(
            base not in self.classes and catalog.find_class(base) is None and base not in known
            for base in self.linearise(symbol)
        )


def _iter_variables(modules: Sequence[ModuleFacts]) -> Iterator[str]:
    """Yield the module-level and class-level names that are assigned somewhere."""
    for facts in modules:
        for flow in facts.flows:
            target = facts.values[flow.target]
            if isinstance(target, Name):
                yield target.symbol
