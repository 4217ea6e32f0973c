"""Event loops: which functions run on one, and which calls run one to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import Domain, RunsIn
from conclint.model.facts import Function
from conclint.model.naming import has_test_name
from conclint.project.callables import is_transparent
from conclint.project.symbols import FunctionPlace

if TYPE_CHECKING:
    from conclint.project.objects import Site
    from conclint.project.project import CallPlace, Project
    from conclint.project.roots import Root

_RUNNERS = frozenset(
    {
        "asyncio.run",
        "asyncio.Runner.run",
        "asyncio.AbstractEventLoop.run_until_complete",
        "asyncio.AbstractEventLoop.run_forever",
        "uvloop.run",
        "anyio.run",
        "trio.run",
    }
)
"""Calls that run an event loop in the calling thread, which must have none running."""
ASKING = frozenset(
    {
        "asyncio.get_running_loop",
        "asyncio._get_running_loop",
        "asyncio.events._get_running_loop",
        "asyncio.current_task",
        "asyncio.AbstractEventLoop.is_running",
        "sniffio.current_async_library",
    }
)
"""What a function calls that may go another way where no event loop runs, or where one does."""
_ASYNCIO = "asyncio."
_SELECTORS = ("select.", "selectors.")


class LoopFunction(NamedTuple):
    """A function of the project that runs on an event loop; `callback` says where, unless it is a coroutine.

    `number` is its place in the facts of `module`.
    """

    module: int
    number: int
    function: Function
    callback: Root | None


def collect_loop_functions(project: Project) -> tuple[LoopFunction, ...]:
    """Return the coroutine functions, and the plain functions that are callbacks of an event loop, in order."""
    callbacks = {root.function: root for root in reversed(project.roots) if is_loop_callback(project, root)}
    found = []
    for module, facts in enumerate(project.modules):
        for index, function in enumerate(facts.functions):
            if function.is_async or function.symbol in callbacks:
                callback = None if function.is_async else callbacks[function.symbol]
                found.append(LoopFunction(module, index, function, callback))
    return tuple(found)


def collect_sole_coroutines(project: Project) -> frozenset[str]:
    """Return what a program runs as its only coroutine, with `asyncio.run`: nothing else is waiting yet."""
    return frozenset(root.function for root in project.roots if root.runs_in is RunsIn.HERE)


def collect_busy_functions(project: Project) -> dict[FunctionPlace, LoopFunction]:
    """Return what runs on a loop on which others wait: no test, and not the only coroutine of a program."""
    alone = collect_sole_coroutines(project)
    found = {FunctionPlace(one.module, one.number): one for one in collect_loop_functions(project)}
    return {
        place: one
        for place, one in found.items()
        if not has_test_name(one.function.symbol)
        and (one.function.symbol not in alone or _starts_tasks(project, place))
    }


def _starts_tasks(project: Project, function: FunctionPlace) -> bool:
    rows = (row for place in project.calls_in(function) for _, row in project.rows(place.site))
    return any(row.spawn is not None and row.spawn.runs_in is RunsIn.TASK for row in rows)


def is_loop_callback(project: Project, root: Root) -> bool:
    """Return whether a root is a callback of an event loop, and not of a client that has a loop of its own kind."""
    if root.runs_in is not RunsIn.LOOP_CALLBACK or not is_transparent(project, root.function):
        return False
    receivers = [target.receiver for target in project.externals(root.site) if target.receiver is not None]
    rows = [row for receiver in receivers if (row := project.class_row(receiver)) is not None]
    return all(row.domain is Domain.TASK for row in rows)


def runs_loop(project: Project, site: Site) -> bool:
    """Return whether a call runs an event loop in its own thread, whatever else it may be (must)."""
    rows = [row for _, row in project.rows(site)]
    known = len(rows) == len(project.externals(site)) and not project.callees(site)
    return bool(rows) and known and all(row.names[0] in _RUNNERS for row in rows)


def may_await_there(project: Project, place: CallPlace) -> bool:
    """Return whether a coroutine could await something of asyncio in the place of a call, for all that is known (may).

    What holds a lock for threads must not await anything. And a program that waits for sockets itself, and knows no
    asyncio, runs its coroutines on a loop of its own.
    """
    names = project.symbols.names
    is_asyncio = any(name.startswith(_ASYNCIO) for name in names)
    has_own_loop = not is_asyncio and any(name.startswith(_SELECTORS) for name in names)
    return not has_own_loop and not project.locks.is_held_at(place)


def is_called_by_coroutines(project: Project, symbol: str) -> bool:
    """Return whether coroutines alone call a plain function, themselves or through others, as far as is known (must).

    Then it runs on their event loop, in one piece: they take turns. That somebody else may call it too, since it is
    public, is possible, but rarely meant.
    """
    graph = project.call_graph
    pending, seen = [symbol], {symbol}
    while pending:
        current = pending.pop()
        callers = {caller for caller, _, _ in graph.callers.get(current, ())}
        if not callers or current in project.root_functions or current in graph.passed_functions:
            return False
        functions = [project.function(caller) for caller in sorted(callers - seen)]
        pending += [one.symbol for one in functions if one is not None and not one.is_async]
        seen |= callers
    return True
