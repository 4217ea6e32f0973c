"""Blocks: whole statements, and the edits that put them into a block of their own, or take them away."""

from __future__ import annotations

import bisect
import io
import tokenize
from collections.abc import Iterator, Sequence

import libcst as cst

from conclint.analysis.editor import Editor, Statement
from conclint.analysis.fields import iter_children, iter_nodes
from conclint.model.fix import Edit
from conclint.model.span import NEWLINE

_INNER = (cst.FunctionDef, cst.ClassDef, cst.Lambda)


def find_statement(editor: Editor, node: cst.CSTNode) -> Statement | None:
    """Return the innermost statement around a node, or itself, that begins a line of its own and runs where it does."""
    for found in (node, *editor.iter_around(node)):
        if isinstance(found, cst.Lambda | cst.ClassDef) or (isinstance(found, cst.FunctionDef) and found is not node):
            return None
        if isinstance(found, cst.SimpleStatementLine | cst.BaseCompoundStatement) and find_block(editor, found):
            return found if editor.indent(found) is not None else None
    return None


def find_block(editor: Editor, statement: cst.CSTNode) -> Sequence[Statement]:
    """Return the statements among which a statement stands, itself included; none where it shares its line."""
    block = editor.parent(statement)
    if not isinstance(block, cst.IndentedBlock | cst.Module):
        return ()
    return [one for one in block.body if isinstance(one, cst.SimpleStatementLine | cst.BaseCompoundStatement)]


def find_following(editor: Editor, statement: Statement) -> Sequence[Statement]:
    """Return the statements that follow one in its block."""
    block = find_block(editor, statement)
    return block[block.index(statement) + 1 :] if statement in block else ()


def find_line(editor: Editor, node: cst.CSTNode) -> cst.SimpleStatementLine | None:
    """Return the line around an expression, if it holds one small statement, which begins it."""
    line = editor.line_of(node)
    return line if line is not None and find_block(editor, line) and editor.indent(line) is not None else None


def is_statement(editor: Editor, call: cst.Call) -> bool:
    """Return whether a call is a statement, awaited or not: nobody looks at what it gives."""
    around = editor.parent(call)
    if isinstance(around, cst.Await):
        around = editor.parent(around)
    return isinstance(around, cst.Expr)


def is_path(node: cst.CSTNode) -> bool:
    """Return whether an expression is a name, or attributes of one: to evaluate it once more changes nothing."""
    return all(isinstance(one, cst.Name | cst.Attribute) for one in iter_nodes(node))


def holds(node: cst.CSTNode, inner: cst.CSTNode) -> bool:
    """Return whether `inner` is the node, or stands in it."""
    return any(one is inner for one in iter_nodes(node))


def iter_own(nodes: Sequence[cst.CSTNode]) -> Iterator[cst.CSTNode]:
    """Yield all nodes that run where the given ones do: not those in functions and classes that they define."""
    pending = list(reversed(nodes))
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, _INNER):
            pending.extend(reversed(list(iter_children(node))))


def iter_comments(editor: Editor, start: int, end: int) -> Iterator[str]:
    """Yield the comments between two offsets, each with its `#`."""
    starts = editor.source.line_starts
    # `newline=None` counts lone carriage returns as ends of lines, as the parser does.
    for token in tokenize.generate_tokens(io.StringIO(editor.source.text, newline=None).readline):
        if token.type == tokenize.COMMENT and start <= starts[token.start[0] - 1] + token.start[1] < end:
            yield token.string


def lift_comments(editor: Editor, start: int, end: int, before: str) -> str:
    """Return lines with the comments between two offsets, for the text that takes the place of what stands there."""
    return "".join(f"{comment}\n{before}" for comment in iter_comments(editor, start, end))


def deepen(editor: Editor, statements: Sequence[Statement], *, first: bool = True) -> tuple[Edit, ...] | None:
    """Return the edits that move statements that follow each other one step to the right, comments included.

    Without `first` the first line stays, and what is above it. None where a string over several lines would change.
    """
    start, end = editor.source.offsets[statements[0]][0], end_of(editor, statements[-1])
    starts = editor.source.line_starts
    if first:
        start = editor.start_of_line(statements[0], with_comments=True) - 1
    begins = [place for place in starts[bisect.bisect_right(starts, start) :] if place < end]
    if any(_holds_line_start(editor, node, begins) for one in statements for node in iter_nodes(one)):
        return None
    step = editor.source.tree.default_indent
    # Lines without any text stay so.
    return tuple(editor.insert(place, step) for place in begins if _read_line(editor, place).strip())


def join_edits(edits: Sequence[Edit], deeper: Sequence[Edit]) -> tuple[Edit, ...]:
    """Return edits with those of `deepen` and `wrap`, but for lines that are taken away."""
    gone = [(one.span.line, one.span.end_line) for one in edits if not one.content]
    return *edits, *(one for one in deeper if not any(first <= one.span.line < last for first, last in gone))


def wrap(editor: Editor, statements: Sequence[Statement], header: str) -> tuple[Edit, ...] | None:
    """Return the edits that put statements into a block of their own; None where that would change a long string."""
    before, deeper = editor.indent(statements[0]), deepen(editor, statements, first=False)
    if before is None or deeper is None:
        return None
    start = editor.source.offsets[statements[0]][0]
    return (editor.insert(start, f"{header}\n{before}{editor.source.tree.default_indent}"), *deeper)


def end_of(editor: Editor, statement: Statement) -> int:
    """Return where the line after a statement begins; comments that stand deeper than the statement belong to it."""
    last, starts = editor.end_of_line(statement), editor.source.line_starts
    if isinstance(statement, cst.SimpleStatementLine):
        return last
    column = len(editor.indent(statement) or "")
    for place in starts[bisect.bisect_left(starts, last) :]:
        line = _read_line(editor, place)
        if line.strip():
            if not line.lstrip().startswith("#") or len(line) - len(line.lstrip()) <= column:
                break
            last = place + len(line)
    return last


def _read_line(editor: Editor, place: int) -> str:
    """Return the text from an offset to the end of its line, with its newline."""
    starts, text = editor.source.line_starts, editor.source.text
    line = bisect.bisect_right(starts, place)
    return text[place : starts[line] if line < len(starts) else len(text)]


def remove(editor: Editor, statement: Statement) -> Edit | None:
    """Return the edit that takes the lines of a statement away, but not a comment behind it; None for others."""
    start, end = editor.start_of_line(statement), end_of(editor, statement)
    if not any(iter_comments(editor, start, end)):
        return editor.edit(start, end, "")
    first, last = editor.source.offsets[statement]
    behind = editor.source.text[last:end].lstrip(" \t")
    if not isinstance(statement, cst.SimpleStatementLine) or any(iter_comments(editor, start, last)):
        return None
    return editor.edit(first, end - len(behind), "")


def leaks(editor: Editor, statements: Sequence[Statement]) -> bool:
    """Return whether a variable that statements bind is used anywhere else in their function."""
    table = editor.scope(statements[0]).table
    names = {one.value for one in iter_bound(statements) if isinstance(one, cst.Name)}
    own = {name for name in names if table.find_owner(name) is table}
    inside = {name for one in statements for name in iter_nodes(one) if isinstance(name, cst.Name)}
    uses = (one for one in iter_nodes(editor.function(statements[0]) or editor.source.tree) if one not in inside)
    return any(isinstance(one, cst.Name) and one.value in own and not _is_label(editor, one) for one in uses)


def iter_bound(nodes: Sequence[cst.CSTNode]) -> Iterator[cst.CSTNode]:
    """Yield what is bound, or unbound, where the nodes run: names, and the likes of `self.x`."""
    for one in iter_own(nodes):
        if isinstance(one, cst.AssignTarget | cst.AnnAssign | cst.AugAssign | cst.For | cst.NamedExpr | cst.Del):
            yield from _flatten(one.target)
        elif isinstance(one, cst.FunctionDef | cst.ClassDef | cst.AsName):
            yield from _flatten(one.name)
        elif isinstance(one, cst.ImportAlias) and one.asname is None:
            yield from (name for name in iter_nodes(one.name) if isinstance(name, cst.Name))


def _flatten(target: cst.CSTNode) -> Iterator[cst.CSTNode]:
    if isinstance(target, cst.Tuple | cst.List):
        for element in target.elements:
            yield from _flatten(element.value)
    else:
        yield target


def _is_label(editor: Editor, name: cst.Name) -> bool:
    """Whether a name is none of a variable: the `x` of `self.x`, or of `f(x=1)`."""
    around = editor.parent(name)
    if isinstance(around, cst.Attribute):
        return around.attr is name
    return isinstance(around, cst.Arg) and around.keyword is name


def _holds_line_start(editor: Editor, node: cst.CSTNode, begins: Sequence[int]) -> bool:
    if not isinstance(node, cst.BaseString) or isinstance(node, cst.ConcatenatedString):
        return False
    start, end = editor.source.offsets[node]
    return any(start < place <= end for place in begins)


def move(editor: Editor, statement: Statement, place: int, *, above: str) -> tuple[Edit, Edit] | None:
    """Return the edits that move a statement, with the comments right above it, to the line that begins at `place`.

    It is indented by `above`. None where that would change a string over several lines.
    """
    taken = take(editor, statement, above=above)
    return (taken[0], editor.insert(place, taken[1])) if taken is not None else None


def take(editor: Editor, statement: Statement, *, above: str) -> tuple[Edit, str] | None:
    """Return the edit that takes a statement away, with the comments right above it, and its lines, indented anew."""
    before, text = editor.indent(statement), editor.source.text
    start, end = find_top(editor, statement), end_of(editor, statement)
    begins = [one for one in editor.source.line_starts if start <= one < end]
    if before is None or any(_holds_line_start(editor, one, begins) for one in iter_nodes(statement)):
        return None
    lines = reindent(text[start:end].rstrip("\r\n"), before, above)
    if find_block(editor, statement)[:1] == [statement]:
        # No block begins with an empty line.
        end += len(text[end:]) - len(text[end:].lstrip("\r\n"))
    return editor.edit(start, end, ""), f"{lines}\n"


def reindent(text: str, before: str, after: str) -> str:
    """Return text with `after` instead of `before` at the beginning of each line that has it."""
    lines = NEWLINE.split(text)
    return "\n".join(after + line[len(before) :] if line.startswith(before) and line else line for line in lines)


def find_top(editor: Editor, statement: Statement) -> int:
    """Return where the first of the comments begins that stand right above a statement, or the statement's line."""
    above = list(statement.leading_lines)
    count = next((number for number, line in enumerate(reversed(above)) if line.comment is None), len(above))
    starts = editor.source.line_starts
    return starts[bisect.bisect_left(starts, editor.start_of_line(statement)) - count]
