"""CON226: see docs/rules/CON226.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model.alarm import Alarm, Related
from conclint.model.rule import Category, Rule
from conclint.project.project import Project
from conclint.project.reentry import Reentry
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON226",
    name="self-deadlock",
    summary="a lock that is not reentrant is acquired by the thread that holds it",
    help="move the call out of the critical section, or use `threading.RLock()`",
    category=Category.DEADLOCK,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report locks that are waited for by their own holder."""
    for found in project.reentries.iter_all():
        first, last = found.trace[0], found.trace[-1]
        if len(found.trace) == 1:
            message = f"`{found.lock}` is acquired again while it is held"
        else:
            name = last.function.rpartition(".")[2]
            message = f"this call ends in `{name}`, which acquires `{found.lock}` again while it is held"
        yield project.alarm(first.module, RULE.code, first.span, message, *_relate(project, found))


def _relate(project: Project, found: Reentry) -> Iterator[Related]:
    yield project.related(found.module, found.held, f"`{found.lock}` is acquired here")
    for step in found.trace[1:-1]:
        yield project.related(step.module, step.span, f"`{step.function.rpartition('.')[2]}` calls on here")
    if len(found.trace) > 1:
        last = found.trace[-1]
        yield project.related(last.module, last.span, f"`{found.lock}` is waited for here")
