"""CON503: see docs/rules/CON503.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.closing import enter, enter_inline
from conclint.analysis.editor import Editor
from conclint.catalog.rows import Effect, Kind, Role
from conclint.model.alarm import Alarm
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.project.lifetime import Made
from conclint.project.order import precedes
from conclint.project.project import CallPlace, Project
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON503",
    name="pool-not-closed",
    summary="a pool is never closed, or not when a job fails",
    help="use the pool in a `with` statement, or call `close()` or `terminate()` in a `finally` block",
    category=Category.PROCESS,
    since="0.1.0",
)

_ENDS = frozenset({Role.CLOSE, Role.CANCEL})
_ENDING = frozenset({"close", "terminate", "__exit__"})
_WAITING = frozenset({"apply", "map", "starmap", "close", "join", "terminate"})
_LAZY = frozenset({"imap", "imap_unordered"})


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report pools that nobody closes, and those that an exception out of a job leaves open."""
    lifetimes = project.lifetimes
    for made in lifetimes.iter_made(Kind.POOL):
        if lifetimes.is_out_of_sight(made.found) or lifetimes.is_singleton(made.found):
            continue
        name = lifetimes.describe(made)
        subject = f"the pool {name}" if name else "this pool"
        module, span = made.place.site.module, made.place.call.span
        if _ENDS.isdisjoint(lifetimes.find_roles(made.found)):
            yield project.alarm(module, RULE.code, span, f"{subject} is closed nowhere")
        elif (leak := _find_leak(project, made)) is not None:
            failing = project.related(module, leak.call.span, "an exception of a job is raised here")
            yield project.alarm(module, RULE.code, span, f"{subject} is not closed when a job fails", failing)


def _find_leak(project: Project, made: Made) -> CallPlace | None:
    """Return a call of the pool, between its creation and its end, that raises what a job raised."""
    operations = [*project.lifetimes.iter_operations(made.found)]
    ends = [project.call(one.site) for one in operations if one.name in _ENDING and one.site.what == "call"]
    if not ends or any(one.name == "__exit__" for one in operations):
        return None
    if any(end.function_place != made.place.function_place or _is_conditional(end) for end in ends):
        return None
    jobs = (project.call(one.site) for one in operations if one.site.what == "call")
    between = (
        place
        for place in sorted(jobs, key=lambda one: one.site)
        if precedes(made.place.call.span, place.call.span) and precedes(place.call.span, ends[0].call.span)
    )
    return next((place for place in between if _raises(project, place)), None)


def _is_conditional(end: CallPlace) -> bool:
    return end.context.finally_body or bool(end.context.branches)


def _raises(project: Project, place: CallPlace) -> bool:
    """Whether the call waits for jobs, and raises what they raise, and nothing here catches that."""
    rows = [row for _, row in project.rows(place.site)]
    waits = all(row.spawn is not None and row.effects & Effect.WAIT for row in rows)
    return bool(rows) and waits and not place.context.protected


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Use it in a `with` statement, if all its jobs are done when that ends: it terminates the pool."""
    call = editor.find(anchor.span, cst.Call)
    if call is None:
        return None

    def is_done(use: cst.Call) -> bool:
        name = use.func.attr.value if isinstance(use.func, cst.Attribute) else ""
        return name in _WAITING or (name in _LAZY and isinstance(editor.parent(use), cst.For))

    edits = enter(editor, call, is_done) or enter_inline(editor, call, is_done, "pool")
    return Fix("Use the pool in a `with` statement", Applicability.UNSAFE, edits) if edits is not None else None
