"""`conclint check --fix`, `--diff` and `--add-ignore`: change files, or show how they would be changed."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from conclint.cli.output import write_error, write_output, write_warning
from conclint.fixes import UnwritableError, decode, render_diff, write_change
from conclint.report.totals import count
from conclint.rounds import Fixed, count_unsafe, fix_files, ignore_alarms

if TYPE_CHECKING:
    from conclint.config import Config
    from conclint.discover import Discovery
    from conclint.model.file import SourceFile
    from conclint.pipeline import Outcome
    from conclint.resources import Resources

EXIT_CHANGED = 1
EXIT_UNWRITTEN = 2


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the command line asks to be changed, and how to tell of it."""

    unsafe: bool
    """Whether unsafe fixes may be applied."""
    diff: bool
    """Whether files are left alone, and a diff is shown."""
    fix_only: bool
    """Whether what is left is of no interest."""
    exit_non_zero_on_fix: bool
    reason: str | None
    """Why all alarms are ignored; None where they are to be fixed."""
    quiet: bool


Report = Callable[["Outcome", "Discovery"], int]
"""Tells what is left, and returns the exit code of that."""


def find_changes(
    discovery: Discovery,
    config: Config,
    wishes: Wishes,
    on_file: Callable[[str], None] | None,
    resources: Resources,
) -> Fixed:
    """Fix, or ignore, what is found, in memory."""
    if wishes.reason is None:
        return fix_files(discovery.files, config, unsafe=wishes.unsafe, on_file=on_file, resources=resources)
    return ignore_alarms(discovery.files, config, wishes.reason, on_file=on_file, resources=resources)


def make_changes(fixed: Fixed, discovery: Discovery, wishes: Wishes, report: Report) -> int:
    """Write the changes, or show them; report what is left, and return the exit code."""
    if wishes.diff:
        return _show_diff(fixed, wishes, report, discovery)
    given = [file for file in discovery.files if file.content is not None]
    with contextlib.redirect_stdout(sys.stderr) if given else contextlib.nullcontext():
        unwritten = _write(fixed, {file.path for file in given})
        _tell(fixed, wishes, count(len(fixed.diagnostics), "problem"))
        code = _report_rest(fixed, wishes, report, discovery)
    for file in given:
        _write_through(next(one for one in fixed.files if one.path == file.path))
    if unwritten:
        return EXIT_UNWRITTEN
    return code or (EXIT_CHANGED if wishes.exit_non_zero_on_fix and fixed.changes else 0)


def _report_rest(fixed: Fixed, wishes: Wishes, report: Report, discovery: Discovery) -> int:
    outcome = fixed.outcome
    if wishes.fix_only:
        outcome = dataclasses.replace(outcome, diagnostics=())
    code = report(outcome, dataclasses.replace(discovery, files=fixed.files))
    _hint(fixed, wishes)
    return code


def _hint(fixed: Fixed, wishes: Wishes) -> None:
    more = count_unsafe(fixed.outcome.diagnostics)
    if more and not wishes.unsafe and not wishes.quiet:
        print(f"{count(more, 'more problem')} can be fixed with `--unsafe-fixes`.", file=sys.stderr)
    if fixed.refused and not wishes.quiet:
        print(f"{count(fixed.refused, 'problem')} cannot be fixed without bringing others.", file=sys.stderr)


def _write(fixed: Fixed, given: set[str]) -> bool:
    """Write the changes, but for what came from the standard input; return whether some could not be written."""
    unwritten = False
    for path, change in fixed.changes.items():
        if path not in given:
            try:
                write_change(path, change.old, change.new)
            except UnwritableError as error:
                write_error(f"{path}: not changed, since {error}")
                unwritten = True
    return unwritten


def _tell(fixed: Fixed, wishes: Wishes, problems: str) -> None:
    if not fixed.is_stable:
        write_warning("the fixes did not come to an end; what is left may be fixed by another run")
    if fixed.diagnostics and not wishes.quiet:
        done = "Fixed" if wishes.reason is None else "Ignored"
        print(f"{done} {problems} in {count(len(fixed.changes), 'file')}.", file=sys.stderr)


def _show_diff(fixed: Fixed, wishes: Wishes, report: Report, discovery: Discovery) -> int:
    texts = {path: (_read(change.old), _read(change.new)) for path, change in fixed.changes.items()}
    write_output(render_diff(texts))
    if fixed.diagnostics and not wishes.quiet:
        done = "fixed" if wishes.reason is None else "ignored"
        print(f"{count(len(fixed.diagnostics), 'problem')} would be {done}.", file=sys.stderr)
    _hint(fixed, wishes)
    if fixed.outcome.failures:
        return report(dataclasses.replace(fixed.outcome, diagnostics=()), discovery)
    return EXIT_CHANGED if fixed.changes else 0


def _read(data: bytes) -> str:
    text = decode(data)
    return text.content if text is not None else ""


def _write_through(file: SourceFile) -> None:
    """Hand back what came from the standard input."""
    sys.stdout.buffer.write(file.content or b"")
    sys.stdout.buffer.flush()
