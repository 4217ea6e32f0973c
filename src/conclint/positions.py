"""Where the nodes of a tree stand, by counting the characters that libcst's own code generation writes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import libcst as cst
from libcst._nodes.internal import CodegenState

from conclint import node_types

node_types.make_quick()

Offsets = dict[cst.CSTNode, tuple[int, int]]
"""Start and end offset of each node, in characters, without the whitespace around it."""

_WHITESPACE = (cst.SimpleWhitespace, cst.TrailingWhitespace, cst.EmptyLine, cst.Newline, cst.ParenthesizedWhitespace)
"""Nobody asks where it stands."""


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
    """What libcst's own code generation needs to tell positions: it counts characters.

    This is what `PositionProvider` does, without lines, columns and provider; a test compares the two.
    """

    def __init__(self, default_indent: str, default_newline: str) -> None:
        super().__init__(default_indent, default_newline)
        self.position = 0
        self.offsets: Offsets = {}
        # `Module` asks for the number of tokens to tell an empty file, and takes the last one away where the file
        # does not end in a newline; the last one is enough for both.
        self.tokens: list[str] = []
        self._starts: list[int] = []

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

    def before_codegen(self, node: cst.CSTNode) -> None:
        self._starts.append(self.position)

    def after_codegen(self, node: cst.CSTNode) -> None:
        start = self._starts.pop()
        if not isinstance(node, _WHITESPACE):
            self.offsets.setdefault(node, (start, self.position))

    @contextlib.contextmanager
    def record_syntactic_position(
        self, node: cst.CSTNode, *, start_node: cst.CSTNode | None = None, end_node: cst.CSTNode | None = None
    ) -> Iterator[None]:
        """Record where a node begins and ends without the whitespace that it owns."""
        start = self.position
        yield
        first = start if start_node is None else self.offsets[start_node][0]
        last = self.position if end_node is None else self.offsets[end_node][1]
        self.offsets[node] = (first, last)


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
