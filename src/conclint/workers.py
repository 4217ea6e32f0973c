"""Where batches of files are checked: in this process, in processes of our own, or on an executor that was given.

Workers get bytes and return bytes, so they may be anywhere. What the cache knows is not checked.
"""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import replace
from pathlib import Path

import msgspec

from conclint import __version__
from conclint.config import Config, ConfigError
from conclint.model.file import SourceFile
from conclint.model.result import Failure, ModuleResult
from conclint.processes import Lost, Processes
from conclint.resources import Resources
from conclint.stages import Stage, Stages
from conclint.wire import pack, unpack
from conclint.worker import Request, VersionError, check_batch

_FEW_BYTES = 400_000
"""Less source than this is checked in this process: starting others would take longer."""
_BATCH_BYTES = 120_000
"""Source in one batch for a worker: small enough to share out the work evenly, large enough to hide the transfer."""
_ON_THE_WAY = 256
"""Batches that are given to an executor at once: the workers of a cluster do not wait, and memory holds them."""

Batch = tuple[SourceFile, ...]
_Requests = Iterator[tuple[Batch, bytes]]
_Answers = Iterator[tuple[Batch, bytes | Lost]]


class Workers:
    """Checks files one by one, in parallel where that pays."""

    def __init__(self, config: Config, resources: Resources, stack: contextlib.ExitStack, stages: Stages) -> None:
        """Use processes of our own, which end with `stack`, or the executor of `resources` in their place."""
        self._jobs, self._amendments, self._stack, self._stages = config.jobs, config.amendments, stack, stages
        self._executor, self._timeout, self._cache = resources.executor, resources.timeout, resources.cache
        self._processes: Processes | None = None

    def check(self, files: Sequence[SourceFile], *, triage: bool = True) -> Iterator[list[ModuleResult]]:
        """Yield the results of all files, some at a time, as they come."""
        with self._stages.time(Stage.ANALYSE):
            known = self._cache.load(files, triage=triage) if self._cache is not None else {}
            if known:
                yield list(known.values())
            sizes = [(_measure(file), file) for file in files if file.path not in known]
            lost: list[SourceFile] = []
            for batch, answer in self._run(sizes, triage=triage):
                if isinstance(answer, Lost):
                    lost += batch
                else:
                    yield self._accept(batch, answer, triage=triage)
            yield from self._retry(lost, triage=triage)

    def _retry(self, files: Sequence[SourceFile], *, triage: bool) -> Iterator[list[ModuleResult]]:
        """Check files whose batch was lost once more, one by one: only those that are to blame are lost again."""
        for file in files:
            for batch, answer in self._run([(_measure(file), file)], triage=triage, alone=True):
                if isinstance(answer, Lost):
                    yield [_give_up(file, answer)]
                else:
                    yield self._accept(batch, answer, triage=triage)

    def _run(self, sizes: Sequence[tuple[int, SourceFile]], *, triage: bool, alone: bool = False) -> _Answers:
        """Check batches of files, which are read when their turn comes."""
        total = sum(size for size, _ in sizes)
        if self._executor is not None:
            return _submit(self._executor, self._read(_split(sizes, _BATCH_BYTES), triage=triage))
        if not alone and not self._needs_processes(total, len(sizes)):
            return ((batch, check_batch(data)) for batch, data in self._read(_split(sizes, 1), triage=triage))
        if self._processes is None:
            self._processes = Processes(self._jobs, self._timeout)
            self._stack.callback(self._processes.close)
        return self._processes.run(self._read(_split(sizes, _BATCH_BYTES), triage=triage))

    def _needs_processes(self, size: int, count: int) -> bool:
        # Children of `multiprocessing`, such as those of flake8, may not have children of their own.
        if count == 0 or multiprocessing.current_process().daemon:
            return False
        return self._timeout is not None or (self._jobs > 1 and count > 1 and size >= _FEW_BYTES)

    def _read(self, batches: Iterable[Batch], *, triage: bool) -> _Requests:
        is_far = self._executor is not None
        is_kept = is_far or self._cache is not None
        for batch in batches:
            files = tuple(map(self._fill, batch))
            yield batch, pack(Request(__version__, triage, files, self._amendments, is_kept), small=is_far)

    def _fill(self, file: SourceFile) -> SourceFile:
        if file.content is not None:
            return file
        try:
            content = Path(file.path).read_bytes()
        except OSError as error:
            return replace(file, error=error.strerror or str(error))
        if self._cache is not None:
            self._cache.confirm(file, content)
        return replace(file, content=content)

    def _accept(self, batch: Batch, answer: bytes, *, triage: bool) -> list[ModuleResult]:
        found: list[ModuleResult] = []
        for file, packed in zip(batch, msgspec.msgpack.decode(answer, type=list[bytes]), strict=True):
            result = unpack(packed, ModuleResult)
            found.append(result)
            if self._cache is not None and not result.failures:
                self._cache.store(file, packed, triage=triage)
        return found


def _submit(executor: Executor, requests: _Requests) -> _Answers:
    pending: dict[Future[bytes], Batch] = {}
    try:
        for batch, data in requests:
            try:
                pending[executor.submit(check_batch, data)] = batch
            except RuntimeError as error:
                # What is broken takes no more.
                yield batch, Lost(_describe(error))
            if len(pending) >= _ON_THE_WAY:
                yield from _collect(pending)
        while pending:
            yield from _collect(pending)
    finally:
        for future in pending:
            future.cancel()


def _collect(pending: dict[Future[bytes], Batch]) -> _Answers:
    """Wait for the next results, and take them out of `pending`."""
    for future in wait(pending, return_when=FIRST_COMPLETED).done:
        batch = pending.pop(future)
        error = future.exception()
        if isinstance(error, VersionError):
            raise ConfigError(f"--executor: {error}") from error
        yield batch, future.result() if error is None else Lost(_describe(error))


def _describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".replace("\n", " ")


def _give_up(file: SourceFile, lost: Lost) -> ModuleResult:
    failure = Failure(file.path, "analysis", lost.reason, "")
    return ModuleResult(file.path, file.module, False, None, (), (), (failure,))


def _split(sizes: Sequence[tuple[int, SourceFile]], least: int) -> Iterator[Batch]:
    """Yield batches, the largest files first: the last batches to end are then the small ones."""
    batch: list[SourceFile] = []
    total = 0
    for size, file in sorted(sizes, key=lambda pair: (-pair[0], pair[1].path)):
        batch.append(file)
        total += size
        if total >= least:
            yield tuple(batch)
            batch, total = [], 0
    if batch:
        yield tuple(batch)


def _measure(file: SourceFile) -> int:
    if file.content is not None:
        return len(file.content)
    try:
        return Path(file.path).stat().st_size
    except OSError:
        return 0
