"""CON509: see docs/rules/CON509.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from conclint.analysis.blocks import wrap
from conclint.analysis.editor import Editor
from conclint.catalog.rows import RunsIn
from conclint.model.alarm import Alarm
from conclint.model.facts import Access, AccessKind
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.model.values import Item, ValueId
from conclint.project.confinement import Way, collect_ways
from conclint.project.parallel import OTHER_MEMORY
from conclint.project.places import Place, PlaceKind
from conclint.project.project import Project
from conclint.project.roots import Root
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON509",
    name="shared-value-not-atomic",
    summary="several processes update a shared value without its lock: some of the updates are lost",
    help="hold its lock: `with value.get_lock():`",
    category=Category.DATA_RACE,
    since="0.1.0",
)

_SHARED = ("multiprocessing.Value", "multiprocessing.Array")


class Update(NamedTuple):
    """`value.value += 1` or `array[i] += 1`, and the variable that holds the value."""

    module: int
    access: Access
    place: Place | None


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report updates of a `Value` or `Array`, with no lock held, that two processes may make at once."""
    updates = list(_iter_updates(project))
    roots = [root for root in project.roots if root.runs_in in OTHER_MEMORY] if updates else []
    reached = {root: collect_ways(project, [root]) for root in roots}
    for update in updates:
        symbol = project.modules[update.module].functions[update.access.function].symbol
        ways = [ways[symbol] for ways in reached.values() if symbol in ways]
        if ways and not _is_guarded(project, update) and _has_rivals(project, update, updates, ways):
            yield _report(project, update, ways[0])


def _report(project: Project, update: Update, way: Way) -> Alarm:
    name = project.places.describe(update.module, update.access.target)
    message = f"`{name}` is updated by several processes without its lock"
    return project.alarm(update.module, RULE.code, update.access.span, message, *way.relate(project))


def _iter_updates(project: Project) -> Iterator[Update]:
    for module, facts in enumerate(project.modules):
        for access in facts.accesses:
            base = _find_base(project, module, access.target) if access.kind is AccessKind.UPDATE else None
            found = project.objects(module, base) if base is not None else frozenset()
            if base is not None and found and all(one.symbol in _SHARED for one in found):
                yield Update(module, access, project.places.find(module, base))


def _find_base(project: Project, module: int, target: ValueId) -> ValueId | None:
    value = project.value(module, target)
    if isinstance(value, Item):
        return value.base
    base, name = project.places.split(module, target) or (None, "")
    return base if name == "value" else None


def _is_guarded(project: Project, update: Update) -> bool:
    """Whether anything is held that may be a lock, here or by all callers."""
    facts, access = project.modules[update.module], update.access
    held = project.locks.lockset(update.module, access.function, access.context)
    return bool(facts.contexts[access.context].lockset) or bool(held)


def _has_rivals(project: Project, update: Update, updates: list[Update], ways: list[Way]) -> bool:
    """Whether two processes may make the update, or one of them this and the other another one of the same variable."""
    if len({way.root.site for way in ways}) > 1 or any(_is_many(project, way.root) for way in ways):
        return True
    if update.place is None or update.place.kind is PlaceKind.CLOSURE:
        return False
    here = (update.module, update.access.function)
    return any(one.place == update.place and (one.module, one.access.function) != here for one in updates)


def _is_many(project: Project, root: Root) -> bool:
    spawn = project.find_call(root.site)
    return root.runs_in is RunsIn.EXECUTOR_PROCESS or (spawn is not None and bool(spawn.context.loops))


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Hold the lock of the value around the statement."""
    target = editor.find(anchor.span, cst.Attribute) or editor.find(anchor.span, cst.Subscript)
    line = editor.line_of(target) if target is not None else None
    if target is None or line is None or not isinstance(target.value, cst.Name | cst.Attribute):
        return None
    value = editor.code(target.value)
    edits = wrap(editor, [line], f"with {value}.get_lock():")
    return Fix(f"Hold the lock of `{value}`", Applicability.SAFE, edits) if edits is not None else None
