"""CON408: see docs/rules/CON408.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.analysis.awaiting import hand_to_thread
from conclint.analysis.editor import Editor
from conclint.catalog.rows import Kind
from conclint.model.alarm import Alarm, Related
from conclint.model.facts import Use
from conclint.model.fix import Anchor, Fix
from conclint.model.rule import Category, Rule
from conclint.project.loops import collect_busy_functions
from conclint.project.moving import Moves
from conclint.project.project import Project
from conclint.project.roots import relate_begin
from conclint.project.waits import Section, Waits
from conclint.project.ways import Step, Ways, follow, iter_places, relate_steps
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON408",
    name="sync-primitive-in-async",
    summary="a coroutine, or a callback of the event loop, waits for another thread and stops its loop",
    help="await an asyncio twin, or wait in a thread with `await asyncio.to_thread(…)`",
    category=Category.ASYNC,
    since="0.1.0",
)

_OWNED = frozenset({Kind.RLOCK, Kind.CONDITION})
"""What belongs to the thread that has acquired it."""
_LAZY = frozenset({"as_completed", "imap", "imap_unordered", "map"})
"""What gives an iterator, which is what waits."""


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report waits for threads, processes and their locks in what runs on an event loop, also through helpers."""
    waits = Waits(project)
    ways = Ways(project, lambda place: bool(waits.find(place) or waits.find_contended_call(place)))
    moves, busy = Moves(project), collect_busy_functions(project)
    for place in iter_places(project):
        step = ways.find(place) if place.function_place in busy and place.call.use is not Use.AWAITED else None
        if step is not None:
            yield _report(project, waits, step, moves)
    for module, facts in enumerate(project.modules):
        for number, entry in enumerate(facts.acquisitions):
            if (module, entry.function) in busy and not waits.is_held_across_await(module, number):
                yield from _check_lock(project, waits, module, number)


def _report(project: Project, waits: Waits, first: Step, moves: Moves) -> Alarm:
    module, span = first.place.site.module, first.place.call.span
    anchors = (project.anchor(module, span, "thread"),) if _may_move(project, first, moves) else ()
    callee = project.places.describe(module, first.place.call.callee)
    contended = waits.find_contended_call(first.last)
    if contended is not None:
        lock = project.places.describe(contended.module, contended.entry.value)
        message = f"`{callee}` acquires `{lock}`, and stops the event loop while another thread holds it and blocks"
        waits_for = project.related(contended.module, contended.entry.span, f"`{lock}` is waited for here")
        other = _relate_section(project, contended.section, lock)
        trace = (*follow(1, [*relate_steps(project, first, "calls"), waits_for]), *follow(2, other))
        return project.alarm(module, RULE.code, span, message, *trace, anchors=anchors)
    if first.next is None:
        message = f"`{callee}` stops the event loop until another thread is ready"
        return project.alarm(module, RULE.code, span, message, anchors=anchors)
    end = project.places.describe(first.last.site.module, first.last.call.callee)
    message = f"`{callee}` ends in `{end}`, which stops the event loop until another thread is ready"
    return project.alarm(module, RULE.code, span, message, *relate_steps(project, first, "waits in"), anchors=anchors)


def _may_move(project: Project, first: Step, moves: Moves) -> bool:
    """Whether a thread could wait instead, in one call, and the coroutine await it without holding a lock (must)."""
    if not moves.may_move(first.place):
        return False
    targets = project.externals(first.place.site)
    owners = [project.class_row(one.receiver) for one in targets if one.receiver is not None]
    is_owned = any(row is not None and row.kind in _OWNED for row in owners)
    return not is_owned and all(one.name.rpartition(".")[2] not in _LAZY for one in targets)


def _check_lock(project: Project, waits: Waits, module: int, number: int) -> Iterator[Alarm]:
    entry = project.modules[module].acquisitions[number]
    lock = project.places.describe(module, entry.value)
    contended = waits.find_contention(module, number)
    if contended is not None:
        message = f"`{lock}` stops the event loop while another thread holds it and blocks"
        trace = tuple(_relate_section(project, contended.section, lock))
        yield project.alarm(module, RULE.code, entry.span, message, *trace)
    elif waits.is_kept(module, number):
        message = f"`{lock}` is acquired here and released elsewhere: the event loop stops until then"
        yield project.alarm(module, RULE.code, entry.span, message)


def _relate_section(project: Project, section: Section, lock: str) -> Iterator[Related]:
    yield relate_begin(project, section.root)
    yield project.related(section.module, section.span, f"`{lock}` is acquired here")
    first = section.step.place
    callee = project.places.describe(first.site.module, first.call.callee)
    verb = "calls" if section.step.next is not None else "blocks in"
    yield project.related(first.site.module, first.call.span, f"`{first.function.name}` {verb} `{callee}`")
    yield from relate_steps(project, section.step, "blocks in")


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Have a thread wait."""
    return hand_to_thread(editor, anchor)
