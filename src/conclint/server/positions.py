"""Places in a text: spans count characters from 1, the ranges of a client other units, from 0."""

from __future__ import annotations

from lsprotocol import types

from conclint.model.span import NEWLINE, Span

_UNITS = {
    types.PositionEncodingKind.Utf8.value: ("utf-8", 1),
    types.PositionEncodingKind.Utf16.value: ("utf-16-le", 2),
    types.PositionEncodingKind.Utf32.value: ("utf-32-le", 4),
}
"""How the units of a client are encoded, and the bytes of one."""


class Lines:
    """The lines of a text. They end where Python and the protocol say so, and not at form feeds and the like."""

    def __init__(self, text: str, encoding: str) -> None:
        """Count in units of `encoding`: `utf-8`, `utf-16` or `utf-32`."""
        self._lines = NEWLINE.split(text)
        self._codec, self._size = _UNITS[encoding]

    def find_range(self, span: Span) -> types.Range:
        """Return where a client finds `span`."""
        return types.Range(self._find(span.line, span.column), self._find(span.end_line, span.end_column))

    def _find(self, line: int, column: int) -> types.Position:
        # A file may have become shorter since it was read.
        if line > len(self._lines):
            line, column = len(self._lines), len(self._lines[-1]) + 1
        before = self._lines[line - 1][: column - 1]
        # Half a surrogate pair is no text, but a client may send it all the same.
        units = len(before) if before.isascii() else len(before.encode(self._codec, "surrogatepass")) // self._size
        return types.Position(line - 1, units)
