"""CON407: see docs/rules/CON407.md."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from conclint.model.alarm import Alarm, Related
from conclint.model.rule import Category, Rule
from conclint.project.callables import is_transparent
from conclint.project.loops import collect_loop_functions, runs_loop
from conclint.project.project import CallPlace, Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON407",
    name="nested-event-loop",
    summary="an event loop is run in a thread that already runs one",
    help="await the coroutine instead, or run the whole call in a thread with `await asyncio.to_thread(…)`",
    category=Category.ASYNC,
    since="0.1.0",
)

_RULES_OUT = frozenset(
    {
        "asyncio.get_running_loop",
        "asyncio._get_running_loop",
        "asyncio.events._get_running_loop",
        "asyncio.current_task",
        "asyncio.AbstractEventLoop.is_running",
        "sniffio.current_async_library",
        "os.fork",
        "os.forkpty",
    }
)
"""What a helper calls that runs a loop only where none is running: it asks for one, or goes on in a child process."""
_PATCHES = "nest_asyncio.apply"
_LONGEST_TRACE = 8

_FunctionKey = tuple[int, int]
"""The index of a module, and that of a function in it."""


class _Step(NamedTuple):
    """A call on the way to the one that runs a loop."""

    place: CallPlace
    next: _Step | None
    length: int


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report calls in what runs on a loop that run another one, here or in the plain functions they lead to."""
    if any(target.name == _PATCHES for place in project.calls for target in project.externals(place.site)):
        return
    careful = frozenset(_iter_careful(project))
    ways = _find_ways(project, careful)
    loop_functions = {(found.module, found.number): found for found in collect_loop_functions(project)}
    for place in project.calls:
        around = loop_functions.get((place.site.module, place.call.function))
        if around is None or (around.module, around.number) in careful:
            continue
        step = _find_step(project, place, ways)
        if step is not None:
            yield _report(project, step)


def _iter_careful(project: Project) -> Iterator[_FunctionKey]:
    """Yield the functions that may make sure that no loop is running."""
    for place in project.calls:
        if any(target.name in _RULES_OUT for target in project.externals(place.site)):
            yield place.site.module, place.call.function


def _find_ways(project: Project, careful: frozenset[_FunctionKey]) -> dict[str, _Step]:
    """Return the plain functions that run an event loop whenever they are called, each with its shortest way there."""
    ways: dict[str, _Step] = {}
    callers: dict[str, list[CallPlace]] = {}
    for place in project.calls:
        if _is_certain(place, careful):
            for target in project.callees(place.site):
                callers.setdefault(target.function, []).append(place)
            if runs_loop(project, place.site):
                ways.setdefault(place.function.symbol, _Step(place, None, 1))
    pending = deque(ways)
    while pending:
        for place in callers.get(pending.popleft(), ()):
            symbol = place.function.symbol
            step = _find_step(project, place, ways) if symbol not in ways else None
            if step is not None:
                ways[symbol] = step
                pending.append(symbol)
    return ways


def _is_certain(place: CallPlace, careful: frozenset[_FunctionKey]) -> bool:
    """Whether a call is made whenever its function is called, and the function is a plain one."""
    function = place.function
    if function.is_async or function.is_generator or place.call.function == 0 or place.context.branches:
        return False
    return (place.site.module, place.call.function) not in careful


def _find_step(project: Project, place: CallPlace, ways: dict[str, _Step]) -> _Step | None:
    if runs_loop(project, place.site):
        return _Step(place, None, 1)
    callees = project.callees(place.site)
    if not callees or project.externals(place.site):
        return None
    # A decorator such as `sync_to_async` may well move the call to a thread.
    following = [ways.get(target.function) if is_transparent(project, target.function) else None for target in callees]
    if any(step is None for step in following):
        return None
    nearest = min((step for step in following if step is not None), key=lambda step: (step.length, step.place.site))
    return _Step(place, nearest, nearest.length + 1) if nearest.length < _LONGEST_TRACE else None


def _report(project: Project, first: _Step) -> Alarm:
    module = first.place.site.module
    callee = project.places.describe(module, first.place.call.callee)
    if first.next is None:
        message = f"`{callee}` runs an event loop where one is already running"
    else:
        message = f"`{callee}` leads to a call that runs an event loop where one is already running"
    return project.alarm(module, RULE.code, first.place.call.span, message, *_iter_trace(project, first.next))


def _iter_trace(project: Project, step: _Step | None) -> Iterator[Related]:
    while step is not None:
        module = step.place.site.module
        callee = project.places.describe(module, step.place.call.callee)
        verb = "calls" if step.next is not None else "runs an event loop with"
        message = f"`{step.place.function.name}` {verb} `{callee}`"
        yield project.related(module, step.place.call.span, message)
        step = step.next
