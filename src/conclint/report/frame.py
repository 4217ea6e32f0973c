"""A code frame: source lines with line numbers, the marks underlined, and what is said about each."""

from __future__ import annotations

import itertools
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from conclint.report.marks import Mark
from conclint.report.paint import Line, Piece, Role, printable

_TAB = 4
_WHOLE_SPAN = 4
"""A span of more lines is drawn by its first and last one."""
_SHOWN_GAP = 3
"""So many lines between two marks are shown; more are elided."""
_LEAST_WIDTH = 20


@dataclass(frozen=True, slots=True)
class _Stroke:
    """The part of a mark on one line: `start` to `end` in characters from 0; `label` stands beside the last part."""

    line: int
    start: int
    end: int
    label: str
    is_alarm: bool


@dataclass(frozen=True, slots=True)
class _Drawing:
    """A source line as a terminal draws it: each character, and the cell at which it begins.

    `offsets` has one element more than `characters`: the width of the whole line.
    """

    characters: tuple[str, ...]
    offsets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Window:
    """The characters `first` to `last` (exclusive) of a line: those that fit the terminal."""

    first: int
    last: int


def draw_frame(marks: Sequence[Mark], lines: Sequence[str], *, gutter: int, width: int) -> Iterator[Line]:
    """Draw the marks, which must begin within `lines`; `gutter` is the width of the line numbers."""
    available = max(width - gutter - 3, _LEAST_WIDTH)
    strokes = sorted((stroke for mark in marks for stroke in _iter_strokes(mark, lines)), key=_by_place)
    yield _margin(gutter)
    previous = 0
    for number, group in itertools.groupby(strokes, key=lambda stroke: stroke.line):
        yield from _draw_gap(previous, number, lines, gutter=gutter, available=available)
        yield from _draw_line(number, lines[number - 1], list(group), gutter=gutter, available=available)
        previous = number
    yield _margin(gutter)


def _by_place(stroke: _Stroke) -> tuple[int, int]:
    return stroke.line, stroke.start


def _iter_strokes(mark: Mark, lines: Sequence[str]) -> Iterator[_Stroke]:
    span = mark.span
    last = min(span.end_line, len(lines))
    numbers = range(span.line, last + 1) if last - span.line < _WHOLE_SPAN else (span.line, last)
    inked = [number for number in numbers if number == span.line or lines[number - 1].strip()]
    for number in inked:
        text = lines[number - 1].rstrip()
        start = span.column - 1 if number == span.line else len(text) - len(text.lstrip())
        end = span.end_column - 1 if number == span.end_line else len(text)
        label = mark.label if number == inked[-1] else ""
        yield _Stroke(number, start, max(start, end), label, mark.is_alarm)


def _draw_gap(above: int, below: int, lines: Sequence[str], *, gutter: int, available: int) -> Iterator[Line]:
    if not above:
        return
    if below - above - 1 > _SHOWN_GAP:
        yield (Piece("...", Role.FRAME),)
        return
    for number in range(above + 1, below):
        yield from _draw_line(number, lines[number - 1], [], gutter=gutter, available=available)


def _draw_line(number: int, text: str, strokes: Sequence[_Stroke], *, gutter: int, available: int) -> Iterator[Line]:
    drawing = _lay_out(text)
    window = _fit(drawing, strokes[0] if strokes else None, available)
    yield _source_line(number, drawing, window, gutter)
    for stroke in strokes:
        # A stroke that begins where the line is cut off is drawn under a second view of it.
        if not _shows(window, drawing, stroke):
            window = _fit(drawing, stroke, available)
            yield _source_line(number, drawing, window, gutter)
        yield _underline(drawing, window, stroke, gutter)


def _lay_out(text: str) -> _Drawing:
    characters: list[str] = []
    offsets = [0]
    for character in printable(text):
        cell = offsets[-1]
        characters.append(" " * (_TAB - cell % _TAB) if character == "\t" else character)
        offsets.append(cell + (len(characters[-1]) if character == "\t" else _cells(character)))
    return _Drawing(tuple(characters), tuple(offsets))


def _cells(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _fit(drawing: _Drawing, stroke: _Stroke | None, available: int) -> _Window:
    offsets = drawing.offsets
    if offsets[-1] <= available:
        return _Window(0, len(drawing.characters))
    budget = available - 2  # an ellipsis on either side
    left = 0
    if stroke is not None:
        start, end = _clip(stroke.start, drawing), _clip(stroke.end, drawing)
        margin = max(0, budget - (offsets[end] - offsets[start])) // 2
        left = min(max(0, offsets[start] - margin), offsets[-1] - budget)
    first = bisect_left(offsets, left)
    return _Window(first, bisect_right(offsets, offsets[first] + budget) - 1)


def _shows(window: _Window, drawing: _Drawing, stroke: _Stroke) -> bool:
    start = _clip(stroke.start, drawing)
    return window.first <= start and (start < window.last or window.last == len(drawing.characters))


def _clip(character: int, drawing: _Drawing) -> int:
    return min(character, len(drawing.characters))


def _source_line(number: int, drawing: _Drawing, window: _Window, gutter: int) -> Line:
    shown = "".join(drawing.characters[window.first : window.last])
    before = "…" if window.first else ""
    after = "…" if window.last < len(drawing.characters) else ""
    margin = Piece(f"{number:>{gutter}} |", Role.FRAME)
    text = f"{before}{shown}{after}".rstrip()
    return (margin, Piece(f" {text}")) if text else (margin,)


def _underline(drawing: _Drawing, window: _Window, stroke: _Stroke, gutter: int) -> Line:
    offsets = drawing.offsets
    start, end = (min(_clip(character, drawing), window.last) for character in (stroke.start, stroke.end))
    indent = offsets[start] - offsets[window.first] + (1 if window.first else 0)
    length = max(1, offsets[end] - offsets[start])
    role = Role.ALARM if stroke.is_alarm else Role.STEP
    ink = ("^" if stroke.is_alarm else "-") * length
    label = f" {printable(stroke.label)}" if stroke.label else ""
    return *_margin(gutter), Piece(" " * (indent + 1)), Piece(f"{ink}{label}", role)


def _margin(gutter: int) -> Line:
    return (Piece(f"{'':>{gutter}} |", Role.FRAME),)
