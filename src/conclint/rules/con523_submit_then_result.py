"""CON523: see docs/rules/CON523.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Role
from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.model.values import Constant
from conclint.project.iteration import is_over_items
from conclint.project.jobs import Jobs, starts_job
from conclint.project.objects import Object
from conclint.project.order import contains, precedes
from conclint.project.project import CallPlace, Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON523",
    name="submit-then-result",
    summary="each job is waited for before the next one is submitted: they run one after the other",
    help="submit all jobs first, then ask for the results; or use `executor.map(...)`",
    category=Category.PROCESS,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report loops over items that submit a job and ask for its result in the same round."""
    jobs = Jobs(project)
    for place in project.calls:
        if not place.context.loops or not _starts_one_job(project, place) or not is_over_items(place):
            continue
        made = jobs.find_future(place)
        asks = list(project.lifetimes.iter_calls(made.found, Role.RESULT)) if made is not None else []
        if len(asks) == 1 and _is_at_once(project, place, asks[0]) and _is_for_parallelism(project, place):
            callee = project.places.describe(place.site.module, place.call.callee)
            message = f"the job of `{callee}` is waited for in the same round of the loop: the jobs run one by one"
            started = project.related(place.site.module, place.call.span, "the job is submitted here")
            related = () if contains(asks[0].call.span, place.call.span) else (started,)
            yield project.alarm(place.site.module, RULE.code, asks[0].call.span, message, *related)


def _starts_one_job(project: Project, place: CallPlace) -> bool:
    """Whether a call submits a single job; those of `map_async` run in parallel among themselves."""
    spawns = (row.spawn for _, row in project.rows(place.site))
    return starts_job(project, place.site) and not any(spawn is not None and spawn.maps for spawn in spawns)


def _is_at_once(project: Project, start: CallPlace, ask: CallPlace) -> bool:
    """Whether nothing is done between submitting and asking, which sets no limit and hangs on no condition."""
    around = [(one.function_place, one.context.loops, one.context.branches) for one in (start, ask)]
    if around[0] != around[1] or ask.call.arguments:
        return False
    if contains(ask.call.span, start.call.span):
        return True
    return precedes(start.call.span, ask.call.span) and not any(
        precedes(start.call.span, other.call.span) and precedes(other.call.span, ask.call.span)
        for other in project.calls_in(start.function_place)
    )


def _is_for_parallelism(project: Project, place: CallPlace) -> bool:
    """Whether the executor has several workers and is there for this loop alone, not to keep work in its threads."""
    receivers = [target.receiver for target in project.externals(place.site)]
    return all(one is not None and _has_workers(project, one) and _is_for(project, one, place) for one in receivers)


def _has_workers(project: Project, executor: Object) -> bool:
    if executor.site is None or executor.site.what != "call":
        return False
    made = project.call(executor.site)
    size = made.find_argument("max_workers", 0) or made.find_argument("processes", 0)
    return size is None or project.constant(made.site.module, size.value) != Constant(1)


def _is_for(project: Project, executor: Object, place: CallPlace) -> bool:
    sites = [one.site for one in project.operations(executor) if one.site.what == "call"]
    starts = [site for site in sites if any(row.spawn is not None for _, row in project.rows(site))]
    return all(project.call(site).function_place == place.function_place for site in starts)
