"""A fix: edits of text that do away with an alarm."""

from __future__ import annotations

import enum

import msgspec

from conclint.model.span import Span


class Applicability(enum.Enum):
    """Whether a fix may be applied without being asked for by name."""

    SAFE = "safe"
    """What works keeps working as it did; what is changed was certainly broken."""
    UNSAFE = "unsafe"
    """It is what was probably meant, and it may change what the program does."""


ANY_RULE = ("CON",)
"""What is revealed by the fix of what certainly fails: all that is wrong behind it."""


class Edit(msgspec.Struct, frozen=True, order=True, array_like=True):
    """What stands at `span` of a file becomes `content`; an empty span inserts.

    The text is that of the file as it was read, without its BOM; `content` ends lines as that file does.
    """

    path: str
    span: Span
    content: str


class Fix(msgspec.Struct, frozen=True, array_like=True):
    """One or more edits that only make sense together. `title` is imperative, as a menu shows it.

    `reveals` names the rules, by the beginning of their codes, whose alarms may come to light with it. A fix that
    brings alarms of others is not kept.
    """

    title: str
    applicability: Applicability
    edits: tuple[Edit, ...]
    reveals: tuple[str, ...] = ()


class Anchor(msgspec.Struct, frozen=True, order=True, array_like=True):
    """A place where an alarm is to be fixed, with the `words` that its fixer cannot read off the file itself."""

    path: str
    span: Span
    words: tuple[str, ...] = ()


ONCE, EACH = "once", "each"
"""The words of an anchor at a start: of one thread or process, or of each of those that a loop starts."""


def spell(span: Span) -> str:
    """Return a span as a word of an anchor."""
    return f"{span.line}:{span.column}:{span.end_line}:{span.end_column}"


def read_span(word: str) -> Span:
    """Return the span that `spell` made a word of."""
    return Span(*map(int, word.split(":")))
