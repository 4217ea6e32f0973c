"""CON701: see docs/rules/CON701.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Kind, RunsIn
from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.model.values import Constant
from conclint.project.cpu import CpuBound, Work
from conclint.project.objects import Object
from conclint.project.project import CallPlace, Project
from conclint.project.roots import Root
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON701",
    name="cpu-bound-in-threads",
    summary="threads are to compute in parallel, but only one of them at a time runs Python",
    help="use a `ProcessPoolExecutor`",
    category=Category.MODEL,
    since="0.1.0",
)

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
            yield _describe(project, root, work)


def _describe(project: Project, root: Root, work: Work) -> Alarm:
    place = project.call(root.site)
    function = project.function(root.function)
    name = function.name if function is not None else root.function
    steps = [project.related(module, span, f"`{called}` is called here") for module, span, called in work.calls]
    loop = project.related(work.module, work.span, f"{work.reason}, without releasing the GIL")
    message = f"`{name}` only computes: its threads take turns instead of running in parallel"
    return project.alarm(root.site.module, RULE.code, place.call.span, message, *steps, loop)


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
