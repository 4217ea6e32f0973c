"""CON405: see docs/rules/CON405.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.awaiting import knows_asyncio, uses_other_loop
from conclint.analysis.awaits import count_mentions, find_coroutine, iter_await_points
from conclint.analysis.editor import Editor
from conclint.analysis.release_paths import iter_own_nodes
from conclint.analysis.scope import Scope
from conclint.model.alarm import Alarm
from conclint.model.fix import Anchor, Applicability, Edit, Fix
from conclint.model.rule import Category, Rule
from conclint.rules.declare import fixer, local_rule

RULE = Rule(
    code="CON405",
    name="swallowed-cancellation",
    summary="a coroutine catches its own cancellation and goes on",
    help="catch `Exception`, which cancellation is not, or end with `raise`",
    category=Category.ASYNC,
    since="0.1.0",
)

_TITLE = "Raise the cancellation again"
_CANCELLED = frozenset({"asyncio.CancelledError", "asyncio.exceptions.CancelledError", "trio.Cancelled"})
_BROAD = "builtins.BaseException"
_SUPPRESS = "contextlib.suppress"
_NEXT_ROUND = "cancelling this task only starts the next round of the loop"
_LOGS = frozenset({"critical", "debug", "error", "exception", "info", "log", "warning"})
_LEAVING = (cst.Raise, cst.Return, cst.Break)
_SHIELDS = frozenset({"asyncio.shield", "asyncio.tasks.shield"})


@local_rule(RULE, on=(cst.Try, cst.With))
def check(node: cst.BaseCompoundStatement, scope: Scope) -> Iterator[Alarm]:
    """Report handlers, and `suppress`, that let a cancelled coroutine go on as if nothing had happened."""
    # Few functions are coroutines, and few handlers catch a cancellation: that is quick to see.
    function = find_coroutine(scope)
    if function is None:
        return
    if isinstance(node, cst.With):
        for item in node.items:
            if _suppresses(item.item, scope) and _is_endless(node, scope) and _goes_on(node, function, scope):
                yield scope.alarm(item.item, _NEXT_ROUND)
    elif isinstance(node, cst.Try):
        handler = next((one for one in node.handlers if _catches(one, scope)), None)
        if handler is None or _passes_on(handler) or not _goes_on(node, function, scope):
            return
        if not _names_cancellation(handler.type, scope):
            yield scope.alarm(_head(handler), "this also catches the cancellation of the task, which then goes on")
        elif _is_endless(node, scope):
            yield scope.alarm(_head(handler), _NEXT_ROUND)


def _goes_on(node: cst.Try | cst.With, function: cst.FunctionDef, scope: Scope) -> bool:
    """Whether a cancellation from outside may arrive in the body, which is no part of cleaning up."""
    return _awaits(node.body, scope) and not _cancels(function) and not _is_in_handler(node, scope)


def _awaits(body: cst.CSTNode, scope: Scope) -> bool:
    """Whether something is awaited below that only ends by cancellation if this task is cancelled."""
    return any(
        not isinstance(point, cst.Yield) and not (isinstance(point, cst.Await) and _is_task(point.expression, scope))
        for point in iter_await_points(body)
    )


def _is_task(node: cst.BaseExpression, scope: Scope) -> bool:
    """Whether this is a task, which may have been cancelled by itself, or one that is shielded on purpose."""
    if isinstance(node, cst.Call):
        return scope.resolve(node.func) in _SHIELDS
    return isinstance(node, cst.Name | cst.Attribute)


def _is_in_handler(node: cst.CSTNode, scope: Scope) -> bool:
    """Whether this cleans up after an error, which may well have been the cancellation, and is raised again."""
    around = scope.parent(node)
    while around is not None and not isinstance(around, cst.FunctionDef):
        if isinstance(around, cst.ExceptHandler | cst.Finally):
            return True
        around = scope.parent(around)
    return False


def _cancels(function: cst.FunctionDef) -> bool:
    """Whether the function cancels something itself, and then waits until that has ended."""
    return any(
        isinstance(part, cst.Call) and isinstance(part.func, cst.Attribute) and "cancel" in part.func.attr.value
        for part in iter_own_nodes(function.body)
    )


def _catches(handler: cst.ExceptHandler, scope: Scope) -> bool:
    return handler.type is None or any(
        name in _CANCELLED or name == _BROAD for name in _iter_types(handler.type, scope)
    )


def _iter_types(node: cst.BaseExpression, scope: Scope) -> Iterator[str]:
    types = [element.value for element in node.elements] if isinstance(node, cst.Tuple) else [node]
    yield from (scope.resolve(one) or "" for one in types)


def _names_cancellation(node: cst.BaseExpression | None, scope: Scope) -> bool:
    """Whether the handler says that it means cancellation: the last thing a task does, it may well catch it."""
    return node is not None and any(name in _CANCELLED for name in _iter_types(node, scope))


def _passes_on(handler: cst.ExceptHandler) -> bool:
    """Whether the handler may leave the function or the loop, hands on what it has caught, or takes a note of it."""
    parts = tuple(iter_own_nodes(handler.body))
    if any(isinstance(part, _LEAVING) or _is_note(part) for part in parts):
        return True
    name = handler.name.name.value if handler.name is not None and isinstance(handler.name.name, cst.Name) else ""
    logged = sum(count_mentions(part, name) for part in parts if _is_log(part))
    return bool(name) and count_mentions(handler.body, name) > logged


def _is_log(node: cst.CSTNode) -> bool:
    """Whether this tells people of the exception, and nobody else."""
    if not isinstance(node, cst.Call):
        return False
    if isinstance(node.func, cst.Attribute):
        return node.func.attr.value in _LOGS
    return isinstance(node.func, cst.Name) and node.func.value == "print"


def _is_note(node: cst.CSTNode) -> bool:
    """Whether this is `cancelled = True`."""
    return isinstance(node, cst.Assign) and isinstance(node.value, cst.Name) and node.value.value == "True"


def _suppresses(node: cst.BaseExpression, scope: Scope) -> bool:
    if not isinstance(node, cst.Call) or scope.resolve(node.func) != _SUPPRESS:
        return False
    names = (scope.resolve(argument.value) or "" for argument in node.args)
    return any(name in _CANCELLED or name == _BROAD for name in names)


def _is_endless(node: cst.CSTNode, scope: Scope) -> bool:
    """Whether the innermost loop around is `while True:`, so that nothing but the cancellation could end it."""
    around = scope.parent(node)
    while around is not None and not isinstance(around, cst.FunctionDef):
        if isinstance(around, cst.While):
            return isinstance(around.test, cst.Name) and around.test.value == "True"
        if isinstance(around, cst.For):
            return False
        around = scope.parent(around)
    return False


def _head(handler: cst.ExceptHandler) -> cst.CSTNode:
    return handler.type if handler.type is not None else handler


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Raise the cancellation again, before the handler that also catches it."""
    node = editor.find(anchor.span, (cst.ExceptHandler, cst.BaseExpression))
    handler = node if isinstance(node, cst.ExceptHandler) or node is None else editor.parent(node)
    if not isinstance(handler, cst.ExceptHandler) or uses_other_loop(editor, handler):
        return None
    if not knows_asyncio(editor):
        return None
    if handler.type is not None and editor.scope(handler).resolve(handler.type) in _CANCELLED:
        edit = _end_with_raise(editor, handler)
        return Fix(_TITLE, Applicability.UNSAFE, (edit,)) if edit is not None else None
    cancelled, indent = editor.refer("asyncio.CancelledError", handler), editor.indent(handler)
    if cancelled is None or indent is None:
        return None
    step = editor.source.tree.default_indent
    clause = f"{indent}except {cancelled.text}:\n{indent}{step}raise\n"
    edits = (*cancelled.edits, editor.insert(editor.start_of_line(handler, with_comments=True), clause))
    return Fix(_TITLE, Applicability.UNSAFE, edits)


def _end_with_raise(editor: Editor, handler: cst.ExceptHandler) -> Edit | None:
    """Have a handler of nothing but cancellations raise what it has caught, in place of a `pass` or `continue`."""
    last = handler.body.body[-1]
    end = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else last
    if isinstance(end, cst.Pass | cst.Continue):
        return editor.replace(end, "raise")
    indent = editor.indent(last) if isinstance(handler.body, cst.IndentedBlock) else None
    return editor.insert(editor.end_of_line(last), f"{indent}raise\n") if indent is not None else None
