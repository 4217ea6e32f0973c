"""CON401: see docs/rules/CON401.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.awaiting import await_other, may_run_in_thread, run_in_thread
from conclint.analysis.editor import Editor
from conclint.model.alarm import Alarm
from conclint.model.facts import Use
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.project.blocking import LOOP_STOPPERS, Blocking, find_blocking, is_socket
from conclint.project.loops import LoopFunction, collect_loop_functions
from conclint.project.project import CallPlace, Project
from conclint.project.roots import Root
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON401",
    name="blocking-call-in-async",
    summary="a coroutine, or a callback of the event loop, makes a call that blocks its thread",
    help="await an asynchronous twin, or hand the call to a thread with `await asyncio.to_thread(…)`",
    category=Category.ASYNC,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report calls that block the thread of an event loop, directly in what runs on that loop."""
    functions = {(found.module, found.number): found for found in collect_loop_functions(project)}
    for place in project.calls:
        around = functions.get((place.site.module, place.call.function))
        if around is None or place.call.use is Use.AWAITED:
            continue
        found = find_blocking(project, place, LOOP_STOPPERS)
        if found is not None and not _is_ready(project, around.callback, found):
            yield _report(project, place, found, around)


def _is_ready(project: Project, callback: Root | None, found: Blocking) -> bool:
    # A callback of `add_reader` is called when there is something to read.
    if callback is None or not is_socket(project, found.receiver):
        return False
    return any(target.name.endswith((".add_reader", ".add_writer")) for target in project.externals(callback.site))


def _report(project: Project, place: CallPlace, found: Blocking, around: LoopFunction) -> Alarm:
    module = place.site.module
    callee = project.places.describe(module, place.call.callee)
    message = f"`{callee}` blocks the event loop {found.reason}"
    if around.callback is None:
        anchors = (project.anchor(module, place.call.span, found.row.twin, found.name),)
        return project.alarm(module, RULE.code, place.call.span, message, help=_advise(callee, found), anchors=anchors)
    registered = project.call(around.callback.site)
    related = project.related(
        registered.site.module, registered.call.span, f"`{around.function.name}` is made a callback of the loop here"
    )
    return project.alarm(module, RULE.code, place.call.span, message, related)


def _advise(callee: str, found: Blocking) -> str:
    if found.row.twin:
        return f"use `await {found.row.twin}(…)`"
    return f"use `await asyncio.to_thread({callee}, …)`" if callee.replace(".", "").isidentifier() else ""


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Await `asyncio.sleep`, or hand the call to a thread."""
    call = editor.find(anchor.span, cst.Call)
    if call is None or not anchor.words:
        return None
    twin, name = anchor.words
    if name != "time.sleep":
        # An object of SQLite may only be used in the thread that has made it.
        return None if twin or name.startswith(("sqlite3.", "builtins.input")) else run_in_thread(editor, call)
    reference = editor.refer(twin, call) if may_run_in_thread(editor, call) else None
    if reference is None or any(one.star or one.keyword is not None for one in call.args):
        return None
    edits = (*reference.edits, *await_other(editor, call, reference.text))
    return Fix(f"Await `{reference.text}`", Applicability.UNSAFE, edits)
