"""Types and qualified names of expressions, from constructors and annotations of one module only.

What is unknown stays None. Several bindings of a name must agree, None constants apart. `project` knows more, since
it sees the other modules; rules on a single node make do with this.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator

import libcst as cst

from conclint import catalog
from conclint.analysis.names import Binding, BindingKind, NameTable, has_decorator, iter_parameters

_BUILTINS = frozenset(dir(builtins))
_TRANSPARENT = frozenset({"Optional", "Annotated", "ClassVar", "Final", "Required", "NotRequired"})
_STATIC = frozenset({BindingKind.IMPORT, BindingKind.DEFINITION})
_DEEPEST = 12
"""Chains of aliases longer than this are given up; it ends cycles such as `a = b; b = a`."""


class Types:
    """Answers what expressions of one module refer to, and of which class their values are."""

    def __init__(self, module: NameTable) -> None:
        self._module = module
        self._memo: dict[cst.CSTNode, str | None] = {}
        self._classes = {table.symbol: table for table in _iter_tables(module) if table.kind is cst.ClassDef}
        self._functions = {table.symbol: table for table in _iter_tables(module) if table.kind is cst.FunctionDef}

    def resolve(self, node: cst.CSTNode, table: NameTable, depth: int = 0) -> str | None:
        """Return the qualified name of the module, class or function that `node` refers to, or None."""
        if depth > _DEEPEST:
            return None
        if isinstance(node, cst.Name):
            return self._resolve_name(node.value, table, depth)
        if isinstance(node, cst.Attribute):
            base = self.resolve(node.value, table, depth + 1)
            if base is not None:
                return f"{base}.{node.attr.value}"
            owner = self._classes.get(self.type_of(node.value, table, depth + 1) or "")
            method = self.find_method(owner, node.attr.value) if owner is not None else None
            return method.symbol if method is not None else None
        return None

    def type_of(self, node: cst.CSTNode, table: NameTable, depth: int = 0) -> str | None:
        """Return the qualified name of the class of the value of `node`; canonical for classes of the catalog."""
        if node in self._memo:
            return self._memo[node]
        if depth > _DEEPEST:
            return None
        # A cycle (`x = x or y`) meets this None, which drops out of the join.
        self._memo[node] = None
        found = self._memo[node] = self._infer(node, table, depth + 1)
        return found

    def is_subclass(self, symbol: str, base: str) -> bool:
        """Return whether the class `symbol` is, or derives within this module from, the catalog's class `base`."""
        return any(catalog.is_subclass(ancestor, base) for ancestor in self.iter_ancestors(symbol))

    def iter_ancestors(self, symbol: str) -> Iterator[str]:
        """Yield the class and its bases, as far as this module tells, nearest first."""
        queue, seen = [symbol], set()
        while queue:
            current = queue.pop(0)
            if current in seen:
                continue
            seen.add(current)
            yield current
            if (table := self._classes.get(current)) is not None:
                resolved = (self.resolve(base, table.parent or table) for base in table.bases)
                queue += [catalog.canonical_class(name) or name for name in resolved if name is not None]

    def find_class(self, symbol: str) -> NameTable | None:
        """Return the table of a class of this module."""
        return self._classes.get(symbol)

    def find_method(self, owner: NameTable, name: str) -> NameTable | None:
        """Return the method `name` of a class or of its bases in this module."""
        for ancestor in self.iter_ancestors(owner.symbol):
            if (found := self._functions.get(f"{ancestor}.{name}")) is not None:
                return found
        return None

    def unwrap_annotation(self, node: cst.BaseExpression | None, table: NameTable) -> cst.BaseExpression | None:
        """Return `list[Lock]` for `Optional[list[Lock]]`, `"list[Lock] | None"` and the like."""
        for _ in range(_DEEPEST):
            inner = self._unwrap_once(node, table)
            if inner is node:
                break
            node = inner
        return node

    def _unwrap_once(self, node: cst.BaseExpression | None, table: NameTable) -> cst.BaseExpression | None:
        if isinstance(node, cst.SimpleString):
            return _parse_annotation(node)
        if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.BitOr):
            sides = [side for side in (node.left, node.right) if not _is_none(side)]
            return sides[0] if len(sides) == 1 else node
        if isinstance(node, cst.Subscript):
            name = self.resolve(node.value, table) or ""
            inner = node.slice[0].slice
            if name.rpartition(".")[2] in _TRANSPARENT and isinstance(inner, cst.Index):
                return inner.value
        return node

    def annotated_type(self, node: cst.BaseExpression | None, table: NameTable, depth: int = 0) -> str | None:
        """Return the class that an annotation names, if the catalog or this module knows it."""
        return self._as_class(self.annotated_symbol(node, table, depth))

    def annotated_symbol(self, node: cst.BaseExpression | None, table: NameTable, depth: int = 0) -> str | None:
        """Return the qualified name in an annotation: `Lock`, `Optional[Lock]`, `"Lock | None"`, `Queue[int]`."""
        if node is None or depth > _DEEPEST:
            return None
        if isinstance(node, cst.SimpleString):
            return self.annotated_symbol(_parse_annotation(node), table, depth + 1)
        if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.BitOr):
            sides = [side for side in (node.left, node.right) if not _is_none(side)]
            return self.annotated_symbol(sides[0], table, depth + 1) if len(sides) == 1 else None
        if isinstance(node, cst.Subscript):
            name = self.resolve(node.value, table, depth + 1) or ""
            if name.rpartition(".")[2] in _TRANSPARENT:
                inner = node.slice[0].slice
                return self.annotated_symbol(inner.value, table, depth + 1) if isinstance(inner, cst.Index) else None
            return None if name.startswith("typing.") else name or None
        return self.resolve(node, table, depth + 1)

    def _resolve_name(self, name: str, table: NameTable, depth: int) -> str | None:
        owner = table.find_owner(name)
        if owner is None:
            for origin in self._module.star_imports:
                if catalog.find_class(f"{origin}.{name}") or catalog.find_call(f"{origin}.{name}"):
                    return f"{origin}.{name}"
            return f"builtins.{name}" if name in _BUILTINS else None
        bindings = owner.bindings[name]
        if all(binding.kind in _STATIC for binding in bindings):
            return bindings[0].symbol
        only = bindings[0]
        if len(bindings) == 1 and only.kind is BindingKind.VALUE and isinstance(only.node, cst.Name | cst.Attribute):
            target = self.resolve(only.node, owner, depth + 1)
            return target if target is not None and self._is_static(target) else None
        return None

    def _is_static(self, symbol: str) -> bool:
        # `lock = self.lock` is no alias of a class; `Thread = threading.Thread` is.
        known = catalog.find_class(symbol) or catalog.find_call(symbol)
        return known is not None or symbol in self._classes or symbol in self._functions

    def _as_class(self, symbol: str | None) -> str | None:
        if not symbol:
            return None
        return catalog.canonical_class(symbol) or (symbol if symbol in self._classes else None)

    def _infer(self, node: cst.CSTNode, table: NameTable, depth: int) -> str | None:
        if isinstance(node, cst.Name):
            return self._infer_name(node, table, depth)
        if isinstance(node, cst.Attribute):
            return self._join(self.find_bindings(node, table, depth), depth)
        if isinstance(node, cst.Call):
            return self._infer_call(node, table, depth)
        if isinstance(node, cst.Await):
            return self.type_of(node.expression, table, depth)
        if isinstance(node, cst.NamedExpr):
            return self.type_of(node.value, table, depth)
        if isinstance(node, cst.IfExp):
            return self._agree([node.body, node.orelse], table, depth)
        if isinstance(node, cst.BooleanOperation):
            return self._agree([node.left, node.right], table, depth)
        return _LITERALS.get(type(node))

    def _agree(self, nodes: list[cst.BaseExpression], table: NameTable, depth: int) -> str | None:
        found = {self.type_of(node, table, depth) for node in nodes if not _is_none(node)}
        return found.pop() if len(found) == 1 else None

    def _infer_name(self, name: cst.Name, table: NameTable, depth: int) -> str | None:
        owner = table.find_owner(name.value)
        if owner is None:
            return None
        if owner.self_name == name.value and owner.parent is not None and len(owner.bindings[name.value]) == 1:
            return owner.parent.symbol
        return self._join(self.find_bindings(name, table, depth), depth)

    def find_bindings(
        self, node: cst.Name | cst.Attribute, table: NameTable, depth: int = 0
    ) -> list[tuple[Binding, NameTable]]:
        """Return how this module binds a name, or an attribute of one of its classes, with the tables of the places."""
        if isinstance(node, cst.Name):
            owner = table.find_owner(node.value)
            return [(binding, owner) for binding in owner.bindings[node.value]] if owner is not None else []
        base = self.type_of(node.value, table, depth) or self.resolve(node.value, table, depth)
        base = base or _class_of_method(node.value, table)
        for ancestor in self.iter_ancestors(base) if base is not None else ():
            if (owner := self._classes.get(ancestor)) is None:
                continue
            bindings = [*owner.attributes.get(node.attr.value, ())]
            bindings += [(binding, owner) for binding in owner.bindings.get(node.attr.value, ())]
            if bindings:
                return bindings
        return []

    def iter_attribute_bindings(self, name: str) -> Iterator[tuple[Binding, NameTable]]:
        """Yield how any class of this module binds an attribute: a subclass may do it in another way."""
        for owner in self._classes.values():
            yield from owner.attributes.get(name, ())
            yield from ((binding, owner) for binding in owner.bindings.get(name, ()))

    def _join(self, bindings: list[tuple[Binding, NameTable]], depth: int) -> str | None:
        found: set[str | None] = set()
        for binding, table in bindings:
            annotated = self.annotated_type(binding.annotation, table, depth)
            if annotated is None and binding.node is not None and _is_none(binding.node):
                continue
            found.add(annotated or self._infer_binding(binding, table, depth))
        return found.pop() if len(found) == 1 else None

    def _infer_binding(self, binding: Binding, table: NameTable, depth: int) -> str | None:
        if binding.node is None or binding.kind not in (
            BindingKind.VALUE,
            BindingKind.ENTERED,
            BindingKind.ANNOTATION,
        ):
            return None
        return self.type_of(binding.node, table, depth)

    def _infer_call(self, node: cst.Call, table: NameTable, depth: int) -> str | None:
        callee = self.resolve(node.func, table, depth)
        if callee is not None:
            if (known := self._as_class(callee)) is not None:
                return known
            if (row := catalog.find_call(callee)) is not None:
                return row.returns or None
            function = self._functions.get(callee)
            if (
                function is not None
                and isinstance(function.node, cst.FunctionDef)
                and function.node.returns is not None
            ):
                return self.annotated_type(function.node.returns.annotation, function.parent or function, depth)
            return None
        if isinstance(node.func, cst.Attribute):
            receiver = self.type_of(node.func.value, table, depth)
            for ancestor in self.iter_ancestors(receiver) if receiver is not None else ():
                if (row := catalog.find_method(ancestor, node.func.attr.value)) is not None:
                    return row.returns or None
        return None


_LITERALS: dict[type[cst.CSTNode], str] = {
    cst.List: "builtins.list",
    cst.ListComp: "builtins.list",
    cst.Tuple: "builtins.tuple",
    cst.Dict: "builtins.dict",
    cst.DictComp: "builtins.dict",
    cst.StarredDictComp: "builtins.dict",
    cst.Set: "builtins.set",
    cst.SetComp: "builtins.set",
    cst.SimpleString: "builtins.str",
    cst.ConcatenatedString: "builtins.str",
    cst.FormattedString: "builtins.str",
    cst.Integer: "builtins.int",
    cst.Float: "builtins.float",
}


def _class_of_method(node: cst.BaseExpression, table: NameTable) -> str | None:
    """Return the class that `cls` stands for in a class method."""
    if not isinstance(node, cst.Name) or (owner := table.find_owner(node.value)) is None or owner.parent is None:
        return None
    if not isinstance(owner.node, cst.FunctionDef) or not has_decorator(owner.node, "classmethod"):
        return None
    first = next(iter_parameters(owner.node.params), None)
    is_class = first is not None and first.name.value == node.value and owner.parent.kind is cst.ClassDef
    return owner.parent.symbol if is_class else None


def _iter_tables(table: NameTable) -> Iterator[NameTable]:
    yield table
    for inner in table.tables.values():
        yield from _iter_tables(inner)


def _is_none(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name) and node.value == "None"


def _parse_annotation(node: cst.SimpleString) -> cst.BaseExpression | None:
    text = node.evaluated_value
    try:
        return cst.parse_expression(text.strip()) if isinstance(text, str) else None
    except cst.ParserSyntaxError:
        return None
