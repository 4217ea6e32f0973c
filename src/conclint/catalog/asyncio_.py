"""What `asyncio` and `contextvars` mean. Loops, streams and processes stand in `asyncio_loops`."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Domain, Effect, Kind, Role, RunsIn, Spawn, Timeout, Wait

_TASK = "asyncio.Task"
_FUTURE = "asyncio.Future"
_LOOP = "asyncio.AbstractEventLoop"


def _class(
    name: str, module: str, kind: Kind, bases: tuple[str, ...] = (), since: tuple[int, int] | None = None
) -> ClassRow:
    names = (f"asyncio.{name}", f"asyncio.{module}.{name}")
    return ClassRow(names=names, kind=kind, domain=Domain.TASK, bases=bases, since=since)


CLASSES: tuple[ClassRow, ...] = (
    _class("Lock", "locks", Kind.LOCK),
    _class("Event", "locks", Kind.EVENT),
    _class("Condition", "locks", Kind.CONDITION),
    _class("Semaphore", "locks", Kind.SEMAPHORE),
    _class("BoundedSemaphore", "locks", Kind.SEMAPHORE, ("asyncio.Semaphore",)),
    _class("Barrier", "locks", Kind.BARRIER, since=(3, 11)),
    _class("Queue", "queues", Kind.QUEUE),
    _class("LifoQueue", "queues", Kind.QUEUE, ("asyncio.Queue",)),
    _class("PriorityQueue", "queues", Kind.QUEUE, ("asyncio.Queue",)),
    _class("Future", "futures", Kind.FUTURE),
    _class("Task", "tasks", Kind.TASK, (_FUTURE,)),
    _class("TaskGroup", "taskgroups", Kind.TASK_GROUP, since=(3, 11)),
    _class("Timeout", "timeouts", Kind.CANCEL_SCOPE, since=(3, 11)),
    ClassRow(names=("async_timeout.Timeout",), kind=Kind.CANCEL_SCOPE, domain=Domain.TASK),
    _class("Handle", "events", Kind.OTHER),
    _class("TimerHandle", "events", Kind.OTHER, ("asyncio.Handle",)),
    # A context variable is to tasks what `threading.local` is to threads.
    ClassRow(names=("contextvars.ContextVar",), kind=Kind.THREAD_LOCAL, domain=Domain.TASK),
    ClassRow(names=("contextvars.Context",), kind=Kind.OTHER, domain=Domain.TASK),
)

_UNBOUNDED = Timeout(keyword="")
_START_TASK = Spawn(runs_in=RunsIn.TASK, keyword="coro", position=0)

_TASK_CALLS = (
    CallRow(names=("asyncio.sleep", "asyncio.tasks.sleep"), effects=Effect.SLEEP, coroutine=True, keeps=False),
    CallRow(
        names=("asyncio.create_task", "asyncio.tasks.create_task"), spawn=_START_TASK, returns=_TASK, loop_only=True
    ),
    CallRow(
        names=("asyncio.ensure_future", "asyncio.tasks.ensure_future"),
        spawn=Spawn(runs_in=RunsIn.TASK, keyword="coro_or_future", position=0),
        returns=_TASK,
        loop_only=True,
    ),
    CallRow(names=(_TASK,), spawn=_START_TASK),
    CallRow(
        names=("asyncio.gather", "asyncio.tasks.gather"),
        timeout=_UNBOUNDED,
        role=Role.RESULT,
        spawn=Spawn(runs_in=RunsIn.TASK, position=0, variadic=True),
        returns=_FUTURE,
        keeps=False,
    ),
    CallRow(
        names=("asyncio.wait", "asyncio.tasks.wait"),
        effects=Effect.WAIT,
        timeout=Timeout(),
        role=Role.JOIN,
        coroutine=True,
        keeps=False,
    ),
    CallRow(
        names=("asyncio.as_completed", "asyncio.tasks.as_completed"),
        timeout=Timeout(),
        role=Role.JOIN,
        returns_item=_FUTURE,
        keeps=False,
    ),
    CallRow(
        names=("asyncio.wait_for", "asyncio.tasks.wait_for"),
        effects=Effect.WAIT,
        timeout=Timeout(position=1, default=Wait.FINITE),
        role=Role.RESULT,
        spawn=Spawn(runs_in=RunsIn.HERE, keyword="fut", position=0),
        coroutine=True,
        keeps=False,
    ),
    CallRow(
        names=("asyncio.shield", "asyncio.tasks.shield"),
        role=Role.RESULT,
        spawn=Spawn(runs_in=RunsIn.TASK, keyword="arg", position=0),
        returns=_FUTURE,
        keeps=False,
    ),
    CallRow(
        names=("asyncio.to_thread", "asyncio.threads.to_thread"),
        spawn=Spawn(runs_in=RunsIn.EXECUTOR_THREAD, position=0, arguments_from=1),
        coroutine=True,
    ),
    CallRow(
        names=("asyncio.run_coroutine_threadsafe", "asyncio.tasks.run_coroutine_threadsafe"),
        spawn=_START_TASK,
        returns="concurrent.futures.Future",
    ),
    CallRow(names=("asyncio.wrap_future", "asyncio.futures.wrap_future"), role=Role.RESULT, returns=_FUTURE),
    CallRow(names=("asyncio.current_task", "asyncio.tasks.current_task"), returns=_TASK),
    CallRow(names=("asyncio.all_tasks", "asyncio.tasks.all_tasks"), returns_item=_TASK),
    *(
        CallRow(
            names=names,
            timeout=Timeout(keyword=keyword, position=0, default=Wait.FINITE),
            returns=returns,
            keeps=False,
            since=since,
        )
        for names, keyword, returns, since in (
            (("asyncio.timeout", "asyncio.timeouts.timeout"), "delay", "asyncio.Timeout", (3, 11)),
            (("asyncio.timeout_at", "asyncio.timeouts.timeout_at"), "when", "asyncio.Timeout", (3, 11)),
            (("async_timeout.timeout",), "delay", "async_timeout.Timeout", None),
            (("async_timeout.timeout_at",), "deadline", "async_timeout.Timeout", None),
        )
    ),
)

_FUTURE_METHODS = (
    CallRow(names=(f"{_FUTURE}.result",), role=Role.RESULT),
    CallRow(names=(f"{_FUTURE}.exception",), role=Role.RESULT),
    CallRow(names=(f"{_FUTURE}.__await__",), role=Role.RESULT),
    CallRow(names=(f"{_FUTURE}.cancel",), role=Role.CANCEL, loop_only=True),
    CallRow(
        names=(f"{_FUTURE}.add_done_callback",),
        role=Role.CALLBACK,
        spawn=Spawn(runs_in=RunsIn.LOOP_CALLBACK, position=0),
    ),
    *(CallRow(names=(f"{_FUTURE}.{name}",), keeps=False) for name in ("done", "cancelled")),
    *(CallRow(names=(f"{_FUTURE}.{name}",), loop_only=True) for name in ("set_result", "set_exception")),
    CallRow(names=(f"{_FUTURE}.get_loop",), returns=_LOOP),
    CallRow(names=("asyncio.TaskGroup.create_task",), spawn=_START_TASK, returns=_TASK, loop_only=True),
    CallRow(
        names=("asyncio.TaskGroup.__aexit__",),
        effects=Effect.WAIT,
        timeout=_UNBOUNDED,
        role=Role.JOIN,
        coroutine=True,
    ),
    # It cancels the tasks of the group, and leaves the `async with` without an error.
    CallRow(names=("asyncio.TaskGroup.cancel",), role=Role.CANCEL, loop_only=True, since=(3, 15)),
    CallRow(names=(f"{_TASK}.uncancel",), keeps=False, since=(3, 11)),
    CallRow(names=(f"{_TASK}.cancelling",), keeps=False, since=(3, 11)),
    CallRow(names=("asyncio.Timeout.reschedule",), keeps=False, loop_only=True),
    CallRow(names=("asyncio.Handle.cancel",), role=Role.CANCEL),
)

_SYNC_METHODS = (
    CallRow(names=("asyncio.Barrier.__aenter__",), effects=Effect.WAIT, timeout=_UNBOUNDED, coroutine=True),
    *(
        row
        for name in ("asyncio.Lock", "asyncio.Condition", "asyncio.Semaphore")
        for row in (
            CallRow(names=(f"{name}.acquire",), effects=Effect.WAIT, timeout=_UNBOUNDED, coroutine=True, keeps=False),
            CallRow(
                names=(f"{name}.__aenter__",), effects=Effect.WAIT, timeout=_UNBOUNDED, coroutine=True, keeps=False
            ),
            CallRow(names=(f"{name}.__aexit__",), coroutine=True, keeps=False),
            CallRow(names=(f"{name}.release",), keeps=False, loop_only=True),
            CallRow(names=(f"{name}.locked",), keeps=False),
        )
    ),
    *(
        CallRow(names=(name,), effects=Effect.WAIT, timeout=_UNBOUNDED, coroutine=True, keeps=False)
        for name in (
            "asyncio.Condition.wait",
            "asyncio.Event.wait",
            "asyncio.Barrier.wait",
            "asyncio.Queue.get",
            "asyncio.Queue.join",
        )
    ),
    CallRow(
        names=("asyncio.Condition.wait_for",),
        effects=Effect.WAIT,
        timeout=_UNBOUNDED,
        spawn=Spawn(runs_in=RunsIn.HERE, keyword="predicate", position=0),
        coroutine=True,
        keeps=False,
    ),
    CallRow(names=("asyncio.Barrier.abort",), coroutine=True, keeps=False),
    CallRow(names=("asyncio.Barrier.reset",), coroutine=True, keeps=False),
    CallRow(names=("asyncio.Queue.put",), effects=Effect.WAIT, timeout=_UNBOUNDED, coroutine=True),
    CallRow(names=("asyncio.Queue.put_nowait",), loop_only=True),
    *(
        CallRow(names=(name,), keeps=False, loop_only=True)
        for name in (
            "asyncio.Condition.notify",
            "asyncio.Condition.notify_all",
            "asyncio.Event.set",
            "asyncio.Queue.get_nowait",
            "asyncio.Queue.task_done",
        )
    ),
    *(
        CallRow(names=(name,), keeps=False)
        for name in (
            "asyncio.Event.clear",
            "asyncio.Event.is_set",
            "asyncio.Queue.empty",
            "asyncio.Queue.full",
            "asyncio.Queue.qsize",
        )
    ),
    CallRow(names=("asyncio.Queue.shutdown",), role=Role.CLOSE, keeps=False, since=(3, 13)),
)

_CONTEXT_CALLS = (
    CallRow(names=("contextvars.ContextVar.get",)),
    CallRow(names=("contextvars.ContextVar.set",)),
    CallRow(names=("contextvars.ContextVar.reset",), keeps=False),
    CallRow(names=("contextvars.copy_context",), returns="contextvars.Context"),
    CallRow(names=("contextvars.Context.run",), spawn=Spawn(runs_in=RunsIn.HERE, position=0, arguments_from=1)),
)

CALLS: tuple[CallRow, ...] = (
    *_TASK_CALLS,
    *_FUTURE_METHODS,
    *_SYNC_METHODS,
    *_CONTEXT_CALLS,
)
