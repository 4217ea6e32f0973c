"""CON406: see docs/rules/CON406.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.editor import Editor
from conclint.model.alarm import Alarm, Related
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.project.off_loop import Intrusion, OffLoop
from conclint.project.project import Project
from conclint.project.roots import find_begin
from conclint.project.ways import relate_calls
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON406",
    name="loop-api-from-thread",
    summary="another thread calls what only the thread of the event loop may call",
    help="hand the call to the loop: `loop.call_soon_threadsafe(…)`, or `asyncio.run_coroutine_threadsafe(…)`",
    category=Category.ASYNC,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report calls on loops, tasks, futures, queues and events of asyncio that only other threads make."""
    off_loop = OffLoop(project)
    for place in project.external_calls:
        found = off_loop.find_intrusion(place)
        if found is not None:
            module = place.site.module
            callee = project.places.describe(module, place.call.callee)
            message = f"`{callee}` is called outside the thread of the event loop"
            trace = _relate(project, found)
            yield project.alarm(
                module,
                RULE.code,
                place.call.span,
                message,
                *trace,
                help=_advise(callee, found),
                anchors=_find_anchors(project, found),
            )


def _relate(project: Project, found: Intrusion) -> Iterator[Related]:
    begin = find_begin(project, found.root)
    yield project.related(found.root.site.module, begin, f"{_name(found)} begins to run in a thread here")
    yield from relate_calls(project, found.chain)


def _name(found: Intrusion) -> str:
    name = found.root.function.rpartition(".")[2]
    return "this lambda" if name.startswith("<lambda") else f"`{name}`"


def _advise(callee: str, found: Intrusion) -> str:
    plain = callee.replace(".", "").isidentifier() and not any(one.keyword for one in found.place.call.arguments)
    if callee.endswith(".call_soon"):
        return f"use `{callee}_threadsafe(…)`"
    if not plain or callee.endswith(("create_task", "ensure_future", "start_soon", "call_soon")):
        return ""
    arguments = ", …" if found.place.call.arguments else ""
    return f"use `loop.call_soon_threadsafe({callee}{arguments})`"


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Have the loop make the call."""
    call = editor.find(anchor.span, cst.Call)
    if call is None or not anchor.words or not isinstance(call.func, cst.Attribute):
        return None
    name = call.func.attr
    if anchor.words == ("asyncio.AbstractEventLoop.call_soon",):
        title = "Use `call_soon_threadsafe`"
        return Fix(title, Applicability.SAFE, (editor.replace(name, "call_soon_threadsafe"),))
    # A future knows its loop; its result is of no use to the caller.
    if any(one.keyword is not None for one in call.args) or not isinstance(editor.parent(call), cst.Expr):
        return None
    loop = f"{editor.code(call.func.value)}.get_loop()"
    return Fix(
        "Have the loop make the call", Applicability.SAFE, editor.call_with(call, f"{loop}.call_soon_threadsafe")
    )


def _find_anchors(project: Project, found: Intrusion) -> tuple[Anchor, ...]:
    place = found.place
    names = {target.name for target in project.externals(place.site)}
    if len(names) == 1 and names <= _FIXED:
        return (project.anchor(place.site.module, place.call.span, *names),)
    return ()


_FIXED = frozenset(
    {
        "asyncio.AbstractEventLoop.call_soon",
        "asyncio.Future.set_result",
        "asyncio.Future.set_exception",
        "asyncio.Future.cancel",
    }
)
