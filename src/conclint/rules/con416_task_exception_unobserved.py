"""CON416: see docs/rules/CON416.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Kind, Role
from conclint.model.alarm import Alarm
from conclint.model.facts import Use
from conclint.model.rule import Category, Rule
from conclint.model.values import Await, Result
from conclint.project.exceptions import Exceptions
from conclint.project.jobs import Jobs
from conclint.project.lifetime import Made
from conclint.project.objects import Object, ObjectKind
from conclint.project.project import CallPlace, Project
from conclint.project.tasks import starts_task
from conclint.project.testing import is_test
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON416",
    name="task-exception-unobserved",
    summary="a task is kept, and nobody asks it whether it has failed",
    help="await the task where it ends, or add a done-callback that logs `task.exception()`",
    category=Category.ASYNC,
    since="0.1.0",
    default=False,
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report tasks that may fail, are kept, and are never awaited or asked by a callback."""
    jobs, errors = Jobs(project), Exceptions(project, strict=True)
    kept = [made for made in _iter_kept(project) if jobs.is_never_asked(made)]
    observed = _find_gathered(project) | _find_awaited(project) if kept else set()
    for made in kept:
        way = _find_failing(jobs, errors, made.place) if made.found not in observed else ()
        if way:
            yield _describe(project, made, way)


def _iter_kept(project: Project) -> Iterator[Made]:
    """Yield the tasks whose handle is used in some way; CON404 is about the others."""
    for made in project.lifetimes.iter_made(Kind.TASK):
        place = made.place
        if place.call.use is not Use.DROPPED and not is_test(place) and starts_task(project, place.site):
            yield made


def _find_gathered(project: Project) -> set[Object]:
    """Return what is given to calls that hand out results: `gather(*tasks)`, `shield(task)`."""
    found: set[Object] = set()
    for place in project.external_calls:
        if any(row.role is Role.RESULT and target.receiver is None for target, row in project.rows(place.site)):
            for argument in place.call.arguments:
                given = project.objects(place.site.module, argument.value)
                found.update(given, *(project.elements(one) for one in given))
    return found


def _find_awaited(project: Project) -> set[Object]:
    """Return what is awaited, calls apart."""
    bases = (
        (module, value.base)
        for module, facts in enumerate(project.modules)
        for value in facts.values
        if type(value) is Await and not isinstance(facts.values[value.base], Result)
    )
    return {found for module, base in bases for found in project.objects(module, base)}


def _find_failing(jobs: Jobs, errors: Exceptions, place: CallPlace) -> tuple[CallPlace, ...]:
    """Return the way to what may fail in all that the task may run, empty where nothing does, or that is not known."""
    started = jobs.find_callables(place)
    if not started or any(found.kind is not ObjectKind.COROUTINE for found in started):
        return ()
    ways = [tuple(errors.iter_chain(found.symbol)) for found in started]
    return ways[0] if all(ways) else ()


def _describe(project: Project, made: Made, way: tuple[CallPlace, ...]) -> Alarm:
    name = project.lifetimes.describe(made)
    subject = f"the task in {name}" if name else "this task"
    related = (
        project.related(place.site.module, place.call.span, f"`{callee}` may fail here")
        for place in way
        for callee in [project.places.describe(place.site.module, place.call.callee)]
    )
    message = f"{subject} is never asked whether it has failed: its exception is seen when it is collected, or never"
    return project.alarm(made.place.site.module, RULE.code, made.place.call.span, message, *related)
