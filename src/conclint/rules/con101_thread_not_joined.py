"""CON101: see docs/rules/CON101.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.analysis.editor import Editor
from conclint.analysis.joining import join_started
from conclint.catalog.rows import Kind
from conclint.model.alarm import Alarm
from conclint.model.fix import Anchor, Fix
from conclint.model.rule import Category, Rule
from conclint.project.lifetime import find_start_anchors
from conclint.project.project import Project
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON101",
    name="thread-not-joined",
    summary="a thread is started and joined nowhere",
    help="keep the thread and `join()` it where its work must be done, or make it a daemon if it may be cut off",
    category=Category.THREAD,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report threads that are no daemons and that nobody can be found to join."""
    for made, start in project.lifetimes.iter_unjoined(Kind.THREAD, Kind.TIMER):
        noun = "timer" if made.row.kind is Kind.TIMER else "thread"
        name = project.lifetimes.describe(made)
        subject = f"the {noun} {name}" if name else f"this {noun}"
        ends = "neither joined nor cancelled anywhere" if made.row.kind is Kind.TIMER else "joined nowhere"
        started = project.related(start.site.module, start.call.span, "it is started here")
        module, message = made.place.site.module, f"{subject} is started, but {ends}"
        anchors = find_start_anchors(project, made, start) if made.row.kind is Kind.THREAD else ()
        yield project.alarm(module, RULE.code, made.place.call.span, message, started, anchors=anchors)


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Join it at the end of the function that starts it."""
    return join_started(editor, anchor, "thread", "threads")
