"""Assignments: what flows where, and which state is written."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

import libcst as cst

from conclint.analysis.accesses import add_access
from conclint.analysis.declarations import declare_state
from conclint.analysis.scope import Scope
from conclint.analysis.tests import iter_assigned_tests
from conclint.model.facts import AccessKind
from conclint.model.values import Item, ValueId

if TYPE_CHECKING:
    from conclint.analysis.traverse import Handler, Traversal


def _visit_assign(walk: Traversal, node: cst.Assign, scope: Scope) -> None:
    reads = len(walk.collector.accesses)
    walk.visit(node.value, node, scope)
    value = walk.collector.evaluate(node.value, scope.table)
    read = {access.target for access in walk.collector.accesses[reads:]}
    for target in node.targets:
        walk.view.parents[target] = node
        visit_target(walk, target.target, target, scope)
        assign(walk, target.target, value, scope, node.value, read)
    declare_state(walk, node, [target.target for target in node.targets], scope)
    walk.tests.extend(iter_assigned_tests(node, scope, walk.collector))
    walk.set_after(node, scope, walk.locksets.apply_statement(node.value, scope, bounded=True))


def _visit_annotated(walk: Traversal, node: cst.AnnAssign, scope: Scope) -> None:
    visit_target(walk, node.target, node, scope)
    annotation = walk.collector.annotation_value(node.annotation.annotation, scope.table)
    if node.value is not None:
        walk.visit(node.value, node, scope)
        assign(walk, node.target, walk.collector.evaluate(node.value, scope.table), scope, node.value)
    if annotation is not None:
        # The annotation speaks where the value does not: `self.lock: Lock | None = None`.
        target = _target_value(walk, node.target, scope)
        if target is not None:
            walk.collector.add_flow(target, annotation, node.target, scope.function, scope.context)
    declare_state(walk, node, [node.target], scope)


def _visit_augmented(walk: Traversal, node: cst.AugAssign, scope: Scope) -> None:
    walk.visit(node.value, node, scope)
    visit_target(walk, node.target, node, scope)
    target = _target_value(walk, node.target, scope)
    if target is None:
        return
    if isinstance(node.target, cst.Name):
        scope.table.loads.add(node.target.value)
    add_access(walk, target, AccessKind.UPDATE, node.target, scope)
    items = walk.collector.intern(Item(walk.collector.evaluate(node.value, scope.table)))
    walk.collector.add_flow(walk.collector.intern(Item(target)), items, node, scope.function, scope.context)


def _visit_delete(walk: Traversal, node: cst.Del, scope: Scope) -> None:
    targets: Sequence[cst.BaseExpression] = [node.target]
    if isinstance(node.target, cst.Tuple | cst.List):
        targets = [element.value for element in node.target.elements]
    for target in targets:
        visit_target(walk, target, node, scope)
        value = _target_value(walk, target, scope)
        if value is not None:
            add_access(walk, value, AccessKind.DELETE, target, scope)


def _visit_walrus(walk: Traversal, node: cst.NamedExpr, scope: Scope) -> None:
    walk.visit(node.value, node, scope)
    walk.view.parents[node.target] = node
    assign(walk, node.target, walk.collector.evaluate(node.value, scope.table), scope, node.value)


def visit_target(walk: Traversal, target: cst.BaseExpression, parent: cst.CSTNode, scope: Scope) -> None:
    """Traverse what an assignment target reads: `a.b` in `a.b.c = 1`, `k` in `d[k] = 1`."""
    walk.view.parents[target] = parent
    if isinstance(target, cst.Attribute):
        walk.visit(target.value, target, scope)
    elif isinstance(target, cst.Subscript):
        walk.visit(target.value, target, scope)
        for key in target.slice:
            walk.visit(key, target, scope)
    elif isinstance(target, cst.Tuple | cst.List):
        for element in target.elements:
            walk.view.parents[element] = target
            visit_target(walk, element.value, element, scope)
    elif isinstance(target, cst.StarredElement):
        visit_target(walk, target.value, target, scope)


def bind_element(
    walk: Traversal, target: cst.BaseExpression, source: cst.BaseExpression, outer: Scope, scope: Scope
) -> None:
    """Let `target` become each element of `source`, which stands in the scope `outer`."""
    item = walk.collector.intern(Item(walk.collector.evaluate(source, outer.table)))
    assign(walk, target, item, scope)


def assign(
    walk: Traversal,
    target: cst.BaseExpression,
    value: ValueId,
    scope: Scope,
    source: cst.BaseExpression | None = None,
    read: AbstractSet[ValueId] = frozenset(),
) -> None:
    """Let `target` become `value`; `source` is the expression assigned, `read` the state that was read to make it."""
    if isinstance(target, cst.Tuple | cst.List):
        _unpack(walk, target, value, scope, source, read)
        return
    place = _target_value(walk, target, scope)
    if place is None:
        return
    walk.collector.add_flow(place, value, target, scope.function, scope.context)
    if (key := _find_made_key(target)) is not None:
        made = walk.collector.evaluate(key, scope.table)
        walk.collector.add_flow(place, made, target, scope.function, scope.context)
    add_access(walk, place, AccessKind.UPDATE if _is_read(walk, place, read) else AccessKind.WRITE, target, scope)


def _is_read(walk: Traversal, place: ValueId, read: AbstractSet[ValueId]) -> bool:
    """Whether what is assigned depends on the place itself, or on the collection: `d[k] = d.get(k, 0) + 1`."""
    found = walk.collector.values[place]
    return place in read or (isinstance(found, Item) and found.base in read)


def _unpack(
    walk: Traversal,
    target: cst.Tuple | cst.List,
    value: ValueId,
    scope: Scope,
    source: cst.BaseExpression | None,
    read: AbstractSet[ValueId],
) -> None:
    parts: list[cst.BaseExpression] = []
    if isinstance(source, cst.Tuple | cst.List) and len(source.elements) == len(target.elements):
        parts = [element.value for element in source.elements if isinstance(element, cst.Element)]
    item = walk.collector.intern(Item(value))
    has_star = any(isinstance(element, cst.StarredElement) for element in target.elements)
    for index, element in enumerate(target.elements):
        if isinstance(element, cst.StarredElement):
            assign(walk, element.value, walk.collector.new_collection("list", (item,)), scope)
        elif len(parts) == len(target.elements):
            part = walk.collector.evaluate(parts[index], scope.table)
            assign(walk, element.value, part, scope, parts[index], read)
        else:
            assign(walk, element.value, walk.collector.intern(Item(value, None if has_star else index)), scope)


def _target_value(walk: Traversal, target: cst.BaseExpression, scope: Scope) -> ValueId | None:
    if isinstance(target, cst.Name):
        return walk.collector.name_value(target.value, scope.table)
    if isinstance(target, cst.Attribute | cst.Subscript):
        return walk.collector.evaluate(target, scope.table)
    return None


def _find_made_key(target: cst.BaseExpression) -> cst.Call | None:
    """Return a key that is made on the spot, and so is an element too: `urls[executor.submit(fetch, url)] = url`."""
    if not isinstance(target, cst.Subscript) or len(target.slice) != 1:
        return None
    index = target.slice[0].slice
    return index.value if isinstance(index, cst.Index) and isinstance(index.value, cst.Call) else None


HANDLERS: dict[type[cst.CSTNode], Handler] = {
    cst.Assign: _visit_assign,
    cst.AnnAssign: _visit_annotated,
    cst.AugAssign: _visit_augmented,
    cst.Del: _visit_delete,
    cst.NamedExpr: _visit_walrus,
}
