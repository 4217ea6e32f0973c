"""Where batches of files are checked: in this process, in processes of our own, or on an executor that was given."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from pathlib import Path

import msgspec

from conclint.catalog import NO_AMENDMENTS, Amendments
from conclint.model.file import SourceFile
from conclint.model.result import ModuleResult
from conclint.stages import Stage, Stages
from conclint.worker import begin_process, check_batch, prepare

_FEW_BYTES = 400_000
"""Less source than this is checked in this process: starting others would take longer."""
_BATCH_BYTES = 120_000
"""Source in one batch for a worker: small enough to share out the work evenly, large enough to hide the transfer."""


class Workers:
    """Checks files one by one, in parallel where that pays."""

    def __init__(
        self,
        jobs: int,
        executor: Executor | None,
        stack: contextlib.ExitStack,
        stages: Stages,
        amendments: Amendments = NO_AMENDMENTS,
    ) -> None:
        """Use `jobs` processes, which end with `stack`, or `executor` in their place; all know of `amendments`."""
        self._jobs, self._executor, self._stack, self._stages = jobs, executor, stack, stages
        self._amendments = amendments
        self._is_own = executor is None

    def check(self, files: Sequence[SourceFile], *, triage: bool = True) -> Iterator[list[ModuleResult]]:
        """Yield the results of all files, some at a time, as they come."""
        decoder = msgspec.msgpack.Decoder(list[ModuleResult])
        with self._stages.time(Stage.ANALYSE):
            for encoded in self._run(files, triage=triage):
                yield decoder.decode(encoded)

    def _run(self, files: Sequence[SourceFile], *, triage: bool) -> Iterator[bytes]:
        sizes = [(_measure(file), file) for file in files]
        if self._is_own and (self._jobs <= 1 or sum(size for size, _ in sizes) < _FEW_BYTES):
            for file in files:
                yield check_batch((file,), triage=triage, amendments=self._amendments)
        else:
            yield from self._submit(tuple(_split(sizes)), triage=triage)

    def _submit(self, batches: Sequence[Sequence[SourceFile]], *, triage: bool) -> Iterator[bytes]:
        executor = self._start()
        check = functools.partial(check_batch, triage=triage, amendments=self._amendments)
        pending = [executor.submit(check, batch) for batch in batches]
        try:
            for future in as_completed(pending):
                yield future.result()
        finally:
            for future in pending:
                future.cancel()

    def _start(self) -> Executor:
        if self._executor is None:
            prepare()
            pool = ProcessPoolExecutor(self._jobs, initializer=begin_process)
            self._executor = self._stack.enter_context(pool)
        return self._executor


def _split(sizes: Sequence[tuple[int, SourceFile]]) -> Iterator[tuple[SourceFile, ...]]:
    """Yield batches, the largest files first: the last batches to end are then the small ones."""
    batch: list[SourceFile] = []
    total = 0
    for size, file in sorted(sizes, key=lambda pair: (-pair[0], pair[1].path)):
        batch.append(file)
        total += size
        if total >= _BATCH_BYTES:
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
