"""CON414: see docs/rules/CON414.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.awaits import find_coroutine, is_task_scope
from conclint.analysis.scope import Scope
from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.rules.declare import local_rule

RULE = Rule(
    code="CON414",
    name="yield-in-task-scope",
    summary="an async generator yields within a task group or a timeout, which then cancels whoever iterates",
    help="send items through a queue or channel, or make it an `@asynccontextmanager` that gives an iterator",
    category=Category.ASYNC,
    since="0.1.0",
)


@local_rule(RULE, on=cst.Yield)
def check(node: cst.Yield, scope: Scope) -> Iterator[Alarm]:
    """Report `yield` of an async generator inside a task group, a timeout or a cancel scope."""
    function = find_coroutine(scope)
    # `@asynccontextmanager`, a fixture, or a decorator of the project may run the generator within one task.
    if function is None or function.decorators:
        return
    entered = _find_scope(node, function, scope)
    if entered is not None:
        callee = scope.code(entered.func)
        opened = scope.related(entered, f"`{callee}` is entered here")
        yield scope.alarm(node, f"this `yield` leaves `{callee}` open while the caller runs", opened)


def _find_scope(node: cst.CSTNode, function: cst.FunctionDef, scope: Scope) -> cst.Call | None:
    around = scope.parent(node)
    while around is not None and around is not function:
        for item in around.items if isinstance(around, cst.With) else ():
            if isinstance(item.item, cst.Call) and is_task_scope(item.item, scope):
                return item.item
        around = scope.parent(around)
    return None
