"""CON244: see docs/rules/CON244.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.blocks import find_block, find_statement, iter_own, move
from conclint.analysis.editor import Editor, Statement
from conclint.analysis.failed_acquires import iter_failed_acquires, report
from conclint.analysis.locksets import ends_block
from conclint.analysis.scope import Scope
from conclint.catalog.rows import Kind
from conclint.model.alarm import Alarm
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.rules.declare import fixer, local_rule

RULE = Rule(
    code="CON244",
    name="semaphore-over-release",
    summary="a `finally` releases a semaphore even if it was not acquired, so it lets in more and more",
    help="acquire the semaphore before the `try`, and make it a `BoundedSemaphore`, which notices",
    category=Category.DATA_RACE,
    since="0.1.0",
    default=False,
)


@local_rule(RULE, on=cst.Try)
def check(node: cst.Try, scope: Scope) -> Iterator[Alarm]:
    """Report semaphores that are tried for within the `try` whose `finally` releases them."""
    for found in iter_failed_acquires(node, scope):
        if found.row.kind is Kind.SEMAPHORE:
            yield report(found, scope)


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Acquire it before the `try`, where that is the first thing which the `try` does."""
    release = editor.find(anchor.span, cst.Call)
    outer = editor.around(release, cst.Finally) if release is not None else None
    around = editor.parent(outer) if outer is not None else None
    if release is None or not isinstance(release.func, cst.Attribute) or not isinstance(around, cst.Try):
        return None
    indent = editor.indent(around)
    first, *others = around.body.body
    statement = find_statement(editor, first)
    if indent is None or statement is not first or not others or not find_block(editor, around):
        return None
    if not _only_acquires(editor, statement, editor.code(release.func.value)):
        return None
    edits = move(editor, statement, editor.start_of_line(around), above=indent)
    return Fix("Acquire it before the `try`", Applicability.UNSAFE, edits) if edits is not None else None


def _only_acquires(editor: Editor, statement: Statement, lock: str) -> bool:
    """Whether a statement acquires, and control goes on behind it only with the semaphore."""
    if isinstance(statement, cst.If):
        test = statement.test
        if not isinstance(test, cst.UnaryOperation) or statement.orelse is not None or not ends_block(statement.body):
            return False
        return _is_acquire(editor, test.expression, lock) and not _mentions(editor, statement.body, lock)
    part = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1 else None
    if isinstance(part, cst.Assert):
        return _is_acquire(editor, part.test, lock)
    # Without a look at what it gives, only what waits as long as it takes is sure to have it.
    is_plain = isinstance(part, cst.Expr) and isinstance(part.value, cst.Await)
    return is_plain and isinstance(part, cst.Expr) and _is_acquire(editor, part.value, lock)


def _is_acquire(editor: Editor, node: cst.BaseExpression, lock: str) -> bool:
    call = node.expression if isinstance(node, cst.Await) else node
    return isinstance(call, cst.Call) and editor.code(call.func) == f"{lock}.acquire"


def _mentions(editor: Editor, node: cst.CSTNode, lock: str) -> bool:
    return any(isinstance(one, cst.Name | cst.Attribute) and editor.code(one) == lock for one in iter_own([node]))
