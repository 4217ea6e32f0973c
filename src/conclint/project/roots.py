"""Roots: the functions where a thread, process, task, job, timer, handler or callback begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import Kind, RunsIn
from conclint.project.objects import Object, ObjectKind, Site

if TYPE_CHECKING:
    from conclint.project.link import SpawnSite
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
            runs_in = _executor_kind(project, _find_executor(project, spawn))
        elif _is_done_on_loop(project, spawn):
            runs_in = RunsIn.LOOP_CALLBACK
        for candidate in _iter_callables(project, project.spawned_objects(spawn.callable)):
            found[Root(candidate.symbol, candidate.receiver, runs_in, spawn.site)] = None
    # The methods of a class get some instance of it, and the very ones that are made: these say more.
    exact = {
        root._replace(receiver=None) for root in found if root.receiver is not None and root.receiver.site is not None
    }
    roots = (root for root in found if not _is_vague(root) or root._replace(receiver=None) not in exact)
    return tuple(sorted(roots, key=lambda root: (root.site, root.function, root.runs_in.value, repr(root.receiver))))


def _iter_callables(project: Project, objects: Iterable[Object]) -> Iterator[Object]:
    """Yield the functions among what is spawned, those of a `functools.partial` too."""
    for found in objects:
        if found.kind in (ObjectKind.FUNCTION, ObjectKind.BOUND, ObjectKind.COROUTINE):
            yield found
        elif found.kind is ObjectKind.PARTIAL and found.site is not None:
            made = project.call(found.site)
            if made.call.arguments:
                inner = project.objects(found.site.module, made.call.arguments[0].value)
                yield from _iter_callables(project, (one for one in inner if one.kind is not ObjectKind.PARTIAL))


def _is_vague(root: Root) -> bool:
    receiver = root.receiver
    return receiver is not None and receiver.kind is ObjectKind.INSTANCE and receiver.site is None


def _find_executor(project: Project, spawn: SpawnSite) -> Object | None:
    """Return the executor of a spawn: its receiver, or what `loop.run_in_executor` is told to use."""
    row = project.class_row(spawn.receiver) if spawn.receiver is not None else None
    if row is None or row.kind is not Kind.LOOP or spawn.site.what != "call":
        return spawn.receiver
    place = project.call(spawn.site)
    given = place.find_argument("executor", 0)
    found = project.objects(spawn.site.module, given.value) if given is not None else frozenset()
    # A process pool among them decides: what runs there shares nothing.
    return max(found, key=lambda one: ("Process" in one.symbol, one.symbol), default=spawn.receiver)


def _is_done_on_loop(project: Project, spawn: SpawnSite) -> bool:
    """Whether a callback waits for a future that an event loop ends, not a worker: `run_coroutine_threadsafe`."""
    made = spawn.receiver.site if spawn.receiver is not None else None
    if spawn.runs_in is not RunsIn.EXECUTOR_THREAD or made is None or made.what != "call" or made == spawn.site:
        return False
    return any(row.spawn is not None and row.spawn.runs_in is RunsIn.TASK for _, row in project.rows(made))


def _executor_kind(project: Project, executor: Object | None) -> RunsIn:
    if executor is not None and (row := project.class_row(executor)) is not None:
        apart = "Process" in row.names[0] or "Interpreter" in row.names[0]
        return RunsIn.EXECUTOR_PROCESS if apart else RunsIn.EXECUTOR_THREAD
    return RunsIn.EXECUTOR_THREAD
