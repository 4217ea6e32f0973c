"""CON106: see docs/rules/CON106.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.blocks import end_of, find_block, find_line, holds, is_statement, iter_own
from conclint.analysis.editor import Editor
from conclint.catalog.rows import Kind, Role
from conclint.model.alarm import Alarm
from conclint.model.fix import Anchor, Applicability, Fix, read_span, spell
from conclint.model.rule import Category, Rule
from conclint.project.iteration import is_over_items
from conclint.project.lifetime import Made
from conclint.project.order import precedes
from conclint.project.project import CallPlace, Project
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON106",
    name="start-join-in-same-iteration",
    summary="each thread of a loop is joined before the next one is started",
    help="start all threads in one loop, and join them in a second one",
    category=Category.THREAD,
    since="0.1.0",
)

_QUIET = ("logging.", "builtins.print")


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report loops over items that start a thread and wait for it at once, themselves or through a helper."""
    for made in project.lifetimes.iter_made(Kind.THREAD, Kind.PROCESS):
        for start in project.lifetimes.iter_calls(made.found, Role.START):
            for join in project.lifetimes.iter_calls(made.found, Role.JOIN):
                if _is_at_once(project, made, start, join) and (loop := _find_loop(project, made, start)) is not None:
                    noun = made.row.kind.value
                    started = project.related(start.site.module, start.call.span, f"the {noun} is started here")
                    ends = [started, project.related(loop.site.module, loop.call.span, "this call is repeated")]
                    message = f"each {noun} is joined before the next one starts: they run one after the other"
                    related = ends[: 1 if loop.site == start.site else 2]
                    words = (spell(start.call.span),) if loop.site == start.site else ()
                    anchors = (project.anchor(join.site.module, join.call.span, noun, *words),)
                    yield project.alarm(join.site.module, RULE.code, join.call.span, message, *related, anchors=anchors)


def _is_at_once(project: Project, made: Made, start: CallPlace, join: CallPlace) -> bool:
    """Whether nothing is done between start and join, and neither depends on a condition of its own."""
    places = {(one.site.module, one.call.function, one.context.loops) for one in (made.place, start, join)}
    if len(places) != 1 or join.call.arguments or join.context.branches != start.context.branches:
        return False
    return precedes(start.call.span, join.call.span) and all(
        _is_quiet(project, place)
        for place in project.calls_in(start.function_place)
        if precedes(start.call.span, place.call.span) and precedes(place.call.span, join.call.span)
    )


def _is_quiet(project: Project, place: CallPlace) -> bool:
    externals = project.externals(place.site)
    return bool(externals) and all(target.name.startswith(_QUIET) for target in externals)


def _find_loop(project: Project, made: Made, start: CallPlace) -> CallPlace | None:
    """Return the call that a loop over items repeats: the start itself, or the call of the function around it."""
    if start.context.loops:
        return start if is_over_items(made.place) else None
    sites = sorted(site for site in project.call_graph.sites(start.function.symbol) if site.what == "call")
    callers = (place for place in map(project.call, sites) if place.context.loops)
    return next((place for place in callers if is_over_items(place)), None)


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Join in a second loop."""
    join = editor.find(anchor.span, cst.Call)
    line = find_line(editor, join) if join is not None and len(anchor.words) > 1 else None
    start = editor.find(read_span(anchor.words[1]), cst.Call) if line is not None else None
    loop = editor.around(line, (cst.For, cst.While)) if line is not None else None
    if join is None or start is None or line is None or not is_statement(editor, join):
        return None
    # A task would wait at each `join()` all the same, and what leaves the loop would leave threads behind.
    if not isinstance(loop, cst.For) or loop.orelse is not None or _has_way_out(loop) or not holds(loop.body, start):
        return None
    thread = join.func.value if isinstance(join.func, cst.Attribute) else None
    indent = editor.indent(loop)
    names = _PLURALS[anchor.words[0]]
    name = next((one for one in names if editor.is_unbound(one, loop) and editor.is_unbound(one, line)), None)
    if not isinstance(thread, cst.Name) or loop.body.body[-1] is not line or not find_block(editor, loop):
        return None
    if name is None or indent is None:
        return None
    step = editor.source.tree.default_indent
    second = f"{indent}for {thread.value} in {name}:\n{indent}{step}{editor.code(join)}\n"
    edits = (
        editor.insert(editor.start_of_line(loop), f"{indent}{name} = []\n"),
        editor.replace(join, f"{name}.append({thread.value})"),
        editor.insert(end_of(editor, loop), second),
    )
    return Fix("Join in a second loop", Applicability.UNSAFE, edits)


def _has_way_out(loop: cst.For) -> bool:
    """Whether the loop may end before its end, or has functions that read its variables later than before."""
    leaving = (cst.Return, cst.Break, cst.Yield, cst.Await, cst.Raise, cst.FunctionDef, cst.Lambda)
    return loop.asynchronous is not None or any(isinstance(one, leaving) for one in iter_own([loop.body]))


_PLURALS = {"thread": ("threads", "started_threads"), "process": ("processes", "started_processes")}
"""Variables for what is started, the first one that is free."""
