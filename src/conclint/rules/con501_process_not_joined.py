"""CON501: see docs/rules/CON501.md."""

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
    code="CON501",
    name="process-not-joined",
    summary="a process is started and joined nowhere",
    help="keep the process and `join()` it, after `terminate()` too: else it stays behind as a zombie",
    category=Category.PROCESS,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report processes that are no daemons and that nobody can be found to join."""
    for made, start in project.lifetimes.iter_unjoined(Kind.PROCESS):
        name = project.lifetimes.describe(made)
        subject = f"the process {name}" if name else "this process"
        started = project.related(start.site.module, start.call.span, "it is started here")
        message = f"{subject} is started, but joined nowhere"
        module = made.place.site.module
        anchors = find_start_anchors(project, made, start)
        yield project.alarm(module, RULE.code, made.place.call.span, message, started, anchors=anchors)


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Join it at the end of the function that starts it."""
    return join_started(editor, anchor, "process", "processes")
