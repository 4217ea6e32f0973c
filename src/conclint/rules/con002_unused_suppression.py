"""CON002: see docs/rules/CON002.md. The filter raises it: it alone knows which comments suppress something."""

from __future__ import annotations

import re

from conclint.analysis.editor import Editor
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.rules.declare import fixer

RULE = Rule(
    code="CON002",
    name="unused-suppression",
    summary="a comment suppresses an alarm that is not raised",
    help="delete the comment, or the code from its list",
    category=Category.SYNTAX,
    since="0.1.0",
    default=False,
)

_LIST = re.compile(r"(?<=\[)[^\]]*(?=\])|(?<=:)\s*[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*$", re.IGNORECASE)
"""The codes of `ignore[CON401, CON402]` and of `noqa: CON401, E501`."""
_CODE = re.compile(r"[^,\s]+")
_ALL = ("",)
"""What the anchor says of a comment without codes."""


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Take out what suppresses nothing: codes, or the comment where none is left."""
    if not anchor.words:
        return None
    start = editor.offset(anchor.span.line, anchor.span.column)
    end = editor.offset(anchor.span.end_line, anchor.span.end_column)
    codes = _LIST.search(editor.source.text[start:end]) if anchor.words != _ALL else None
    left = [code for code in _CODE.findall(codes[0]) if code not in anchor.words] if codes is not None else []
    if codes is None and anchor.words != _ALL:
        return None
    if codes is None or not left:
        return Fix("Delete the comment", Applicability.SAFE, (editor.edit(*_widen(editor, start, end)),))
    gap = codes[0][: len(codes[0]) - len(codes[0].lstrip())]
    edit = editor.edit(start + codes.start(), start + codes.end(), gap + ", ".join(left))
    names = " and ".join(f"`{word}`" for word in anchor.words)
    return Fix(f"Delete {names} from the comment", Applicability.SAFE, (edit,))


def _widen(editor: Editor, start: int, end: int) -> tuple[int, int, str]:
    """Return what to replace so that a part of a comment goes, and what else the line says stays as it is."""
    text = editor.source.text
    line, next_line = editor.line_at(start)
    before, after = text[line:start], text[end:next_line]
    if after.lstrip().startswith("#"):
        return start, end + len(after) - len(after.lstrip()), ""
    if said := after.strip().lstrip(",;:.- "):
        return start, end + after.index(said), "# "
    if before.strip():
        return line + len(before.rstrip()), end + len(after.rstrip("\r\n")), ""
    return line, next_line, ""
