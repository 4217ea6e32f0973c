"""Polls: loops that ask for some state again and again, and do nothing else but to sleep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard

import libcst as cst

from conclint.analysis.collector import Collector
from conclint.analysis.scope import Scope
from conclint.model.observations import Asked, Poll

_Part = tuple[cst.BaseExpression, bool | None]
_QUANTIFIERS = frozenset({"any", "all"})


def find_polls(node: cst.While, scope: Scope, collector: Collector) -> Iterator[Poll]:
    """Yield what the loop is, if it is one; `scope` is the one around it."""
    statements = [one for one in _iter_statements(node.body) if not isinstance(one, cst.Pass | cst.Continue)]
    leaving = [one for one in statements if _is_leaving(one)] if _is_true(node.test) else []
    test, goes_on = (leaving[0].test, False) if len(leaving) == 1 else (node.test, True)
    pauses = [one.value for one in statements if isinstance(one, cst.Expr) and _is_call(one.value)]
    if len(pauses) > 1 or len(statements) != len(pauses) + len(leaving) or node.orelse is not None or _is_true(test):
        return
    asked = tuple(
        Asked(collector.evaluate(part, scope.table), truth) for part, truth in _iter_parts(test, goes_on=goes_on)
    )
    pause = collector.evaluate(pauses[0], scope.table) if pauses else None
    if asked:
        yield Poll(scope.function, asked, pause, scope.span(test))


def _iter_statements(suite: cst.BaseSuite) -> Iterator[cst.CSTNode]:
    for statement in suite.body:
        if isinstance(statement, cst.SimpleStatementLine):
            yield from statement.body
        elif isinstance(statement, cst.BaseSmallStatement | cst.BaseCompoundStatement):
            yield statement


def _is_call(value: cst.BaseExpression) -> bool:
    return isinstance(value.expression if isinstance(value, cst.Await) else value, cst.Call)


def _is_true(test: cst.BaseExpression) -> bool:
    return (isinstance(test, cst.Name) and test.value == "True") or (
        isinstance(test, cst.Integer) and test.value == "1"
    )


def _is_leaving(statement: cst.CSTNode) -> TypeGuard[cst.If]:
    """Whether a statement is `if test: break`, or the same with a return of nothing."""
    if not isinstance(statement, cst.If) or statement.orelse is not None:
        return False
    body = list(_iter_statements(statement.body))
    return len(body) == 1 and isinstance(body[0], cst.Break | cst.Return)


def _iter_parts(test: cst.BaseExpression, *, goes_on: bool | None) -> Iterator[_Part]:
    """Yield what a test asks: `a()` and `b` of `a() and not b < 3`; constants that are compared with are left out."""
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        yield from _iter_parts(test.expression, goes_on=None if goes_on is None else not goes_on)
    elif isinstance(test, cst.BooleanOperation):
        yield from _iter_parts(test.left, goes_on=goes_on)
        yield from _iter_parts(test.right, goes_on=goes_on)
    elif isinstance(test, cst.Comparison):
        yield from _iter_parts(test.left, goes_on=None)
        for target in test.comparisons:
            yield from _iter_parts(target.comparator, goes_on=None)
    elif isinstance(test, cst.BinaryOperation):
        yield from _iter_parts(test.left, goes_on=None)
        yield from _iter_parts(test.right, goes_on=None)
    elif (inner := _find_quantified(test)) is not None:
        yield from _iter_parts(inner, goes_on=goes_on)
    elif not isinstance(test, cst.BaseNumber | cst.BaseString) and not _is_none(test):
        yield test, goes_on


def _find_quantified(test: cst.BaseExpression) -> cst.Call | None:
    """Return the call in `any(thread.is_alive() for thread in threads)`."""
    if not isinstance(test, cst.Call) or len(test.args) != 1 or not isinstance(test.func, cst.Name):
        return None
    given = test.args[0].value
    if test.func.value not in _QUANTIFIERS or not isinstance(given, cst.GeneratorExp | cst.ListComp):
        return None
    return given.elt if isinstance(given.elt, cst.Call) else None


def _is_none(test: cst.BaseExpression) -> bool:
    return isinstance(test, cst.Name) and test.value == "None"
