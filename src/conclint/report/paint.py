"""Text in roles: a report says what a piece of text is, and only here is that a colour."""

from __future__ import annotations

import enum
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple


class Role(enum.Enum):
    """What a piece of a report is."""

    PLAIN = enum.auto()
    CODE = enum.auto()
    NAME = enum.auto()
    SUBJECT = enum.auto()
    PATH = enum.auto()
    FRAME = enum.auto()
    ALARM = enum.auto()
    STEP = enum.auto()
    HELP = enum.auto()
    NOTE = enum.auto()


_STYLES = {
    Role.PLAIN: "",
    Role.CODE: "bold red",
    Role.NAME: "bold",
    Role.SUBJECT: "bold cyan",
    Role.PATH: "bold",
    Role.FRAME: "blue",
    Role.ALARM: "bold red",
    Role.STEP: "bold blue",
    Role.HELP: "cyan",
    Role.NOTE: "dim",
}
"""The roles in rich's words."""


class Piece(NamedTuple):
    """A stretch of one line of a report."""

    text: str
    role: Role = Role.PLAIN
    link: str = ""
    """The address that a click on it opens, on terminals that can do so."""


Line = tuple[Piece, ...]


def paint(lines: Iterable[Line], *, color: bool, links: bool = False) -> str:
    """Join the pieces into text, each line ended by a newline."""
    painted = _style if color else _strip
    if links:
        return "".join(f"{''.join(_link(piece, painted(piece)) for piece in line)}\n" for line in lines)
    return "".join(f"{''.join(map(painted, line))}\n" for line in lines)


def printable(text: str) -> str:
    """Replace what would steer a terminal or reorder its text (escapes, bidirectional controls) by `�`.

    Every character stays one character, so columns still count.
    """
    return text if text.isprintable() else "".join(map(_printable_character, text))


def _strip(piece: Piece) -> str:
    return piece.text


def _style(piece: Piece) -> str:
    from rich.color import ColorSystem
    from rich.style import Style

    return Style.parse(_STYLES[piece.role]).render(piece.text, color_system=ColorSystem.STANDARD)


def _link(piece: Piece, painted: str) -> str:
    # OSC 8. rich would give each link a random id: the same input must give the same bytes.
    return f"\x1b]8;;{piece.link}\x1b\\{painted}\x1b]8;;\x1b\\" if piece.link else painted


def _printable_character(character: str) -> str:
    # Spaces of all kinds and characters that this Python does not know yet are harmless.
    steers = unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and character not in "\t\u200c\u200d"
    return "\N{REPLACEMENT CHARACTER}" if steers else character
