"""`github`: workflow commands that GitHub Actions shows beside the code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conclint.model.alarm import Diagnostic
from conclint.model.rule import Category
from conclint.model.span import Span
from conclint.report.marks import label_steps

SHOWN_PER_STEP = 10
"""GitHub shows that many errors of one step and drops the others without a word."""

_CATEGORIES = tuple(category.value for category in Category)


def render_github(diagnostics: Sequence[Diagnostic]) -> str:
    """Write an `::error` per diagnostic, by category, and a `::notice` that counts what GitHub will not show."""
    by_category = sorted(diagnostics, key=lambda diagnostic: _CATEGORIES.index(diagnostic.category))
    lines = [_error(diagnostic) for diagnostic in by_category]
    if (hidden := len(lines) - SHOWN_PER_STEP) > 0:
        lines.append(f"::notice title=conclint::{hidden} more of {len(lines)} problems are in the log of this step")
    return "".join(f"{line}\n" for line in lines)


def _error(diagnostic: Diagnostic) -> str:
    properties = {
        "file": diagnostic.path,
        **_range(diagnostic.span),
        "title": f"{diagnostic.code} {diagnostic.name}",
    }
    written = ",".join(f"{key}={_escape_property(value)}" for key, value in properties.items())
    return f"::error {written}::{_escape_data(chr(10).join(_iter_message(diagnostic)))}"


def _range(span: Span) -> dict[str, str]:
    lines = {"line": str(span.line), "endLine": str(span.end_line)}
    # The runner ignores columns, and says so in the log, where a range covers several lines.
    if span.line != span.end_line:
        return lines
    return lines | {"col": str(span.column), "endColumn": str(span.end_column)}


def _iter_message(diagnostic: Diagnostic) -> Iterator[str]:
    yield diagnostic.message
    for related, label in label_steps(diagnostic):
        yield f"{related.path}:{related.span.line}: {label}"
    if diagnostic.help:
        yield f"help: {diagnostic.help}"


def _escape_data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape_data(text).replace(":", "%3A").replace(",", "%2C")
