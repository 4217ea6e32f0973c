"""A text as Python's parser counts it: in lines, and in bytes of UTF-8 within them."""

from __future__ import annotations

import ast
import re
from functools import cached_property

from conclint.model.span import NEWLINE

_TRIVIA = re.compile(r"(?:[ \t\f\r\n]|\\\r?\n|#[^\r\n]*)*")

Placed = ast.expr | ast.stmt | ast.excepthandler | ast.arg | ast.keyword | ast.alias
"""The nodes of Python's tree that have a place."""
Place = tuple[int, int]
"""Start and end, as offsets in characters."""


class Text:
    """Finds places in a text."""

    def __init__(self, content: str) -> None:
        self.content = content
        self.is_ascii = content.isascii()

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """Offsets at which the lines begin."""
        return (0, *(match.end() for match in NEWLINE.finditer(self.content)))

    def offset(self, line: int, column: int) -> int:
        """Return the offset of a byte in a line; lines are counted from one, bytes from zero."""
        start = self.line_starts[line - 1]
        if self.is_ascii:
            return start + column
        end = self.line_starts[line] if line < len(self.line_starts) else len(self.content)
        written = self.content[start:end]
        return start + (column if written.isascii() else len(written.encode()[:column].decode()))

    def start(self, node: Placed) -> int:
        """Return where a node of Python's tree starts."""
        return self.offset(node.lineno, node.col_offset)

    def end(self, node: Placed) -> int:
        """Return where a node of Python's tree ends."""
        return self.offset(node.end_lineno or node.lineno, node.end_col_offset or 0)

    def cut(self, node: Placed) -> str:
        """Return what a node of Python's tree is written as."""
        return self.content[self.start(node) : self.end(node)]

    def skip_trivia(self, offset: int) -> int:
        """Return where the next token starts: after whitespace, comments and line continuations."""
        found = _TRIVIA.match(self.content, offset)
        return found.end() if found is not None else offset
