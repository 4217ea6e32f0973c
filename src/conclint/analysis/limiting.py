"""Limiting: the fix that gives a call a timeout."""

from __future__ import annotations

import libcst as cst

from conclint.analysis.blocks import find_line
from conclint.analysis.editor import Editor
from conclint.model.fix import Anchor, Applicability, Edit, Fix

SILENT = "silent"
"""The second word of an anchor: a call that gives False when its time is over, and raises nothing."""


def pass_timeout(editor: Editor, anchor: Anchor) -> Fix | None:
    """Pass the timeout that the settings want, by the keyword which is the first word of the anchor.

    What stands there is a call without a timeout, or the literal that says that it waits for ever.
    """
    if not anchor.words:
        return None
    edit, call = _limit(editor, anchor)
    raising = _raise_if_over(editor, call) if call is not None and SILENT in anchor.words[1:] else ()
    if edit is None or raising is None:
        return None
    title = f"Pass a timeout of {editor.default_timeout} seconds"
    return Fix(title, Applicability.UNSAFE, (edit, *raising))


def _limit(editor: Editor, anchor: Anchor) -> tuple[Edit | None, cst.Call | None]:
    """Return the edit that limits a call, and the call."""
    given = editor.find(anchor.span, (cst.Name, cst.Integer, cst.UnaryOperation))
    if given is not None:
        edit = editor.replace(given, editor.default_timeout) if _is_literal(given) else None
        return edit, editor.around(given, cst.Call)
    call = editor.find(anchor.span, cst.Call)
    if call is None or editor.is_ambiguous(editor.code(call.func).partition(".")[0]):
        # Another library of the same name may call it otherwise.
        return None, call
    return editor.add_argument(call, f"{anchor.words[0]}={editor.default_timeout}"), call


def _raise_if_over(editor: Editor, call: cst.Call) -> tuple[Edit, ...] | None:
    """Return the edits that raise when the time is over, if nobody looks at what the call gives; None if unsure."""
    around = editor.parent(call)
    if isinstance(around, cst.BooleanOperation):
        # `wait and event.wait()`: somebody looks at what it gives, or nobody.
        return None
    if not isinstance(around, cst.Expr):
        return ()
    line = find_line(editor, call)
    indent = editor.indent(line) if line is not None else None
    if line is None or indent is None:
        return None
    step = editor.source.tree.default_indent
    raising = editor.insert(editor.end_of_line(line), f"{indent}{step}raise TimeoutError\n")
    return editor.insert_before(call, "if not "), editor.insert_after(call, ":"), raising


def _is_literal(node: cst.BaseExpression) -> bool:
    return not isinstance(node, cst.Name) or node.value == "None"
