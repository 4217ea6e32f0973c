"""CON201: see docs/rules/CON201.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.editor import Editor
from conclint.analysis.holding import hold_lock
from conclint.model.alarm import Alarm, Related
from conclint.model.fix import Anchor, Fix
from conclint.model.rule import Category, Rule
from conclint.project.holding import Holding
from conclint.project.parallel import Control
from conclint.project.project import Project
from conclint.project.races import Race
from conclint.project.ways import follow, relate_way
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON201",
    name="unguarded-shared-update",
    summary="shared state is updated by several threads without a lock",
    help="hold one lock around every update",
    category=Category.DATA_RACE,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report reads followed by writes that another thread's write may come between."""
    holding = Holding(project)
    for race in project.races.lost_updates:
        name = race.place.written
        alone = race.others[0] == (race.access, race.control)
        who = "several threads at once" if alone else "two threads"
        message = f"`{name}` is updated by {who} without a lock"
        related, anchors = _relate(project, race), tuple(_iter_anchors(project, holding, race))
        yield project.alarm(race.access.module, RULE.code, race.access.span, message, *related, anchors=anchors)


def _iter_anchors(project: Project, holding: Holding, race: Race) -> Iterator[Anchor]:
    """Yield where the one lock that is kept next to the state would have to be held."""
    identity = holding.find_single_lock(race.place)
    for access in dict.fromkeys((race.access, *(other for other, _ in race.others))):
        if identity is None or identity not in access.lockset:
            words = holding.describe(access, identity) if identity is not None else ()
            yield project.anchor(access.module, access.span, *words)


def _relate(project: Project, race: Race) -> Iterator[Related]:
    seen: set[Control] = set()
    others = sorted(race.others, key=lambda one: one[0] is not race.access)
    for way, (access, control) in enumerate(dict.fromkeys([(race.access, race.control), *others]), 1):
        if control not in seen:
            seen.add(control)
            yield from follow(way, relate_way(project, control, access.function))
        if access is not race.access:
            step = project.related(access.module, access.span, f"`{race.place.written}` is changed here as well")
            yield from follow(way, [step])


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Hold the lock of the class, or of the module, around the statement."""
    found = editor.find(anchor.span, cst.CSTNode)
    return hold_lock(editor, found, found, anchor.words) if found is not None else None
