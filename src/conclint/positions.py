"""Where the nodes of a tree stand, by counting the characters that libcst's own code generation writes.

`PositionProvider` does the same five times slower. What is slow in libcst for every single node, and need not be for
us, is replaced here by something quicker to the same effect; `tests/test_source.py` compares the results.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import libcst as cst
from libcst._nodes.internal import CodegenState

Offsets = dict[cst.CSTNode, tuple[int, int]]
"""Start and end offset of each node, in characters, without the whitespace around it."""


def count_offsets(tree: cst.Module, text: str) -> Offsets:
    """Return where every node of `tree` stands in `text`, from which it was parsed; whitespace is left out."""
    state = _CountingState(tree.default_indent, tree.default_newline)
    tree._codegen(state)
    if state.position == len(text):
        return state.offsets
    return _realign(state.offsets, tree.code, text)


def count_expression(node: cst.BaseExpression, start: int) -> Offsets:
    """Return where the nodes of an expression stand in a text in which it starts at the offset `start`."""
    state = _CountingState("    ", "\n")
    state.position = start
    node._codegen(state)
    return state.offsets


class _CountingState(CodegenState):
    """The least that libcst's own code generation needs to tell positions: it counts characters.

    This is what `PositionProvider` does, without lines, columns and provider; a test compares the two.
    """

    def __init__(self, default_indent: str, default_newline: str) -> None:
        super().__init__(default_indent, default_newline)
        self.position = 0
        self.offsets: Offsets = {}
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


def _realign(offsets: Offsets, code: str, text: str) -> Offsets:
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


def _codegen_newline(node: cst.Newline, state: CodegenState) -> None:
    if type(state) is _CountingState:
        state.add_token(state.default_newline if node.value is None else node.value)
    else:
        _libcst_codegen(node, state)


def _codegen_line_end(node: cst.TrailingWhitespace, state: CodegenState) -> None:
    if type(state) is not _CountingState:
        _libcst_codegen(node, state)
        return
    state.position += len(node.whitespace.value)
    if node.comment is not None:
        state.position += len(node.comment.value)
    _codegen_newline(node.newline, state)


def _codegen_empty_line(node: cst.EmptyLine, state: CodegenState) -> None:
    if type(state) is _CountingState and node.indent:
        state.add_indent_tokens()
    _codegen_line_end(node, state)  # type: ignore[arg-type]  # but for the indent, it is built like one


def _codegen_token(node: cst.Comma | cst.Dot | cst.AssignEqual, state: CodegenState) -> None:
    """Nobody asks where punctuation stands."""
    if type(state) is not _CountingState:
        _libcst_codegen(node, state)
        return
    node.whitespace_before._codegen(state)
    state.position += 1
    node.whitespace_after._codegen(state)


def _codegen_word(node: cst.Name | cst.SimpleString | cst.Integer, state: CodegenState) -> None:
    """Names are one node of five."""
    if type(state) is not _CountingState or node.lpar:
        _codegen(node, state)
        return
    start = state.position
    state.position += len(node.value)
    state.offsets[node] = (start, state.position)


def _codegen_line(node: cst.SimpleStatementLine, state: CodegenState) -> None:
    if type(state) is not _CountingState or not node.body:
        _codegen(node, state)
        return
    for line in node.leading_lines:
        _codegen_empty_line(line, state)
    state.add_indent_tokens()
    start, last = state.position, node.body[-1]
    for statement in node.body:
        statement._codegen(state, default_semicolon=statement is not last)
    state.offsets[node] = (start, state.offsets[last][1])
    _codegen_line_end(node.trailing_whitespace, state)


def _codegen_call(node: cst.Call, state: CodegenState) -> None:
    if type(state) is not _CountingState or node.lpar:
        _codegen(node, state)
        return
    start = state.position
    node.func._codegen(state)
    node.whitespace_after_func._codegen(state)
    state.position += 1
    node.whitespace_before_args._codegen(state)
    for argument in node.args:
        argument._codegen(state, default_comma=argument is not node.args[-1])
    state.position += 1
    state.offsets[node] = (start, state.position)


def _codegen_attribute(node: cst.Attribute, state: CodegenState) -> None:
    if type(state) is not _CountingState or node.lpar:
        _codegen(node, state)
        return
    start = state.position
    node.value._codegen(state)
    node.dot._codegen(state)
    node.attr._codegen(state)
    state.offsets[node] = (start, state.position)


_FREQUENT: dict[type[cst.CSTNode], Callable[..., None]] = {
    cst.SimpleWhitespace: _codegen_whitespace,
    cst.Newline: _codegen_newline,
    cst.TrailingWhitespace: _codegen_line_end,
    cst.EmptyLine: _codegen_empty_line,
    cst.Comma: _codegen_token,
    cst.Dot: _codegen_token,
    cst.AssignEqual: _codegen_token,
    cst.Name: _codegen_word,
    cst.SimpleString: _codegen_word,
    cst.Integer: _codegen_word,
    cst.Attribute: _codegen_attribute,
    cst.Call: _codegen_call,
    cst.SimpleStatementLine: _codegen_line,
}
"""What most of the nodes are; the others go through libcst's own methods."""


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
    for node_type, codegen in _FREQUENT.items():
        node_type._codegen = codegen  # type: ignore[method-assign]
    cst.BaseExpression._parenthesize = _parenthesize  # type: ignore[method-assign,assignment]


_make_nodes_quick()
