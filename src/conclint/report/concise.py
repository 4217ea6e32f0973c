"""`concise`: one line per diagnostic, and an indented one per step of its trace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conclint.model.alarm import Diagnostic
from conclint.model.span import Span
from conclint.report.marks import label_steps
from conclint.report.paint import Line, Piece, Role, paint, printable


def render_concise(diagnostics: Sequence[Diagnostic], *, color: bool, links: bool) -> str:
    """Write `path:line:column: CODE message [name]`, as editors and reviewdog read it."""
    return paint((line for diagnostic in diagnostics for line in _iter_lines(diagnostic)), color=color, links=links)


def _iter_lines(diagnostic: Diagnostic) -> Iterator[Line]:
    yield (
        Piece(_place(diagnostic.path, diagnostic.span), Role.PATH),
        Piece(": "),
        Piece(diagnostic.code, Role.CODE, diagnostic.url),
        Piece(f" {printable(diagnostic.message)} "),
        Piece(f"[{diagnostic.name}]", Role.NOTE),
    )
    for related, label in label_steps(diagnostic):
        place = _place(related.path, related.span)
        yield Piece("    "), Piece(place, Role.PATH), Piece(f": {printable(label)}")


def _place(path: str, span: Span) -> str:
    return f"{printable(path)}:{span.line}:{span.column}"
