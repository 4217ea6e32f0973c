"""CON415: see docs/rules/CON415.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import RunsIn
from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.project.confinement import collect_confined
from conclint.project.handlers import RUNTIME_ERROR
from conclint.project.link import ExternalTarget
from conclint.project.loops import runs_loop
from conclint.project.objects import Site
from conclint.project.project import CallPlace, Project
from conclint.project.roots import Root
from conclint.project.testing import is_test
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON415",
    name="deprecated-loop-api",
    summary="asyncio is used in a way that warns or fails in Python 3.10 and all later versions",
    help="use `async def`, `asyncio.run` and the running loop",
    category=Category.ASYNC,
    since="0.1.0",
)

_WITHOUT_LOOP = frozenset(
    """
    sleep gather shield wait wait_for as_completed open_connection start_server open_unix_connection start_unix_server
    create_subprocess_exec create_subprocess_shell
    Lock Event Condition Semaphore BoundedSemaphore Queue LifoQueue PriorityQueue
    """.split()
)
"""What took a `loop` up to Python 3.9: the running one counts since then."""
_COROUTINE = frozenset({"asyncio.coroutine", "asyncio.coroutines.coroutine"})
_OF_TASKS = frozenset(
    f"{owner}.{name}" for owner in ("asyncio.Task", "asyncio.tasks.Task") for name in ("all_tasks", "current_task")
)
_GET_LOOP = frozenset({"asyncio.get_event_loop", "asyncio.events.get_event_loop"})
_SETTERS = frozenset({"set_event_loop", "set_event_loop_policy"})
"""Functions of asyncio, and of others, after which the thread may have an event loop that does not run."""
_SILENCERS = frozenset({"warnings.catch_warnings", "warnings.simplefilter", "warnings.filterwarnings"})
_VERSION = "sys.version_info"
_TYPE_ERROR = ("builtins.TypeError", "builtins.Exception", "builtins.BaseException")
_THREADS = frozenset({RunsIn.THREAD, RunsIn.TIMER, RunsIn.EXECUTOR_THREAD})


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report what asyncio has given up: arguments, functions, and loops that it makes when it is asked for one."""
    asking: list[CallPlace] = []
    for site, targets in project.links.externals.items():
        if site.what != "call" or any(not target.name.startswith("asyncio.") for target in targets):
            continue
        if not targets or project.callees(site):
            continue
        place = project.call(site)
        if all(target.name in _GET_LOOP for target in targets):
            asking.append(place)
        elif (gone := _find_gone(project, place, next(iter(targets)))) is not None:
            message, advice = gone
            yield project.alarm(site.module, RULE.code, place.call.span, message, help=advice)
    yield from _check_decorators(project)
    yield from _check_asking(project, asking)


def _find_gone(project: Project, place: CallPlace, target: ExternalTarget) -> tuple[str, str] | None:
    """Return what is wrong with a call, and the advice."""
    written = project.places.describe(place.site.module, place.call.callee)
    name = target.name.removesuffix(".__init__").rpartition(".")[2]
    if target.name in _OF_TASKS:
        return f"`{written}` is gone since Python 3.9", f"use `asyncio.{name}`"
    if target.name in _COROUTINE:
        return f"`{written}` is gone since Python 3.11", "write an `async def`"
    takes_none = name in _WITHOUT_LOOP and (target.receiver is None or target.name.endswith(".__init__"))
    if takes_none and place.find_argument("loop") is not None and not _knows_version(project, place):
        return f"`{written}` takes no `loop` since Python 3.10: a TypeError", "leave it out: the running loop counts"
    return None


def _knows_version(project: Project, place: CallPlace) -> bool:
    """Whether the call may be for old versions of Python only (may)."""
    if project.handlers.may_stop(place.site.module, place.call, _TYPE_ERROR):
        return True
    # The main guard is a branch as well.
    return len(place.context.branches) > place.context.main_guard and _VERSION in project.symbols.names


def _check_decorators(project: Project) -> Iterator[Alarm]:
    if project.symbols.names.isdisjoint(_COROUTINE):
        return
    for module, facts in enumerate(project.modules):
        for function in facts.functions:
            used = _COROUTINE.intersection(project.decorators(function.symbol)) if function.decorators else ()
            if used and not facts.contexts[function.context].branches:
                message = "`asyncio.coroutine` is gone since Python 3.11"
                yield project.alarm(module, RULE.code, function.span, message, help="make it an `async def`")


# Asking for a loop where none is running


def _check_asking(project: Project, asking: list[CallPlace]) -> Iterator[Alarm]:
    setting = _find_setting(project)
    threads = collect_confined(project, _is_thread) if asking and not setting else {}
    for place in asking:
        module, function = place.site.module, place.function
        if module in setting or is_test(place) or _is_ready_for_none(project, place):
            continue
        written = project.places.describe(module, place.call.callee)
        if _is_at_import(place) or (not setting and _runs_it(project, place)):
            message = f"`{written}` is called where the thread runs no event loop: an error since Python 3.14"
            advice = "use `asyncio.run`, or make a loop with `asyncio.new_event_loop`"
            yield project.alarm(module, RULE.code, place.call.span, message, help=advice)
        elif (way := threads.get(function.symbol)) is not None and not function.is_async:
            message = f"`{written}` is called in a thread that has no event loop: a RuntimeError"
            yield project.alarm(module, RULE.code, place.call.span, message, *way.relate(project))


def _is_thread(root: Root) -> bool:
    return root.runs_in in _THREADS


def _find_setting(project: Project) -> set[int]:
    """Return the modules, tests apart, that may set an event loop for their thread."""
    if all(name.rpartition(".")[2] not in _SETTERS for name in project.symbols.names):
        return set()
    return {
        module
        for module, facts in enumerate(project.modules)
        if any(_sets(project, Site(module, number)) for number in range(len(facts.calls)))
    }


def _sets(project: Project, site: Site) -> bool:
    return any(target.name.rpartition(".")[2] in _SETTERS for target in project.externals(site))


def _is_ready_for_none(project: Project, place: CallPlace) -> bool:
    """Whether the error is handled, or the warning is switched off (may)."""
    if project.handlers.may_stop(place.site.module, place.call, RUNTIME_ERROR):
        return True
    called = (
        target.name for other in project.calls_in(place.function_place) for target in project.externals(other.site)
    )
    return any(name in _SILENCERS for name in called)


def _is_at_import(place: CallPlace) -> bool:
    return place.call.function == 0


def _runs_it(project: Project, place: CallPlace) -> bool:
    """Whether the function itself runs the loop that it gets, so that none is running yet (must)."""
    if place.function.is_async:
        return False
    made = project.result(place.site)
    uses = [
        (other, target)
        for other in project.calls_in(place.function_place)
        for target in project.externals(other.site)
        if target.receiver is not None and target.receiver in made
    ]
    # Who asks whether the loop runs is prepared for both.
    if any(target.name.endswith(".is_running") for _, target in uses):
        return False
    return any(runs_loop(project, other.site) for other, _ in uses)
