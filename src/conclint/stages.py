"""How long each stage of a run takes."""

from __future__ import annotations

import contextlib
import enum
import time
from collections.abc import Iterator, Mapping


class Stage(enum.Enum):
    """A part of the line."""

    CACHE = "cache"
    """What has changed since earlier runs, and what these know of the rest."""
    ANALYSE = "analyse"
    """Files → facts and local alarms, those of dormant modules that are woken too."""
    LINK = "link"
    """Facts → project."""
    RULES = "rules"
    """Project → alarms."""


class Stages:
    """Seconds of wall time by stage. A stage within another one counts for itself alone."""

    def __init__(self) -> None:
        self._seconds = dict.fromkeys(Stage, 0.0)
        self._current: Stage | None = None
        self._since = 0.0

    @property
    def seconds(self) -> Mapping[Stage, float]:
        """The time of each stage so far."""
        return self._seconds

    @contextlib.contextmanager
    def time(self, stage: Stage) -> Iterator[None]:
        """Count what happens meanwhile for `stage`."""
        outer = self._switch(stage)
        try:
            yield
        finally:
            self._switch(outer)

    def _switch(self, stage: Stage | None) -> Stage | None:
        now, previous = time.perf_counter(), self._current
        if previous is not None:
            self._seconds[previous] += now - self._since
        self._current, self._since = stage, now
        return previous
