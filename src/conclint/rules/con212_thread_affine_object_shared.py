"""CON212: see docs/rules/CON212.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.project.affinity import Stray, find_strays
from conclint.project.project import Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON212",
    name="thread-affine-object-shared",
    summary="an object that belongs to one thread or event loop is used in another one",
    help="make one for each thread or event loop",
    category=Category.DATA_RACE,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report sqlite3 objects in foreign threads, and asyncio primitives in a second event loop."""
    for stray in find_strays(project):
        yield project.alarm(stray.module, RULE.code, stray.span, _describe(stray), *stray.trace)


def _describe(stray: Stray) -> str:
    if stray.is_loop_bound:
        return f"`{stray.name}` is used in a second event loop: waiting for it there raises RuntimeError"
    return f"`{stray.name}` was made in another thread: sqlite3 raises ProgrammingError here"
