"""Rows of cells that fit the width: aligned where there is room, else below each other."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from conclint.report.paint import Line, Piece

_GAP = "  "
_LEAST_LAST = 60
"""So many characters the last cell of a row needs beside the others."""
_LEAST_WIDTH = 40

Row = tuple[Piece, ...]


def lay_out(rows: Sequence[Row], *, indent: int, width: int) -> Iterator[Line]:
    """Yield the lines of rows with the same number of cells; a last cell that is too long is wrapped.

    Where the others leave too little room for it, it stands on lines of its own, and so do all of the table.
    """
    if not rows:
        return
    width = max(width, _LEAST_WIDTH)
    sizes = [max(len(row[column].text) for row in rows) for column in range(len(rows[0]) - 1)]
    used = indent + sum(size + len(_GAP) for size in sizes)
    longest = max(len(row[-1].text) for row in rows)
    beside = longest <= width - used or width - used >= _LEAST_LAST
    for row in rows:
        yield from _beside(row, sizes, indent, width - used) if beside else _below(row, indent, width)


def wrap(text: str, *, indent: int, width: int) -> Iterator[Line]:
    """Yield the lines of a paragraph."""
    yield from ((Piece(" " * indent + line),) for line in _wrap(text, max(width, _LEAST_WIDTH) - indent))


def _beside(row: Row, sizes: Sequence[int], indent: int, room: int) -> Iterator[Line]:
    *cells, last = row
    first, *rest = _wrap(last.text, room) or [""]
    line = [Piece(" " * indent)]
    for cell, size in zip(cells, sizes, strict=True):
        line += [cell, Piece(" " * (size - len(cell.text)) + _GAP)]
    yield _strip((*line, last._replace(text=first)))
    offset = " " * (indent + sum(size + len(_GAP) for size in sizes))
    yield from ((Piece(offset), last._replace(text=text)) for text in rest)


def _below(row: Row, indent: int, width: int) -> Iterator[Line]:
    *cells, last = (cell for cell in row if cell.text)
    line = [Piece(" " * indent)]
    for cell in cells:
        line += [cell, Piece(_GAP)]
    if cells:
        yield _strip(tuple(line))
        indent += 2 * len(_GAP)
    yield from ((Piece(" " * indent), last._replace(text=text)) for text in _wrap(last.text, width - indent))


def _wrap(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def _strip(line: Line) -> Line:
    """Drop the blanks at the end of a line."""
    while line and not line[-1].text.strip():
        line = line[:-1]
    return (*line[:-1], line[-1]._replace(text=line[-1].text.rstrip())) if line else line
