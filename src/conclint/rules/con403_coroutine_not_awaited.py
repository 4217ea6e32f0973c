"""CON403: see docs/rules/CON403.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.awaiting import await_call
from conclint.analysis.editor import Editor
from conclint.catalog.rows import Role, RunsIn
from conclint.model.alarm import Alarm, Related
from conclint.model.facts import Use
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.model.values import Name
from conclint.project.callables import gives_coroutine, hands_out_coroutine
from conclint.project.certainty import Certainty
from conclint.project.loops import may_await_there
from conclint.project.objects import Site
from conclint.project.project import CallPlace, Project
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON403",
    name="coroutine-not-awaited",
    summary="a coroutine is made and never awaited",
    help="await it, or make a task of it and keep that",
    category=Category.ASYNC,
    since="0.1.0",
)

_ASKING = frozenset(f"{module}.iscoroutinefunction" for module in ("asyncio", "asyncio.coroutines", "inspect"))


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report coroutines that are dropped, tested, or bound to a name that nobody reads."""
    unread, certainty = project.unread_results, Certainty(project)
    for place in project.calls:
        fate = _say_fate(place, unread.get(place.site, ""))
        if not fate:
            continue
        if _makes_coroutine(project, place, certainty):
            yield _report(project, place, fate)
        elif place.call.use is not Use.TESTED and _gathers(project, place.site):
            callee = project.places.describe(place.site.module, place.call.callee)
            message = f"`{callee}` is never awaited: nobody waits for its tasks or sees their exceptions"
            yield project.alarm(place.site.module, RULE.code, place.call.span, message, anchors=_anchor(project, place))


def _say_fate(place: CallPlace, unread: str) -> str:
    if place.call.use is Use.DROPPED:
        return "is never awaited: its body does not run"
    if place.call.use is Use.TESTED:
        return "is tested without `await`: a coroutine is always true"
    return f"is bound to `{unread}` and never awaited: its body does not run" if unread else ""


def _makes_coroutine(project: Project, place: CallPlace, certainty: Certainty) -> bool:
    if _is_asked(project, place):
        return False
    if gives_coroutine(project, place.site):
        return certainty.is_closed(place.site.module, place.call.callee)
    # A helper that may return None as well is rightly tested.
    tested = place.call.use is Use.TESTED
    return not tested and hands_out_coroutine(project, place.site) and certainty.is_closed_result(place.site)


def _is_asked(project: Project, place: CallPlace) -> bool:
    """Whether the function asks what it calls here whether it is a coroutine function: `iscoroutinefunction(send)`."""
    return any(
        call.arguments and call.arguments[0].value == place.call.callee
        for call in (one.call for one in project.calls_in(place.function_place))
        if isinstance(asked := place.facts.values[call.callee], Name) and asked.symbol in _ASKING
    )


def _gathers(project: Project, site: Site) -> bool:
    """Whether a call joins other tasks into one future: `asyncio.gather`, `asyncio.shield`."""
    rows = [project.find_row(target) for target in project.externals(site)]
    return bool(rows) and all(
        row is not None and row.role is Role.RESULT and row.spawn is not None and row.spawn.runs_in is RunsIn.TASK
        for row in rows
    )


def _report(project: Project, place: CallPlace, fate: str) -> Alarm:
    module = place.site.module
    callee = project.places.describe(module, place.call.callee)
    related = tuple(_iter_definitions(project, place.site))[:1]
    message = f"`{callee}` {fate}"
    return project.alarm(module, RULE.code, place.call.span, message, *related, anchors=_anchor(project, place))


def _anchor(project: Project, place: CallPlace) -> tuple[Anchor, ...]:
    words = ("await",) if may_await_there(project, place) else ()
    return (project.anchor(place.site.module, place.call.span, *words),)


def _iter_definitions(project: Project, site: Site) -> Iterator[Related]:
    for target in sorted(project.callees(site), key=lambda target: target.function):
        place, function = project.place(target.function), project.function(target.function)
        if place is not None and function is not None:
            what = "is a coroutine function" if function.is_async else "returns a coroutine"
            yield project.related(place.module, function.span, f"`{function.name}` {what}")


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Await it."""
    call = editor.find(anchor.span, cst.Call)
    if call is None or not anchor.words or not editor.may_await(call):
        return None
    return Fix("Await it", Applicability.UNSAFE, await_call(editor, call))
