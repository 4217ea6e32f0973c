"""A folder of the workspace as the event loop sees it: whether it has changed, what is known, and who waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from conclint.config import path_below
from conclint.server.checker import Checked, Checker

_DELAY = 0.05
"""Seconds without a keystroke after which a folder is checked: what is typed in one go is checked once."""
_LONGEST_DELAY = 1.0
_PART = 4
"""Where a check takes long, a fourth of its time is waited, so that fewer are made in vain."""


class Folder:
    """Is looked at as long as it has changed meanwhile. Changes do not queue up: the latest one wins."""

    def __init__(self, root: str, checker: Checker, look: Callable[[Folder], Awaitable[None]]) -> None:
        """`root` is absolute, and may be a file. `look` is called after changes, never twice at once."""
        self.root = root
        self.checker = checker
        self.checked: Checked | None = None
        """What the latest look has found; None before the first one, and where that failed."""
        self.must_scan = True
        """Whether settings or the set of files may have changed."""
        self.problem = ""
        """What is wrong with the settings, as it was told."""
        self._look = look
        self._changes = 0
        self._seen = 0
        self._typed_at = 0.0
        self._delay = _DELAY
        self._task: asyncio.Task[None] | None = None

    def concerns(self, path: str) -> bool:
        """Return whether what is found here may depend on a file."""
        return path_below(path, self.root) is not None or (self.checked is not None and path in self.checked.files)

    def knows(self, path: str) -> bool:
        """Return whether a file was among those that were looked at last."""
        return self.checked is not None and path in self.checked.files

    def touch(self, *, scan: bool = False, typing: bool = False) -> None:
        """Note that something has changed: `scan` for more than contents, `typing` for what will soon go on."""
        self._changes += 1
        self.must_scan |= scan
        if typing:
            self._typed_at = asyncio.get_running_loop().time()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._keep_up())

    async def wait(self) -> Checked | None:
        """Return what is known when there are no more changes to look at."""
        while self._seen < self._changes and self._task is not None:
            # Who asks may give up, others still wait.
            await asyncio.shield(self._task)
        return self.checked

    def close(self) -> None:
        """Look no more."""
        self._changes = self._seen
        if self._task is not None:
            self._task.cancel()

    async def _keep_up(self) -> None:
        clock = asyncio.get_running_loop().time
        while self._seen < self._changes:
            while (rest := self._typed_at + self._delay - clock()) > 0:
                await asyncio.sleep(rest)
            now, start = self._changes, clock()
            await self._look(self)
            self._seen = now
            self._delay = min(max(_DELAY, (clock() - start) / _PART), _LONGEST_DELAY)
