"""How `acquire()` and `release()` become a `with` block: the edits for that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from conclint.analysis.blocks import (
    deepen,
    end_of,
    find_block,
    find_following,
    find_line,
    is_path,
    is_statement,
    iter_bound,
    iter_comments,
    iter_own,
    join_edits,
    remove,
)
from conclint.analysis.editor import Editor, Statement
from conclint.analysis.fields import iter_nodes
from conclint.analysis.locksets import ends_block
from conclint.model.fix import Edit

_HARMLESS = frozenset({"locked", "notify", "notify_all", "wait", "wait_for"})
"""What may be done with a lock, or Condition, while it is held, and leaves it so."""


@dataclass(frozen=True, slots=True)
class CriticalSection:
    """The statements behind an `acquire()` (must) up to the `release()` that ends them."""

    statements: Sequence[Statement]
    releases: Sequence[cst.SimpleStatementLine]
    """The lines that release: the last one, behind the statements or in `frame`, and those right before a way out."""
    frame: cst.Try | None
    """The last of the statements, if that one releases in its `finally`."""


def find_critical_section(editor: Editor, line: Statement, lock: cst.BaseExpression) -> CriticalSection | None:
    """Return what stands between `acquire()`, on a line of its own, and `release()`; None for any other shape."""
    following, text = find_following(editor, line), editor.code(lock)
    if not is_path(lock):
        return None
    for number, one in enumerate(following):
        is_release = isinstance(one, cst.SimpleStatementLine) and _is_release(editor, one, text)
        is_frame = isinstance(one, cst.Try) and _find_last_release(editor, one, text) is not None
        if is_release or is_frame:
            statements = following[: number + 1 if is_frame else number]
            frame = one if isinstance(one, cst.Try) else None
            return _complete(editor, statements, following[: number + 1], lock, frame)
    return None


def _complete(
    editor: Editor,
    statements: Sequence[Statement],
    whole: Sequence[Statement],
    lock: cst.BaseExpression,
    frame: cst.Try | None,
) -> CriticalSection | None:
    text = editor.code(lock)
    lines = list(_iter_releases(editor, whole, text))
    inner = [one for one in lines if one is not lines[-1]]
    last = _find_last_release(editor, frame, text) if frame is not None else whole[-1]
    # Each release is known: at the end, or right before a way out.
    released = [one for one in _iter_uses(editor, whole, text) if one not in _HARMLESS]
    is_known = released == ["release"] * len(lines) and lines[-1:] == [last]
    is_plain = is_known and all(_is_way_out(editor, one) for one in inner)
    if not statements or not is_plain or _rebinds(editor, statements, lock):
        return None
    if _is_released_next(editor, whole[0], end_of(editor, whole[-1]), text):
        return None
    return CriticalSection(statements, lines, frame)


def _iter_uses(editor: Editor, statements: Sequence[Statement], lock: str) -> Iterator[str]:
    """Yield what is used of the lock, "" where it is used itself."""
    for one in iter_own(statements):
        if isinstance(one, cst.Attribute | cst.Name) and editor.code(one) == lock:
            around = editor.parent(one)
            yield around.attr.value if isinstance(around, cst.Attribute) and around.value is one else ""


def enter(
    editor: Editor, acquire: cst.BaseExpression, section: CriticalSection, header: str
) -> tuple[Edit, ...] | None:
    """Return the edits that write `header` where `acquire` stands, and hold the lock so to the end of the section."""
    frame, releases = section.frame, section.releases
    body: Sequence[Statement] = section.statements
    edits: list[Edit | None] = [editor.replace(acquire, header)]
    if frame is not None and frame.finalbody is not None:
        is_whole = len(frame.finalbody.body.body) == 1
        if is_whole and not frame.handlers and frame.orelse is None:
            body = body[:-1]
            edits += _unwrap(editor, frame)
            releases = releases[:-1]
        elif is_whole:
            edits.append(_remove_finally(editor, frame, frame.finalbody))
            releases = releases[:-1]
    edits += [remove(editor, one) for one in releases]
    deeper = deepen(editor, body) if body else ()
    if deeper is None or any(one is None for one in edits):
        return None
    return join_edits([one for one in edits if one is not None], deeper)


def _unwrap(editor: Editor, frame: cst.Try) -> Iterator[Edit | None]:
    """Yield the edits that leave nothing of `try: … finally: lock.release()` but the body, at its indentation."""
    start, first = editor.start_of_line(frame), find_block(editor, frame.body.body[0])
    step = editor.source.tree.default_indent
    inner = editor.indent(first[0]) if first else None
    is_fitting = inner is not None and inner == (editor.indent(frame) or "") + step
    end = editor.source.line_starts[editor.source.span(frame).line] if is_fitting else start
    is_alone = editor.source.text[start:end].strip() == "try:"
    yield editor.edit(start, end, "") if is_alone else None
    if frame.finalbody is not None:
        yield _remove_finally(editor, frame, frame.finalbody)


def _remove_finally(editor: Editor, frame: cst.Try, finalbody: cst.Finally) -> Edit | None:
    start, end = editor.start_of_line(finalbody), end_of(editor, frame)
    return None if any(iter_comments(editor, start, end)) else editor.edit(start, end, "")


def _iter_releases(editor: Editor, statements: Sequence[Statement], lock: str) -> Iterator[cst.SimpleStatementLine]:
    for one in iter_own(statements):
        if isinstance(one, cst.SimpleStatementLine) and _is_release(editor, one, lock):
            yield one


def _is_release(editor: Editor, line: cst.SimpleStatementLine, lock: str) -> bool:
    part = line.body[0]
    call = part.value if isinstance(part, cst.Expr) else None
    if not isinstance(call, cst.Call) or call.args or not is_statement(editor, call):
        return False
    return editor.code(call.func) == f"{lock}.release" and find_line(editor, call) is line


def _find_last_release(editor: Editor, frame: cst.Try, lock: str) -> cst.SimpleStatementLine | None:
    """Return the line of a `finally` that releases, whatever has happened."""
    lines = frame.finalbody.body.body if frame.finalbody is not None else ()
    found = (one for one in lines if isinstance(one, cst.SimpleStatementLine) and _is_release(editor, one, lock))
    return next(found, None)


def _is_way_out(editor: Editor, line: cst.SimpleStatementLine) -> bool:
    """Whether a line is followed by a `return` or `raise`, and nothing else."""
    following = find_following(editor, line)
    leaving = following[0] if len(following) == 1 else None
    if not isinstance(leaving, cst.SimpleStatementLine) or not ends_block(leaving):
        return False
    return isinstance(leaving.body[-1], cst.Return | cst.Raise)


def _rebinds(editor: Editor, statements: Sequence[Statement], lock: cst.BaseExpression) -> bool:
    """Whether what the lock is named by may be another one at the end: `node = node.next`."""
    parts = {editor.code(one) for one in iter_nodes(lock)}
    return any(editor.code(one) in parts for one in iter_bound(statements))


def _is_released_next(editor: Editor, line: Statement, end: int, lock: str) -> bool:
    """Whether the next thing that is done with the lock in the same function is to release it: in a handler, say."""
    function = editor.function(line)
    uses = (
        (editor.source.offsets[one][0], one.attr.value)
        for one in iter_own([function.body if function is not None else editor.source.tree])
        if isinstance(one, cst.Attribute) and editor.code(one.value) == lock
    )
    following = sorted((place, name) for place, name in uses if place >= end and name in ("acquire", "release"))
    return bool(following) and following[0][1] == "release"
