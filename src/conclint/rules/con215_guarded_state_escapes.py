"""CON215: see docs/rules/CON215.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.editor import Editor
from conclint.model.alarm import Alarm
from conclint.model.facts import AccessKind
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.project.places import Place
from conclint.project.project import Project
from conclint.project.shared import SharedAccess
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON215",
    name="guarded-state-escapes",
    summary="a collection that a lock guards is returned, and used without the lock from then on",
    help="return a copy, made with the lock held",
    category=Category.DATA_RACE,
    since="0.1.0",
    default=False,
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report `with lock: return self.items`, where others change the collection under the same lock."""
    for place, accesses in project.shared.by_place.items():
        changes = [one for one in accesses if one.is_write and one.place.element and one.lockset]
        if not changes or not _is_collection(project, place):
            continue
        for access in accesses:
            if not _is_returned(project, access) or project.shared.is_quiet(access.function):
                continue
            change = next((one for one in changes if one.lockset & access.lockset), None)
            if change is not None and not _is_held_by_callers(project, access):
                name = project.places.describe(access.module, access.target)
                changed = project.related(change.module, change.span, "it is changed under the lock here")
                message = f"`{name}` is returned as it is: the caller uses it without the lock that guards it"
                yield project.alarm(access.module, RULE.code, access.span, message, changed)


def _is_held_by_callers(project: Project, access: SharedAccess) -> bool:
    where = project.place(access.function)
    held = project.locks.lockset(where.module, where.index, 0) if where is not None else frozenset()
    return bool(held) or project.locks.is_locked_by_name(access.function)


def _is_collection(project: Project, place: Place) -> bool:
    """Whether the place certainly holds collections that can change."""
    rows = [project.class_row(found) for found in project.place_objects(place)]
    names = {row.names[0] if row is not None else "" for row in rows}
    return bool(names) and names <= _MUTABLE


def _is_returned(project: Project, access: SharedAccess) -> bool:
    """Whether this is the last look of a function at what it returns."""
    where = project.place(access.function)
    if where is None or access.kind is not AccessKind.READ or access.place.element:
        return False
    facts = project.modules[where.module]
    if where.module != access.module or access.target not in facts.functions[where.index].returns:
        return False
    own = [one.span for one in facts.accesses if one.function == where.index and one.target == access.target]
    return access.span == max(own)


_MUTABLE = frozenset(
    {
        "builtins.list",
        "builtins.dict",
        "builtins.set",
        "builtins.bytearray",
        "collections.deque",
        "collections.OrderedDict",
        "collections.defaultdict",
        "collections.Counter",
    }
)


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Return a copy, which the classes of `_MUTABLE` all make by `copy()`."""
    state = editor.find(anchor.span, cst.Attribute) or editor.find(anchor.span, cst.Name)
    if state is None or not isinstance(editor.parent(state), cst.Return):
        return None
    return Fix("Return a copy", Applicability.UNSAFE, (editor.insert_after(state, ".copy()"),))
