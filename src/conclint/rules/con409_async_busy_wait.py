"""CON409: see docs/rules/CON409.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model.alarm import Alarm
from conclint.model.naming import is_test_code
from conclint.model.rule import Category, Rule
from conclint.project.polling import AwaitedState, iter_awaited_state
from conclint.project.project import Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON409",
    name="async-busy-wait",
    summary="a coroutine asks again and again, between sleeps, for state that other code of the program sets",
    help="let that code set an `asyncio.Event` or `Future`, and await it",
    category=Category.ASYNC,
    since="0.1.0",
    default=False,
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report loops of coroutines that do nothing but sleep until an attribute, or a variable of others, changes."""
    for found in iter_awaited_state(project):
        if not is_test_code(project.modules[found.module].functions[found.poll.function].symbol):
            yield _report(project, found)


def _report(project: Project, found: AwaitedState) -> Alarm:
    name = project.places.describe(found.module, found.state)
    write = found.write
    related = [project.related(write.module, write.span, f"`{name}` is set here")] if write is not None else []
    return project.alarm(
        found.module, RULE.code, found.poll.span, f"`{name}` is asked for in a loop of sleeps", *related
    )
