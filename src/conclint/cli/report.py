"""What a run has found, written to where it was asked for."""

from __future__ import annotations

import dataclasses
import io
import shutil
import sys
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING

from conclint.cli.output import write_error, write_file, write_output
from conclint.config import is_colour_wanted
from conclint.report import Look, OutputFormat, Run, render, render_statistics, summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conclint.discover import Discovery
    from conclint.model.result import Failure
    from conclint.pipeline import Outcome

WIDTH_OF_LOGS = 120
"""Where no terminal says how wide it is."""

_FOR_PEOPLE = (OutputFormat.FULL, OutputFormat.CONCISE)
_WITH_FIXES = (OutputFormat.JSON, OutputFormat.SARIF)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How the command line wants the report."""

    output_format: OutputFormat
    output_file: str | None
    statistics: bool
    quiet: bool

    @property
    def tells_fixes(self) -> bool:
        """Return whether it tells what fixes there are, which takes a second look at the files."""
        return self.output_format in _WITH_FIXES and not self.statistics


def write_report(outcome: Outcome, discovery: Discovery, form: Form) -> None:
    """Write the diagnostics, and in the end how many there are."""
    text = _render(outcome, discovery, form)
    files = sum(file.shown for file in discovery.files)
    last_line = "" if form.quiet or not files else summary(outcome.diagnostics, files) + "\n"
    if form.output_file is not None:
        write_file(Path(form.output_file), text)
        write_output(last_line)
    else:
        gap = "\n" if text and form.output_format is OutputFormat.FULL and not form.statistics else ""
        write_output(text + (gap + last_line if last_line and form.output_format in _FOR_PEOPLE else ""))


def _render(outcome: Outcome, discovery: Discovery, form: Form) -> str:
    from conclint.pages import read_page
    from conclint.rules import read

    if form.statistics:
        return render_statistics(outcome.diagnostics)
    terminal = form.output_file is None and sys.stdout.isatty()
    color = form.output_file is None and is_colour_wanted(terminal=terminal)
    contents = {file.path: file.content for file in discovery.files if file.content is not None}
    return render(
        outcome.diagnostics,
        form.output_format,
        read_text=lambda path: _read_text(path, contents.get(path)),
        look=Look(color=color, links=color and terminal, width=shutil.get_terminal_size((WIDTH_OF_LOGS, 0)).columns),
        run=Run(rules=read(), read_page=read_page, failures=outcome.failures),
    )


def _read_text(path: str, content: bytes | None) -> str | None:
    try:
        data = Path(path).read_bytes() if content is None else content
    except OSError:
        return None
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(data).readline)[0]
    except SyntaxError:
        encoding = "utf-8"
    return data.decode(encoding, errors="replace")


def report_failures(failures: Sequence[Failure]) -> None:
    """Name each file and rule; one traceback is enough, since a bug of ours seldom meets one file alone."""
    for failure in failures:
        place = f"{failure.rule} on {failure.path}" if failure.path else failure.rule
        write_error(f"internal error in {place}: {failure.error}")
    told = next((failure.traceback for failure in failures if failure.traceback), None)
    if told is not None:
        print(told, file=sys.stderr)
