"""What people and tools read: one module per output format, each a function from diagnostics to text."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence

from conclint.model.alarm import Diagnostic
from conclint.report.concise import render_concise
from conclint.report.full import render_full
from conclint.report.github import render_github
from conclint.report.json import render_json
from conclint.report.totals import render_statistics, summary

__all__ = ["OutputFormat", "ReadText", "render", "render_statistics", "summary"]

ReadText = Callable[[str], "str | None"]
"""From the path of a diagnostic to the text of that file; None where it cannot be read."""


class OutputFormat(str, enum.Enum):
    """How a report is written; the values are those of `--output-format`."""

    FULL = "full"
    CONCISE = "concise"
    JSON = "json"
    GITHUB = "github"


def render(
    diagnostics: Sequence[Diagnostic],
    output_format: OutputFormat,
    *,
    read_text: ReadText,
    color: bool = False,
    links: bool = False,
    width: int = 120,
) -> str:
    """Write `diagnostics` in the order given; the text is empty or ends with a newline.

    Only `FULL` reads files and knows `width`, the cells of a terminal line. `links` lets codes lead to the pages of
    their rules, where people read on a terminal.
    """
    match output_format:
        case OutputFormat.FULL:
            return render_full(diagnostics, read_text=read_text, color=color, links=links, width=width)
        case OutputFormat.CONCISE:
            return render_concise(diagnostics, color=color, links=links)
        case OutputFormat.JSON:
            return render_json(diagnostics)
        case OutputFormat.GITHUB:
            return render_github(diagnostics)
