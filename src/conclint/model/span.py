"""Where something stands in a file."""

from __future__ import annotations

import re

import msgspec

NEWLINE = re.compile(r"\r\n?|\n")
"""What ends a line, as Python counts lines."""


class Span(msgspec.Struct, frozen=True, order=True, array_like=True):
    """A stretch of one file: lines and columns count from 1, columns in characters, the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


FILE_START = Span(1, 1, 1, 1)
"""The span of an alarm that concerns a file as a whole."""
