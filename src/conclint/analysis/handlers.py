"""Handlers: what catches exceptions, and whether anything is done about them."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst
import msgspec

from conclint.analysis.collector import Collector
from conclint.analysis.fields import iter_nodes
from conclint.analysis.locksets import ends_block
from conclint.analysis.scope import Scope
from conclint.model.observations import Ending, Handler
from conclint.model.values import Name, Result, ValueId

_ANYTHING = Name("builtins.BaseException")
_BROAD = (Name("builtins.Exception"), _ANYTHING)
_SUPPRESS = Name("contextlib.suppress")
_CLEANUPS = (cst.ExceptHandler, cst.ExceptStarHandler, cst.Finally)


def add_handler(
    node: cst.ExceptHandler | cst.ExceptStarHandler, tried: cst.Try | cst.TryStar, scope: Scope, collector: Collector
) -> None:
    """Add an `except` clause of `tried`; `scope` is the one around that."""
    caught = tuple(_iter_caught(node.type, scope, collector))
    is_silent = _is_broad(caught, collector) and all(map(_does_nothing, _iter_statements(node.body)))
    found = _make(tried, node.type or node, caught, scope, is_silent=is_silent)
    collector.handlers.append(msgspec.structs.replace(found, ending=_find_ending(node.body)))


def add_suppression(item: cst.WithItem, node: cst.With, scope: Scope, collector: Collector) -> None:
    """Add what an item of `with` suppresses, if it does; `scope` is the one around `node`."""
    value = collector.values[collector.evaluate(item.item, scope.table)]
    call = collector.calls[value.call] if isinstance(value, Result) else None
    if call is not None and collector.values[call.callee] == _SUPPRESS:
        caught = tuple(argument.value for argument in call.arguments)
        collector.handlers.append(_make(node, item.item, caught, scope, is_silent=_is_broad(caught, collector)))


def _make(
    node: cst.Try | cst.TryStar | cst.With,
    clause: cst.CSTNode,
    caught: tuple[ValueId, ...],
    scope: Scope,
    *,
    is_silent: bool,
) -> Handler:
    is_silent = is_silent and not _gives_value(node, scope)
    is_cleanup = is_silent and any(isinstance(one, _CLEANUPS) for one in _iter_around(node, scope))
    return Handler(
        scope.function, scope.span(node.body), scope.span(clause), scope.context, caught, is_silent, is_cleanup
    )


def _iter_caught(node: cst.BaseExpression | None, scope: Scope, collector: Collector) -> Iterator[ValueId]:
    if node is None:
        yield collector.intern(_ANYTHING)
        return
    for one in [element.value for element in node.elements] if isinstance(node, cst.Tuple) else [node]:
        yield collector.evaluate(one, scope.table)


def _is_broad(caught: tuple[ValueId, ...], collector: Collector) -> bool:
    return any(collector.values[value] in _BROAD for value in caught)


def _iter_statements(suite: cst.BaseSuite) -> Iterator[cst.CSTNode]:
    for statement in suite.body:
        if isinstance(statement, cst.SimpleStatementLine):
            yield from statement.body
        else:
            yield statement


def _does_nothing(statement: cst.CSTNode) -> bool:
    if isinstance(statement, cst.Expr):
        return isinstance(statement.value, cst.Ellipsis | cst.SimpleString | cst.ConcatenatedString)
    return isinstance(statement, cst.Pass | cst.Continue)


def _find_ending(body: cst.BaseSuite) -> Ending:
    *_, last = _iter_statements(body)
    if isinstance(last, cst.Continue):
        return Ending.NEXT_ROUND
    return Ending.OUT if ends_block(last) else Ending.ON


def _gives_value(node: cst.Try | cst.TryStar | cst.With, scope: Scope) -> bool:
    """Whether the guarded code returns something, or binds a name that the rest of the function uses (may).

    What is there without it, a default, then tells of the error.
    """
    assigned: set[str] = set()
    for one in iter_nodes(node.body):
        if isinstance(one, cst.Return) and one.value is not None:
            return True
        if isinstance(one, cst.AssignTarget | cst.AnnAssign | cst.NamedExpr) and isinstance(one.target, cst.Name):
            assigned.add(one.target.value)
    around = [node, *_iter_around(node, scope)][-1]
    inside = {id(one) for one in iter_nodes(node.body)} if assigned else set()
    outside = (one for one in iter_nodes(around) if id(one) not in inside) if assigned else ()
    return any(isinstance(one, cst.Name) and one.value in assigned for one in outside)


def _iter_around(node: cst.CSTNode, scope: Scope) -> Iterator[cst.CSTNode]:
    """Yield the nodes around `node`, up to the function that it stands in."""
    parent = scope.parent(node)
    while parent is not None:
        yield parent
        parent = scope.parent(parent) if not isinstance(parent, cst.FunctionDef) else None
