"""CON121: see docs/rules/CON121.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.editor import Editor
from conclint.catalog.rows import Effect, Kind, Role, RunsIn
from conclint.model.alarm import Alarm
from conclint.model.facts import Context, Function, Use
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.model.values import Await, Result
from conclint.project.callables import Handover, iter_functions
from conclint.project.objects import Object, ObjectKind
from conclint.project.order import precedes
from conclint.project.project import CallPlace, Project
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON121",
    name="loop-variable-capture",
    summary="a function that runs later reads a loop variable, which has moved on by then",
    help="bind the value where the function is made: as a default argument, or with `functools.partial`",
    category=Category.THREAD,
    since="0.1.0",
)

_AT_ONCE = frozenset({RunsIn.HERE, RunsIn.PROCESS, RunsIn.EXECUTOR_PROCESS})
"""What runs before the loop goes on, or with a copy of the variables."""
_ENDS = frozenset({Role.JOIN, Role.RESULT, Role.CLOSE, Role.CANCEL})
_SCOPES = frozenset({Kind.EXECUTOR, Kind.POOL, Kind.TASK_GROUP})


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report functions made in a loop and handed over there, where the loop goes on before they have run."""
    for handover in project.handovers:
        place = handover.place
        if handover.spawn.runs_in in _AT_ONCE or handover.waits or place.call.use is Use.AWAITED:
            continue
        for function in _iter_made(project, handover):
            if not _may_wait(project, place, place.facts.contexts[function.context]):
                yield _report(project, handover, function)


def _report(project: Project, handover: Handover, function: Function) -> Alarm:
    place = handover.place
    names = " and ".join(f"`{name}`" for name in function.rebound)
    verb = "is" if len(function.rebound) == 1 else "are"
    message = f"{names} {verb} read when this runs, and the loop may have moved on by then"
    taker = handover.taker.rpartition(".")[2]
    related = project.related(place.site.module, place.call.span, f"`{taker}` gets it here, to run later")
    anchor = project.anchor(place.site.module, function.span, *function.rebound)
    return project.alarm(place.site.module, RULE.code, function.span, message, related, anchors=(anchor,))


def _iter_made(project: Project, handover: Handover) -> Iterator[Function]:
    """Yield the functions that are handed over in the loop that makes them, and read its variables."""
    place = handover.place
    module = place.site.module
    objects = sorted(project.objects(module, handover.argument.value), key=repr)
    for symbol in dict.fromkeys(symbol for found in objects for symbol in _iter_symbols(project, found)):
        made = project.place(symbol)
        function = project.symbols.function(made) if made is not None and made.module == module else None
        if function is None or not function.rebound or function.parent != place.call.function:
            continue
        if _is_within(place.context, place.facts.contexts[function.context]):
            yield function


def _iter_symbols(project: Project, found: Object) -> Iterator[str]:
    if found.kind is ObjectKind.COROUTINE:
        yield found.symbol
    yield from iter_functions(project, found)


def _is_within(context: Context, around: Context) -> bool:
    """Whether a place is in all the loops of another one."""
    return context.loops[: len(around.loops)] == around.loops


def _may_wait(project: Project, place: CallPlace, around: Context) -> bool:
    """Whether the loop may wait for what it has handed over, or call it off, before it goes on."""
    contexts, end = place.facts.contexts, place.call.span
    yields = (one for one in place.facts.yields if one.function == place.call.function)
    return (
        _is_in_scope(project, place, around)
        or _is_awaited(place)
        or any(_is_within(contexts[one.context], around) and precedes(end, one.span) for one in yields)
        or any(
            _is_within(one.context, around) and _is_later(place, one) and _is_wait(project, one)
            for one in project.calls_in(place.function_place)
        )
    )


def _is_wait(project: Project, place: CallPlace) -> bool:
    rows = (row for _, row in project.rows(place.site))
    return place.call.use is Use.AWAITED or any(row.effects & Effect.WAIT or row.role in _ENDS for row in rows)


def _is_later(place: CallPlace, other: CallPlace) -> bool:
    """Whether a call follows the handover, or is made on what that gives: `pool.submit(f).result()`."""
    handed, span = place.call.span, other.call.span
    ends_later = (handed.end_line, handed.end_column) < (span.end_line, span.end_column)
    return ends_later and (precedes(handed, span) or (span.line, span.column) <= (handed.line, handed.column))


def _is_in_scope(project: Project, place: CallPlace, around: Context) -> bool:
    """Whether an executor or task group is entered in the loop: leaving it waits for all that it was given."""
    facts = place.facts
    entered = (
        one.value
        for one in facts.acquisitions
        if one.function == place.call.function and _is_within(facts.contexts[one.context], around)
    )
    objects = (found for value in entered for found in project.objects(place.site.module, value))
    rows = map(project.class_row, objects)
    return any(row is not None and row.kind in _SCOPES for row in rows)


def _is_awaited(place: CallPlace) -> bool:
    """Whether the variable that gets the handle is awaited."""
    values = place.facts.values
    kept = {flow.target for flow in place.facts.flows if values[flow.source] == Result(place.site.index)}
    return bool(kept) and any(isinstance(value, Await) and value.base in kept for value in values)


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Bind the variables as defaults of parameters."""
    found = editor.find(anchor.span, (cst.Lambda, cst.Name))
    made = editor.parent(found) if isinstance(found, cst.Name) else found
    if not isinstance(made, cst.Lambda | cst.FunctionDef) or not anchor.words:
        return None
    parameters = made.params
    bound = ", ".join(f"{name}={name}" for name in anchor.words)
    given = [*parameters.posonly_params, *parameters.params]
    is_plain = parameters.star_kwarg is None and not parameters.kwonly_params
    if not is_plain or not isinstance(parameters.star_arg, cst.MaybeSentinel):
        return None
    if given:
        place = editor.source.offsets[given[-1]][1]
        if given[-1].comma is not cst.MaybeSentinel.DEFAULT:
            place = editor.source.offsets[given[-1].default or given[-1].annotation or given[-1].name][1]
        edit = editor.insert(place, f", {bound}")
    elif isinstance(made, cst.Lambda):
        edit = editor.insert(editor.source.offsets[made][0] + len("lambda"), f" {bound}")
    else:
        edit = editor.insert(editor.source.text.index("(", editor.source.offsets[made.name][1]) + 1, bound)
    return Fix("Bind the values where the function is made", Applicability.SAFE, (edit,))
