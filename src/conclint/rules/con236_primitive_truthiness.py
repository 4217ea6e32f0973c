"""CON236: see docs/rules/CON236.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint import catalog
from conclint.analysis.editor import Editor
from conclint.analysis.fields import iter_children
from conclint.analysis.scope import Scope
from conclint.catalog.rows import Kind
from conclint.model.alarm import Alarm
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.rules.declare import fixer, local_rule

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

_Operand = tuple[cst.Name | cst.Attribute, bool]


@local_rule(RULE, on=(cst.If, cst.While, cst.IfExp, cst.CompIf))
def check(node: cst.CSTNode, scope: Scope) -> Iterator[Alarm]:
    """Report conditions that ask an object which has no truth of its own, and is never None."""
    if not isinstance(node, cst.If | cst.While | cst.IfExp | cst.CompIf):
        return
    for operand, is_negated in _iter_operands(node.test):
        symbol = scope.type_of(operand)
        row = catalog.find_class(symbol) if symbol is not None and symbol.startswith(_LIBRARIES) else None
        if row is None or not (row.kind in _QUESTIONS or row.kind in _OTHERS) or not scope.is_present(operand):
            continue
        # `if lock: lock.acquire()` is needless, but does no harm; `if queue: queue.get()` waits.
        if not is_negated and row.kind is not Kind.QUEUE and _is_guard(node, operand, scope):
            continue
        name = scope.code(operand)
        question = _QUESTIONS.get(row.kind)
        help_line = f"ask `{name}{question}`" if question is not None else ""
        yield scope.alarm(operand, f"`{name}` is an object, which is always true", help=help_line)


def _iter_operands(test: cst.BaseExpression, *, is_negated: bool = False) -> Iterator[_Operand]:
    """Yield the variables whose truth decides: `a`, `b` and `c` in `a and not (b or c)`; the last two are negated."""
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        yield from _iter_operands(test.expression, is_negated=not is_negated)
    elif isinstance(test, cst.BooleanOperation):
        yield from _iter_operands(test.left, is_negated=is_negated)
        yield from _iter_operands(test.right, is_negated=is_negated)
    elif isinstance(test, cst.Name | cst.Attribute):
        yield test, is_negated


def _is_guard(node: cst.CSTNode, operand: cst.BaseExpression, scope: Scope) -> bool:
    """Whether what is tested is used where the test is true."""
    return isinstance(node, cst.If | cst.IfExp) and _mentions(node.body, scope.code(operand), scope)


def _mentions(node: cst.CSTNode, operand: str, scope: Scope) -> bool:
    is_same = isinstance(node, cst.Name | cst.Attribute) and scope.code(node) == operand
    return is_same or any(_mentions(child, operand, scope) for child in iter_children(node))


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Ask the object for its state."""
    operand = editor.find(anchor.span, (cst.Name, cst.Attribute))
    row = editor.scope(operand).class_of(operand) if operand is not None else None
    question = _QUESTIONS.get(row.kind) if row is not None else None
    # A lock of `multiprocessing` does not tell, and what a queue tells is old at once.
    is_mute = row is not None and (row.kind is Kind.QUEUE or row.names[0].startswith("multiprocessing.Lock"))
    if operand is None or question is None or is_mute:
        return None
    return Fix(f"Ask `{editor.code(operand)}{question}`", Applicability.SAFE, (editor.insert_after(operand, question),))
