"""CON524: see docs/rules/CON524.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.closing import enter, enter_inline
from conclint.analysis.editor import Editor
from conclint.catalog.rows import Kind, Role
from conclint.model.alarm import Alarm
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.project.lifetime import Made
from conclint.project.order import precedes
from conclint.project.project import CallPlace, Project
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON524",
    name="executor-not-shut-down",
    summary="an executor is never shut down, or not when a job fails",
    help="use the executor in a `with` statement, or call `shutdown()` where its owner is closed",
    category=Category.PROCESS,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report executors that nobody closes, and those that an exception out of a job leaves open."""
    lifetimes = project.lifetimes
    for made in lifetimes.iter_made(Kind.EXECUTOR):
        if lifetimes.is_out_of_sight(made.found) or lifetimes.is_singleton(made.found):
            continue
        name = lifetimes.describe(made)
        subject = f"the executor {name}" if name else "this executor"
        module, span = made.place.site.module, made.place.call.span
        if Role.CLOSE not in lifetimes.find_roles(made.found):
            yield project.alarm(module, RULE.code, span, f"{subject} is shut down nowhere")
        elif (leak := _find_leak(project, made)) is not None:
            failing = project.related(module, leak.call.span, "an exception of a job is raised here")
            yield project.alarm(module, RULE.code, span, f"{subject} is not shut down when a job fails", failing)


def _find_leak(project: Project, made: Made) -> CallPlace | None:
    """Return a call between creation and `shutdown()` that raises what a job raised."""
    closing = [one for one in project.lifetimes.iter_operations(made.found) if one.name in ("shutdown", "__exit__")]
    if len(closing) != 1 or closing[0].name != "shutdown" or closing[0].site.what != "call":
        return None
    end = project.call(closing[0].site)
    if end.function_place != made.place.function_place or end.context.finally_body or end.context.branches:
        return None
    between = (
        place
        for place in project.calls_in(end.function_place)
        if precedes(made.place.call.span, place.call.span) and precedes(place.call.span, end.call.span)
    )
    return next((place for place in between if _raises(project, place)), None)


def _raises(project: Project, place: CallPlace) -> bool:
    """Whether the call gives the result of a job, and nothing here catches what it raises."""
    results = any(
        row.role is Role.RESULT and target.name.endswith(".result") for target, row in project.rows(place.site)
    )
    return results and not place.context.protected


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Use it in a `with` statement, which waits for all jobs."""
    call = editor.find(anchor.span, cst.Call)
    if call is None:
        return None

    def is_done(use: cst.Call) -> bool:
        # Whoever says what `shutdown` shall do may not want to wait.
        is_shutdown = isinstance(use.func, cst.Attribute) and use.func.attr.value == "shutdown"
        return not is_shutdown or not use.args

    edits = enter(editor, call, is_done, ending="shutdown") or enter_inline(editor, call, is_done, "executor")
    return Fix("Use the executor in a `with` statement", Applicability.UNSAFE, edits) if edits is not None else None
