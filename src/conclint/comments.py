"""The comments of a file, by the logical line that they stand in."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

from conclint.model.span import NEWLINE

_LAYOUT = frozenset({tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER})


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment with its `#`; lines count from 1, columns from 0."""

    text: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Line:
    """A logical line with its comments, or (without `statement`) a line that holds nothing but a comment."""

    first: int
    last: int
    comments: tuple[Comment, ...]
    statement: bool
    decorator: bool = False


def read_lines(text: str) -> list[Line]:
    """Return the logical lines of a file, in order."""
    try:
        return list(_iter_logical_lines(text))
    except (tokenize.TokenError, SyntaxError):
        # Only CON001 can be raised in such a file; comments are then looked for without knowing strings.
        return list(_iter_physical_lines(text))


def _iter_logical_lines(text: str) -> Iterator[Line]:
    first, decorator = 0, False
    comments: list[Comment] = []
    # `newline=None` counts lone carriage returns as ends of lines, as the parser does.
    for token in tokenize.generate_tokens(io.StringIO(text, newline=None).readline):
        row, column = token.start
        if token.type == tokenize.COMMENT:
            comments.append(Comment(token.string, row, column))
        elif token.type == tokenize.NEWLINE or (token.type == tokenize.NL and not first):
            yield Line(first or row, row, tuple(comments), statement=bool(first), decorator=decorator)
            first, decorator, comments = 0, False, []
        elif token.type not in _LAYOUT and not first:
            first, decorator = row, token.string == "@"


def _iter_physical_lines(text: str) -> Iterator[Line]:
    for number, line in enumerate(NEWLINE.split(text), start=1):
        code, mark, _ = line.partition("#")
        comments = (Comment(line[len(code) :], number, len(code)),) if mark else ()
        if mark or code.strip():
            yield Line(number, number, comments, statement=bool(code.strip()))
