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
_PAUSE = 0.1
"""Seconds between two drawings of it."""


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
    """Draws by itself, without the thread that rich would start: a process with threads cannot fork its rules."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._next = time.monotonic() + _PATIENCE
        self._drawn: tuple[Progress, TaskID] | None = None

    def advance(self, path: str) -> None:
        """Count one more file as done; `path` is not shown, since files come in no order that means anything."""
        del path
        self._done += 1
        now = time.monotonic()
        last = self._done == self._total
        if now < self._next and not (last and self._drawn is not None):
            return
        self._next = now + _PAUSE
        if self._drawn is None:
            self._drawn = self._draw()
        progress, task = self._drawn
        # What comes after the last file takes a while too, and says nothing of how far it is.
        progress.update(task, completed=self._done, description="linking" if last else "checking", refresh=True)

    def stop(self) -> None:
        """Take the bar off the terminal."""
        if self._drawn is not None:
            self._drawn[0].stop()

    def _draw(self) -> tuple[Progress, TaskID]:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        progress = Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False)
        progress.start()
        return progress, progress.add_task("checking", total=self._total)
