"""CON236: see docs/rules/CON236.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint import catalog
from conclint.analysis.scope import Scope
from conclint.catalog.rows import Kind
from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.rules.declare import local_rule

RULE = Rule(
    code="CON236",
    name="primitive-truthiness",
    summary="a lock, event, queue, thread or future is tested itself, which is always true",
    help="ask it for its state",
    category=Category.DATA_RACE,
    since="0.1.0",
)

_LIBRARIES = ("threading.", "queue.", "multiprocessing.", "asyncio.", "concurrent.futures.")
"""Objects of other libraries may say what their truth is."""
_QUESTIONS = {
    Kind.LOCK: ".locked()",
    Kind.EVENT: ".is_set()",
    Kind.QUEUE: ".qsize()",
    Kind.THREAD: ".is_alive()",
    Kind.TIMER: ".is_alive()",
    Kind.PROCESS: ".is_alive()",
    Kind.FUTURE: ".done()",
    Kind.TASK: ".done()",
}
_OTHERS = frozenset({Kind.RLOCK, Kind.CONDITION, Kind.SEMAPHORE, Kind.BARRIER})


@local_rule(RULE, on=(cst.If, cst.While, cst.IfExp, cst.CompIf))
def check(node: cst.CSTNode, scope: Scope) -> Iterator[Alarm]:
    """Report conditions that ask an object which has no truth of its own, and is never None."""
    if not isinstance(node, cst.If | cst.While | cst.IfExp | cst.CompIf):
        return
    for operand in _iter_operands(node.test):
        symbol = scope.type_of(operand)
        row = catalog.find_class(symbol) if symbol is not None and symbol.startswith(_LIBRARIES) else None
        if row is None or not (row.kind in _QUESTIONS or row.kind in _OTHERS) or not scope.is_present(operand):
            continue
        name = scope.code(operand)
        question = _QUESTIONS.get(row.kind)
        help_line = f"ask `{name}{question}`" if question is not None else ""
        yield scope.alarm(operand, f"`{name}` is an object, which is always true", help=help_line)


def _iter_operands(test: cst.BaseExpression) -> Iterator[cst.Name | cst.Attribute]:
    """Yield the variables whose truth decides: `a`, `b` and `c` in `a and not (b or c)`."""
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        yield from _iter_operands(test.expression)
    elif isinstance(test, cst.BooleanOperation):
        yield from _iter_operands(test.left)
        yield from _iter_operands(test.right)
    elif isinstance(test, cst.Name | cst.Attribute):
        yield test
