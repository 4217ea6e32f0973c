"""CON102: see docs/rules/CON102.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import RunsIn
from conclint.model.alarm import Alarm, Related
from conclint.model.rule import Category, Rule
from conclint.model.values import Result
from conclint.project.callables import Handover, gives_no_callable
from conclint.project.objects import Site
from conclint.project.project import Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON102",
    name="callback-already-called",
    summary="a function is called where the function itself should be handed over",
    help="hand over the function without the parentheses, and its arguments in their own place",
    category=Category.THREAD,
    since="0.1.0",
)

_TAKES_OTHERS = (RunsIn.TASK, RunsIn.HERE)
"""What takes coroutines, or runs a key function at once."""


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report calls in the place of a callable whose result cannot be called."""
    for handover in project.handovers:
        module = handover.place.site.module
        value = project.value(module, handover.argument.value)
        if handover.spawn.runs_in in _TAKES_OTHERS or not isinstance(value, Result):
            continue
        site = Site(module, value.call)
        if gives_no_callable(project, site):
            yield _report(project, handover, site)


def _report(project: Project, handover: Handover, site: Site) -> Alarm:
    callee = project.places.describe(site.module, project.call(site).call.callee)
    taker = handover.taker.rpartition(".")[2]
    message = f"`{callee}` is called here, and `{taker}` gets its result, which cannot be called"
    return project.alarm(site.module, RULE.code, handover.argument.span, message, *_iter_definitions(project, site))


def _iter_definitions(project: Project, site: Site) -> Iterator[Related]:
    for target in sorted(project.callees(site), key=lambda target: target.function)[:1]:
        place, function = project.place(target.function), project.function(target.function)
        if place is not None and function is not None:
            what = "returns no function" if function.returns else "returns None"
            if function.is_async:
                what = "returns a coroutine"
            yield project.related(place.module, function.span, f"`{function.name}` {what}")
