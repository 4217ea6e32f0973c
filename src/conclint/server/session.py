"""The workspace of a client: its folders, what is open, and what is found. Lives in the event loop.

All that takes time runs in one other thread: what is in force of the settings holds for a process.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import traceback
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from conclint.config import ConfigError, path_below
from conclint.model.result import Failure
from conclint.server.buffers import Buffer
from conclint.server.checker import Checked, Checker, Finding, Flags
from conclint.server.client import Client
from conclint.server.folder import Folder
from conclint.server.progress import show_progress
from conclint.server.reports import Publisher, list_diagnostics

_IDLE = 1.0
"""Seconds without a check after which the garbage of the last ones is collected."""

Answer = TypeVar("Answer")


class Session:
    """What goes on between a server and its client."""

    def __init__(self, server: LanguageServer, flags: Flags) -> None:
        """Begin with nothing: no folder, no open file."""
        self.client = Client()
        self.buffers: dict[str, Buffer] = {}
        """By absolute path. What the client opens that is no file is not here."""
        self._server = server
        self._flags = flags
        self._folders: dict[str, Folder] = {}
        self._publisher = Publisher(server, self.client)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="conclint-check")
        self._logged: set[str] = set()
        self._idle: asyncio.TimerHandle | None = None

    # What the client tells

    def begin(self, client: Client, roots: Iterable[str]) -> None:
        """Open the folders of the workspace, by absolute path."""
        self.client = client
        self._publisher = Publisher(self._server, client)
        for root in roots:
            self.add_folder(root)

    def add_folder(self, root: str) -> None:
        """Check a folder too, or a file that is in none."""
        if root not in self._folders:
            for inside in [each for each in self._folders if each in self.buffers and path_below(each, root)]:
                self.remove_folder(inside)
            folder = Folder(root, Checker(root, self._flags, self.client), self._look)
            self._folders[root] = folder
            folder.touch()

    def remove_folder(self, root: str) -> None:
        """Check a folder no more."""
        folder = self._folders.pop(root, None)
        if folder is not None:
            folder.close()
            self._publisher.forget(root)

    def change_folders(self, removed: Iterable[str], added: Iterable[str]) -> None:
        """Note that the workspace has other folders."""
        for root in removed:
            self.remove_folder(root)
        for root in added:
            self.add_folder(root)
        for path in self.buffers:
            # What is still open is checked for itself.
            if self._find_owner(path) is None:
                self.add_folder(path)

    def open(self, buffer: Buffer) -> None:
        """Note that a file was opened."""
        self.buffers[buffer.path] = buffer
        if self._find_owner(buffer.path) is None:
            self.add_folder(buffer.path)
        for folder in self._find_concerned(buffer.path):
            folder.touch(scan=not folder.knows(buffer.path))

    def change(self, buffer: Buffer) -> None:
        """Note that what is open has changed."""
        self.buffers[buffer.path] = buffer
        for folder in self._find_concerned(buffer.path):
            folder.touch(typing=True)

    def close(self, path: str) -> None:
        """Note that a file is no longer open: what is on the disk counts again."""
        self.buffers.pop(path, None)
        self.remove_folder(path)
        for folder in self._find_concerned(path):
            folder.touch(scan=True)

    def rescan(self) -> None:
        """Note that files have come or gone, or that settings have changed."""
        for folder in self._folders.values():
            folder.touch(scan=True)

    def end(self) -> None:
        """Check nothing more."""
        for folder in self._folders.values():
            folder.close()
        self._thread.shutdown(wait=False, cancel_futures=True)

    # What it asks

    async def wait(self, path: str) -> Checked | None:
        """Return what is found in the present state of the folder that a file belongs to."""
        owner = self._find_owner(path)
        return await owner.wait() if owner is not None else None

    async def collect_all(self) -> dict[str, list[types.Diagnostic]]:
        """Return the diagnostics of all files that have some, and of all that are open, by path."""
        found: dict[str, list[types.Diagnostic]] = {path: [] for path in self.buffers}
        for folder in list(self._folders.values()):
            checked = await folder.wait()
            if checked is not None:
                found |= {path: list_diagnostics(checked, path) for path in self._list_paths(folder, checked)}
        return found

    async def find_fixes(self, checked: Checked, path: str) -> tuple[Finding, ...]:
        """Return what was found in a file with the fixes that hold: those of all files are tried out together, once."""
        owner = self._find_owner(path)
        if owner is not None and path in checked.findings and not checked.fixed:
            self._confess(await self._run(lambda: owner.checker.find_fixes(checked)))
        return checked.fixed.get(path, ())

    async def fix_all(self, path: str) -> types.WorkspaceEdit | None:
        """Return what `--fix` would change in a file; None where that is nothing."""
        owner = self._find_owner(path)
        checked = await owner.wait() if owner is not None else None
        if owner is None or checked is None or path not in checked.files:
            return None
        edits, failures = await self._run(lambda: owner.checker.fix_all(checked, path))
        self._confess(failures)
        return checked.translator.describe_edits(edits) if edits else None

    # How it is done

    async def _look(self, folder: Folder) -> None:
        """Check a folder, and tell the client what is new. Nothing that goes wrong may end the server."""
        try:
            # What changes from here on is another change, which is looked at next.
            buffers = dict(self.buffers)
            if folder.must_scan or not folder.checker.is_ready:
                folder.must_scan = False
                await self._scan(folder)
            if folder.checker.is_ready:
                self._tell(folder, await self._check(folder, buffers))
        except Exception as error:  # noqa: BLE001  # a bug of ours in one run must not cost the next one
            self._confess([Failure("", "server", repr(error), traceback.format_exc())])
        self._collect_when_idle()

    async def _scan(self, folder: Folder) -> None:
        """Read settings. While somebody edits them, and they are wrong, those from before hold."""
        before, folder.problem = folder.problem, ""
        try:
            warnings = await self._run(folder.checker.scan)
        except ConfigError as error:
            folder.problem = f"conclint: {error}"
            if folder.problem != before:
                self._show(folder.problem)
        else:
            for warning in warnings:
                self._log_once(f"conclint: {warning}")

    async def _check(self, folder: Folder, buffers: Mapping[str, Buffer]) -> Checked:
        async with contextlib.AsyncExitStack() as stack:
            on_file = None
            if self.client.shows_progress and folder.checked is None:
                shown = show_progress(self._server, "conclint: checking", folder.checker.count())
                on_file = await stack.enter_async_context(shown)
            return await self._run(lambda: folder.checker.check(buffers, on_file))

    def _tell(self, folder: Folder, checked: Checked) -> None:
        if self._folders.get(folder.root) is not folder:
            return
        folder.checked = checked
        self._confess(checked.outcome.failures)
        if (problem := folder.checker.cache_problem) is not None:
            self._log_once(f"conclint: {checked.config.cache_dir}: cannot keep results here: {problem}")
        is_new = self._publisher.tell(folder.root, checked, self._list_paths(folder, checked), self.buffers)
        if is_new and self.client.pulls and self.client.refreshes:
            self._server.workspace_diagnostic_refresh(None)

    async def _run(self, work: Callable[[], Answer]) -> Answer:
        """Do what takes time, after what was asked for before."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _collect_when_idle(self) -> None:
        # A linked project is full of cycles, and the collector is off while a check runs.
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(_IDLE, gc.collect)

    def _find_owner(self, path: str) -> Folder | None:
        """Return the innermost folder that a file belongs to."""
        roots = [root for root in self._folders if path_below(path, root) is not None]
        return self._folders[max(roots, key=len)] if roots else None

    def _find_concerned(self, path: str) -> list[Folder]:
        return [folder for folder in self._folders.values() if folder.concerns(path)]

    def _list_paths(self, folder: Folder, checked: Checked) -> list[str]:
        """Return the files of a folder, and of no other one, that have alarms or are open."""
        return [path for path in {*checked.findings, *self.buffers} if self._find_owner(path) is folder]

    def _confess(self, failures: Iterable[Failure]) -> None:
        """Tell of bugs of ours, with their tracebacks in the log. What goes wrong once does so with each change."""
        for failure in failures:
            place = f"{failure.rule} on {failure.path}" if failure.path else failure.rule
            text = f"conclint: internal error in {place}: {failure.error}"
            if self._log_once(f"{text}\n{failure.traceback}"):
                self._show(text)

    def _show(self, text: str) -> None:
        self._server.window_show_message(types.ShowMessageParams(types.MessageType.Error, text))

    def _log_once(self, text: str) -> bool:
        """Write to the client's log; return whether that was new."""
        is_new = text not in self._logged
        if is_new:
            self._logged.add(text)
            self._server.window_log_message(types.LogMessageParams(types.MessageType.Warning, text))
        return is_new
