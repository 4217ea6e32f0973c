"""CON409: see docs/rules/CON409.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.awaits import find_coroutine
from conclint.analysis.fields import iter_nodes
from conclint.analysis.scope import Scope
from conclint.catalog.rows import Kind
from conclint.model.alarm import Alarm
from conclint.model.naming import is_test_code
from conclint.model.rule import Category, Rule
from conclint.rules.declare import local_rule

RULE = Rule(
    code="CON409",
    name="async-busy-wait",
    summary="a coroutine asks again and again, between sleeps, for state that other code of the program sets",
    help="let that code set an `asyncio.Event` or `Future`, and await it",
    category=Category.ASYNC,
    since="0.1.0",
    default=False,
)

_SLEEPS = frozenset({"asyncio.sleep", "asyncio.tasks.sleep", "anyio.sleep", "trio.sleep", "tornado.gen.sleep"})
_PLAIN = frozenset({"builtins.len", "builtins.all", "builtins.any", "builtins.bool", "builtins.isinstance"})
"""What only looks at its arguments; other functions may ask another process, the file system or the clock."""
_TELLING = frozenset({Kind.EVENT, Kind.FUTURE, Kind.TASK, Kind.QUEUE, Kind.COLLECTION, Kind.LOCK, Kind.SEMAPHORE})
"""Objects whose methods tell of the state of this program."""


@local_rule(RULE, on=cst.While)
def check(node: cst.While, scope: Scope) -> Iterator[Alarm]:
    """Report loops of a coroutine that do nothing but sleep until an attribute, or a variable of others, changes."""
    if find_coroutine(scope) is None or not _only_sleeps(node.body, scope) or not _asks_for_state(node.test, scope):
        return
    if not is_test_code(scope.table.symbol):
        yield scope.alarm(node.test, f"`{scope.code(node.test)}` is asked for in a loop of sleeps")


def _only_sleeps(body: cst.BaseSuite, scope: Scope) -> bool:
    statements = body.body
    if len(statements) != 1:
        return False
    only = statements[0]
    if isinstance(only, cst.SimpleStatementLine):
        only = only.body[0] if len(only.body) == 1 else only
    if not isinstance(only, cst.Expr) or not isinstance(only.value, cst.Await):
        return False
    call = only.value.expression
    return isinstance(call, cst.Call) and scope.resolve(call.func) in _SLEEPS


def _asks_for_state(test: cst.BaseExpression, scope: Scope) -> bool:
    parts = list(iter_nodes(test))
    if any(isinstance(part, cst.Await | cst.NamedExpr) for part in parts):
        return False
    calls = [part for part in parts if isinstance(part, cst.Call)]
    return all(_is_plain(call, scope) for call in calls) and any(isinstance(part, cst.Attribute) for part in parts)


def _is_plain(call: cst.Call, scope: Scope) -> bool:
    if scope.resolve(call.func) in _PLAIN:
        return True
    row = scope.class_of(call.func.value) if isinstance(call.func, cst.Attribute) else None
    return row is not None and row.kind in _TELLING
