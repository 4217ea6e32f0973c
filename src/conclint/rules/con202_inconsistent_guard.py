"""CON202: see docs/rules/CON202.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.editor import Editor
from conclint.analysis.holding import hold_lock
from conclint.model.alarm import Alarm
from conclint.model.facts import AccessKind
from conclint.model.fix import Anchor, Fix
from conclint.model.rule import Category, Rule
from conclint.project.guards import Guard
from conclint.project.holding import Holding
from conclint.project.project import Project
from conclint.project.shared import SharedAccess
from conclint.project.ways import relate_unlocked
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON202",
    name="inconsistent-guard",
    summary="shared state is changed without the lock that guards it elsewhere",
    help="hold the lock around this access too",
    category=Category.DATA_RACE,
    since="0.1.0",
)

_REMOVERS = frozenset({"pop", "popitem", "popleft"})
_VERBS = {AccessKind.ITERATE: "iterated over", AccessKind.DELETE: "deleted"}


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report changes and iterations outside the guard of their state."""
    holding = Holding(project)
    for guard in project.guards.all:
        for access in guard.unguarded:
            if _is_harmful(project, guard, access):
                yield _report(project, holding, guard, access)


def _is_harmful(project: Project, guard: Guard, access: SharedAccess) -> bool:
    if access.kind is AccessKind.ITERATE:
        return not access.place.element and project.iterations.is_disturbed(guard.place, access)
    if access.method in _REMOVERS and access.atomic and access.protected:
        # `try: item = self.items.pop() except IndexError` is meant to go without the lock.
        return False
    # The documentation of `deque` promises thread-safe appends and pops at either end.
    if not access.is_write or access.sets_up or (access.atomic and access.collections == {"collections.deque"}):
        return False
    return not _is_overwritten(access) or _meets_guarded(project, guard, access)


def _is_overwritten(access: SharedAccess) -> bool:
    """Whether the whole is set to something new: often done before others come, or after they are gone."""
    return access.kind is AccessKind.WRITE and not access.method and not access.place.element


def _meets_guarded(project: Project, guard: Guard, access: SharedAccess) -> bool:
    """Whether another thread is known that may be within the lock meanwhile."""
    return any(project.races.find_pair(guard.place, access, other) is not None for other in guard.guarded)


def _report(project: Project, holding: Holding, guard: Guard, access: SharedAccess) -> Alarm:
    verb = _VERBS.get(access.kind, "changed")
    witness = guard.witness
    related = project.related(witness.module, witness.span, f"`{guard.state}` is guarded by `{guard.lock}` here")
    message = f"`{guard.state}` is {verb} without `{guard.lock}`, which guards it elsewhere"
    way = relate_unlocked(project, access.function, guard.identity, guard.lock)
    help_line = f"hold `{guard.lock}` here too"
    anchors = (project.anchor(access.module, access.span, *holding.describe(access, guard.identity)),)
    return project.alarm(access.module, RULE.code, access.span, message, related, *way, help=help_line, anchors=anchors)


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Hold the guard around the statement."""
    found = editor.find(anchor.span, cst.CSTNode)
    return hold_lock(editor, found, found, anchor.words) if found is not None else None
