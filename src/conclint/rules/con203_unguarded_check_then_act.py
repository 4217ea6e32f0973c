"""CON203: see docs/rules/CON203.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model.alarm import Alarm, Related
from conclint.model.observations import SequenceKind
from conclint.model.rule import Category, Rule
from conclint.project.checks import CheckThenAct
from conclint.project.project import Project
from conclint.project.roots import relate_begin
from conclint.project.ways import relate_chain
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON203",
    name="unguarded-check-then-act",
    summary="shared state is tested and then changed without a lock",
    help="hold one lock around the test and the change",
    category=Category.DATA_RACE,
    since="0.1.0",
)

_WHAT = {
    SequenceKind.MISSING_KEY: "another thread may add the key",
    SequenceKind.PRESENT_KEY: "another thread may remove the key",
    SequenceKind.UNSET: "another thread may set it",
    SequenceKind.FLAG: "another thread may pass the same test",
}


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report tests of shared state whose answer may be stale when it is acted upon."""
    for found in project.checks.unguarded:
        message = f"`{found.state}` is tested and then changed without a lock: {_WHAT[found.kind]} in between"
        yield project.alarm(found.module, RULE.code, found.check, message, *_relate(project, found))


def _relate(project: Project, found: CheckThenAct) -> Iterator[Related]:
    yield project.related(found.module, found.act, "it is changed here, if the test still holds")
    witness = found.witness
    if witness is not None:
        yield project.related(witness.module, witness.span, f"`{found.lock}` is held here around `{found.state}`")
    if found.taken is not None:
        yield project.related(*found.taken, f"this takes `{found.lock}`: threads share objects of this class")
    if found.root is not None:
        yield relate_begin(project, found.root)
        facts = project.modules[found.module]
        yield from relate_chain(project, found.root.function, facts.functions[found.function].symbol)
