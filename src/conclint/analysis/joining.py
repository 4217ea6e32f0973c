"""A thread or process joined where the function that starts it ends: the edit for that."""

from __future__ import annotations

import libcst as cst

from conclint.analysis.editor import Editor
from conclint.model.fix import Edit
from conclint.model.span import Span


def join_at_end(editor: Editor, start: Span) -> Edit | None:
    """Return the edit that joins what the call at `start` starts, at the end of the block of a function around it."""
    call = editor.find(start, cst.Call)
    line = editor.line_of(call) if call is not None else None
    block = editor.parent(line) if line is not None else None
    if call is None or not isinstance(call.func, cst.Attribute) or not isinstance(call.func.value, cst.Name):
        return None
    if not isinstance(block, cst.IndentedBlock) or not isinstance(editor.parent(block), cst.FunctionDef):
        return None
    last = block.body[-1]
    indent = editor.indent(last)
    if indent is None:
        return None
    join = f"{indent}{call.func.value.value}.join()\n"
    leaves = isinstance(last, cst.SimpleStatementLine) and isinstance(last.body[-1], cst.Return | cst.Raise)
    place = editor.start_of_line(last, with_comments=True) if leaves else editor.end_of_line(last)
    return editor.insert(place, join)
