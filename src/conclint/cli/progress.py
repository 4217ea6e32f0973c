"""The progress bar: on the standard error, on a terminal only, and only for runs that take a while."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress, TaskID

_PATIENCE = 0.5
"""Seconds before the bar appears; rich is not even imported for runs that end before."""


@contextmanager
def show_progress(total: int, *, enabled: bool) -> Iterator[Callable[[str], None] | None]:
    """Give the function to call after each file, None where nobody would see the bar."""
    if not enabled or not sys.stderr.isatty():
        yield None
        return
    bar = _Bar(total)
    try:
        yield bar.advance
    finally:
        bar.stop()


class _Bar:
    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._appears_at = time.monotonic() + _PATIENCE
        self._drawn: tuple[Progress, TaskID] | None = None

    def advance(self, path: str) -> None:
        """Count one more file as done; `path` is not shown, since files come in no order that means anything."""
        del path
        self._done += 1
        if self._drawn is None and time.monotonic() >= self._appears_at:
            self._drawn = self._draw()
        if self._drawn is not None:
            progress, task = self._drawn
            progress.update(task, completed=self._done)

    def stop(self) -> None:
        """Take the bar off the terminal."""
        if self._drawn is not None:
            self._drawn[0].stop()

    def _draw(self) -> tuple[Progress, TaskID]:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("checking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        progress = Progress(*columns, console=Console(stderr=True), transient=True)
        progress.start()
        return progress, progress.add_task("checking", total=self._total)
