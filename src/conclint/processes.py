"""Processes of our own, each with one batch at a time: one that dies, or hangs, costs what it was given and no more."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Generic, TypeVar

from conclint.worker import begin_process, check_batch, prepare

T = TypeVar("T")

_NAME = "conclint-worker"
_PATIENCE = 5.0
"""Seconds that a process gets to end by itself."""


@dataclass(frozen=True, slots=True)
class Lost:
    """What is known of a batch that came to nothing."""

    reason: str


def may_fork() -> bool:
    """Whether forking is safe: with other threads, as those of a test runner, the child might inherit held locks."""
    return sys.platform == "linux" and threading.active_count() == 1


@dataclass(frozen=True, slots=True)
class _Process:
    process: BaseProcess
    connection: Connection


@dataclass(frozen=True, slots=True)
class _Job(Generic[T]):
    """What a process is at; `deadline` by the monotonic clock."""

    item: T
    worker: _Process
    deadline: float


class Processes:
    """Up to `jobs` processes, started when they are needed, which stay until `close`."""

    def __init__(self, jobs: int, timeout: float | None) -> None:
        """Give each batch `timeout` seconds; None for as long as it takes."""
        self._jobs = jobs
        self._timeout = timeout
        self._idle: list[_Process] = []

    def run(self, requests: Iterable[tuple[T, bytes]]) -> Iterator[tuple[T, bytes | Lost]]:
        """Yield what becomes of each request, as it comes. While there are others, no process waits for one."""
        waiting = iter(requests)
        busy: dict[Connection, _Job[T]] = {}
        done: list[tuple[_Job[T], bytes | Lost]] = []
        try:
            while True:
                while len(busy) < self._jobs and (request := next(waiting, None)) is not None:
                    job = self._begin(*request)
                    busy[job.worker.connection] = job
                # What is done is looked at while the processes are at work again.
                yield from ((job.item, result) for job, result in done)
                if not busy:
                    return
                done = [(busy.pop(connection), result) for connection, result in self._collect(busy)]
        finally:
            for job in busy.values():
                _kill(job.worker)

    def close(self) -> None:
        """End all processes."""
        for worker in self._idle:
            worker.connection.close()
        for worker in self._idle:
            worker.process.join(_PATIENCE)
            _kill(worker)
        self._idle.clear()

    def _begin(self, item: T, data: bytes) -> _Job[T]:
        worker = self._idle.pop() if self._idle else _start()
        try:
            worker.connection.send_bytes(data)
        except OSError:
            # It died while it had nothing to do.
            _kill(worker)
            worker = _start()
            worker.connection.send_bytes(data)
        return _Job(item, worker, float("inf") if self._timeout is None else time.monotonic() + self._timeout)

    def _collect(self, busy: dict[Connection, _Job[T]]) -> list[tuple[Connection, bytes | Lost]]:
        """Wait for the next results; those that are late are lost."""
        first = min(job.deadline for job in busy.values())
        patience = None if first == float("inf") else max(0.0, first - time.monotonic())
        answered = wait(list(busy), patience)
        ready = [connection for connection in busy if connection in answered]
        done: list[tuple[Connection, bytes | Lost]] = [(each, self._receive(busy[each].worker)) for each in ready]
        now = time.monotonic()
        for connection, job in busy.items():
            if connection not in ready and job.deadline <= now:
                _kill(job.worker)
                done.append((connection, Lost(f"took longer than {self._timeout:g} seconds")))
        return done

    def _receive(self, worker: _Process) -> bytes | Lost:
        try:
            data = worker.connection.recv_bytes()
        except (EOFError, OSError):
            worker.process.join(_PATIENCE)
            code = worker.process.exitcode
            _kill(worker)
            return Lost(f"its process died: {_name_exit(code)}")
        self._idle.append(worker)
        return data


def _start() -> _Process:
    ours, theirs = multiprocessing.Pipe()
    process: BaseProcess
    if may_fork():
        # What is loaded now is shared.
        prepare()
        process = multiprocessing.get_context("fork").Process(target=_serve, args=(theirs, ours), name=_NAME)
    else:
        process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, ours), name=_NAME)
    process.start()
    theirs.close()
    return _Process(process, ours)


def _serve(connection: Connection, parent: Connection) -> None:
    """Check batches until there are no more, or nobody to give them."""
    # A forked process has this end too, and would wait for itself.
    parent.close()
    begin_process()
    with contextlib.suppress(EOFError, OSError):
        while True:
            connection.send_bytes(check_batch(connection.recv_bytes()))


def _kill(worker: _Process) -> None:
    worker.connection.close()
    worker.process.kill()
    worker.process.join()
    worker.process.close()


def _name_exit(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exit code {code}"
    name = next((each.name for each in signal.Signals if each == -code), str(-code))
    return f"{name}, as for want of memory" if name == "SIGKILL" else name
