"""The order of the text, which is the order of running where nothing jumps."""

from __future__ import annotations

from conclint.model.span import Span


def precedes(first: Span, second: Span) -> bool:
    """Return whether, in one file, `first` ends before `second` begins."""
    return (first.end_line, first.end_column) <= (second.line, second.column)
