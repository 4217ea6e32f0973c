"""What nobody closes, put into a `with` statement around all that is done with it: the edits for that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import libcst as cst

from conclint.analysis.awaits import count_mentions
from conclint.analysis.blocks import deepen, wrap
from conclint.analysis.editor import Editor, Statement
from conclint.analysis.fields import iter_nodes
from conclint.model.fix import Edit

Predicate = Callable[[cst.Call], bool]
"""Whether what a call of a method has begun is done when the `with` statement ends."""


class _Use(NamedTuple):
    """The line that makes and names something, and the statements after it, up to the last one that uses it."""

    line: cst.SimpleStatementLine
    name: cst.Name
    value: cst.BaseExpression
    rest: Sequence[Statement]


def enter(editor: Editor, call: cst.Call, is_done: Predicate, *, ending: str = "") -> tuple[Edit, ...] | None:
    """Return the edits that turn `x = f()` and what uses `x` into `with f() as x: …`; None where that is not certain.

    It must be a local variable of a plain function that is used for nothing but calls of its methods, all of them
    `is_done`, and loops over its attributes. A last call of the method `ending`, which the `with` statement makes as
    well, is deleted.
    """
    use = _find_use(editor, call)
    calls = _find_calls(editor, use) if use is not None else None
    indent = editor.indent(use.line) if use is not None else None
    if use is None or indent is None or calls is None or not all(map(is_done, calls)):
        return None
    last = use.rest[-1]
    is_closed = len(use.rest) > 1 and _is_bare_call(editor, last, use.name.value, ending)
    deeper = deepen(editor, use.rest[:-1] if is_closed else use.rest)
    if deeper is None:
        return None
    start = editor.source.offsets[use.line][0]
    header = editor.edit(start, editor.outer(use.value)[0], "with ")
    gone = (editor.edit(editor.start_of_line(last), editor.end_of_line(last), ""),) if is_closed else ()
    return (header, editor.insert_after(use.value, f" as {use.name.value}:"), *deeper, *gone)


def enter_inline(editor: Editor, call: cst.Call, is_done: Predicate, name: str) -> tuple[Edit, ...] | None:
    """Return the edits that turn `f().method()` into `with f() as name: name.method()`."""
    method = editor.parent(call)
    outer = editor.parent(method) if isinstance(method, cst.Attribute) else None
    line = editor.line_of(call)
    if not isinstance(outer, cst.Call) or outer.func is not method or line is None or not is_done(outer):
        return None
    if not _is_in_plain_function(editor, line) or not editor.is_unbound(name, line):
        return None
    # What stands in a lambda or comprehension runs at another time, or often.
    if editor.function(call) is not editor.function(line) or editor.around(call, cst.BaseComp) is not None:
        return None
    made = editor.code(call)
    edits = wrap(editor, [line], f"with {made} as {name}:") if "\n" not in made and "\r" not in made else None
    return (*edits, editor.replace(call, name)) if edits is not None else None


def _find_use(editor: Editor, call: cst.Call) -> _Use | None:
    line = editor.line_of(call)
    block = editor.parent(line) if line is not None else None
    if line is None or not isinstance(block, cst.IndentedBlock) or not _is_in_plain_function(editor, line):
        return None
    assign = line.body[0]
    if not isinstance(assign, cst.Assign) or len(assign.targets) != 1 or assign.value is not call:
        return None
    name = assign.targets[0].target
    after = block.body[list(block.body).index(line) + 1 :]
    used = [number for number, statement in enumerate(after) if isinstance(name, cst.Name) and _uses(statement, name)]
    function = editor.function(line)
    if not isinstance(name, cst.Name) or not used or not isinstance(function, cst.FunctionDef):
        return None
    rest = [one for one in after[: used[-1] + 1] if isinstance(one, Statement)]
    inside = 1 + sum(count_mentions(one, name.value) for one in rest)
    # A second statement behind a semicolon, or a `global`, would be lost or wrong.
    is_alone = not isinstance(assign.semicolon, cst.Semicolon)
    return _Use(line, name, call, rest) if inside == count_mentions(function, name.value) and is_alone else None


def _uses(statement: cst.CSTNode, name: cst.Name) -> bool:
    return count_mentions(statement, name.value) > 0


def _is_in_plain_function(editor: Editor, line: cst.CSTNode) -> bool:
    """Whether the end of a `with` statement may wait there: it would stop the event loop of a coroutine."""
    function = editor.function(line)
    return isinstance(function, cst.FunctionDef) and function.asynchronous is None


def _find_calls(editor: Editor, use: _Use) -> list[cst.Call] | None:
    """Return the calls of methods, also of attributes; None for other uses, and where they may be made later."""
    calls: list[cst.Call] = []
    for name in (one for statement in use.rest for one in iter_nodes(statement)):
        if not isinstance(name, cst.Name) or name.value != use.name.value or _is_attribute(editor, name):
            continue
        attribute: cst.CSTNode = name
        while isinstance(around := editor.parent(attribute), cst.Attribute):
            attribute = around
        if attribute is name or editor.function(name) is not editor.function(use.line) or _is_put_off(editor, name):
            return None
        if isinstance(around, cst.Call) and around.func is attribute:
            calls.append(around)
        elif not isinstance(around, cst.For) or around.iter is not attribute:
            return None
    return calls


def _is_attribute(editor: Editor, name: cst.Name) -> bool:
    """Whether it is the `pool` of `self.pool`, or of `pool=4` in a call."""
    around = editor.parent(name)
    if isinstance(around, cst.Attribute):
        return around.attr is name
    return isinstance(around, cst.Arg) and around.keyword is name


def _is_put_off(editor: Editor, node: cst.CSTNode) -> bool:
    """Whether it stands in a generator expression, which may run after the end of the block."""
    return editor.around(node, cst.GeneratorExp) is not None


def _is_bare_call(editor: Editor, statement: Statement, name: str, method: str) -> bool:
    """Whether it is `name.method()`, and nothing else stands on its lines."""
    if not isinstance(statement, cst.SimpleStatementLine) or statement.leading_lines:
        return False
    written = editor.source.text[editor.start_of_line(statement) : editor.end_of_line(statement)]
    return bool(method) and written.strip() == f"{name}.{method}()"
