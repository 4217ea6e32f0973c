"""CON229: see docs/rules/CON229.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model.alarm import Alarm, Related
from conclint.model.rule import Category, Rule
from conclint.project.joins import Standstill
from conclint.project.project import Project
from conclint.project.roots import relate_begin
from conclint.project.ways import follow, relate_steps
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON229",
    name="join-under-lock",
    summary="a thread is waited for while a lock is held that it needs to come to its end",
    help="release the lock before waiting: take the thread out under the lock, and join it outside",
    category=Category.DEADLOCK,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report waits for a thread or job that itself waits for a lock of the waiting one."""
    for found in project.stalls.joins.standstills:
        place = found.waiting.step.place
        yield project.alarm(
            place.site.module, RULE.code, place.call.span, _describe(project, found), *_iter_trace(project, found)
        )


def _describe(project: Project, found: Standstill) -> str:
    place, module = found.waiting.step.place, found.waiting.module
    callee = project.places.describe(place.site.module, place.call.callee)
    lock = project.places.describe(module, found.waiting.entry.value)
    root = found.root.function.rpartition(".")[2]
    how = "waits" if found.is_forever else "waits out its timeout"
    return f"`{callee}` {how} for `{root}`, which needs `{lock}`, held here"


def _iter_trace(project: Project, found: Standstill) -> Iterator[Related]:
    waiting = found.waiting
    lock = project.places.describe(waiting.module, waiting.entry.value)
    yield from follow(1, [project.related(waiting.module, waiting.entry.span, f"`{lock}` is acquired here")])
    yield from follow(1, relate_steps(project, waiting.step, "waits in"))
    yield from follow(2, _iter_other(project, found))


def _iter_other(project: Project, found: Standstill) -> Iterator[Related]:
    yield relate_begin(project, found.root)
    *calls, last = found.steps
    for call in calls:
        yield project.related(call.module, call.span, f"`{call.function.rpartition('.')[2]}` calls on")
    yield project.related(last.module, last.span, f"`{last.function.rpartition('.')[2]}` waits for `{found.taken}`")
