"""CON407: see docs/rules/CON407.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.project.loops import ASKING, collect_loop_functions, runs_loop
from conclint.project.project import CallPlace, Project
from conclint.project.ways import Step, Ways, iter_places, relate_steps
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON407",
    name="nested-event-loop",
    summary="an event loop is run in a thread that already runs one",
    help="await the coroutine instead, or run the whole call in a thread with `await asyncio.to_thread(…)`",
    category=Category.ASYNC,
    since="0.1.0",
)

_RULES_OUT = ASKING | {"os.fork", "os.forkpty"}
"""What a helper calls that runs a loop only where none is running: it asks for one, or goes on in a child process."""
_PATCHES = frozenset({"nest_asyncio.apply"})


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report calls in what runs on a loop that run another one, here or in the plain functions they lead to."""
    if any(project.calls_to(_PATCHES)):
        return
    careful = frozenset(_iter_careful(project))
    ways = Ways(project, lambda place: runs_loop(project, place.site), lambda place: _find_function(place) in careful)
    loop_functions = {(found.module, found.number) for found in collect_loop_functions(project)}
    watched = loop_functions - careful
    for place in iter_places(project):
        if _find_function(place) in watched:
            step = ways.find(place)
            if step is not None:
                yield _report(project, step)


def _find_function(place: CallPlace) -> tuple[int, int]:
    return place.site.module, place.call.function


def _iter_careful(project: Project) -> Iterator[tuple[int, int]]:
    """Yield the functions, by module and number, that may make sure that no loop is running."""
    return map(_find_function, project.calls_to(_RULES_OUT))


def _report(project: Project, first: Step) -> Alarm:
    module = first.place.site.module
    callee = project.places.describe(module, first.place.call.callee)
    if first.next is None:
        message = f"`{callee}` runs an event loop where one is already running"
    else:
        message = f"`{callee}` leads to a call that runs an event loop where one is already running"
    trace = relate_steps(project, first, "runs an event loop with")
    return project.alarm(module, RULE.code, first.place.call.span, message, *trace)
