"""CON238: see docs/rules/CON238.md."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import libcst as cst

from conclint.analysis.scope import Scope
from conclint.catalog.rows import LOCK_KINDS, Kind
from conclint.model.alarm import Alarm
from conclint.model.naming import is_test_code
from conclint.model.rule import Category, Rule
from conclint.rules.declare import local_rule

RULE = Rule(
    code="CON238",
    name="empty-critical-section",
    summary="a lock is acquired and released with nothing in between",
    help="put what the lock shall protect between the two, or say in a comment what is waited for",
    category=Category.DATA_RACE,
    since="0.1.0",
)

_EXCLUSIVE = LOCK_KINDS - {Kind.SEMAPHORE}
"""Taking a place of a semaphore and giving it back is a way to wait for one."""


@local_rule(RULE, on=(cst.With, cst.IndentedBlock, cst.Module))
def check(node: cst.CSTNode, scope: Scope) -> Iterator[Alarm]:
    """Report `with lock: pass`, and `acquire()` with `release()` right behind, without a comment that says why."""
    if isinstance(node, cst.With):
        if _is_empty(node.body) and not _is_explained(node, scope):
            for item in node.items:
                if _is_lock(item.item, scope):
                    yield _report(item.item, scope)
        return
    statements = node.body if isinstance(node, cst.IndentedBlock | cst.Module) else ()
    for first, second in pairwise(statements):
        lock = _find_called(first, "acquire")
        released = _find_called(second, "release") if lock is not None else None
        if lock is None or released is None or scope.code(lock) != scope.code(released):
            continue
        noted = scope.find_comments(second)
        is_explained = scope.find_comments(first).above or noted.above or noted.inside
        if _is_lock(lock, scope) and not is_explained:
            yield _report(lock, scope)


def _report(lock: cst.BaseExpression, scope: Scope) -> Alarm:
    return scope.alarm(lock, f"nothing is done while `{scope.code(lock)}` is held")


def _is_lock(node: cst.BaseExpression, scope: Scope) -> bool:
    row = scope.class_of(node)
    return row is not None and row.kind in _EXCLUSIVE and not is_test_code(scope.table.symbol)


def _is_empty(body: cst.BaseSuite) -> bool:
    return all(
        isinstance(part, cst.Pass) or (isinstance(part, cst.Expr) and isinstance(part.value, cst.Ellipsis))
        for statement in body.body
        for part in (statement.body if isinstance(statement, cst.SimpleStatementLine) else (statement,))
    )


def _find_called(statement: cst.CSTNode, method: str) -> cst.BaseExpression | None:
    """Return `lock` of the statement `lock.acquire()`, without arguments, as which it waits for the lock."""
    if type(statement) is not cst.SimpleStatementLine or len(statement.body) != 1:
        return None
    expression = statement.body[0]
    call = expression.value if type(expression) is cst.Expr else None
    call = call.expression if isinstance(call, cst.Await) else call
    if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) and not call.args:
        return call.func.value if call.func.attr.value == method else None
    return None


def _is_explained(node: cst.With, scope: Scope) -> bool:
    """Whether a comment stands above the statement or in its block."""
    if scope.find_comments(node).above:
        return True
    return isinstance(node.body, cst.IndentedBlock) and any(scope.find_comments(node.body))
