"""What `concurrent.futures` means."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Domain, Effect, Kind, Role, RunsIn, Spawn, Timeout

CLASSES: tuple[ClassRow, ...] = (
    ClassRow(names=("concurrent.futures.Executor", "concurrent.futures._base.Executor"), kind=Kind.EXECUTOR),
    ClassRow(
        names=("concurrent.futures.ThreadPoolExecutor", "concurrent.futures.thread.ThreadPoolExecutor"),
        kind=Kind.EXECUTOR,
        bases=("concurrent.futures.Executor",),
    ),
    ClassRow(
        names=("concurrent.futures.ProcessPoolExecutor", "concurrent.futures.process.ProcessPoolExecutor"),
        kind=Kind.EXECUTOR,
        domain=Domain.PROCESS,
        bases=("concurrent.futures.Executor",),
    ),
    # Its workers are threads, but each with an interpreter of its own: they share no objects, as processes do.
    ClassRow(
        names=("concurrent.futures.InterpreterPoolExecutor", "concurrent.futures.interpreter.InterpreterPoolExecutor"),
        kind=Kind.EXECUTOR,
        domain=Domain.PROCESS,
        bases=("concurrent.futures.Executor",),
        since=(3, 14),
    ),
    ClassRow(names=("concurrent.futures.Future", "concurrent.futures._base.Future"), kind=Kind.FUTURE),
)

_FIRST = Timeout(position=0)
_FUTURE = "concurrent.futures.Future"

_EXECUTORS = (
    ("concurrent.futures.Executor", RunsIn.EXECUTOR),
    ("concurrent.futures.ThreadPoolExecutor", RunsIn.EXECUTOR_THREAD),
    ("concurrent.futures.ProcessPoolExecutor", RunsIn.EXECUTOR_PROCESS),
    ("concurrent.futures.InterpreterPoolExecutor", RunsIn.EXECUTOR_PROCESS),
)

_EXECUTOR_METHODS = tuple(
    row
    for name, runs_in in _EXECUTORS
    for row in (
        CallRow(
            names=(f"{name}.submit",),
            spawn=Spawn(runs_in=runs_in, position=0, arguments_from=1),
            returns=_FUTURE,
        ),
        # `map` itself returns at once; iterating over its result waits.
        CallRow(
            names=(f"{name}.map",),
            effects=Effect.WAIT,
            timeout=Timeout(),
            spawn=Spawn(runs_in=runs_in, keyword="fn", position=0, arguments_from=1, maps=True),
        ),
    )
)

_CALLS = (
    CallRow(
        names=("concurrent.futures.ThreadPoolExecutor",),
        spawn=Spawn(
            runs_in=RunsIn.EXECUTOR_THREAD,
            keyword="initializer",
            position=2,
            args_keyword="initargs",
            args_position=3,
        ),
    ),
    CallRow(
        names=("concurrent.futures.ProcessPoolExecutor",),
        spawn=Spawn(
            runs_in=RunsIn.EXECUTOR_PROCESS,
            keyword="initializer",
            position=2,
            args_keyword="initargs",
            args_position=3,
        ),
    ),
    CallRow(
        names=("concurrent.futures.InterpreterPoolExecutor",),
        spawn=Spawn(
            runs_in=RunsIn.EXECUTOR_PROCESS,
            keyword="initializer",
            position=2,
            args_keyword="initargs",
            args_position=3,
        ),
        since=(3, 14),
    ),
    *(
        CallRow(names=(f"concurrent.futures.ProcessPoolExecutor.{name}",), role=Role.CLOSE, since=(3, 14))
        for name in ("kill_workers", "terminate_workers")
    ),
    CallRow(
        names=("concurrent.futures.Executor.shutdown",),
        effects=Effect.WAIT,
        timeout=Timeout(keyword="", nonblocking=(("wait", 0, False),)),
        role=Role.CLOSE,
    ),
    CallRow(
        names=("concurrent.futures.Executor.__exit__",),
        effects=Effect.WAIT,
        timeout=Timeout(keyword=""),
        role=Role.CLOSE,
    ),
    CallRow(
        names=("concurrent.futures.wait", "concurrent.futures._base.wait"),
        effects=Effect.WAIT,
        timeout=Timeout(position=1),
        role=Role.JOIN,
        keeps=False,
        twin="asyncio.wait",
    ),
    CallRow(
        names=("concurrent.futures.as_completed", "concurrent.futures._base.as_completed"),
        effects=Effect.WAIT,
        timeout=Timeout(position=1),
        role=Role.JOIN,
        returns_item=_FUTURE,
        keeps=False,
        twin="asyncio.as_completed",
    ),
    CallRow(names=(f"{_FUTURE}.result",), effects=Effect.WAIT, timeout=_FIRST, role=Role.RESULT),
    CallRow(names=(f"{_FUTURE}.exception",), effects=Effect.WAIT, timeout=_FIRST, role=Role.RESULT),
    CallRow(names=(f"{_FUTURE}.cancel",), role=Role.CANCEL),
    # The callback runs in the worker that finishes the job, or here if the job is already done.
    CallRow(
        names=(f"{_FUTURE}.add_done_callback",),
        role=Role.CALLBACK,
        spawn=Spawn(runs_in=RunsIn.EXECUTOR_THREAD, keyword="fn", position=0),
    ),
    CallRow(names=(f"{_FUTURE}.done",), keeps=False),
    CallRow(names=(f"{_FUTURE}.running",), keeps=False),
    CallRow(names=(f"{_FUTURE}.cancelled",), keeps=False),
    CallRow(names=(f"{_FUTURE}.set_result",)),
    CallRow(names=(f"{_FUTURE}.set_exception",)),
)

CALLS: tuple[CallRow, ...] = _EXECUTOR_METHODS + _CALLS
