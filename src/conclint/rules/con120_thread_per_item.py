"""CON120: see docs/rules/CON120.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Kind, Role
from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.model.values import Attribute, Collection, Item, Name, Result, ValueId
from conclint.project.iteration import find_assigned, is_given
from conclint.project.lifetime import Made
from conclint.project.project import CallPlace, Project
from conclint.project.testing import is_test
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON120",
    name="thread-per-item",
    summary="a thread is started for each item, however many there are",
    help="submit the items to a `ThreadPoolExecutor`, which limits the number of threads",
    category=Category.THREAD,
    since="0.1.0",
    default=False,
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report threads that are made in a loop, are given its item, and are neither counted nor joined there."""
    for made in project.lifetimes.iter_made(Kind.THREAD):
        place = made.place
        loops = place.context.loops
        if not loops or is_test(place) or not is_given(place, find_assigned(place.facts, loops[-1])):
            continue
        if _is_bounded(project, place) or _is_limited(project, made):
            continue
        start = next(project.lifetimes.iter_calls(made.found, Role.START), None)
        if start is not None:
            name = project.lifetimes.describe(made)
            subject = f"the thread {name}" if name else "a thread"
            message = f"{subject} is started for each item of this loop, however many there are"
            started = project.related(start.site.module, start.call.span, "it is started here")
            yield project.alarm(place.site.module, RULE.code, place.call.span, message, started)


def _is_bounded(project: Project, place: CallPlace) -> bool:
    """Whether what the loop runs over is written there, or counted."""
    facts, loop = place.facts, place.context.loops[-1]
    for flow in facts.flows:
        found = facts.values[flow.source]
        if loop in facts.contexts[flow.context].loops and isinstance(found, Item):
            return _is_counted(project, place, found.base)
    return False


def _is_counted(project: Project, place: CallPlace, value: ValueId) -> bool:
    found = place.facts.values[value]
    if isinstance(found, Collection):
        return True
    if isinstance(found, Result):
        call = place.facts.calls[found.call]
        if place.facts.values[call.callee] == Name("builtins.range"):
            return True
        return any(_is_counted(project, place, argument.value) for argument in call.arguments)
    return isinstance(found, Name | Attribute)


def _is_limited(project: Project, made: Made) -> bool:
    """Whether the same loop waits for a semaphore, or for a thread."""
    loop = made.place.context.loops[-1]
    facts = made.place.facts
    for entry in facts.acquisitions:
        if loop in facts.contexts[entry.context].loops:
            return True
    joins = project.lifetimes.iter_calls(made.found, Role.JOIN)
    return any(loop in join.context.loops for join in joins if join.site.module == made.place.site.module)
