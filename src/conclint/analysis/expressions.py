"""Expressions: calls with the use of their results, and comprehensions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from conclint.analysis.accesses import mark_iterated
from conclint.analysis.assignments import bind_element, visit_target
from conclint.analysis.fields import iter_children
from conclint.analysis.names import Binding, BindingKind
from conclint.analysis.narrowing import narrow
from conclint.analysis.scope import Scope
from conclint.analysis.tests import iter_operator_tests, iter_tests
from conclint.model.facts import Use
from conclint.model.values import Item, ValueId

if TYPE_CHECKING:
    from conclint.analysis.traverse import Handler, Traversal

_Conditional = cst.BooleanOperation | cst.IfExp
_Comprehension = cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp | cst.StarredDictComp
_COMPARING = frozenset({"max", "min"})
_KINDS: dict[type[cst.CSTNode], str] = {
    cst.ListComp: "list",
    cst.SetComp: "set",
    cst.GeneratorExp: "generator",
    cst.DictComp: "dict",
    cst.StarredDictComp: "dict",
}


def _visit_call(walk: Traversal, node: cst.Call, scope: Scope) -> None:
    walk.visit(node.func, node, scope)
    if node.args and isinstance(node.func, cst.Name) and node.func.value in _COMPARING:
        _mark_compared(walk, node)
    for argument in node.args:
        walk.view.parents[argument] = node
        walk.visit(argument.value, argument, scope)
    walk.collector.add_call(node, scope.table, scope.function, scope.context, _find_use(walk, node))


def _mark_compared(walk: Traversal, node: cst.Call) -> None:
    """Say that `max(d, key=f)` goes through `d`; without a key function, nothing runs in between."""
    if any(argument.keyword is not None and argument.keyword.value == "key" for argument in node.args):
        mark_iterated(walk, node.args[0].value)


def _visit_await(walk: Traversal, node: cst.Await, scope: Scope) -> None:
    walk.awaits[scope.function] += 1
    walk.visit(node.expression, node, scope)
    if not isinstance(node.expression, cst.Call):
        # Calls say so themselves (`Use.AWAITED`); what else is awaited is told by the value, also where it is dropped.
        walk.collector.evaluate(node, scope.table)


_USES = {
    cst.Expr: Use.DROPPED,
    cst.Await: Use.AWAITED,
    cst.Arg: Use.USED,
    cst.Assign: Use.USED,
    cst.Attribute: Use.USED,
    cst.Return: Use.USED,
}


def _find_use(walk: Traversal, node: cst.CSTNode) -> Use:
    parent = walk.view.parents[node]
    # Exact types first: most calls are statements, arguments or assigned, and `isinstance` is slow on nodes.
    plain = _USES.get(type(parent))
    if plain is not None:
        return plain
    if isinstance(parent, cst.If | cst.While | cst.IfExp | cst.Assert) and parent.test is node:
        return Use.TESTED
    if isinstance(parent, cst.UnaryOperation) and isinstance(parent.operator, cst.Not):
        return Use.TESTED
    if isinstance(parent, cst.ListComp | cst.SetComp | cst.IfExp | cst.BooleanOperation):
        return Use.DROPPED if _find_use(walk, parent) is Use.DROPPED else Use.USED
    return Use.USED


def _visit_conditional(walk: Traversal, node: _Conditional, scope: Scope) -> None:
    """Traverse `isinstance(x, T) and x.close()`, or `x.close() if isinstance(x, T) else None`."""
    if isinstance(node, cst.IfExp):
        narrow(walk, node.test, [node.body], scope)
    elif isinstance(node.operator, cst.And):
        narrow(walk, node.left, [node.right], scope)
    for child in iter_children(node):
        walk.visit(child, node, scope)
    if isinstance(node, cst.IfExp):
        walk.tests.extend(iter_tests(node, scope, walk.collector))
    else:
        walk.tests.extend(iter_operator_tests(node, scope, walk.collector))


def _visit_comprehension(walk: Traversal, node: _Comprehension, scope: Scope) -> None:
    first, awaits = len(walk.collector.accesses), walk.awaits[scope.function]
    inner = _visit_clauses(walk, node, scope)
    last = len(walk.collector.accesses)
    if isinstance(node, cst.DictComp):
        walk.visit(node.key, node, inner)
    walk.visit(_find_element(node), node, inner)
    if walk.awaits[scope.function] > awaits:
        walk.collector.suspend_iterations(first, last)
    items = _evaluate_items(walk, node, scope)
    walk.collector.define(node, walk.collector.new_collection(_KINDS[type(node)], items))


def _visit_clauses(walk: Traversal, node: _Comprehension, scope: Scope) -> Scope:
    """Traverse the `for` and `if` clauses; return the scope of the element."""
    parent: cst.CSTNode = node
    clause: cst.CompFor | None = node.for_in
    while clause is not None:
        walk.view.parents[clause] = parent
        walk.run_checks(clause, scope)
        mark_iterated(walk, clause.iter)
        walk.visit(clause.iter, clause, scope)
        outer, scope = scope, walk.enter_loop(scope)
        _bind_comprehension(walk, clause, outer, scope)
        for test in clause.ifs:
            walk.visit(test, clause, scope)
            scope = walk.branch(scope)
        parent, clause = clause, clause.inner_for_in
    return scope


def _find_element(node: _Comprehension) -> cst.BaseExpression:
    return node.value if isinstance(node, cst.DictComp | cst.StarredDictComp) else node.elt


def _evaluate_items(walk: Traversal, node: _Comprehension, scope: Scope) -> tuple[ValueId, ...]:
    element = _find_element(node)
    if isinstance(element, cst.StarredElement):
        return (walk.collector.intern(Item(walk.collector.evaluate(element.value, scope.table))),)
    value = walk.collector.evaluate(element, scope.table)
    if isinstance(node, cst.StarredDictComp):
        return (walk.collector.intern(Item(value)),)
    if isinstance(node, cst.DictComp) and isinstance(node.key, cst.Call):
        # A key that is made on the spot is an element too: `{pool.submit(fetch, url): url for url in urls}`.
        return value, walk.collector.evaluate(node.key, scope.table)
    return (value,)


def _bind_comprehension(walk: Traversal, clause: cst.CompFor, outer: Scope, inner: Scope) -> None:
    # The variables are kept in the table of the function around: a name used for both is joined.
    targets: list[cst.BaseExpression] = [clause.target]
    for target in targets:
        if isinstance(target, cst.Tuple | cst.List):
            targets.extend(element.value for element in target.elements)
        elif isinstance(target, cst.Name):
            inner.table.bind(target.value, Binding(BindingKind.ELEMENT, node=clause.iter))
            inner.table.loads.add(target.value)
    visit_target(walk, clause.target, clause, inner)
    bind_element(walk, clause.target, clause.iter, outer, inner)


HANDLERS: dict[type[cst.CSTNode], Handler] = {
    cst.Call: _visit_call,
    cst.Await: _visit_await,
    cst.BooleanOperation: _visit_conditional,
    cst.IfExp: _visit_conditional,
    cst.ListComp: _visit_comprehension,
    cst.SetComp: _visit_comprehension,
    cst.GeneratorExp: _visit_comprehension,
    cst.DictComp: _visit_comprehension,
    cst.StarredDictComp: _visit_comprehension,
}
