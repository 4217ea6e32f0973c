"""Affinity: objects that belong to the thread, or the event loop, that made or first used them, used in another one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import Domain, Kind, RunsIn
from conclint.model.alarm import Related
from conclint.model.facts import Call
from conclint.model.span import Span
from conclint.model.values import Constant
from conclint.project.confinement import Way
from conclint.project.objects import Object, ObjectKind
from conclint.project.parallel import MAIN, Control
from conclint.project.roots import PARALLEL_KINDS, Root

if TYPE_CHECKING:
    from conclint.project.link import Operation
    from conclint.project.project import CallPlace, Project

_CONNECTION = "sqlite3.Connection"
_CURSOR = "sqlite3.Cursor"
_CHECK_POSITION = 4
_ALLOWED = frozenset({"interrupt"})
"""The one method that is made to be called from other threads."""
_PLAIN = frozenset({"builtins.staticmethod", "builtins.classmethod"})
_WAITING = frozenset({"acquire", "wait", "wait_for", "get", "put", "join", "__exit__"})
"""What may wait for another task; `__exit__` stands for the whole of `async with`."""
_BOUND_KINDS = frozenset({Kind.LOCK, Kind.SEMAPHORE, Kind.CONDITION, Kind.EVENT, Kind.QUEUE, Kind.BARRIER})
_RUNNERS = ("asyncio.run", "asyncio.runners.run", "asyncio.Runner.run", "asyncio.AbstractEventLoop.run_until_complete")


class Stray(NamedTuple):
    """The use of an object where it does not belong (must), with how it got there."""

    module: int
    span: Span
    name: str
    trace: tuple[Related, ...]
    is_loop_bound: bool = False


def find_strays(project: Project) -> Iterator[Stray]:
    """Yield the uses of sqlite3 objects in foreign threads, and of asyncio primitives in a second event loop."""
    for place in project.external_calls:
        for found in project.result(place.site):
            if found.site == place.site and _is_strict(project, place, found):
                yield from _iter_foreign(project, place, found)
    yield from _iter_bound_twice(project)


def _is_strict(project: Project, place: CallPlace, found: Object) -> bool:
    """Whether this makes a sqlite3 connection that checks its thread, and that is not kept per thread."""
    row = project.class_row(found)
    if row is None or row.names[0] != _CONNECTION or place.has_stars:
        return False
    checked = place.find_argument("check_same_thread", _CHECK_POSITION)
    if checked is not None and project.value(place.site.module, checked.value) != Constant(True):
        return False
    return not any(
        (holder := project.class_row(owner)) is not None
        and holder.kind is Kind.THREAD_LOCAL
        and any(found in project.objects(module, value) for module, value in sources)
        for (owner, _), sources in project.links.assigned.items()
    )


def _iter_foreign(project: Project, place: CallPlace, found: Object) -> Iterator[Stray]:
    """Yield the uses of a connection, and of its cursors, in threads that certainly did not make it."""
    makers = _find_makers(project, place.function.symbol)
    if not makers:
        return
    made = project.related(place.site.module, place.call.span, "the connection is made here")
    for one in (found, *_iter_cursors(project, found)):
        for operation in project.operations(one):
            user = _find_user(project, project.call_graph.function_at(operation.site).symbol, makers)
            if user is not None and user.root is not None and operation.name not in _ALLOWED:
                yield _build(project, operation, user.root, made)
        yield from _iter_handed(project, one, made)


def _iter_cursors(project: Project, connection: Object) -> Iterator[Object]:
    for operation in project.operations(connection):
        if operation.site.what == "call":
            for found in project.result(operation.site):
                if found.site == operation.site and found.symbol == _CURSOR:
                    yield found


def _find_makers(project: Project, symbol: str) -> tuple[Control, ...]:
    """Return the threads that may run a function; none where somebody may call it who is not seen."""
    graph = project.call_graph
    if any(
        one in graph.passed_functions or set(project.decorators(one)) - _PLAIN
        for one in graph.collect_callers([symbol])
    ):
        return ()
    return project.parallel.controls(symbol)


def _find_user(project: Project, symbol: str, makers: tuple[Control, ...]) -> Control | None:
    """Return a thread that runs a function, and did not make the object."""
    for control in project.parallel.controls(symbol):
        if control.root is not None and control not in makers and not _is_same_worker(project, control.root, makers):
            return control
    return None


def _is_same_worker(project: Project, root: Root, makers: tuple[Control, ...]) -> bool:
    """Whether one thread of an executor both makes and uses the object (may)."""
    single = project.parallel.is_single_worker
    others = [maker.root for maker in makers if maker.root is not None]
    return any(_is_initializer(project, other) or (single(root) and single(other)) for other in others)


def _is_initializer(project: Project, root: Root) -> bool:
    """Whether an executor runs a function in each of its threads, before any job."""
    rows = (project.class_row(found) for found in project.result(root.site))
    return any(row is not None and row.kind in (Kind.EXECUTOR, Kind.POOL) for row in rows)


def _build(project: Project, operation: Operation, root: Root, made: Related) -> Stray:
    site = operation.site
    function = project.call_graph.function_at(site)
    chain = project.call_graph.find_chain(root.function, function.symbol) or ()
    place = project.call_graph.place_at(site)
    if isinstance(place, Call):
        value, _ = project.places.split(site.module, place.callee) or (place.callee, "")
    else:
        value = place.value
    name = project.places.describe(site.module, value)
    return Stray(site.module, place.span, name, (made, *Way(root, chain).relate(project)))


def _iter_handed(project: Project, found: Object, made: Related) -> Iterator[Stray]:
    """Yield the methods of an object that are handed to another thread: `to_thread(connection.commit)`."""
    for handover in project.handovers:
        module = handover.place.site.module
        if handover.spawn.runs_in not in (*PARALLEL_KINDS, RunsIn.EXECUTOR):
            continue
        for callable_ in project.objects(module, handover.argument.value):
            if callable_.kind is ObjectKind.METHOD and callable_.receiver == found:
                if callable_.symbol in _ALLOWED or _runs_in_process(project, handover.place):
                    continue
                name = project.places.describe(module, handover.argument.value)
                yield Stray(module, handover.argument.span, name, (made,))


def _runs_in_process(project: Project, place: CallPlace) -> bool:
    """Whether an executor that takes a job may be one of processes: what is sent there is pickled, or fails."""
    executors = {target.receiver for target in project.externals(place.site) if target.receiver is not None}
    given = place.find_argument("executor", 0)
    executors |= project.objects(place.site.module, given.value) if given is not None else set()
    return any("Process" in found.symbol for found in executors)


def _iter_bound_twice(project: Project) -> Iterator[Stray]:
    """Yield what waits, in the event loop of a thread, for a global primitive that the main thread's loop waits for."""
    runs = [
        (root, project.parallel.controls(taker.function.symbol))
        for root in project.roots
        if root.runs_in is RunsIn.HERE
        and _runs_loop(project, root)
        and (taker := project.find_call(root.site)) is not None
    ]
    first = [root for root, controls in runs if MAIN in controls]
    second = [(root, one.root) for root, controls in runs for one in controls if one.root is not None]
    if not first or not second:
        return
    homes = {symbol for root in first for symbol in _reach(project, root.function)}
    for root, thread in second:
        reached = _reach(project, root.function)
        for found in _iter_global_primitives(project):
            waits = [one for one in project.operations(found) if one.name in _WAITING]
            places = [(project.call_graph.function_at(one.site).symbol, one) for one in waits]
            home = next((one for symbol, one in places if symbol in homes and symbol not in reached), None)
            for symbol, operation in places:
                if home is not None and symbol in reached and symbol not in homes:
                    message = "the loop of the main thread waits here"
                    span = project.call_graph.place_at(home.site).span
                    first_use = project.related(home.site.module, span, message)
                    yield _build(project, operation, thread, first_use)._replace(is_loop_bound=True)


def _runs_loop(project: Project, root: Root) -> bool:
    function = project.function(root.function)
    is_runner = any(target.name in _RUNNERS for target in project.externals(root.site))
    return is_runner and function is not None and function.is_async


def _reach(project: Project, symbol: str) -> set[str]:
    """Return what runs in an event loop that begins with a coroutine: what it calls, and the tasks that it starts."""
    reached = project.call_graph.reach([symbol])
    while True:
        tasks = {
            root.function
            for root in project.roots
            if root.runs_in in (RunsIn.TASK, RunsIn.LOOP_CALLBACK)
            and (spawn := project.find_call(root.site)) is not None
            and spawn.function.symbol in reached
            and not any(_crosses(target.name) for target in project.externals(root.site))
        }
        if tasks <= reached:
            return reached
        reached |= project.call_graph.reach(tasks)


def _crosses(name: str) -> bool:
    """Whether a function hands something to the loop of another thread."""
    return name.endswith("threadsafe")


def _iter_global_primitives(project: Project) -> Iterator[Object]:
    """Yield the asyncio primitives that are made once, at import time."""
    for place in project.external_calls:
        if not place.call.function:
            for found in project.result(place.site):
                row = project.class_row(found)
                bound = row is not None and row.domain is Domain.TASK and row.kind in _BOUND_KINDS
                if bound and found.site == place.site and found.symbol.startswith("asyncio."):
                    yield found
