"""Scopes of names: what each name of a module is bound to, by our own import table and scopes.

Only statements are walked here, expressions later: a `NameTable` is ready before the function that it belongs to is
traversed, so that uses above their definitions resolve.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from conclint.analysis.fields import iter_nodes


class BindingKind(enum.Enum):
    """How a name comes to its value."""

    IMPORT = "import"
    DEFINITION = "definition"
    VALUE = "value"
    ELEMENT = "element"
    """An element of the value: `for` targets and unpacking."""
    ENTERED = "entered"
    ANNOTATION = "annotation"
    PARAMETER = "parameter"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Binding:
    """One way in which a name gets a value. `symbol` is set for imports and definitions, `node` for the others."""

    kind: BindingKind
    symbol: str = ""
    node: cst.BaseExpression | None = None
    annotation: cst.BaseExpression | None = None


@dataclass(slots=True, eq=False)
class NameTable:
    """The names of one module, class, function or lambda.

    `symbol` is the qualified name of what it belongs to. `attributes` holds, for a class, what its methods assign to
    `self.name`, with the table of the method.
    """

    kind: type[cst.CSTNode]
    symbol: str
    parent: NameTable | None
    node: cst.CSTNode
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    outer: dict[str, str] = field(default_factory=dict)
    """Names declared `global` or `nonlocal`."""
    loads: set[str] = field(default_factory=set)
    self_name: str = ""
    """The first parameter of a method that is bound to the instance."""
    bases: tuple[cst.BaseExpression, ...] = ()
    attributes: dict[str, list[tuple[Binding, NameTable]]] = field(default_factory=dict)
    tables: dict[cst.CSTNode, NameTable] = field(default_factory=dict)
    """Tables of the definitions directly inside."""
    star_imports: list[str] = field(default_factory=list)

    @property
    def is_function(self) -> bool:
        """Whether the table belongs to a function or lambda."""
        return self.kind in (cst.FunctionDef, cst.Lambda)

    def bind(self, name: str, binding: Binding) -> None:
        """Add one way in which `name` is bound here."""
        self.bindings.setdefault(name, []).append(binding)

    def find_owner(self, name: str) -> NameTable | None:
        """Return the table in which a use of `name` here is bound; None for builtins and star imports."""
        table: NameTable | None = self
        if (declared := self.outer.get(name)) == "global":
            return self.module() if name in self.module().bindings else None
        while table is not None:
            visible = table is self or table.kind is not cst.ClassDef
            if visible and name in table.bindings and not (table is self and declared == "nonlocal"):
                return table
            table = table.parent
        return None

    def release(self) -> None:
        """Cut the cycles between tables, and with them the last hold on the tree: reference counts free the rest."""
        for inner in self.tables.values():
            inner.release()
        self.tables.clear()
        self.parent = None

    def module(self) -> NameTable:
        """Return the table of the module around."""
        table = self
        while table.parent is not None:
            table = table.parent
        return table

    def owning_class(self) -> NameTable | None:
        """Return the class of the nearest method around, for `self` and `super()`."""
        table: NameTable | None = self
        while table is not None and table.parent is not None:
            if table.is_function and table.parent.kind is cst.ClassDef:
                return table.parent
            table = table.parent
        return None


def build_tables(tree: cst.Module, module: str, *, is_package: bool, has_walrus: bool = True) -> NameTable:
    """Return the table of the module, with those of everything defined in it below."""
    table = NameTable(cst.Module, module, None, tree)
    _Builder(module, is_package, has_walrus).add_statements(tree.body, table)
    return table


def dotted_name(node: cst.BaseExpression) -> str | None:
    """Return `a.b.c` for a chain of attributes over a name, None for anything else."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute) and (base := dotted_name(node.value)) is not None:
        return f"{base}.{node.attr.value}"
    return None


def absolute_module(node: cst.ImportFrom | cst.LazyImportFrom, module: str, *, is_package: bool) -> str:
    """Return the absolute name of the module that `from … import` names in `module`."""
    name = dotted_name(node.module) or "" if node.module is not None else ""
    level = len(node.relative)
    if not level:
        return name
    parts = module.split(".")
    package = parts[: len(parts) - level + is_package] if level <= len(parts) else []
    return ".".join([*package, *([name] if name else [])])


def iter_parameters(parameters: cst.Parameters) -> Iterator[cst.Param]:
    """Yield all parameters in the order of the signature, starred ones too."""
    yield from parameters.posonly_params
    yield from parameters.params
    if isinstance(parameters.star_arg, cst.Param):
        yield parameters.star_arg
    yield from parameters.kwonly_params
    if parameters.star_kwarg is not None:
        yield parameters.star_kwarg


def has_decorator(node: cst.FunctionDef | cst.ClassDef, *names: str) -> bool:
    """Return whether one of the decorators is written as one of `names`, whatever module it comes from."""
    for decorator in node.decorators:
        expression = decorator.decorator
        dotted = dotted_name(expression.func if isinstance(expression, cst.Call) else expression)
        if dotted is not None and dotted.rpartition(".")[2] in names:
            return True
    return False


class _Builder:
    """Walks statements and fills the tables."""

    def __init__(self, module: str, is_package: bool, has_walrus: bool) -> None:
        self._module, self._is_package, self._has_walrus = module, is_package, has_walrus

    def add_statements(self, body: Sequence[cst.CSTNode], table: NameTable) -> None:
        for statement in body:
            self._add(statement, table)

    def _add(self, node: cst.CSTNode, table: NameTable) -> None:
        handler = _HANDLERS.get(type(node))
        if handler is not None:
            handler(self, node, table)

    def _add_below(self, node: cst.CSTNode, table: NameTable) -> None:
        self.add_statements(node.body, table)  # type: ignore[attr-defined]

    def _add_if(self, node: cst.If, table: NameTable) -> None:
        self._add_walrus(node.test, table)
        self._add_below(node.body, table)
        if node.orelse is not None:
            self._add(node.orelse, table)

    def _add_else(self, node: cst.Else | cst.Finally, table: NameTable) -> None:
        self._add_below(node.body, table)

    def _add_while(self, node: cst.While, table: NameTable) -> None:
        self._add_walrus(node.test, table)
        self._add_below(node.body, table)
        if node.orelse is not None:
            self._add(node.orelse, table)

    def _add_for(self, node: cst.For, table: NameTable) -> None:
        self._bind_target(node.target, Binding(BindingKind.ELEMENT, node=node.iter), table)
        self._add_below(node.body, table)
        if node.orelse is not None:
            self._add(node.orelse, table)

    def _add_with(self, node: cst.With, table: NameTable) -> None:
        for item in node.items:
            if item.asname is not None:
                self._bind_target(item.asname.name, Binding(BindingKind.ENTERED, node=item.item), table)
        self._add_below(node.body, table)

    def _add_try(self, node: cst.Try | cst.TryStar, table: NameTable) -> None:
        self._add_below(node.body, table)
        for handler in node.handlers:
            if handler.name is not None:
                self._bind_target(handler.name.name, Binding(BindingKind.OTHER), table)
            self._add_below(handler.body, table)
        for part in (node.orelse, node.finalbody):
            if part is not None:
                self._add(part, table)

    def _add_match(self, node: cst.Match, table: NameTable) -> None:
        for case in node.cases:
            for part in iter_nodes(case.pattern):
                name = getattr(part, "rest" if isinstance(part, cst.MatchMapping) else "name", None)
                if isinstance(name, cst.Name):
                    table.bind(name.value, Binding(BindingKind.OTHER))
            self._add_below(case.body, table)

    def _add_assign(self, node: cst.Assign, table: NameTable) -> None:
        self._add_walrus(node.value, table)
        for target in node.targets:
            self._bind_target(target.target, Binding(BindingKind.VALUE, node=node.value), table)

    def _add_annotated(self, node: cst.AnnAssign, table: NameTable) -> None:
        annotation = node.annotation.annotation
        binding = Binding(BindingKind.ANNOTATION, node=node.value, annotation=annotation)
        self._bind_target(node.target, binding, table)

    def _add_augmented(self, node: cst.AugAssign, table: NameTable) -> None:
        self._bind_target(node.target, Binding(BindingKind.OTHER), table)

    def _add_expression(self, node: cst.Expr, table: NameTable) -> None:
        self._add_walrus(node.value, table)

    def _add_import(self, node: cst.Import | cst.LazyImport, table: NameTable) -> None:
        for alias in node.names:
            name = dotted_name(alias.name) or ""
            if alias.asname is not None:
                self._bind_target(alias.asname.name, Binding(BindingKind.IMPORT, name), table)
            else:
                head = name.partition(".")[0]
                table.bind(head, Binding(BindingKind.IMPORT, head))

    def _add_import_from(self, node: cst.ImportFrom | cst.LazyImportFrom, table: NameTable) -> None:
        origin = absolute_module(node, self._module, is_package=self._is_package)
        if isinstance(node.names, cst.ImportStar):
            table.module().star_imports.append(origin)
            return
        for alias in node.names:
            name = dotted_name(alias.name) or ""
            local = alias.asname.name if alias.asname is not None else alias.name
            symbol = f"{origin}.{name}" if origin else name
            self._bind_target(local, Binding(BindingKind.IMPORT, symbol), table)

    def _add_outer(self, node: cst.Global | cst.Nonlocal, table: NameTable) -> None:
        kind = "global" if isinstance(node, cst.Global) else "nonlocal"
        table.outer.update((item.name.value, kind) for item in node.names)

    def _add_function(self, node: cst.FunctionDef, table: NameTable) -> None:
        symbol = nested_symbol(table, node.name.value)
        table.bind(node.name.value, Binding(BindingKind.DEFINITION, symbol))
        inner = NameTable(cst.FunctionDef, symbol, table, node)
        table.tables[node] = inner
        bind_parameters(node.params, inner)
        if table.kind is cst.ClassDef and not has_decorator(node, "staticmethod", "classmethod"):
            first = next(iter_parameters(node.params), None)
            inner.self_name = first.name.value if first is not None and node.name.value != "__new__" else ""
        self._add_below(node.body, inner)

    def _add_class(self, node: cst.ClassDef, table: NameTable) -> None:
        symbol = nested_symbol(table, node.name.value)
        table.bind(node.name.value, Binding(BindingKind.DEFINITION, symbol))
        inner = NameTable(cst.ClassDef, symbol, table, node)
        inner.bases = tuple(argument.value for argument in node.bases if not argument.star)
        table.tables[node] = inner
        self._add_below(node.body, inner)

    def _bind_target(self, target: cst.CSTNode, binding: Binding, table: NameTable) -> None:
        if isinstance(target, cst.Name):
            outer = table.outer.get(target.value)
            owner = table.module() if outer == "global" else table
            if outer == "nonlocal":
                owner = table.find_owner(target.value) or table
            owner.bind(target.value, binding)
        elif isinstance(target, cst.Tuple | cst.List):
            for index, element in enumerate(target.elements):
                self._bind_target(element.value, _unpack(binding, index, element), table)
        elif isinstance(target, cst.Attribute) and isinstance(target.value, cst.Name):
            owner_class = table.owning_class()
            if owner_class is not None and target.value.value in (table.self_name, "cls"):
                owner_class.attributes.setdefault(target.attr.value, []).append((binding, table))

    def _add_walrus(self, node: cst.CSTNode, table: NameTable) -> None:
        # A walrus is rare; the walk is only made where the text holds one.
        if not self._has_walrus:
            return
        for part in iter_nodes(node):
            if type(part) is cst.NamedExpr:
                self._bind_target(part.target, Binding(BindingKind.VALUE, node=part.value), table)


def bind_parameters(parameters: cst.Parameters, table: NameTable) -> None:
    """Bind the parameters of a function or lambda in its own table."""
    for parameter in iter_parameters(parameters):
        annotation = parameter.annotation.annotation if parameter.annotation is not None else None
        starred = parameter.star in ("*", "**")
        binding = Binding(BindingKind.PARAMETER, annotation=None if starred else annotation)
        table.bind(parameter.name.value, binding)


def nested_symbol(table: NameTable, name: str) -> str:
    """Return the qualified name of something called `name` defined in `table`."""
    return f"{table.symbol}.<locals>.{name}" if table.is_function else f"{table.symbol}.{name}"


def _unpack(binding: Binding, index: int, element: cst.BaseElement) -> Binding:
    # `a, b = x, y` binds by place; any other unpacking binds to some element.
    node = binding.node
    if binding.kind is BindingKind.VALUE and isinstance(node, cst.Tuple | cst.List):
        plain = not any(isinstance(item, cst.StarredElement) for item in node.elements)
        if plain and index < len(node.elements) and not isinstance(element, cst.StarredElement):
            return Binding(BindingKind.VALUE, node=node.elements[index].value)
    return Binding(BindingKind.OTHER)


_HANDLERS: dict[type[cst.CSTNode], Callable[[_Builder, Any, NameTable], None]] = {
    cst.SimpleStatementLine: _Builder._add_below,
    cst.IndentedBlock: _Builder._add_below,
    cst.SimpleStatementSuite: _Builder._add_below,
    cst.If: _Builder._add_if,
    cst.Else: _Builder._add_else,
    cst.Finally: _Builder._add_else,
    cst.While: _Builder._add_while,
    cst.For: _Builder._add_for,
    cst.With: _Builder._add_with,
    cst.Try: _Builder._add_try,
    cst.TryStar: _Builder._add_try,
    cst.Match: _Builder._add_match,
    cst.Assign: _Builder._add_assign,
    cst.AnnAssign: _Builder._add_annotated,
    cst.AugAssign: _Builder._add_augmented,
    cst.Expr: _Builder._add_expression,
    cst.Import: _Builder._add_import,
    cst.ImportFrom: _Builder._add_import_from,
    cst.LazyImport: _Builder._add_import,
    cst.LazyImportFrom: _Builder._add_import_from,
    cst.Global: _Builder._add_outer,
    cst.Nonlocal: _Builder._add_outer,
    cst.FunctionDef: _Builder._add_function,
    cst.ClassDef: _Builder._add_class,
}
