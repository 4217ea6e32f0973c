"""What people and tools read: one module per output format, each a function from diagnostics to text."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from conclint.model.alarm import Diagnostic
from conclint.model.result import Failure
from conclint.model.rule import Rule
from conclint.report.concise import render_concise
from conclint.report.full import render_full
from conclint.report.github import render_github
from conclint.report.json import render_json
from conclint.report.totals import render_statistics, summary

__all__ = ["Look", "OutputFormat", "ReadText", "Run", "render", "render_statistics", "summary"]

ReadText = Callable[[str], "str | None"]
"""From the path of a diagnostic to the text of that file; None where it cannot be read."""


class OutputFormat(str, enum.Enum):
    """How a report is written; the values are those of `--output-format`."""

    FULL = "full"
    CONCISE = "concise"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How text for people looks. `links` lets codes lead to the pages of their rules, where a terminal can do that."""

    color: bool = False
    links: bool = False
    width: int = 120
    """The cells of a line, for `FULL`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What `SARIF` tells besides: the rules that diagnostics may be of, their pages by code, and what has failed."""

    rules: Sequence[Rule] = ()
    read_page: ReadText = lambda code: None
    failures: Sequence[Failure] = ()


_PLAIN, _UNKNOWN = Look(), Run()


def render(
    diagnostics: Sequence[Diagnostic],
    output_format: OutputFormat,
    *,
    read_text: ReadText,
    look: Look = _PLAIN,
    run: Run = _UNKNOWN,
) -> str:
    """Write `diagnostics` in the order given; the text is empty or ends with a newline."""
    match output_format:
        case OutputFormat.FULL:
            return render_full(diagnostics, read_text=read_text, color=look.color, links=look.links, width=look.width)
        case OutputFormat.CONCISE:
            return render_concise(diagnostics, color=look.color, links=look.links)
        case OutputFormat.JSON:
            return render_json(diagnostics)
        case OutputFormat.SARIF:
            from conclint.report.sarif import render_sarif

            return render_sarif(
                diagnostics, read_text=read_text, rules=run.rules, read_page=run.read_page, failures=run.failures
            )
        case OutputFormat.GITHUB:
            return render_github(diagnostics)
