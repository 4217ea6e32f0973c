"""CON402: see docs/rules/CON402.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.analysis.awaiting import hand_to_thread
from conclint.analysis.editor import Editor
from conclint.model.alarm import Alarm
from conclint.model.facts import Use
from conclint.model.fix import Anchor, Fix
from conclint.model.rule import Category, Rule
from conclint.project.blocking import LOOP_STOPPERS, find_blocking
from conclint.project.loops import collect_loop_functions, collect_sole_coroutines
from conclint.project.moving import Moves
from conclint.project.project import Project
from conclint.project.ways import Step, Ways, iter_places, relate_steps
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON402",
    name="blocking-call-through-helper",
    summary="a coroutine, or a callback of the event loop, calls a function that blocks its thread",
    help="hand the helper to a thread with `await asyncio.to_thread(…)`, or make it a coroutine",
    category=Category.ASYNC,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report calls of plain functions that certainly lead to a call which blocks the thread of the event loop."""
    ways = Ways(project, lambda place: find_blocking(project, place, LOOP_STOPPERS) is not None)
    # That one may read its configuration first.
    alone = collect_sole_coroutines(project)
    watched = {
        (found.module, found.number) for found in collect_loop_functions(project) if found.function.symbol not in alone
    }
    moves = Moves(project)
    for place in iter_places(project):
        if (place.site.module, place.call.function) not in watched or place.call.use is Use.AWAITED:
            continue
        step = ways.find(place)
        if step is not None and step.next is not None:
            yield _report(project, step, moves)


def _report(project: Project, first: Step, moves: Moves) -> Alarm:
    module = first.place.site.module
    callee = project.places.describe(module, first.place.call.callee)
    last = first.last
    found = find_blocking(project, last, LOOP_STOPPERS)
    end = project.places.describe(last.site.module, last.call.callee)
    reason = found.reason if found is not None else ""
    message = f"`{callee}` ends in `{end}`, which blocks the event loop {reason}"
    help_line = f"use `await asyncio.to_thread({callee}, …)`" if callee.replace(".", "").isidentifier() else ""
    trace = relate_steps(project, first, "blocks in")
    words = ("thread",) if moves.may_move(first.place) else ()
    anchor = project.anchor(module, first.place.call.span, *words)
    return project.alarm(module, RULE.code, first.place.call.span, message, *trace, help=help_line, anchors=(anchor,))


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Hand the helper to a thread."""
    return hand_to_thread(editor, anchor)
