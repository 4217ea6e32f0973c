"""The program on one page: files → facts and local alarms, in workers → linked project → diagnostics."""

from __future__ import annotations

import contextlib
import dataclasses
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from conclint import catalog, rules
from conclint.config import Config
from conclint.memory import without_collector
from conclint.model.alarm import Alarm, Diagnostic
from conclint.model.facts import ModuleFacts, make_empty_facts
from conclint.model.file import SourceFile
from conclint.model.hints import Hints
from conclint.model.result import Failure, Findings, ModuleResult
from conclint.model.rule import UNUSED_SUPPRESSION
from conclint.resources import NO_RESOURCES, Resources
from conclint.stages import Stage, Stages
from conclint.suppress import filter_alarms, find_unused

if TYPE_CHECKING:
    from conclint.model.map import Map
    from conclint.project.project import Project
    from conclint.workers import Workers


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run found: the diagnostics to show, our own failures, how many files were checked; and its seconds."""

    diagnostics: tuple[Diagnostic, ...]
    failures: tuple[Failure, ...]
    files: int
    seconds: Mapping[Stage, float]


def check_files(
    files: Sequence[SourceFile],
    config: Config,
    *,
    on_file: Callable[[str], None] | None = None,
    triage: bool = True,
    resources: Resources = NO_RESOURCES,
    respect_noqa: bool = True,
) -> Outcome:
    """Check `files` as one project. The outcome depends on nothing but their contents and `config`.

    `on_file` is told the path of every file that is done. Without `triage` files that cannot matter are parsed all
    the same.
    """
    stages = Stages()
    cache = resources.cache
    wanted = _choose_rules(config)
    question = repr((config.hints, sorted(wanted))).encode()
    found: Findings | None = None
    failures: Sequence[Failure] = ()
    if cache is not None:
        with stages.time(Stage.CACHE):
            cache.identify(files, config.amendments)
            found = cache.load_project(files, question, triage=triage)
    if found is None:
        found, failures = _find_alarms(files, config, _Run(resources, stages, on_file, triage, wanted))
        if cache is not None:
            with stages.time(Stage.CACHE):
                if not failures:
                    cache.store_project(files, question, found, triage=triage)
                cache.flush()
    alarms, every = found.alarms, rules.read()
    if not failures:
        # A rule that has failed might have raised what a comment suppresses.
        alarms += tuple(find_unused(alarms, found.suppressions, config, every, respect_noqa=respect_noqa))
    shown = frozenset(file.path for file in files if file.shown)
    diagnostics = filter_alarms(alarms, found.suppressions, config, every, shown, respect_noqa=respect_noqa)
    return Outcome(diagnostics, tuple(failures), sum(file.shown for file in files), stages.seconds)


@dataclass(frozen=True, slots=True)
class _Run:
    """How a run is done, apart from its files and settings."""

    resources: Resources
    stages: Stages
    on_file: Callable[[str], None] | None
    triage: bool
    wanted: frozenset[str]
    """The rules that are to look at the project."""


def _choose_rules(config: Config) -> frozenset[str]:
    """Return the codes of the rules that are to run: those that are selected.

    Whether a comment is of any use takes knowing what all rules find.
    """
    every = frozenset(rule.code for rule in rules.read())
    return every if UNUSED_SUPPRESSION in config.selected else every & config.selected


def _find_alarms(files: Sequence[SourceFile], config: Config, run: _Run) -> tuple[Findings, Sequence[Failure]]:
    """Return what all checks find, and our own failures."""
    from conclint.shares import check_project
    from conclint.workers import Workers

    alarms: list[Alarm] = []
    failures: list[Failure] = []
    project = None
    with without_collector(), catalog.amend(config.amendments):
        with contextlib.ExitStack() as stack:
            workers = Workers(config, run.resources, stack, run.stages)
            results = _analyse_files(files, workers, triage=run.triage, on_file=run.on_file)
            try:
                with run.stages.time(Stage.LINK):
                    project = _link(results, files, workers, config.hints)
            except Exception as error:  # noqa: BLE001  # reported with its traceback, exit code 3
                failures.append(Failure("", "link", repr(error), traceback.format_exc()))
        if project is not None:
            with run.stages.time(Stage.RULES):
                checks = [check for check in rules.load().project if check.rule.code in run.wanted]
                found = check_project(project, checks, jobs=config.jobs)
                if run.resources.kept is not None:
                    run.resources.kept.extend((project, results))
            alarms += found.alarms
            failures += found.failures
    alarms += [alarm for result in results.values() for alarm in result.alarms]
    failures += [failure for result in results.values() for failure in result.failures]
    suppressions = {result.path: result.suppressions for result in results.values() if result.suppressions}
    return Findings(tuple(alarms), suppressions), failures


def add_fixes(
    outcome: Outcome, files: Sequence[SourceFile], config: Config, resources: Resources = NO_RESOURCES
) -> Outcome:
    """Return the outcome with the fixes that there are: a second look at the files that have alarms."""
    from conclint.repair import propose_fixes

    with without_collector(), catalog.amend(config.amendments):
        diagnostics, failures = propose_fixes(outcome.diagnostics, files, config, resources.cache)
    return dataclasses.replace(outcome, diagnostics=diagnostics, failures=(*outcome.failures, *failures))


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
    resources: Resources = NO_RESOURCES,
) -> MapOutcome:
    """Link `files` and return the map of those that are shown; what `names` ask for is marked in it."""
    from conclint.model.map import Map
    from conclint.project.map import collect_map
    from conclint.workers import Workers

    found = Map()
    failures: list[Failure] = []
    with without_collector(), catalog.amend(config.amendments), contextlib.ExitStack() as stack:
        if resources.cache is not None:
            resources.cache.identify(files, config.amendments)
            stack.callback(resources.cache.flush)
        workers = Workers(config, resources, stack, Stages())
        results = _analyse_files(files, workers, triage=True, on_file=on_file)
        shown = {file.path for file in files if file.shown}
        unread = {result.path for result in results.values() if result.facts is None and not result.dormant}
        try:
            project = _link(results, files, workers, config.hints)
            found = collect_map(project, shown, names) if project is not None else found
        except Exception as error:  # noqa: BLE001  # reported with its traceback, exit code 3
            failures.append(Failure("", "map", repr(error), traceback.format_exc()))
    failures += [failure for result in results.values() for failure in result.failures]
    return MapOutcome(replace(found, files=len(shown), unread=tuple(sorted(unread & shown))), tuple(failures))


def _analyse_files(
    files: Sequence[SourceFile], workers: Workers, *, triage: bool, on_file: Callable[[str], None] | None
) -> dict[str, ModuleResult]:
    """Return the results by path, sorted."""
    results: list[ModuleResult] = []
    for batch in workers.check(files, triage=triage):
        results += batch
        for result in batch if on_file is not None else ():
            on_file(result.path)  # type: ignore[misc]
    return {result.path: result for result in sorted(results, key=lambda result: result.path)}


def _link(
    results: dict[str, ModuleResult], files: Sequence[SourceFile], workers: Workers, hints: Hints
) -> Project | None:
    """Link all facts. Dormant files that the program runs into are analysed after all, and linked to the rest."""
    from conclint.project.demand import find_called, find_needed, find_users, find_wanted
    from conclint.project.link import Linker
    from conclint.project.project import Project

    active = [result.facts for result in results.values() if result.facts is not None]
    if not active and not (hints.root_decorators or hints.lock_factories):
        return None
    # By path: two files may have one module name, as `x.py` and `x.pyi`.
    sources = {file.path: file for file in files}
    dormant = {result.module: sources[result.path] for result in results.values() if result.dormant}
    linker = Linker(active, {module: file.is_package for module, file in dormant.items()}, hints)

    def wake(modules: Iterable[str]) -> None:
        linker.add(_wake(modules, dormant, results, workers))

    while needed := find_needed(linker.symbols):
        wake(needed)
    linker.run()
    project = Project(linker=linker)
    imports = {result.module: result.imports for result in results.values() if result.dormant}
    while wanted := find_wanted(project) | find_users(project, imports):
        first = len(linker.modules)
        while wanted:
            wake(wanted)
            wanted = find_needed(linker.symbols) | find_called(linker.symbols, linker.modules[first:])
        linker.run()
        project.refresh()
    # What is left only adds names from outside; what the project has worked out to ask for more stays true.
    linker.finish()
    return project


def _wake(
    modules: Iterable[str], dormant: dict[str, SourceFile], results: dict[str, ModuleResult], workers: Workers
) -> list[ModuleFacts]:
    """Analyse dormant modules; return the facts of those that have any, and note all as awake."""
    files = [dormant.pop(module) for module in sorted(modules)]
    awake = {result.path: result for batch in workers.check(files, triage=False) for result in batch}
    results.update(awake)
    # In the order of the modules' names, whichever worker was quicker.
    ordered = (awake[file.path] for file in files)
    return [result.facts or make_empty_facts(result.path, result.module) for result in ordered]
