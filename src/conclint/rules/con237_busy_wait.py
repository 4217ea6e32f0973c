"""CON237: see docs/rules/CON237.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.blocks import find_block, iter_own, lift_comments
from conclint.analysis.editor import Editor
from conclint.model.alarm import Alarm
from conclint.model.fix import Anchor, Applicability, Edit, Fix
from conclint.model.rule import Category, Rule
from conclint.project.polling import PolledPrimitive, PolledState, iter_polled_primitives, iter_polled_state
from conclint.project.project import Project
from conclint.project.roots import find_begin
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON237",
    name="busy-wait",
    summary="a loop asks again and again for what another thread does, instead of waiting for it",
    help="wait for it: with an `Event`, `join()`, `get()` or `result()`, and a timeout where needed",
    category=Category.THREAD,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report loops that do nothing but ask, or ask and sleep."""
    for found in iter_polled_primitives(project):
        yield _report_primitive(project, found)
    for state in iter_polled_state(project):
        yield _report_state(project, state)


def _report_primitive(project: Project, found: PolledPrimitive) -> Alarm:
    callee = project.places.describe(found.module, project.call(found.call).call.callee)
    name = callee.rpartition(".")[0]
    doing = "and sleep" if found.poll.pause is not None else "without a pause"
    timeout = "timeout=…" if found.is_limited else ""
    message = f"this loop does nothing but ask for `{callee}()` {doing}"
    help_line = f"wait by `{name}.{found.wait}({timeout})`"
    words = () if found.is_limited or _has_pipes(project, found) else (found.wait,)
    anchor = project.anchor(found.module, project.call(found.call).call.span, *words)
    return project.alarm(found.module, RULE.code, found.poll.span, message, help=help_line, anchors=(anchor,))


def _has_pipes(project: Project, found: PolledPrimitive) -> bool:
    """Whether it may be a process that is not to be waited for before its output is read."""
    made = [project.find_call(one.receiver.site) for one in project.externals(found.call) if one.receiver is not None]
    given = {argument.keyword for one in made if one is not None for argument in one.call.arguments}
    return not given.isdisjoint({"stdin", "stdout", "stderr"})


def _report_state(project: Project, found: PolledState) -> Alarm:
    name = project.places.describe(found.module, found.state)
    begun = found.root.function.rpartition(".")[2]
    message = f"this loop takes a whole CPU until another thread sets `{name}`"
    start = project.related(
        found.root.site.module, find_begin(project, found.root), f"`{begun}` runs in another thread"
    )
    write = project.related(found.write.module, found.write.span, f"`{name}` is set here")
    help_line = f"make `{name}` a `threading.Event` and `wait()` for it"
    return project.alarm(found.module, RULE.code, found.poll.span, message, start, write, help=help_line)


_WITHOUT_RESULT = frozenset({"wait", "join"})
"""What waits and does nothing else; to get an item, or a lock, would change what the loop does."""


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Put the call that waits in the place of the loop."""
    call = editor.find(anchor.span, cst.Call)
    loop = editor.around(call, (cst.While, cst.BaseComp)) if call is not None and anchor.words else None
    if call is None or not isinstance(call.func, cst.Attribute) or not isinstance(loop, cst.While):
        return None
    function, indent = editor.function(loop), editor.indent(loop)
    is_async = isinstance(function, cst.FunctionDef) and function.asynchronous is not None
    if indent is None or is_async or not find_block(editor, loop) or _leaves(loop):
        return None
    waiting = _write_wait(editor, call, call.func.value, anchor.words[0])
    if waiting is None:
        return None
    text, edits = waiting
    start, end = editor.source.offsets[loop]
    comments = lift_comments(editor, start, editor.end_of_line(loop), indent)
    last = editor.source.text[end : editor.end_of_line(loop)].rstrip("\r\n")
    edit = editor.edit(start, end + len(last), f"{comments}{text}")
    return Fix(f"Wait with `{text}`", Applicability.UNSAFE, (*edits, edit))


def _leaves(loop: cst.While) -> bool:
    """Whether the end of the loop may be the end of more than the loop."""
    return any(isinstance(one, cst.Return) for one in iter_own([loop]))


def _write_wait(
    editor: Editor, call: cst.Call, asked: cst.BaseExpression, wait: str
) -> tuple[str, tuple[Edit, ...]] | None:
    if wait in _WITHOUT_RESULT:
        return f"{editor.code(asked)}.{wait}()", ()
    if wait != "result":
        return None
    # `result()` would raise the exception of the future here.
    reference = editor.refer("concurrent.futures.wait", call)
    return (f"{reference.text}([{editor.code(asked)}])", reference.edits) if reference is not None else None
