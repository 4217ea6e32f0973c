"""Writing suppressions: the comment that says, at the right place, that an alarm is not wanted."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from conclint.comments import Comment, Line, read_lines
from conclint.model.alarm import Diagnostic
from conclint.model.fix import Edit
from conclint.model.span import NEWLINE, Span

_WIDTH = 120
"""A line that a comment would make longer gets its comment above."""
_LIST = re.compile(r"(#\s*conclint\s*:\s*ignore\s*\[)([^\]]*)(\])", re.IGNORECASE)


def write_ignores(text: str, diagnostics: Iterable[Diagnostic], reason: str) -> list[Edit]:
    """Return the edits that suppress diagnostics of one file, one comment for each logical line."""
    lines = [line for line in read_lines(text) if line.statement]
    wanted: dict[int, list[Diagnostic]] = defaultdict(list)
    for diagnostic in diagnostics:
        for number, line in enumerate(lines):
            if line.first <= diagnostic.span.line <= line.last:
                wanted[number].append(diagnostic)
    physical = NEWLINE.split(text)
    newline = found[0] if (found := NEWLINE.search(text)) else "\n"
    return [_write(physical, lines[number], found, reason, newline) for number, found in wanted.items()]


def _write(physical: Sequence[str], line: Line, diagnostics: Sequence[Diagnostic], reason: str, newline: str) -> Edit:
    path, codes = diagnostics[0].path, sorted({one.code for one in diagnostics})
    for comment in line.comments:
        if match := _LIST.search(comment.text):
            return _extend(path, comment, match, codes)
    written = f"# conclint: ignore[{', '.join(codes)}]{f' {reason}' if reason else ''}"
    last = physical[line.last - 1].rstrip()
    if len(last) + 2 + len(written) <= _WIDTH:
        end = len(physical[line.last - 1]) + 1
        return Edit(path, Span(line.last, len(last) + 1, line.last, end), f"  {written}")
    first = physical[line.first - 1]
    indent = first[: len(first) - len(first.lstrip())]
    return Edit(path, Span(line.first, 1, line.first, 1), f"{indent}{written}{newline}")


def _extend(path: str, comment: Comment, match: re.Match[str], codes: Iterable[str]) -> Edit:
    """Return the edit that adds codes to the list of a comment that is there."""
    known = [code.strip() for code in match[2].split(",") if code.strip()]
    written = ", ".join([*known, *(code for code in codes if code not in known)])
    start = comment.column + match.start(2) + 1
    return Edit(path, Span(comment.line, start, comment.line, start + len(match[2])), written)
