"""The program on one page: files → facts and local alarms, in workers → linked project → diagnostics."""

from __future__ import annotations

import contextlib
import gc
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from conclint import rules
from conclint.config import Config
from conclint.model.alarm import Alarm, Diagnostic
from conclint.model.facts import ModuleFacts, make_empty_facts
from conclint.model.file import SourceFile
from conclint.model.result import Failure, ModuleResult
from conclint.shares import check_project
from conclint.suppress import filter_alarms
from conclint.worker import begin_process, check_batch, prepare

if TYPE_CHECKING:
    from conclint.model.map import Map
    from conclint.project.project import Project

_FEW_BYTES = 400_000
"""Less source than this is checked in this process: starting others would take longer."""
_BATCH_BYTES = 120_000
"""Source in one batch for a worker: small enough to share out the work evenly, large enough to hide the transfer."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run found: the diagnostics to show, our own failures, and how many files were checked."""

    diagnostics: tuple[Diagnostic, ...]
    failures: tuple[Failure, ...]
    files: int


def check_files(
    files: Sequence[SourceFile],
    config: Config,
    *,
    on_file: Callable[[str], None] | None = None,
    triage: bool = True,
    executor: Executor | None = None,
    respect_noqa: bool = True,
) -> Outcome:
    """Check `files` as one project. The outcome depends on nothing but their contents and `config`.

    `on_file` is told the path of every file that is done. Without `triage` files that cannot matter are parsed all
    the same. `executor` runs the batches instead of processes of our own.
    """
    results = _analyse_files(files, config.jobs, executor, triage=triage, on_file=on_file)
    alarms: list[Alarm] = []
    failures: list[Failure] = []
    project = None
    with _quiet_collector():
        try:
            project = _link(results, files)
        except Exception as error:  # noqa: BLE001  # reported with its traceback, exit code 3
            failures.append(Failure("", "link", repr(error), traceback.format_exc()))
        if project is not None:
            found = check_project(project, rules.load().project, jobs=config.jobs)
            alarms += found.alarms
            failures += found.failures
    alarms += [alarm for result in results.values() for alarm in result.alarms]
    failures += [failure for result in results.values() for failure in result.failures]
    diagnostics = filter_alarms(
        alarms,
        {result.path: result.suppressions for result in results.values() if result.suppressions},
        config,
        rules.load().rules,
        frozenset(file.path for file in files if file.shown),
        respect_noqa=respect_noqa,
    )
    return Outcome(diagnostics, tuple(failures), sum(file.shown for file in files))


@dataclass(frozen=True, slots=True)
class MapOutcome:
    """The map of a project, and our own failures."""

    map: Map
    failures: tuple[Failure, ...]


def map_files(
    files: Sequence[SourceFile],
    config: Config,
    *,
    names: Sequence[str] = (),
    on_file: Callable[[str], None] | None = None,
    executor: Executor | None = None,
) -> MapOutcome:
    """Link `files` and return the map of those that are shown; what `names` ask for is marked in it."""
    from conclint.model.map import Map
    from conclint.project.map import collect_map

    results = _analyse_files(files, config.jobs, executor, triage=True, on_file=on_file)
    shown = {file.path for file in files if file.shown}
    unread = {result.path for result in results.values() if result.facts is None and not result.dormant}
    failures = [failure for result in results.values() for failure in result.failures]
    found = Map()
    with _quiet_collector():
        try:
            project = _link(results, files)
            found = collect_map(project, shown, names) if project is not None else found
        except Exception as error:  # noqa: BLE001  # reported with its traceback, exit code 3
            failures.append(Failure("", "map", repr(error), traceback.format_exc()))
    return MapOutcome(replace(found, files=len(shown), unread=tuple(sorted(unread & shown))), tuple(failures))


def _analyse_files(
    files: Sequence[SourceFile],
    jobs: int,
    executor: Executor | None,
    *,
    triage: bool,
    on_file: Callable[[str], None] | None,
) -> dict[str, ModuleResult]:
    """Return the results by path, sorted."""
    decoder = msgspec.msgpack.Decoder(list[ModuleResult])
    results: list[ModuleResult] = []
    with _quiet_collector():
        for encoded in _run_batches(files, jobs, executor, triage=triage):
            batch = decoder.decode(encoded)
            results += batch
            for result in batch if on_file is not None else ():
                on_file(result.path)  # type: ignore[misc]
    return {result.path: result for result in sorted(results, key=lambda result: result.path)}


def _run_batches(files: Sequence[SourceFile], jobs: int, executor: Executor | None, *, triage: bool) -> Iterator[bytes]:
    sizes = [(_measure(file), file) for file in files]
    if executor is not None:
        yield from _submit(executor, _split(sizes), triage=triage)
    elif jobs <= 1 or sum(size for size, _ in sizes) < _FEW_BYTES:
        for file in files:
            yield check_batch((file,), triage=triage)
    else:
        batches = list(_split(sizes))
        prepare()
        with ProcessPoolExecutor(min(jobs, len(batches)), initializer=begin_process) as pool:
            yield from _submit(pool, batches, triage=triage)


def _submit(executor: Executor, batches: Iterable[Sequence[SourceFile]], *, triage: bool) -> Iterator[bytes]:
    pending = [executor.submit(check_batch, batch, triage=triage) for batch in batches]
    try:
        for future in as_completed(pending):
            yield future.result()
    finally:
        for future in pending:
            future.cancel()


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


def _link(results: dict[str, ModuleResult], files: Sequence[SourceFile]) -> Project | None:
    """Link all facts. Dormant files that the program runs into are analysed after all, and linked to the rest."""
    from conclint.project.demand import find_needed, find_users, find_wanted
    from conclint.project.link import Linker
    from conclint.project.project import Project

    active = [result.facts for result in results.values() if result.facts is not None]
    if not active:
        return None
    # By path: two files may have one module name, as `x.py` and `x.pyi`.
    sources = {file.path: file for file in files}
    dormant = {result.module: sources[result.path] for result in results.values() if result.dormant}
    linker = Linker(active, {module: file.is_package for module, file in dormant.items()})
    while needed := find_needed(linker.symbols):
        linker.add(_wake(needed, dormant, results))
    linker.run()
    project = Project(linker=linker)
    imports = {result.module: result.imports for result in results.values() if result.dormant}
    while wanted := find_wanted(project) | find_users(project, imports):
        linker.add(_wake(wanted, dormant, results))
        while needed := find_needed(linker.symbols):
            linker.add(_wake(needed, dormant, results))
        linker.run()
        project = Project(linker=linker)
    # What is left only adds names from outside; what the project has worked out to ask for more stays true.
    linker.finish()
    return project


def _wake(
    modules: Iterable[str], dormant: dict[str, SourceFile], results: dict[str, ModuleResult]
) -> list[ModuleFacts]:
    """Analyse dormant modules; return the facts of those that have any, and note all as awake."""
    files = [dormant.pop(module) for module in sorted(modules)]
    awake = msgspec.msgpack.decode(check_batch(files, triage=False), type=list[ModuleResult])
    results.update((result.path, result) for result in awake)
    return [result.facts or make_empty_facts(result.path, result.module) for result in awake]


@contextlib.contextmanager
def _quiet_collector() -> Iterator[None]:
    """Keep the cyclic garbage collector off: it would walk all facts again and again, and they have no cycles."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
