"""CON245: see docs/rules/CON245.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model.alarm import Alarm, Related
from conclint.model.rule import Category, Rule
from conclint.project.project import CallPlace, Project
from conclint.project.waiters import iter_single_notifies
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON245",
    name="notify-single",
    summary="`notify()` wakes one waiter, and others wait for the same Condition for other reasons",
    help="call `notify_all()`, or make a Condition for each reason to wait",
    category=Category.DEADLOCK,
    since="0.1.0",
    default=False,
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report each `notify()` with two of the waiters that it may wake."""
    for found in iter_single_notifies(project):
        callee = project.places.describe(found.notify.site.module, found.notify.call.callee)
        message = f"`{callee}()` wakes one waiter, which may be one that waits for something else"
        first = _relate(project, found.first, "one waits here")
        second = _relate(project, found.second, "another one waits here, for something else")
        yield project.alarm(found.notify.site.module, RULE.code, found.notify.call.span, message, first, second)


def _relate(project: Project, place: CallPlace, message: str) -> Related:
    return project.related(place.site.module, place.call.span, message)
