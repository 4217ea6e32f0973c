"""CON209: see docs/rules/CON209.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model.alarm import Alarm, Related
from conclint.model.observations import SequenceKind
from conclint.model.rule import Category, Rule
from conclint.project.project import Project
from conclint.project.queues import Queues, StaleTest
from conclint.project.roots import relate_begin
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON209",
    name="queue-empty-then-get",
    summary="a queue is tested and then used, and another thread may come in between",
    help="call `get_nowait()` or `put_nowait()` without a test, and catch `queue.Empty` or `queue.Full`",
    category=Category.DATA_RACE,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report tests of `empty()`, `full()` and `qsize()` that another consumer or producer outdates."""
    for found in Queues(project).iter_stale_tests():
        what = "take the last item" if found.kind is SequenceKind.FILLED else "fill it"
        then = "this one waits for ever" if found.blocks else "this one raises"
        message = f"`{found.queue}` is tested before it is used: another thread may {what}, and {then}"
        yield project.alarm(found.module, RULE.code, found.check, message, *_relate(project, found))


def _relate(project: Project, found: StaleTest) -> Iterator[Related]:
    act, root = found.act, found.control.root
    yield project.related(act.site.module, act.call.span, "here, the test may hold no more")
    if found.rival != act.site:
        yield project.related(found.rival.module, project.call(found.rival).call.span, "another thread does so here")
    if root is not None:
        yield relate_begin(project, root)
