"""Bytes → `Source`: text, tree, and the span of every node."""

from __future__ import annotations

import ast
import bisect
import contextlib
import io
import re
import tokenize
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager
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


class _Parentheses:
    """What `BaseExpression._parenthesize` does around each expression, without a generator for each."""

    __slots__ = ("_node", "_start", "_state")

    def __init__(self, node: cst.BaseExpression, state: _CountingState) -> None:
        self._node, self._state = node, state

    def __enter__(self) -> None:
        for left in self._node.lpar:
            left._codegen(self._state)
        self._start = self._state.position

    def __exit__(self, *error: object) -> None:
        self._state.offsets[self._node] = (self._start, self._state.position)
        for right in self._node.rpar:
            right._codegen(self._state)


def _parenthesize(node: cst.BaseExpression, state: CodegenState) -> AbstractContextManager[None]:
    return _Parentheses(node, state) if type(state) is _CountingState else _libcst_parenthesize(node, state)


_libcst_codegen = cst.CSTNode._codegen
_libcst_parenthesize = cst.BaseExpression._parenthesize


def _codegen(node: cst.CSTNode, state: CodegenState, **options: object) -> None:
    """Do what `CSTNode._codegen` does; while only positions are counted, without two more calls for each node."""
    if type(state) is not _CountingState:
        _libcst_codegen(node, state, **options)
        return
    start = state.position
    node._codegen_impl(state, **options)
    if node not in state.offsets:
        state.offsets[node] = (start, state.position)


def _codegen_whitespace(node: cst.SimpleWhitespace, state: CodegenState) -> None:
    """Nobody asks where whitespace stands, and it is two nodes of five."""
    if type(state) is _CountingState:
        state.position += len(node.value)
    else:
        _libcst_codegen(node, state)


def _codegen_name(node: cst.Name, state: CodegenState) -> None:
    """Names are one node of five."""
    if type(state) is not _CountingState or node.lpar:
        _codegen(node, state)
        return
    start = state.position
    state.position += len(node.value)
    state.offsets[node] = (start, state.position)


def _make_nodes_quick() -> None:
    """Replace what libcst does for every node, and need not do for us, by something quicker to the same effect.

    Nodes are hashed and compared by identity, as in libcst itself, but in C: libcst writes both out in Python, which
    costs more than the rest of every dictionary with nodes as keys. All else is as before for other users of libcst
    in this process; `tests/test_source.py` compares the positions with libcst's own.
    """
    pending: list[type] = [cst.CSTNode]
    while pending:
        node_type = pending.pop()
        pending += node_type.__subclasses__()
        node_type.__hash__ = object.__hash__  # type: ignore[method-assign, assignment]
        node_type.__eq__ = object.__eq__  # type: ignore[method-assign,assignment]
    cst.CSTNode._codegen = _codegen  # type: ignore[method-assign, assignment]
    cst.SimpleWhitespace._codegen = _codegen_whitespace  # type: ignore[method-assign, assignment]
    cst.Name._codegen = _codegen_name  # type: ignore[method-assign, assignment]
    cst.BaseExpression._parenthesize = _parenthesize  # type: ignore[method-assign,assignment]


_make_nodes_quick()


@contextlib.contextmanager
def _without_validation() -> Iterator[None]:
    """Keep nodes from checking themselves while the parser builds them: it makes valid ones, and saves an eighth."""
    validate = cst.CSTNode.__post_init__
    cst.CSTNode.__post_init__ = lambda self: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        cst.CSTNode.__post_init__ = validate  # type: ignore[method-assign]


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
        if state.position == len(self.text):
            return state.offsets
        return _realign(state.offsets, self.tree.code, self.text)

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
        # `Module` asks for the number of tokens to tell an empty file, and takes the last one away where the file
        # does not end in a newline; the last one is enough for both.
        self.tokens: list[str] = []

    def add_indent_tokens(self) -> None:
        for token in self.indent_tokens:
            self.position += len(token)

    def add_token(self, value: str) -> None:
        self.tokens = [value]
        self.position += len(value)

    def pop_trailing_newline(self) -> None:
        """Take the last token back."""
        if self.tokens:
            self.position -= len(self.tokens.pop())

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


def _realign(offsets: dict[cst.CSTNode, tuple[int, int]], code: str, text: str) -> dict[cst.CSTNode, tuple[int, int]]:
    """Turn offsets in the tree's `code` into offsets in the file's `text`.

    libcst forgets a form feed, or a backslash with its newline, where they come right before a statement.
    """
    places: list[int] = []
    place = -1
    for letter in code:
        place = text.find(letter, place + 1)
        if place < 0:
            # More than that differs; there is no better answer.
            return offsets
        places.append(place)
    starts = (*places, len(text), len(text))
    return {
        node: (starts[start], starts[end - 1] + 1 if end > start else starts[start])
        for node, (start, end) in offsets.items()
    }


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
        line = len(_NEWLINE.findall(text, 0, place)) + 1
        raise SourceError("cannot be parsed: null byte", Span(line, 1, line, 1))
    if _is_too_deep(text):
        raise SourceError("cannot be parsed: nested too deeply")
    try:
        with _without_validation():
            tree = cst.parse_module(text)
    except cst.ParserSyntaxError as error:
        raise _explain(error, text) from error
    except RecursionError as error:
        raise SourceError("cannot be parsed: nested too deeply") from error
    return Source(path, module, is_package, text, tree)


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
