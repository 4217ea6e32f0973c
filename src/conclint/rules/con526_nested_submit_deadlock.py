"""CON526: see docs/rules/CON526.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Domain, Effect, Kind, Role, RunsIn
from conclint.model.alarm import Alarm
from conclint.model.facts import Use
from conclint.model.rule import Category, Rule
from conclint.project.blocking import returns_at_once
from conclint.project.confinement import Way, collect_ways, is_of_self
from conclint.project.jobs import Jobs, starts_job
from conclint.project.objects import Object
from conclint.project.project import CallPlace, Project
from conclint.project.roots import Root
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON526",
    name="nested-submit-deadlock",
    summary="a job waits for another job of its own executor: when all threads wait, none is left to work",
    help="let the job do the work itself, or give the inner jobs an executor of their own",
    category=Category.DEADLOCK,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report jobs that submit to the executor that runs them, and wait for what they have submitted."""
    jobs, reported = Jobs(project), set()
    for root in project.roots:
        start = project.find_call(root.site) if root.runs_in is RunsIn.EXECUTOR_THREAD else None
        for executor in _find_executors(project, start) if start is not None else ():
            ways = collect_ways(project, [root])
            for place in _iter_submits(project, executor, ways):
                way = ways[place.function.symbol]
                waiting = _find_wait(project, jobs, place, ways)
                if waiting is None or place.site in reported or not _is_same(project, executor, way, place):
                    continue
                if _may_fill(project, root, place):
                    reported.add(place.site)
                    yield _report(project, way, place, waiting)


def _report(project: Project, way: Way, place: CallPlace, waiting: CallPlace) -> Alarm:
    name = way.root.function.rpartition(".")[2]
    subject = "the job" if name.startswith("<") else f"`{name}`"
    message = f"{subject} waits for a job that needs a thread of its own executor: all of them may be waiting"
    related = [*way.relate(project)]
    if waiting is not place:
        related.append(project.related(waiting.site.module, waiting.call.span, "this waits for the job"))
    return project.alarm(place.site.module, RULE.code, place.call.span, message, *related)


def _find_executors(project: Project, place: CallPlace) -> tuple[Object, ...]:
    """Return the thread pools, made in the project, whose method a call is."""
    receivers = {target.receiver for target in project.externals(place.site)}
    return tuple(sorted((one for one in receivers if one is not None and _is_thread_pool(project, one)), key=repr))


def _is_thread_pool(project: Project, found: Object) -> bool:
    row = project.class_row(found)
    made = found.site is not None and found.site.what == "call"
    return made and row is not None and row.kind in (Kind.EXECUTOR, Kind.POOL) and row.domain is Domain.THREAD


def _iter_submits(project: Project, executor: Object, ways: dict[str, Way]) -> Iterator[CallPlace]:
    for operation in project.operations(executor):
        if operation.site.what == "call":
            place = project.call(operation.site)
            spawns = [row.spawn for _, row in project.rows(place.site) if row.spawn is not None]
            if spawns and place.function.symbol in ways:
                yield place


def _find_wait(project: Project, jobs: Jobs, place: CallPlace, ways: dict[str, Way]) -> CallPlace | None:
    """Return the call by which the job that submits at `place` waits for that without a limit."""
    if not starts_job(project, place.site):
        # `pool.map` waits itself; the iterator of `executor.map` does once something is done with it.
        waits = all(row.effects & Effect.WAIT for _, row in project.rows(place.site))
        return place if waits and place.call.use is Use.USED else None
    made = jobs.find_future(place)
    if made is None or any(operation.name in ("done", "ready") for operation in project.operations(made.found)):
        return None
    asking = [*project.lifetimes.iter_calls(made.found, Role.RESULT), *jobs.iter_waits(made.found)]
    return next((one for one in asking if one.function.symbol in ways and not _is_bounded(project, one)), None)


def _is_bounded(project: Project, place: CallPlace) -> bool:
    rows = [row for _, row in project.rows(place.site)]
    timeouts = [row.timeout for row in rows if row.timeout is not None]
    if any(place.find_argument(one.keyword, one.position) is not None for one in timeouts):
        return True
    return any(returns_at_once(project, place, row) for row in rows)


def _is_same(project: Project, executor: Object, way: Way, place: CallPlace) -> bool:
    """Whether both calls mean one and the same executor, not two that the same call has made (must)."""
    if project.lifetimes.is_singleton(executor):
        return True
    assert executor.site is not None
    maker = project.call(executor.site).function.symbol
    if maker in project.call_graph.reach([way.root.function]):
        return False
    if not project.lifetimes.find_names(executor):
        return True
    # Kept in an attribute: all on the way must be done by the same object.
    steps = (project.call(way.root.site), *way.calls, place)
    return all(is_of_self(project, one.site.module, one.call.callee) for one in steps)


def _may_fill(project: Project, root: Root, place: CallPlace) -> bool:
    """Whether so many jobs of the root may run that they take all threads of the executor."""
    start = project.call(root.site)
    maps = any(row.spawn is not None and row.spawn.maps for _, row in project.rows(root.site))
    if maps or start.context.loops or project.parallel.is_single_worker(root):
        return True
    return root.site == place.site or any(
        other.site == place.site and other.function == root.function for other in project.roots
    )
