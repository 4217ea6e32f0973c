"""CON417: see docs/rules/CON417.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.awaits import find_coroutine, is_task_group
from conclint.analysis.fields import iter_nodes
from conclint.analysis.scope import Scope
from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.rules.declare import local_rule

RULE = Rule(
    code="CON417",
    name="control-flow-in-task-group",
    summary="a `return`, `break` or `continue` seems to leave a task group, but waits for all of its tasks first",
    help="cancel the tasks before, or leave once the group has ended",
    category=Category.ASYNC,
    since="0.1.0",
    default=False,
)

_Suite = cst.IndentedBlock | cst.SimpleStatementSuite | cst.SimpleStatementLine


@local_rule(RULE, on=(cst.Return, cst.Break, cst.Continue))
def check(node: cst.BaseSmallStatement, scope: Scope) -> Iterator[Alarm]:
    """Report statements that leave the block of a task group while its tasks may run."""
    if find_coroutine(scope) is None:
        return
    for block in _iter_left(node, scope):
        for item in block.items:
            name = item.asname.name if item.asname is not None else None
            if isinstance(name, cst.Name) and is_task_group(item.item, scope) and _waits(node, block, name, scope):
                word = scope.code(node).partition(" ")[0]
                opened = scope.related(item.item, f"`{name.value}` waits for its tasks at the end of this block")
                yield scope.alarm(node, f"this `{word}` waits for the tasks of `{name.value}` before it leaves", opened)


def _waits(node: cst.BaseSmallStatement, block: cst.With, name: cst.Name, scope: Scope) -> bool:
    """Whether tasks may run that are not cancelled, when there is something left to skip."""
    return _has_tasks(block, name, node, scope) and not _is_at_end(node, block, scope) and not _cancels(node, scope)


def _iter_left(node: cst.BaseSmallStatement, scope: Scope) -> Iterator[cst.With]:
    """Yield the asynchronous blocks that a statement leaves, those in a loop of which it stays apart."""
    inner: cst.CSTNode = node
    around = scope.parent(node)
    while around is not None and not isinstance(around, cst.FunctionDef):
        if isinstance(around, cst.For | cst.While) and not isinstance(node, cst.Return) and inner is around.body:
            return
        if isinstance(around, cst.With) and around.asynchronous is not None:
            yield around
        inner, around = around, scope.parent(around)


def _has_tasks(block: cst.With, name: cst.Name, jump: cst.BaseSmallStatement, scope: Scope) -> bool:
    """Whether the group is used before the jump, so that a task may run (may)."""
    start = scope.span(jump)
    return any(
        isinstance(part, cst.Name) and part.value == name.value and scope.span(part) < start
        for part in iter_nodes(block.body)
    )


def _is_at_end(jump: cst.BaseSmallStatement, block: cst.With, scope: Scope) -> bool:
    """Whether the block ends here anyway: waiting is what the group is for."""
    inner: cst.CSTNode = jump
    around = scope.parent(jump)
    while around is not None and around is not block:
        if not isinstance(around, cst.If | cst.Else | cst.With | _Suite):
            return False
        if isinstance(around, _Suite) and around.body[-1] is not inner:
            return False
        inner, around = around, scope.parent(around)
    return True


def _cancels(jump: cst.BaseSmallStatement, scope: Scope) -> bool:
    """Whether something is cancelled in the same block before: `tasks.cancel_scope.cancel()`."""
    line = scope.parent(jump)
    block = scope.parent(line) if line is not None else None
    start = scope.span(jump)
    return block is not None and any(
        isinstance(part, cst.Call)
        and isinstance(part.func, cst.Attribute)
        and part.func.attr.value == "cancel"
        and scope.span(part) < start
        for part in iter_nodes(block)
    )
