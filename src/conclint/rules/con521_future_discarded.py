"""CON521: see docs/rules/CON521.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model.alarm import Alarm, Related
from conclint.model.facts import Use
from conclint.model.rule import Category, Rule
from conclint.project.callables import iter_functions
from conclint.project.exceptions import Exceptions
from conclint.project.jobs import Jobs, starts_job
from conclint.project.link import ExternalTarget
from conclint.project.objects import Object, ObjectKind
from conclint.project.project import CallPlace, Project
from conclint.project.tasks import gives_fresh_task
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON521",
    name="future-discarded",
    summary="nobody asks a future what became of its job: an exception is lost",
    help="call `result()` on each future, or catch and log the errors in the job itself",
    category=Category.PROCESS,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report jobs that may fail, and whose futures are dropped, or kept by someone who never asks them."""
    jobs, errors, unread = Jobs(project), Exceptions(project), project.unread_results
    for place in project.calls:
        name = unread.get(place.site, "")
        dropped = "is dropped" if place.call.use is Use.DROPPED else f"is bound to `{name}`, which is never read"
        if starts_job(project, place.site):
            fate = dropped if place.call.use is Use.DROPPED or name else _find_fate(project, jobs, place)
            if fate:
                yield from _report(project, jobs, errors, place, place, fate)
        elif (place.call.use is Use.DROPPED or name) and gives_fresh_task(project, place.site, starts_job):
            starts = sorted(made.site for made in project.result(place.site) if made.site is not None)
            yield from _report(project, jobs, errors, place, project.call(starts[0]), dropped)


def _find_fate(project: Project, jobs: Jobs, place: CallPlace) -> str:
    """Return what becomes of a future that is kept and never asked, "" for others."""
    made = jobs.find_future(place)
    if made is None or not jobs.is_never_asked(made):
        return ""
    name = project.lifetimes.describe(made)
    return f"is kept in {name}, but never asked for its result" if name else "is never asked for its result"


def _report(
    project: Project, jobs: Jobs, errors: Exceptions, place: CallPlace, start: CallPlace, fate: str
) -> Iterator[Alarm]:
    """Yield the alarm, if all that the job may run may fail, and nothing there handles that."""
    if start.find_argument("error_callback") is not None or start.has_stars:
        return
    callables = jobs.find_callables(start)
    failing = [_find_failing(project, errors, start, found) for found in callables]
    if not failing or any(one is None for one in failing):
        return
    steps = [] if start is place else [project.related(start.site.module, start.call.span, "it is submitted here")]
    made = jobs.find_future(start)
    waits = jobs.iter_waits(made.found) if made is not None else ()
    steps += [project.related(one.site.module, one.call.span, "this waits for it, and raises nothing") for one in waits]
    callee = project.places.describe(place.site.module, place.call.callee)
    message = f"the future of `{callee}` {fate}: an exception of the job is lost"
    related = (*steps, *(failing[0] or ()))
    yield project.alarm(place.site.module, RULE.code, place.call.span, message, *related)


def _find_failing(project: Project, errors: Exceptions, start: CallPlace, found: Object) -> tuple[Related, ...] | None:
    """Return the way to what may fail in a job, None where nothing does, or that is not known."""
    if found.kind is ObjectKind.EXTERNAL:
        return () if errors.is_failing(ExternalTarget(found.symbol, None)) else None
    chains = [tuple(errors.iter_chain(symbol)) for symbol in iter_functions(project, found)]
    if not chains or not all(chains):
        return None
    described = ((place, project.places.describe(place.site.module, place.call.callee)) for place in chains[0])
    return tuple(
        project.related(place.site.module, place.call.span, f"`{callee}` may fail here") for place, callee in described
    )
