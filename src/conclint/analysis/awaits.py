"""Await points, where a coroutine may be suspended, and with that cancelled; and the scopes that cancel it."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint import catalog
from conclint.analysis.fields import iter_nodes
from conclint.analysis.names import iter_parameters
from conclint.analysis.release_paths import iter_own_nodes
from conclint.analysis.scope import Scope
from conclint.catalog.rows import Kind


def find_coroutine(scope: Scope) -> cst.FunctionDef | None:
    """Return the `async def` directly around a place, None in plain functions."""
    function = scope.table.node
    return function if isinstance(function, cst.FunctionDef) and function.asynchronous is not None else None


def iter_await_points(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yield `await`, `async for`, `async with` and `yield` below `node`, nested functions apart."""
    for part in iter_own_nodes(node):
        asynchronous = isinstance(part, cst.For | cst.With | cst.CompFor) and part.asynchronous is not None
        if asynchronous or isinstance(part, cst.Await | cst.Yield):
            yield part


def is_timeout_scope(node: cst.BaseExpression, scope: Scope) -> bool:
    """Return whether an expression makes a context that cancels its body after some time."""
    row = catalog.find_call(_called_name(node, scope))
    made = catalog.find_class(row.returns) if row is not None else None
    return made is not None and made.kind is Kind.CANCEL_SCOPE


def is_task_scope(node: cst.BaseExpression, scope: Scope) -> bool:
    """Return whether an expression makes a timeout, a cancel scope, or a group that waits for its tasks."""
    return _find_kind(node, scope) in (Kind.CANCEL_SCOPE, Kind.TASK_GROUP)


def is_task_group(node: cst.BaseExpression, scope: Scope) -> bool:
    """Return whether an expression makes a group that waits for its tasks."""
    return _find_kind(node, scope) is Kind.TASK_GROUP


def _find_kind(node: cst.BaseExpression, scope: Scope) -> Kind | None:
    name = _called_name(node, scope)
    row = catalog.find_call(name)
    made = catalog.find_class(row.returns if row is not None and row.returns else name)
    return made.kind if made is not None else None


def _called_name(node: cst.BaseExpression, scope: Scope) -> str:
    return (scope.resolve(node.func) or "") if isinstance(node, cst.Call) else ""


def is_used_again(node: cst.BaseExpression, function: cst.FunctionDef) -> bool:
    """Return whether a function has another way to the tasks that an expression gives (may): a name, a parameter."""
    if isinstance(node, cst.List | cst.Set | cst.Tuple):
        return any(is_used_again(element.value, function) for element in node.elements)
    if isinstance(node, cst.Name):
        parameters = {parameter.name.value for parameter in iter_parameters(function.params)}
        # Once it is bound, and once it is used here.
        return node.value in parameters or count_mentions(function, node.value) > 2
    return not isinstance(node, cst.Attribute | cst.Call | cst.ListComp | cst.SetComp | cst.GeneratorExp)


def count_mentions(function: cst.CSTNode, name: str) -> int:
    """Return how often a name stands in a function, bindings included."""
    return sum(isinstance(part, cst.Name) and part.value == name for part in iter_nodes(function))
