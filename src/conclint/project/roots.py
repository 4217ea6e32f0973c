"""Roots: the functions where a thread, process, task, job, timer, handler or callback begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import RunsIn
from conclint.project.objects import Object, ObjectKind, Site

if TYPE_CHECKING:
    from conclint.project.project import Project

PARALLEL_KINDS = frozenset({RunsIn.THREAD, RunsIn.EXECUTOR_THREAD, RunsIn.TIMER})
"""Roots that run in another thread of this process."""


class Root(NamedTuple):
    """A function that begins to run because of the call at `site`, bound to `receiver` if it is a method."""

    function: str
    receiver: Object | None
    runs_in: RunsIn
    site: Site


def collect_roots(project: Project) -> tuple[Root, ...]:
    """Return all roots, sorted."""
    found: dict[Root, None] = {}
    for spawn in project.links.spawns:
        runs_in = spawn.runs_in
        if runs_in is RunsIn.EXECUTOR:
            runs_in = _executor_kind(project, spawn.receiver)
        for candidate in project.spawned_objects(spawn.callable):
            if candidate.kind in (ObjectKind.FUNCTION, ObjectKind.BOUND, ObjectKind.COROUTINE):
                found[Root(candidate.symbol, candidate.receiver, runs_in, spawn.site)] = None
    return tuple(sorted(found, key=lambda root: (root.site, root.function, root.runs_in.value)))


def _executor_kind(project: Project, executor: Object | None) -> RunsIn:
    if executor is not None and (row := project.class_row(executor)) is not None:
        return RunsIn.EXECUTOR_PROCESS if "Process" in row.names[0] else RunsIn.EXECUTOR_THREAD
    return RunsIn.EXECUTOR_THREAD
