"""CON226: see docs/rules/CON226.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.editor import Editor
from conclint.model.alarm import Alarm, Related
from conclint.model.fix import Anchor, Applicability, Edit, Fix
from conclint.model.rule import Category, Rule
from conclint.project.project import Project
from conclint.project.reentry import Reentry
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON226",
    name="self-deadlock",
    summary="a lock that is not reentrant is acquired by the thread that holds it",
    help="move the call out of the critical section, or use `threading.RLock()`",
    category=Category.DEADLOCK,
    since="0.1.0",
)

_LOCK = "threading.Lock"


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report locks that are waited for by their own holder."""
    for found in project.reentries.iter_all():
        first, last = found.trace[0], found.trace[-1]
        if len(found.trace) == 1:
            message = f"`{found.lock}` is acquired again while it is held"
        else:
            name = last.function.rpartition(".")[2]
            message = f"this call ends in `{name}`, which acquires `{found.lock}` again while it is held"
        trace, anchors = _relate(project, found), tuple(_iter_anchors(project, found))
        yield project.alarm(first.module, RULE.code, first.span, message, *trace, anchors=anchors)


def _iter_anchors(project: Project, found: Reentry) -> Iterator[Anchor]:
    """Yield where the lock is made."""
    acquired = (one for one in project.modules[found.module].acquisitions if one.span == found.held)
    objects = {made for one in acquired for made in project.objects(found.module, one.value)}
    for made in sorted(objects, key=repr):
        if made.site is not None and made.site.what == "call" and made.symbol == _LOCK:
            yield project.anchor(made.site.module, project.call(made.site).call.span, _LOCK)


def _relate(project: Project, found: Reentry) -> Iterator[Related]:
    yield project.related(found.module, found.held, f"`{found.lock}` is acquired here")
    for step in found.trace[1:-1]:
        yield project.related(step.module, step.span, f"`{step.function.rpartition('.')[2]}` calls on here")
    if len(found.trace) > 1:
        last = found.trace[-1]
        yield project.related(last.module, last.span, f"`{found.lock}` is waited for here")


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Make the lock reentrant."""
    call = editor.find(anchor.span, cst.Call)
    if call is None or not anchor.words or call.args:
        return None
    # What is written must be the lock itself, not a helper that makes one.
    if editor.scope(call).resolve(call.func) != anchor.words[0]:
        return None
    if isinstance(call.func, cst.Attribute):
        edits: tuple[Edit, ...] = (editor.replace(call.func.attr, "RLock"),)
    else:
        reference = editor.refer("threading.RLock", call)
        if reference is None:
            return None
        edits = (*reference.edits, editor.replace(call.func, reference.text))
    return Fix("Make it a `threading.RLock`", Applicability.UNSAFE, edits)
