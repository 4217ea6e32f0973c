"""CON703: see docs/rules/CON703.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Effect, Kind, Role, RunsIn
from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.project.io_bound import IoBound, Waits
from conclint.project.objects import Object
from conclint.project.project import Project
from conclint.project.roots import Root
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON703",
    name="io-bound-in-processes",
    summary="processes are started for work that only waits",
    help="use threads (`ThreadPoolExecutor`) or asyncio: they wait as well, for a fraction of the memory",
    category=Category.MODEL,
    since="0.1.0",
)

_LIMITS = ("maxtasksperchild", "max_tasks_per_child")


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report functions that only wait, and are spread over processes."""
    io_bound = IoBound(project)
    roots = [root for root in project.roots if root.site.what == "call" and not _is_initializer(project, root)]
    by_pool: dict[Object, list[Root]] = {}
    for root in roots:
        for pool in _find_pools(project, root) if root.runs_in is RunsIn.EXECUTOR_PROCESS else ():
            by_pool.setdefault(pool, []).append(root)
    for root in roots:
        if not _is_spread(project, root):
            continue
        others = [other for pool in _find_pools(project, root) for other in by_pool.get(pool, ())]
        waits = io_bound.find_waits(root.function)
        # A pool that also computes is needed for that.
        if waits is not None and all(io_bound.find_waits(other.function) is not None for other in others):
            yield _report(project, root, waits)


def _report(project: Project, root: Root, waits: Waits) -> Alarm:
    place, wait = project.call(root.site), waits.wait
    name = root.function.rpartition(".")[2]
    subject = "the job" if name.startswith("<") else f"`{name}`"
    described = ((one, project.places.describe(one.site.module, one.call.callee)) for one in waits.calls)
    steps = [project.related(one.site.module, one.call.span, f"`{callee}` is called here") for one, callee in described]
    sleeps = any(row.effects & Effect.SLEEP for _, row in project.rows(wait.site))
    reason = "it sleeps here" if sleeps else "it waits for the network here"
    steps.append(project.related(wait.site.module, wait.call.span, reason))
    message = f"{subject} only waits: it needs no processes of its own"
    return project.alarm(root.site.module, RULE.code, place.call.span, message, *steps)


def _find_pools(project: Project, root: Root) -> tuple[Object, ...]:
    """Return the executors and pools whose method starts a root."""
    receivers = (target.receiver for target in project.externals(root.site) if target.receiver is not None)
    rows = ((one, project.class_row(one)) for one in receivers)
    return tuple(one for one, row in rows if row is not None and row.kind in (Kind.EXECUTOR, Kind.POOL))


def _is_initializer(project: Project, root: Root) -> bool:
    rows = (project.class_row(found) for found in project.result(root.site))
    return any(row is not None and row.kind in (Kind.POOL, Kind.EXECUTOR) for row in rows)


def _is_spread(project: Project, root: Root) -> bool:
    """Whether several processes share the work; a single one, or one that may be killed, is there for isolation."""
    place = project.call(root.site)
    if root.runs_in is RunsIn.PROCESS:
        made = [found for found in project.result(root.site) if found.site == root.site]
        ends = {Role.CANCEL, Role.CLOSE}
        return bool(place.context.loops) and not any(
            project.lifetimes.find_roles(one) & ends or project.lifetimes.is_out_of_sight(one) for one in made
        )
    pools = _find_pools(project, root) if root.runs_in is RunsIn.EXECUTOR_PROCESS else ()
    return bool(pools) and all(_is_plain_pool(project, pool) for pool in pools)


def _is_plain_pool(project: Project, pool: Object) -> bool:
    """Whether a pool is made here, with several processes that live as long as it does."""
    if pool.site is None or pool.site.what != "call":
        return False
    made = project.call(pool.site)
    return not made.has_stars and not any(made.find_argument(limit) for limit in _LIMITS)
