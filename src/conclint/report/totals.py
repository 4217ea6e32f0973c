"""The lines that count: what stands under a report, and `--statistics`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from conclint.model.alarm import Diagnostic


def summary(diagnostics: Sequence[Diagnostic], files: int) -> str:
    """Say in one line, without a newline, how many of the `files` checked have problems."""
    if not files:
        return "No Python files found."
    if not diagnostics:
        return f"All checks passed! ({count(files, 'file')})"
    affected = len({diagnostic.path for diagnostic in diagnostics})
    return f"Found {count(len(diagnostics), 'problem')} in {affected} of {count(files, 'file')}."


def render_statistics(diagnostics: Sequence[Diagnostic]) -> str:
    """Count the diagnostics by rule, the most frequent first."""
    counts = Counter((diagnostic.code, diagnostic.name) for diagnostic in diagnostics)
    digits = max((len(str(count)) for count in counts.values()), default=0)
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    return "".join(f"{count:>{digits}}  {code}  {name}\n" for (code, name), count in rows)


def count(number: int, noun: str) -> str:
    """Say how many there are of something."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
