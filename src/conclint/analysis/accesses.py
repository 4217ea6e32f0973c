"""Accesses: which state an expression reads, tests, or iterates over, where others may see that state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from conclint.analysis.fields import iter_children, iter_nodes
from conclint.analysis.names import BindingKind
from conclint.analysis.scope import Scope
from conclint.model.facts import AccessKind
from conclint.model.values import Attribute, Item, Local, Name, ValueId

if TYPE_CHECKING:
    from conclint.analysis.traverse import Handler, Traversal


_LAZY = frozenset({"enumerate", "reversed", "zip", "iter", "map", "filter"})
"""Built-in functions that read their arguments element by element, while the loop around them runs."""


def mark_iterated(walk: Traversal, node: cst.BaseExpression, loop: cst.For | None = None) -> None:
    """Say that a loop goes through the expression; copies such as `list(d)` are read at once.

    A `loop` over `range(len(items))` only does so where it uses its number for that.
    """
    if not isinstance(node, cst.Call):
        walk.kinds[node] = AccessKind.ITERATE
    elif isinstance(node.func, cst.Attribute):
        # `for k in self.d.items()` iterates over `self.d`.
        if not node.args and node.func.attr.value in ("items", "keys", "values"):
            mark_iterated(walk, node.func.value)
    elif isinstance(node.func, cst.Name):
        if node.func.value in _LAZY:
            for argument in node.args:
                mark_iterated(walk, argument.value)
        elif node.func.value == "range" and len(node.args) == 1 and (loop is None or _uses_index(loop)):
            _mark_measured(walk, node.args[0].value)


def _uses_index(loop: cst.For) -> bool:
    """Whether the number of a loop is an index in its body: `for _ in range(len(items))` only counts."""
    number = loop.target.value if isinstance(loop.target, cst.Name) else ""
    return any(
        isinstance(part, cst.Name) and part.value == number
        for index in iter_nodes(loop.body)
        if isinstance(index, cst.Index)
        for part in iter_nodes(index)
    )


def _mark_measured(walk: Traversal, node: cst.BaseExpression) -> None:
    """Say that `range(len(items))` goes through `items`."""
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "len" and node.args:
        mark_iterated(walk, node.args[0].value)


def mark_checks(walk: Traversal, test: cst.BaseExpression) -> None:
    """Say that what a test asks is checked, not only read."""
    stack: list[cst.CSTNode] = [test]
    while stack:
        node = stack.pop()
        if isinstance(node, cst.Attribute | cst.Name):
            walk.kinds[node] = AccessKind.CHECK
        elif not isinstance(node, cst.Call | cst.Lambda):
            stack.extend(iter_children(node))


def add_access(walk: Traversal, value: ValueId, kind: AccessKind, node: cst.CSTNode, scope: Scope) -> None:
    """Add an access to `value`, if it is state that others may see."""
    if _is_shared(walk, value, kind, scope):
        walk.collector.add_access(value, kind, node, scope.function, scope.context)


def _is_shared(walk: Traversal, value: ValueId, kind: AccessKind, scope: Scope) -> bool:
    """Whether others may see what is accessed: not the plain locals of this function."""
    found = walk.collector.values[value]
    is_change = isinstance(found, Item) or kind is AccessKind.UPDATE
    while isinstance(found, Item):
        found = walk.collector.values[found.base]
    if isinstance(found, Local):
        return found.function != scope.table.symbol
    if isinstance(found, Name):
        # Of names from elsewhere only updates, and what is done to their elements: there are many, and few are state.
        return is_change or found.symbol.startswith(scope.table.module().symbol + ".")
    return isinstance(found, Attribute)


def _visit_name(walk: Traversal, node: cst.Name, scope: Scope) -> None:
    owner = scope.table.find_owner(node.value)
    if owner is None:
        return
    owner.loads.add(node.value)
    if owner is scope.table and owner.is_function:
        return
    if all(binding.kind in (BindingKind.IMPORT, BindingKind.DEFINITION) for binding in owner.bindings[node.value]):
        return
    kind = walk.kinds.pop(node, AccessKind.READ)
    add_access(walk, walk.collector.evaluate(node, scope.table), kind, node, scope)


def _visit_attribute(walk: Traversal, node: cst.Attribute, scope: Scope) -> None:
    walk.visit(node.value, node, scope)
    kind = walk.kinds.pop(node, AccessKind.READ)
    add_access(walk, walk.collector.evaluate(node, scope.table), kind, node, scope)


HANDLERS: dict[type[cst.CSTNode], Handler] = {
    cst.Name: _visit_name,
    cst.Attribute: _visit_attribute,
}
