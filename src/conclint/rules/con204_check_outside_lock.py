"""CON204: see docs/rules/CON204.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model.alarm import Alarm
from conclint.model.observations import SequenceKind
from conclint.model.rule import Category, Rule
from conclint.project.project import Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON204",
    name="check-outside-lock",
    summary="shared state is tested before the lock is taken under which it is changed",
    help="repeat the test once the lock is held",
    category=Category.DATA_RACE,
    since="0.1.0",
)

_WHAT = {
    SequenceKind.MISSING_KEY: "another one may add the key while this one waits",
    SequenceKind.PRESENT_KEY: "another one may remove the key while this one waits",
    SequenceKind.UNSET: "another one may set it while this one waits",
    SequenceKind.FLAG: "another one may pass the same test meanwhile",
}


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report tests whose answer may be old by the time the lock is held."""
    for found in project.checks.half_guarded:
        message = f"`{found.state}` is tested before `{found.lock}` is taken: {_WHAT[found.kind]}"
        taken = project.related(found.module, found.taken, f"`{found.lock}` is taken here")
        act = project.related(found.module, found.act, "it is changed here, without another test")
        yield project.alarm(found.module, RULE.code, found.check, message, taken, act)
