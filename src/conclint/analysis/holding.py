"""How a lock comes to be held around statements: the edits for that."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import libcst as cst

from conclint.analysis.blocks import find_block, find_statement, holds, is_path, iter_bound, iter_own, wrap
from conclint.analysis.editor import Editor, Statement
from conclint.analysis.fields import iter_nodes
from conclint.model.fix import Applicability, Edit, Fix


def hold_lock(editor: Editor, first: cst.CSTNode, last: cst.CSTNode, words: Sequence[str]) -> Fix | None:
    """Return the fix that holds the lock of `words`, as `Holding.describe` gives them, from one node to another."""
    if not words:
        return None
    kind, name, state, *lines = words
    lock = _write_attribute(editor, last, name, state) if kind == "object" else _write_global(editor, last, name)
    edits = hold(editor, lock, first, last, lines) if lock is not None else None
    return Fix(f"Hold `{lock}`", Applicability.UNSAFE, edits) if edits is not None else None


def hold(
    editor: Editor,
    lock: str,
    first: cst.CSTNode,
    last: cst.CSTNode,
    lines: Collection[str],
    *,
    is_of_tasks: bool = False,
) -> tuple[Edit, ...] | None:
    """Return the edits that put the statements from one node to another into `with`; None where that does not fit.

    What must not come to stand there are the `lines` of the file, and anything that suspends.
    """
    section = find_section(editor, first, last)
    if not section or is_in_coroutine(editor, section[0]) != is_of_tasks:
        return None
    span, end = editor.source.span(section[0]), editor.source.span(section[-1])
    if any(str(line) in lines for line in range(span.line, end.end_line + 1)):
        return None
    root = lock.partition(".")[0]
    if any(isinstance(one, cst.Name) and one.value == root for one in iter_bound(section)):
        # It is named by a variable that is only bound there.
        return None
    suspending = (cst.Yield,) if is_of_tasks else (cst.Await, cst.Yield)
    if any(isinstance(one, suspending) for one in iter_own(section)):
        return None
    return wrap(editor, section, f"{'async ' if is_of_tasks else ''}with {lock}:")


def hold_new_lock(
    editor: Editor, name: str, first: cst.CSTNode, last: cst.CSTNode, lines: Collection[str]
) -> Fix | None:
    """Return the fix that makes a lock beside a variable of the module, and holds it from one node to another."""
    made = next((line for line in editor.source.tree.body if _assigns(line, name)), None)
    lock = f"{name}_lock" if not name.isupper() else f"{name}_LOCK"
    if len(find_section(editor, first, last)) != 1:
        # What several statements do under a lock of their own is for people to say.
        return None
    reference = editor.refer("threading.Lock", made) if made is not None and editor.is_free(lock) else None
    edits = hold(editor, lock, first, last, lines) if reference is not None else None
    if made is None or reference is None or edits is None:
        return None
    if not reference.edits and not _is_imported_above(editor, made):
        return None
    defined = editor.insert(editor.end_of_line(made), f"{lock} = {reference.text}()\n")
    return Fix(f"Hold a new lock, `{lock}`", Applicability.UNSAFE, (*reference.edits, defined, *edits))


def _is_imported_above(editor: Editor, line: cst.CSTNode) -> bool:
    """Whether threads' library is imported when a line of the module runs: imports may stand below it."""
    body = list(editor.source.tree.body)
    above = (one for one in body[: body.index(line)] if isinstance(one, cst.SimpleStatementLine))  # type: ignore[arg-type]
    return any(
        isinstance(one.body[0], cst.Import | cst.ImportFrom) and "threading" in editor.code(one) for one in above
    )


def _assigns(line: cst.BaseStatement | cst.SimpleStatementLine, name: str) -> bool:
    part = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
    target = part.target if isinstance(part, cst.AnnAssign) else None
    if isinstance(part, cst.Assign) and len(part.targets) == 1:
        target = part.targets[0].target
    return isinstance(target, cst.Name) and target.value == name


def find_section(editor: Editor, first: cst.CSTNode, last: cst.CSTNode) -> Sequence[Statement]:
    """Return the fewest statements that follow each other and hold two nodes, which run where these do; else none."""
    statement = find_statement(editor, first)
    while statement is not None:
        block = find_block(editor, statement)
        index = block.index(statement)
        for end in range(index, len(block)):
            if holds(block[end], last):
                return block[index : end + 1]
        around = editor.parent(statement)
        statement = find_statement(editor, around) if around is not None else None
    return ()


def is_in_coroutine(editor: Editor, node: cst.CSTNode) -> bool:
    """Return whether a node stands in an `async def`."""
    function = editor.function(node)
    return isinstance(function, cst.FunctionDef) and function.asynchronous is not None


def _write_attribute(editor: Editor, node: cst.CSTNode, name: str, state: str) -> str | None:
    """Return the lock that is kept with the state: `account.lock` at `account.balance`."""
    found = (one for one in iter_nodes(node) if isinstance(one, cst.Attribute) and one.attr.value == state)
    attribute = next(found, None)
    if attribute is None or not is_path(attribute.value):
        return None
    return f"{editor.code(attribute.value)}.{name}"


def _write_global(editor: Editor, node: cst.CSTNode, name: str) -> str | None:
    table = editor.scope(node).table
    return name if table.find_owner(name) is table.module() else None
