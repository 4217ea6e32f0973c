"""CON210: see docs/rules/CON210.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.project.project import Project
from conclint.project.queues import Queues
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON210",
    name="queue-join-without-task-done",
    summary="a queue is joined and nobody calls `task_done()` on it",
    help="call `task_done()` once for every item that was taken out, in a `finally`",
    category=Category.DEADLOCK,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report waits for queues that never become done."""
    for found in Queues(project).iter_endless_joins():
        place = project.call(found.join)
        split = project.places.split(found.join.module, place.call.callee)
        name = project.places.describe(found.join.module, split[0]) if split is not None else "queue"
        message = f"`{name}.join()` waits for ever: nobody calls `task_done()` on this queue"
        put = project.related(found.put.module, project.call(found.put).call.span, "this item is never said to be done")
        yield project.alarm(found.join.module, RULE.code, place.call.span, message, put)
