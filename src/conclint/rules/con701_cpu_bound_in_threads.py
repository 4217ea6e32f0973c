"""CON701: see docs/rules/CON701.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.editor import Editor
from conclint.catalog.rows import Kind, RunsIn
from conclint.model.alarm import Alarm
from conclint.model.facts import AccessKind
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.model.values import Constant
from conclint.project.cpu import CpuBound, Work
from conclint.project.objects import Object
from conclint.project.project import CallPlace, Project
from conclint.project.roots import Root
from conclint.project.starts import collect_scripts, iter_import_starts
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON701",
    name="cpu-bound-in-threads",
    summary="threads are to compute in parallel, but only one of them at a time runs Python",
    help="use a `ProcessPoolExecutor`",
    category=Category.MODEL,
    since="0.1.0",
)

_POOL = "concurrent.futures.ThreadPoolExecutor"
_JOBS = frozenset({"submit", "map"})
_LIFE = frozenset({"__enter__", "__exit__", "shutdown"})
_CHANGES = frozenset({AccessKind.WRITE, AccessKind.UPDATE, AccessKind.DELETE})
_THREADS = frozenset({RunsIn.THREAD, RunsIn.EXECUTOR_THREAD})


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report CPU-bound functions that are spread over threads of one process."""
    if not project.hints.gil:
        return
    cpu_bound = CpuBound(project)
    roots = [root for root in project.roots if root.runs_in in _THREADS and root.site.what == "call"]
    found = {root: work for root in roots if (work := cpu_bound.find_work(root.function)) is not None}
    for root, work in found.items():
        if _is_for_parallelism(project, root, found):
            anchors = _find_anchors(project, root, found)
            yield _describe(project, root, work, anchors)


def _describe(project: Project, root: Root, work: Work, anchors: tuple[Anchor, ...]) -> Alarm:
    place = project.call(root.site)
    function = project.function(root.function)
    name = function.name if function is not None else root.function
    steps = [project.related(module, span, f"`{called}` is called here") for module, span, called in work.calls]
    loop = project.related(work.module, work.span, f"{work.reason}, without releasing the GIL")
    message = f"`{name}` only computes: its threads take turns instead of running in parallel"
    return project.alarm(root.site.module, RULE.code, place.call.span, message, *steps, loop, anchors=anchors)


def _is_for_parallelism(project: Project, root: Root, found: dict[Root, Work]) -> bool:
    """Whether several threads share the work; one alone may keep a user interface or an event loop responsive."""
    place = project.call(root.site)
    if place.context.loops:
        return not _has_one_worker(project, place)
    if _is_method_of_pool(project, place):
        return not _has_one_worker(project, place)
    return any(other.site != root.site and _starts_beside(project, place, other) for other in found)


def _starts_beside(project: Project, place: CallPlace, other: Root) -> bool:
    beside = project.call(other.site)
    return beside.site.module == place.site.module and beside.call.function == place.call.function


def _find_pools(project: Project, place: CallPlace) -> tuple[Object, ...]:
    """Return the executors that a call hands its function to: its receiver, or an argument of `run_in_executor`."""
    receivers = [target.receiver for target in project.externals(place.site) if target.receiver is not None]
    given = place.find_argument("executor", 0)
    if given is not None:
        receivers += project.objects(place.site.module, given.value)
    rows = ((one, project.class_row(one)) for one in receivers)
    return tuple(one for one, row in rows if row is not None and row.kind in (Kind.EXECUTOR, Kind.POOL))


def _is_method_of_pool(project: Project, place: CallPlace) -> bool:
    return bool(_find_pools(project, place))


def _has_one_worker(project: Project, place: CallPlace) -> bool:
    """Whether a pool has just one thread, to do one thing after the other."""
    for pool in _find_pools(project, place):
        if pool.site is None or pool.site.what != "call":
            continue
        made = project.call(pool.site)
        size = made.find_argument("max_workers", 0) or made.find_argument("processes")
        if size is not None and made.facts.values[size.value] == Constant(1):
            return True
    return False


# Fixes: pools whose jobs can all be sent to other processes


def _find_anchors(project: Project, root: Root, found: dict[Root, Work]) -> tuple[Anchor, ...]:
    pools = _find_pools(project, project.call(root.site))
    pool = pools[0] if len(pools) == 1 else None
    if pool is None or pool.symbol != _POOL or pool.site is None or pool.site.what != "call":
        return ()
    made = project.call(pool.site)
    is_plain = all(given.keyword in ("", "max_workers") for given in made.call.arguments) and made.call.function
    if not is_plain or project.escapes.has_escaped(pool) or not _is_for_processes(project, pool, found):
        return ()
    # Without a main guard, processes would start processes.
    if any(iter_import_starts(project, {pool.site}, collect_scripts(project))):
        return ()
    return (project.anchor(pool.site.module, made.call.span, "processes"),)


def _is_for_processes(project: Project, pool: Object, found: dict[Root, Work]) -> bool:
    """Whether all that is done with a pool is to give it functions that can be sent, and that compute."""
    operations = [one for one in project.operations(pool) if one.name not in _LIFE]
    calls = {root.site for root in project.roots if root.runs_in in _THREADS and root.site.what == "call"}
    # `loop.run_in_executor(pool, f)` is no method of the pool.
    given = {site for site in calls if pool in _find_pools(project, project.call(site))}
    functions = {root.site: root.function for root in found}
    return all(one.name in _JOBS for one in operations) and all(
        site in functions and _can_be_sent(project, functions[site])
        for site in given | {one.site for one in operations}
    )


def _can_be_sent(project: Project, symbol: str) -> bool:
    """Whether it is a function of a module that gives its result back, and changes no state of its own process."""
    place, function = project.place(symbol), project.function(symbol)
    if place is None or function is None or function.owner or function.parent or function.decorators:
        return False
    accesses = (one for one in project.modules[place.module].accesses if one.function == place.index)
    is_named = function.name.isidentifier()
    return is_named and bool(function.returns) and not any(one.kind in _CHANGES for one in accesses)


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Use a pool of processes."""
    call = editor.find(anchor.span, cst.Call) if anchor.words else None
    pool = editor.refer("concurrent.futures.ProcessPoolExecutor", call) if call is not None else None
    if call is None or pool is None:
        return None
    edits = (*pool.edits, editor.replace(call.func, pool.text))
    return Fix("Use processes", Applicability.UNSAFE, edits)
