"""The progress of a check, for clients that show it."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Callable

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

_PAUSE = 0.1
"""Seconds between two reports."""
_PATIENCE = 1.0
"""Seconds that a client gets to agree."""


@contextlib.asynccontextmanager
async def show_progress(server: LanguageServer, title: str, total: int) -> AsyncIterator[Callable[[str], None] | None]:
    """Give the function to call, from any thread, after each of `total` files; None where nobody would see it."""
    token = f"conclint/{secrets.token_hex(4)}"
    try:
        await asyncio.wait_for(server.work_done_progress.create_async(token), _PATIENCE)
    except (asyncio.TimeoutError, JsonRpcException):
        # A client that says it can, and cannot, is no reason to check nothing.
        yield None
        return
    server.work_done_progress.begin(token, types.WorkDoneProgressBegin(title, percentage=0))
    loop = asyncio.get_running_loop()
    done, told = 0, time.monotonic()

    def advance(path: str) -> None:
        nonlocal done, told
        del path
        done += 1
        if time.monotonic() - told >= _PAUSE:
            told = time.monotonic()
            report = types.WorkDoneProgressReport(message=f"{done}/{total}", percentage=min(100 * done // total, 100))
            loop.call_soon_threadsafe(server.work_done_progress.report, token, report)

    try:
        yield advance
    finally:
        server.work_done_progress.end(token, types.WorkDoneProgressEnd())
