"""CON702: see docs/rules/CON702.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.analysis.awaiting import hand_to_thread
from conclint.analysis.editor import Editor
from conclint.model.alarm import Alarm, Related
from conclint.model.facts import Use
from conclint.model.fix import Anchor, Fix
from conclint.model.rule import Category, Rule
from conclint.project.heavy import Heavy
from conclint.project.loops import LoopFunction, collect_busy_functions
from conclint.project.moving import Moves
from conclint.project.project import Project
from conclint.project.ways import Step, Ways, iter_places, relate_steps
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON702",
    name="cpu-bound-in-async",
    summary="a coroutine, or a callback of the event loop, computes for long and stops its loop",
    help="compute in a process pool: `await loop.run_in_executor(pool, f)`; what releases the GIL may go to a thread",
    category=Category.MODEL,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report long computations in what runs on an event loop, also in the plain functions it calls."""
    heavy = Heavy(project)
    ways = Ways(project, lambda place: heavy.is_heavy(place) or heavy.find_loop(place) is not None)
    moves, busy = Moves(project), collect_busy_functions(project)
    for place in iter_places(project):
        step = ways.find(place) if place.function_place in busy and place.call.use is not Use.AWAITED else None
        if step is not None:
            yield _report(project, heavy, step, moves)
    for found in busy.values():
        yield from _check_loop(project, found)


def _report(project: Project, heavy: Heavy, first: Step, moves: Moves) -> Alarm:
    module = first.place.site.module
    callee = project.places.describe(module, first.place.call.callee)
    trace: list[Related] = [*relate_steps(project, first, "calls")]
    loop = heavy.find_loop(first.last)
    if loop is not None and loop.cost.span is not None:
        trace.append(project.related(loop.module, loop.cost.span, loop.cost.reason))
    message = f"`{callee}` computes for long and stops the event loop"
    span = first.place.call.span
    # A thread will do where the library computes without the GIL.
    may_move = heavy.releases_gil(first.last) and moves.may_move(first.place)
    anchors = (project.anchor(module, span, "thread"),) if may_move else ()
    return project.alarm(module, RULE.code, span, message, *trace, anchors=anchors)


def _check_loop(project: Project, found: LoopFunction) -> Iterator[Alarm]:
    cost = found.function.cost
    if cost.span is not None and cost.certain:
        yield project.alarm(found.module, RULE.code, cost.span, f"{cost.reason} stops the event loop")


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Hand to a thread what computes without the GIL."""
    return hand_to_thread(editor, anchor)
