"""Bytes → `Source`: text, tree, and the span of every node."""

from __future__ import annotations

import bisect
import io
import re
import tokenize
from dataclasses import dataclass, field
from functools import cached_property

import libcst as cst
from libcst._nodes.internal import CodegenState

from conclint.model.span import FILE_START, Span

_NEWLINE = re.compile(r"\r\n?|\n")
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


@dataclass(frozen=True)
class Source:
    """A parsed file."""

    path: str
    module: str
    is_package: bool
    text: str
    tree: cst.Module
    _offsets: dict[cst.CSTNode, tuple[int, int]] = field(default_factory=dict, repr=False)

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """Offsets at which the lines begin."""
        return (0, *(match.end() for match in _NEWLINE.finditer(self.text)))

    @cached_property
    def offsets(self) -> dict[cst.CSTNode, tuple[int, int]]:
        """Start and end offset of every node, in characters, without the whitespace around it."""
        state = _CountingState(self.tree.default_indent, self.tree.default_newline)
        self.tree._codegen(state)
        return state.offsets

    def span(self, node: cst.CSTNode) -> Span:
        """Return where `node` stands."""
        start, end = self.offsets[node]
        line, column = self._place(start)
        end_line, end_column = self._place(end)
        return Span(line, column, end_line, end_column)

    def _place(self, offset: int) -> tuple[int, int]:
        line = bisect.bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1


class _CountingState(CodegenState):
    """The least that libcst's own code generation needs to tell positions: it counts characters.

    This is what `PositionProvider` does, without lines, columns and provider; a test compares the two.
    """

    def __init__(self, default_indent: str, default_newline: str) -> None:
        super().__init__(default_indent, default_newline)
        self.position = 0
        self.offsets: dict[cst.CSTNode, tuple[int, int]] = {}
        self._starts: list[int] = []
        # `Module` asks for the number of tokens to tell an empty file; one is enough for an answer.
        self.tokens: list[str] = []

    def add_indent_tokens(self) -> None:
        for token in self.indent_tokens:
            self.position += len(token)

    def add_token(self, value: str) -> None:
        if not self.tokens:
            self.tokens.append("")
        self.position += len(value)

    def pop_trailing_newline(self) -> None:
        """Keep the count: only the module's own end would change, and nobody asks for it."""

    def before_codegen(self, node: cst.CSTNode) -> None:
        self._starts.append(self.position)

    def after_codegen(self, node: cst.CSTNode) -> None:
        start = self._starts.pop()
        if node not in self.offsets:
            self.offsets[node] = (start, self.position)

    def record_syntactic_position(  # type: ignore[override]  # a plain object is quicker than @contextmanager
        self, node: cst.CSTNode, *, start_node: cst.CSTNode | None = None, end_node: cst.CSTNode | None = None
    ) -> _SyntacticPosition:
        return _SyntacticPosition(self, node, start_node, end_node)


class _SyntacticPosition:
    """Records where a node begins and ends without the whitespace that it owns."""

    __slots__ = ("_end_node", "_node", "_start", "_start_node", "_state")

    def __init__(
        self,
        state: _CountingState,
        node: cst.CSTNode,
        start_node: cst.CSTNode | None,
        end_node: cst.CSTNode | None,
    ) -> None:
        self._state, self._node, self._start_node, self._end_node = state, node, start_node, end_node
        self._start = 0

    def __enter__(self) -> None:
        self._start = self._state.position

    def __exit__(self, *_: object) -> None:
        offsets = self._state.offsets
        start = self._start if self._start_node is None else offsets[self._start_node][0]
        end = self._state.position if self._end_node is None else offsets[self._end_node][1]
        offsets[self._node] = (start, end)


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
            if token.type == tokenize.OP and token.string in (",", ";", ":", "="):
                depth = 0
            elif token.type == tokenize.NEWLINE:
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
    if _is_too_deep(text):
        raise SourceError("cannot be parsed: nested too deeply")
    try:
        tree = cst.parse_module(text)
    except cst.ParserSyntaxError as error:
        line, column = error.raw_line, error.raw_column + 1
        raise SourceError("cannot be parsed: invalid syntax", Span(line, column, line, column)) from error
    except RecursionError as error:
        raise SourceError("cannot be parsed: nested too deeply") from error
    return Source(path, module, is_package, text, tree)
