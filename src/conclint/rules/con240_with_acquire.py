"""CON240: see docs/rules/CON240.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.editor import Editor
from conclint.catalog.rows import LOCK_KINDS
from conclint.model.alarm import Alarm
from conclint.model.facts import How
from conclint.model.fix import ANY_RULE, Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.model.values import Await, Result
from conclint.project.link import ExternalTarget
from conclint.project.objects import Site
from conclint.project.project import Project
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON240",
    name="with-acquire",
    summary="the result of `acquire()`, which is no context manager, is used as one",
    help="write `with lock:`, which acquires and releases it",
    category=Category.DEADLOCK,
    since="0.1.0",
)

_ENTERED = frozenset({How.WITH, How.ASYNC_WITH, How.ENTER_CONTEXT})


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report `with lock.acquire():`: it acquires, then fails, and the lock stays held."""
    for module, facts in enumerate(project.modules):
        for acquisition in facts.acquisitions:
            value = facts.values[acquisition.value]
            if isinstance(value, Await):
                value = facts.values[value.base]
            if acquisition.how not in _ENTERED or not isinstance(value, Result):
                continue
            site = Site(module, value.call)
            targets = project.externals(site)
            if targets and not project.callees(site) and all(_acquires_lock(project, one) for one in targets):
                message = "what `acquire()` returns is no context manager, so entering it fails"
                yield project.alarm(module, RULE.code, acquisition.span, message)


def _acquires_lock(project: Project, target: ExternalTarget) -> bool:
    owner = project.class_row(target.receiver) if target.receiver is not None else None
    if owner is None or owner.kind not in LOCK_KINDS or not target.name.endswith(".acquire"):
        return False
    # `filelock` gives a context manager.
    row = project.find_row(target)
    return row is None or not row.returns


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Enter the lock itself."""
    found = editor.find(anchor.span, (cst.Await, cst.Call))
    call = found.expression if isinstance(found, cst.Await) else found
    if found is None or not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute) or call.args:
        return None
    item = editor.parent(found)
    around = editor.parent(item) if isinstance(item, cst.WithItem) else None
    if isinstance(item, cst.WithItem) and item.asname is not None:
        return None
    # What is awaited is a lock of asyncio, which `async with` enters.
    if isinstance(found, cst.Await) and (not isinstance(around, cst.With) or around.asynchronous is None):
        return None
    lock = call.func.value
    (start, end), (first, last) = editor.outer(found), editor.outer(lock)
    before = (editor.edit(start, first, ""),) if start < first else ()
    edits = (*before, editor.edit(last, end, ""))
    return Fix(f"Enter `{editor.code(lock)}` itself", Applicability.SAFE, edits, reveals=ANY_RULE)
