"""CON211: see docs/rules/CON211.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.project.project import Project
from conclint.project.undone import UndoneTasks
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON211",
    name="task-done-not-in-finally",
    summary="`task_done()` is skipped when the work on an item fails, so `join()` waits for ever",
    help="call `task_done()` in a `finally` block",
    category=Category.DEADLOCK,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report workers that survive an error without saying that the item is done."""
    for found in UndoneTasks(project).iter_all():
        done, work = found.done, found.failing
        callee = project.places.describe(done.site.module, done.call.callee)
        failing = project.places.describe(work.site.module, work.call.callee)
        last = (found.through or (done,))[-1]
        steps = [project.related(work.site.module, work.call.span, f"`{failing}` may raise here")]
        for place in found.through:
            name = project.places.describe(place.site.module, place.call.callee)
            steps.append(project.related(place.site.module, place.call.span, f"the error comes out of `{name}`"))
        steps.append(project.related(last.site.module, found.handler.span, "it is caught here, and the loop goes on"))
        steps.append(project.related(found.join.site.module, found.join.call.span, "this waits for the item"))
        message = f"`{callee}()` is skipped when `{failing}` raises, and the worker goes on"
        yield project.alarm(done.site.module, RULE.code, done.call.span, message, *steps)
