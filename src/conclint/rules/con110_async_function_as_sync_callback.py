"""CON110: see docs/rules/CON110.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import RunsIn
from conclint.model.alarm import Alarm, Related
from conclint.model.rule import Category, Rule
from conclint.model.values import Local
from conclint.project.callables import (
    TELLS_APART,
    Handover,
    is_coroutine_function,
    iter_functions,
    returns_coroutine,
)
from conclint.project.certainty import Certainty
from conclint.project.project import Project
from conclint.project.roots import Root, find_begin
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON110",
    name="async-function-as-sync-callback",
    summary="an `async def` is handed to something that only calls it: its body never runs",
    help="hand over a plain function that runs the coroutine, or start a task",
    category=Category.THREAD,
    since="0.1.0",
)

_RUN_BY_ITSELF = (RunsIn.THREAD, RunsIn.PROCESS, RunsIn.TIMER)
_TESTED_HERE = ("key", "predicate")
"""Keywords of the callables whose result is used at once: a coroutine is no sort key, and always true."""


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report coroutine functions handed to what takes plain ones, and `async def run` of a thread."""
    asking = {place.function_place for place in project.calls_to(TELLS_APART)}
    certainty = Certainty(project)
    for handover in project.handovers:
        module = handover.place.site.module
        parameter = isinstance(project.value(module, handover.argument.value), Local)
        if parameter and handover.place.function_place in asking:
            continue
        if _only_calls(handover):
            yield from _check_handover(project, handover, certainty)
    yield from _check_runs(project)


def _only_calls(handover: Handover) -> bool:
    runs_in = handover.spawn.runs_in
    if runs_in is RunsIn.HERE:
        return handover.spawn.keyword in _TESTED_HERE
    # `anyio.from_thread.run` awaits what it is given.
    if handover.spawn.awaits:
        return False
    return runs_in is not RunsIn.TASK and not (runs_in is RunsIn.LOOP_CALLBACK and handover.waits)


def _check_handover(project: Project, handover: Handover, certainty: Certainty) -> Iterator[Alarm]:
    module = handover.place.site.module
    objects = project.objects(module, handover.argument.value)
    functions = [tuple(iter_functions(project, found)) for found in objects]
    if not functions or () in functions or not certainty.is_known_attribute(module, handover.argument.value):
        return
    symbols = [symbol for several in functions for symbol in several]
    if all(is_coroutine_function(project, symbol) for symbol in symbols):
        yield _report(project, handover, min(symbols), "is an `async def`")
    elif handover.loses_result and all(returns_coroutine(project, symbol) for symbol in symbols):
        yield _report(project, handover, min(symbols), "returns a coroutine")


def _report(project: Project, handover: Handover, symbol: str, what: str) -> Alarm:
    module = handover.place.site.module
    place, function = project.place(symbol), project.function(symbol)
    taker = handover.taker.rpartition(".")[2]
    callback = project.places.describe(module, handover.argument.value)
    named = f"`{callback}`" if function is None or function.name != "<lambda>" else "this lambda"
    related: tuple[Related, ...] = ()
    if place is not None and function is not None and function.name != "<lambda>":
        related = (project.related(place.module, function.span, f"`{function.name}` {what}"),)
    message = f"{named} {what}, and `{taker}` only calls it: the coroutine never runs"
    return project.alarm(module, RULE.code, handover.argument.span, message, *related)


def _check_runs(project: Project) -> Iterator[Alarm]:
    """Report `async def run` in subclasses of Thread and Process."""
    reported: set[str] = set()
    for root in project.roots:
        if root.runs_in in _RUN_BY_ITSELF and root.function not in reported and _is_own_run(project, root):
            reported.add(root.function)
            place, function = project.place(root.function), project.function(root.function)
            if place is not None and function is not None:
                message = f"`{function.name}` is an `async def`, and the thread only calls it: its body never runs"
                begin = project.related(root.site.module, find_begin(project, root), "it is made here")
                made = (begin,) if root.site.what == "call" else ()
                yield project.alarm(place.module, RULE.code, function.span, message, *made)


def _is_own_run(project: Project, root: Root) -> bool:
    return root.function.rpartition(".")[2] == "run" and is_coroutine_function(project, root.function)
