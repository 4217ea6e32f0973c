"""A thread or process joined where the function that starts it ends: the edit for that."""

from __future__ import annotations

import re

import libcst as cst

from conclint.analysis.blocks import end_of, find_top, iter_bound
from conclint.analysis.editor import Editor, Statement
from conclint.model.fix import EACH, ONCE, Anchor, Applicability, Edit, Fix
from conclint.model.span import Span


def join_started(editor: Editor, anchor: Anchor, one: str, several: str) -> Fix | None:
    """Return the fix that joins what the call at the anchor starts, at the end of the function around it."""
    if anchor.words == (EACH,):
        edits, what = _join_each(editor, anchor.span, several), several
    else:
        edits, what = _join_once(editor, anchor.span) if anchor.words == (ONCE,) else (), one
    return Fix(f"Join the {what} at the end of the function", Applicability.UNSAFE, edits) if edits else None


def _join_once(editor: Editor, start: Span) -> tuple[Edit, ...]:
    call = editor.find(start, cst.Call)
    line = editor.line_of(call) if call is not None else None
    if line is None or call is None or not isinstance(call.func, cst.Attribute):
        return ()
    name = call.func.value
    edit = _add_to_end(editor, line, f"{name.value}.join()") if isinstance(name, cst.Name) else None
    return (edit,) if edit is not None else ()


def _join_each(editor: Editor, start: Span, several: str) -> tuple[Edit, ...]:
    """Return the edits that join all that a loop of a function starts, at the end of that function; none if unsure.

    The loop goes over a list of them, adds them to one, or makes each itself, and is given a list for them.
    """
    call = editor.find(start, cst.Call)
    line = editor.line_of(call) if call is not None else None
    block = editor.parent(line) if line is not None else None
    loop = editor.parent(block) if isinstance(block, cst.IndentedBlock) else None
    if call is None or line is None or not isinstance(block, cst.IndentedBlock) or not isinstance(loop, cst.For):
        return ()
    name = call.func.value if isinstance(call.func, cst.Attribute) else None
    if not isinstance(name, cst.Name) or loop.orelse is not None or not isinstance(line.body[0], cst.Expr):
        return ()
    kept = _find_list(editor, loop, name.value)
    edits: tuple[Edit, ...] = ()
    if not kept:
        kept, edits = _keep(editor, loop, line, name.value, several)
    step = editor.source.tree.default_indent
    end = _add_to_end(editor, loop, f"for {name.value} in {kept}:", f"{step}{name.value}.join()") if kept else None
    return (*edits, end) if end is not None else ()


def _find_list(editor: Editor, loop: cst.For, name: str) -> str:
    """Return the variable for the list of all that the loop starts as `name`, "" where there is none."""
    found = ""
    if isinstance(loop.target, cst.Name) and loop.target.value == name and isinstance(loop.iter, cst.Name):
        found = loop.iter.value
    for line in loop.body.body:
        written = editor.code(line) if isinstance(line, cst.SimpleStatementLine) else ""
        if match := re.fullmatch(rf"(\w+)\.append\({name}\)", written.strip()):
            found = match[1]
    function = editor.function(loop)
    table = editor.scope(loop).table
    if not isinstance(function, cst.FunctionDef) or not found or table.find_owner(found) is not table:
        return ""
    bound = [one for one in iter_bound([function.body]) if isinstance(one, cst.Name) and one.value == found]
    # Bound once, it is still the same list at the end; a generator would give nothing then.
    made = editor.around(bound[0], cst.Assign) if len(bound) == 1 else None
    return found if made is not None and isinstance(made.value, cst.List | cst.ListComp | cst.Tuple) else ""


def _keep(
    editor: Editor, loop: cst.For, line: cst.SimpleStatementLine, name: str, several: str
) -> tuple[str, tuple[Edit, ...]]:
    """Return a new list, and the edits that add to it what each round of the loop makes and starts."""
    made = [one for one in loop.body.body if _binds(one, name)]
    kept = next((one for one in (several, f"started_{several}") if editor.is_unbound(one, loop)), "")
    before, within = editor.indent(loop), editor.indent(line)
    if len(made) != 1 or not kept or before is None or within is None:
        return "", ()
    begin = editor.insert(find_top(editor, loop), f"{before}{kept} = []\n")
    return kept, (begin, editor.insert(editor.end_of_line(line), f"{within}{kept}.append({name})\n"))


def _binds(line: cst.CSTNode, name: str) -> bool:
    part = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
    target = part.targets[0].target if isinstance(part, cst.Assign) and len(part.targets) == 1 else None
    return isinstance(target, cst.Name) and target.value == name


def _add_to_end(editor: Editor, statement: Statement, *lines: str) -> Edit | None:
    """Return the edit that adds lines to the end of a function, in whose own block the statement must stand."""
    block = editor.parent(statement)
    function = editor.parent(block) if isinstance(block, cst.IndentedBlock) else None
    # To wait in a coroutine would stop its event loop.
    if not isinstance(block, cst.IndentedBlock) or not isinstance(function, cst.FunctionDef) or function.asynchronous:
        return None
    last = block.body[-1]
    indent = editor.indent(last)
    if indent is None or not isinstance(last, Statement):
        return None
    leaves = isinstance(last, cst.SimpleStatementLine) and isinstance(last.body[-1], cst.Return | cst.Raise)
    place = editor.start_of_line(last, with_comments=True) if leaves else end_of(editor, last)
    return editor.insert(place, "".join(f"{indent}{line}\n" for line in lines))
