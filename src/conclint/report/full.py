"""`full`: for people. Every end of an alarm and every step of its trace in a code frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from conclint.model.alarm import Diagnostic
from conclint.model.rule import Category
from conclint.model.span import NEWLINE
from conclint.report.frame import draw_frame
from conclint.report.marks import Mark, collect_marks, group_marks
from conclint.report.paint import Line, Piece, Role, paint, printable

_LEAST_GUTTER = 2

_ReadLines = Callable[[str], Sequence[str]]


def render_full(
    diagnostics: Sequence[Diagnostic], *, read_text: Callable[[str], str | None], color: bool, links: bool, width: int
) -> str:
    """Write one block per diagnostic, with an empty line between them.

    A place whose file cannot be read, or that lies beyond its end because the file has changed, has no frame.
    """
    read: dict[str, Sequence[str]] = {}

    def read_lines(path: str) -> Sequence[str]:
        if path not in read:
            text = read_text(path)
            read[path] = () if text is None else NEWLINE.split(text)
        return read[path]

    return "\n".join(
        paint(_iter_lines(diagnostic, read_lines, width), color=color, links=links) for diagnostic in diagnostics
    )


def _iter_lines(diagnostic: Diagnostic, read_lines: _ReadLines, width: int) -> Iterator[Line]:
    marks = collect_marks(diagnostic)
    gutter = max(_LEAST_GUTTER, *(len(str(mark.span.end_line)) for mark in marks))
    indent = " " * gutter
    yield (
        Piece(diagnostic.code, Role.CODE, diagnostic.url),
        Piece(f" {diagnostic.name}", Role.NAME),
        Piece(f": {printable(diagnostic.message)}"),
    )
    for group in group_marks(marks):
        yield from _draw_place(group, read_lines(group[0].path), gutter=gutter, width=width)
    if diagnostic.help:
        yield Piece(f"{indent}help: ", Role.HELP), Piece(printable(diagnostic.help))
    # A comment cannot suppress what keeps comments from being read.
    if diagnostic.category != Category.SYNTAX.value:
        yield (Piece(f"{indent}ignore it here: # conclint: ignore[{diagnostic.code}] <reason>", Role.NOTE),)


def _draw_place(marks: Sequence[Mark], lines: Sequence[str], *, gutter: int, width: int) -> Iterator[Line]:
    framed = [mark for mark in marks if mark.span.line <= len(lines)]
    if framed:
        yield _arrow(_head(framed), "", gutter)
        yield from draw_frame(framed, lines, gutter=gutter, width=width)
    for mark in marks:
        if mark not in framed:
            yield _arrow(mark, mark.label, gutter)


def _head(marks: Sequence[Mark]) -> Mark:
    return next((mark for mark in marks if mark.is_alarm), marks[0])


def _arrow(mark: Mark, label: str, gutter: int) -> Line:
    arrow = Piece(f"{' ' * gutter}{'-->' if mark.is_alarm else ':::'} ", Role.FRAME)
    place = Piece(f"{printable(mark.path)}:{mark.span.line}:{mark.span.column}", Role.PATH)
    return (arrow, place, Piece(f"   {printable(label)}", Role.STEP)) if label else (arrow, place)
