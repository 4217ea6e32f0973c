"""Bytes → `Source`: text, tree, and the span of every node."""

from __future__ import annotations

import ast
import bisect
import io
import re
import tokenize
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import libcst as cst

from conclint.model.span import FILE_START, NEWLINE, Span
from conclint.positions import Offsets, count_offsets
from conclint.trees.expressions import Mark, Places, UnknownSyntaxError
from conclint.trees.statements import build_tree
from conclint.trees.text import Place, Text

_CLOSING = re.compile(r"(?:\s|#[^\r\n]*|\\\r?\n)*\)")
_SEPARATORS = re.compile(r"[,;:=]")
_LONG_STRETCH = 3_000
_DEEPEST_NESTING = 2_000
_DEEPEST_BRACKETS = 100
"""CPython's tokenizer gives up at 100 to 200 nested brackets, by version."""


class SourceError(Exception):
    """A file that cannot be decoded or parsed; `span` is the place, `str()` the reason."""

    def __init__(self, message: str, span: Span = FILE_START) -> None:
        super().__init__(message)
        self.span = span


class Comments(NamedTuple):
    """Whether comments stand alone right above a node, on its lines, or alone right below and as far in as it is."""

    above: bool
    inside: bool
    below: bool


@dataclass(frozen=True)
class Source:
    """A parsed file."""

    path: str
    module: str
    is_package: bool
    lines: Text
    tree: cst.Module

    @property
    def text(self) -> str:
        """What the file holds, decoded."""
        return self.lines.content

    @property
    def line_starts(self) -> tuple[int, ...]:
        """Offsets at which the lines begin."""
        return self.lines.line_starts

    @cached_property
    def offsets(self) -> Offsets:
        """Start and end offset of every node, in characters, without the whitespace around it."""
        return count_offsets(self.tree, self.text)

    def place(self, node: cst.CSTNode) -> Place:
        """Return where `node` stands, as offsets in characters."""
        return self.offsets[node]

    def has_parentheses(self, node: cst.BaseExpression) -> bool:
        """Return whether `node` stands in parentheses; those of a call count for its only argument."""
        start, end = self.place(node)
        before = start - 1
        while before >= 0 and self.text[before].isspace():
            before -= 1
        return self.text.startswith("(", max(before, 0)) and _CLOSING.match(self.text, end) is not None

    def find_comments(self, node: cst.CSTNode) -> Comments:
        """Return where comments stand around a statement or suite."""
        span = self.span(node)
        return Comments(
            above=self._has_note(span.line - 1, -1, 0),
            inside=any("#" in self._line(number) for number in range(span.line, span.end_line + 1)),
            below=self._has_note(span.end_line + 1, 1, span.column - 1),
        )

    def _has_note(self, line: int, step: int, least: int) -> bool:
        """Whether a comment stands alone on that line or the next ones, from a column on."""
        while 1 <= line <= len(self.line_starts) and not (written := self._line(line)).strip():
            line += step
        if not 1 <= line <= len(self.line_starts):
            return False
        stripped = written.lstrip()
        return stripped.startswith("#") and len(written) - len(stripped) >= least

    def _line(self, number: int) -> str:
        end = self.line_starts[number] if number < len(self.line_starts) else len(self.text)
        return self.text[self.line_starts[number - 1] : end]

    def span(self, node: cst.CSTNode) -> Span:
        """Return where `node` stands."""
        start, end = self.place(node)
        starts = self.line_starts
        line = end_line = bisect.bisect_right(starts, start)
        if line < len(starts) and end >= starts[line]:
            end_line = bisect.bisect_right(starts, end, line)
        return Span(line, start - starts[line - 1] + 1, end_line, end - starts[end_line - 1] + 1)


@dataclass(frozen=True)
class Sketch(Source):
    """A file that was read for its syntax: its tree has no whitespace, punctuation and comments.

    Nodes that do nothing but hold others, such as `Arg` and `AssignTarget`, have no place.
    """

    places: Places

    def place(self, node: cst.CSTNode) -> Place:
        """Return where `node` stands, as offsets in characters."""
        found = self._find(node)
        if isinstance(found, ast.AST):
            return self.lines.start(found), self.lines.end(found)
        start, end = found() if callable(found) else found
        return (
            start if isinstance(start, int) else self.lines.start(start),
            end if isinstance(end, int) else self.lines.end(end),
        )

    def span(self, node: cst.CSTNode) -> Span:
        """Return where `node` stands."""
        found = self._find(node)
        if isinstance(found, ast.AST) and self.lines.is_ascii:
            end_line, end = found.end_lineno or found.lineno, found.end_col_offset or 0
            return Span(found.lineno, found.col_offset + 1, end_line, end + 1)
        return super().span(node)

    def _find(self, node: cst.CSTNode) -> Mark:
        found = self.places.get(node)
        if found is None:
            raise LookupError(f"no place for a node of type {type(node).__name__} in a sketch")
        return found


def decode(data: bytes) -> str:
    """Return the text of a Python file by its BOM or coding line (PEP 263), without the BOM."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return data.decode(encoding)
    except (SyntaxError, LookupError) as error:
        raise SourceError(f"cannot be decoded: {error}") from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = f"byte 0x{data[error.start]:02x}"
        raise SourceError(f"cannot be decoded as {error.encoding}: {byte}", Span(line, 1, line, 1)) from error


def _is_too_deep(text: str) -> bool:
    """Whether some expression nests so deeply that libcst would take minutes, or all of the stack.

    Its time grows with the square of the depth. Tokens are only looked at where a long stretch of text has none of
    the separators that end a nesting.
    """
    if all(len(stretch) < _LONG_STRETCH for stretch in _SEPARATORS.split(text)):
        return False
    depth = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.NEWLINE or (token.type == tokenize.OP and token.string in (",", ";", ":", "=")):
                depth = 0
            elif token.type == tokenize.OP or token.string in ("not", "and", "or", "if", "lambda", "await"):
                depth += 1
                if depth > _DEEPEST_NESTING:
                    return True
    except (tokenize.TokenError, SyntaxError):
        # "too many nested parentheses", or a file that libcst will say more about.
        return depth > _DEEPEST_BRACKETS
    return False


def parse(text: str, *, path: str, module: str, is_package: bool = False) -> Source:
    """Parse `text`; raises `SourceError` where that cannot be done."""
    if (place := text.find("\0")) >= 0:
        # libcst takes one in a string, Python does not.
        line = len(NEWLINE.findall(text, 0, place)) + 1
        raise SourceError("cannot be parsed: null byte", Span(line, 1, line, 1))
    if _is_too_deep(text):
        raise SourceError("cannot be parsed: nested too deeply")
    try:
        tree = cst.parse_module(text)
    except cst.ParserSyntaxError as error:
        raise _explain(error, text) from error
    except RecursionError as error:
        raise SourceError("cannot be parsed: nested too deeply") from error
    return Source(path, module, is_package, Text(text), tree)


def sketch(text: str, *, path: str, module: str, is_package: bool = False) -> Source:
    """Read `text` for its syntax, in a quarter of the time that `parse` takes; raises `SourceError` like it.

    What Python's own parser does not take, for want of support or of room, is left to libcst.
    """
    if _is_too_deep(text):
        raise SourceError("cannot be parsed: nested too deeply")
    lines = Text(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree, places = build_tree(lines)
    except (SyntaxError, ValueError, RecursionError, MemoryError, UnknownSyntaxError):
        return parse(text, path=path, module=module, is_package=is_package)
    return Sketch(path, module, is_package, lines, tree, places)


def _explain(error: cst.ParserSyntaxError, text: str) -> SourceError:
    """Say what is wrong and where: in Python's own words, since libcst only knows the line, and that vaguely."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError as told:
        line, column = max(told.lineno or 1, 1), max(told.offset or 1, 1)
        return SourceError(f"cannot be parsed: {told.msg}", Span(line, column, line, column))
    except (ValueError, RecursionError, MemoryError):
        pass
    line, column = error.raw_line, error.raw_column + 1
    return SourceError("cannot be parsed: invalid syntax", Span(line, column, line, column))
