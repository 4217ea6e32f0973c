"""What `anyio` (4) and `trio` (0.35) mean. Their waits have no timeout parameters: scopes bound them."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Domain, Effect, Kind, Role, RunsIn, Spawn, Timeout, Wait

_LIBRARIES = ("anyio", "trio")
_PRIMITIVES = (
    ("Lock", Kind.LOCK),
    ("Condition", Kind.CONDITION),
    ("Semaphore", Kind.SEMAPHORE),
    ("CapacityLimiter", Kind.SEMAPHORE),
)
_GROUP = "anyio.abc.TaskGroup"
_NURSERY = "trio.Nursery"
_SENDERS = ("anyio.streams.memory.MemoryObjectSendStream", "trio.MemorySendChannel")
_RECEIVERS = ("anyio.streams.memory.MemoryObjectReceiveStream", "trio.MemoryReceiveChannel")

CLASSES: tuple[ClassRow, ...] = (
    *(
        ClassRow(names=(f"{library}.{name}",), kind=kind, domain=Domain.TASK)
        for library in _LIBRARIES
        for name, kind in (*_PRIMITIVES, ("Event", Kind.EVENT), ("CancelScope", Kind.CANCEL_SCOPE))
    ),
    ClassRow(names=("trio.StrictFIFOLock",), kind=Kind.LOCK, domain=Domain.TASK, bases=("trio.Lock",)),
    *(ClassRow(names=(f"{library}.Path",), kind=Kind.OTHER, domain=Domain.TASK) for library in _LIBRARIES),
    ClassRow(names=(_GROUP,), kind=Kind.TASK_GROUP, domain=Domain.TASK),
    ClassRow(names=(_NURSERY,), kind=Kind.TASK_GROUP, domain=Domain.TASK),
    # A channel is a queue of which senders and receivers have an end each.
    *(ClassRow(names=(name,), kind=Kind.OTHER, domain=Domain.TASK) for name in (*_SENDERS, *_RECEIVERS)),
    ClassRow(names=("anyio.abc.Process",), kind=Kind.POPEN, domain=Domain.TASK),
    ClassRow(names=("trio.Process",), kind=Kind.POPEN, domain=Domain.TASK),
    ClassRow(names=("trio.SocketStream",), kind=Kind.OTHER, domain=Domain.TASK),
    ClassRow(names=("anyio.abc.SocketStream",), kind=Kind.OTHER, domain=Domain.TASK),
    ClassRow(
        names=("anyio.from_thread.BlockingPortal", "anyio.abc.BlockingPortal"), kind=Kind.EXECUTOR, domain=Domain.TASK
    ),
)

_UNBOUNDED = Timeout(keyword="")
_START_SOON = Spawn(runs_in=RunsIn.TASK, position=0, arguments_from=1)
_FROM_THREAD = Spawn(runs_in=RunsIn.LOOP_CALLBACK, position=0, arguments_from=1)
_RUN = Spawn(runs_in=RunsIn.HERE, position=0, arguments_from=1)
_TO_THREAD = Spawn(runs_in=RunsIn.EXECUTOR_THREAD, position=0, arguments_from=1)
_SCOPES = (
    ("anyio.fail_after", "delay"),
    ("anyio.move_on_after", "delay"),
    ("trio.fail_after", "seconds"),
    ("trio.move_on_after", "seconds"),
    ("trio.fail_at", "deadline"),
    ("trio.move_on_at", "deadline"),
)

_PRIMITIVE_CALLS = tuple(
    row
    for library in _LIBRARIES
    for row in (
        *(
            CallRow(
                names=(f"{library}.{name}.{method}",),
                effects=Effect.WAIT,
                timeout=_UNBOUNDED,
                coroutine=True,
                keeps=False,
            )
            for name, _ in _PRIMITIVES
            for method in ("acquire", "__aenter__")
        ),
        *(CallRow(names=(f"{library}.{name}.release",), keeps=False) for name, _ in _PRIMITIVES),
        *(
            CallRow(names=(f"{library}.{name}.wait",), effects=Effect.WAIT, timeout=_UNBOUNDED, coroutine=True)
            for name in ("Condition", "Event")
        ),
        CallRow(names=(f"{library}.Event.set",), keeps=False, loop_only=True),
        CallRow(names=(f"{library}.Event.is_set",), keeps=False),
        CallRow(names=(f"{library}.CancelScope.cancel",), role=Role.CANCEL),
        CallRow(names=(f"{library}.sleep",), effects=Effect.SLEEP, coroutine=True, keeps=False),
        CallRow(names=(f"{library}.sleep_forever",), effects=Effect.SLEEP, coroutine=True, keeps=False),
        CallRow(names=(f"{library}.run",), effects=Effect.WAIT, timeout=_UNBOUNDED, spawn=_RUN),
        CallRow(names=(f"{library}.from_thread.run",), effects=Effect.WAIT, timeout=_UNBOUNDED, spawn=_FROM_THREAD),
        CallRow(
            names=(f"{library}.from_thread.run_sync",), effects=Effect.WAIT, timeout=_UNBOUNDED, spawn=_FROM_THREAD
        ),
        CallRow(names=(f"{library}.to_thread.run_sync",), spawn=_TO_THREAD, coroutine=True),
        CallRow(names=(f"{library}.open_file",), effects=Effect.FILE, coroutine=True, keeps=False),
        CallRow(names=(f"{library}.run_process",), effects=Effect.SUBPROCESS, coroutine=True, keeps=False),
    )
)

CALLS: tuple[CallRow, ...] = (
    *_PRIMITIVE_CALLS,
    *(
        CallRow(
            names=(name,),
            timeout=Timeout(keyword=keyword, position=0, default=Wait.FINITE),
            returns=f"{name.partition('.')[0]}.CancelScope",
            keeps=False,
        )
        for name, keyword in _SCOPES
    ),
    CallRow(names=("anyio.create_task_group",), returns=_GROUP),
    CallRow(names=("trio.open_nursery",), returns=_NURSERY),
    *(CallRow(names=(f"{name}.start_soon",), spawn=_START_SOON, loop_only=True) for name in (_GROUP, _NURSERY)),
    # The call waits until the task says that it has started; the task goes on beside its caller.
    *(
        CallRow(names=(f"{name}.start",), effects=Effect.WAIT, spawn=_START_SOON, coroutine=True)
        for name in (_GROUP, _NURSERY)
    ),
    CallRow(names=(f"{_GROUP}.__aexit__",), effects=Effect.WAIT, role=Role.JOIN, coroutine=True),
    CallRow(names=(f"{_NURSERY}.__aexit__",), effects=Effect.WAIT, role=Role.JOIN, coroutine=True),
    CallRow(
        names=("anyio.to_process.run_sync",),
        spawn=Spawn(runs_in=RunsIn.EXECUTOR_PROCESS, position=0, arguments_from=1),
        coroutine=True,
    ),
    CallRow(names=("anyio.from_thread.start_blocking_portal",), returns="anyio.from_thread.BlockingPortal"),
    CallRow(
        names=("anyio.from_thread.BlockingPortal.call",), effects=Effect.WAIT, timeout=_UNBOUNDED, spawn=_FROM_THREAD
    ),
    CallRow(
        names=("anyio.from_thread.BlockingPortal.start_task_soon",),
        spawn=_START_SOON,
        returns="concurrent.futures.Future",
    ),
    *(
        CallRow(names=(f"{library}.Path.{name}",), effects=Effect.FILE, coroutine=True, keeps=False)
        for library in _LIBRARIES
        for name in (
            "exists",
            "is_dir",
            "is_file",
            "mkdir",
            "open",
            "read_bytes",
            "read_text",
            "rename",
            "replace",
            "resolve",
            "rmdir",
            "stat",
            "touch",
            "unlink",
            "write_bytes",
            "write_text",
        )
    ),
    *(
        CallRow(names=(name,), effects=Effect.NETWORK, timeout=_UNBOUNDED, returns=returns, coroutine=True)
        for name, returns in (
            ("anyio.connect_tcp", "anyio.abc.SocketStream"),
            ("anyio.connect_unix", "anyio.abc.SocketStream"),
            ("anyio.getaddrinfo", ""),
            ("trio.open_tcp_stream", "trio.SocketStream"),
            ("trio.open_unix_socket", "trio.SocketStream"),
            ("trio.open_ssl_over_tcp_stream", ""),
        )
    ),
    *(
        CallRow(names=(f"{owner}.{name}",), effects=Effect.NETWORK, timeout=_UNBOUNDED, coroutine=True)
        for owner, names in (
            ("trio.SocketStream", ("receive_some", "send_all")),
            ("anyio.abc.SocketStream", ("receive", "send")),
        )
        for name in names
    ),
    CallRow(names=("trio.SocketStream.aclose",), role=Role.CLOSE, coroutine=True),
    CallRow(names=("anyio.abc.SocketStream.aclose",), role=Role.CLOSE, coroutine=True),
    *(
        CallRow(names=(name,), returns_items=(sender, receiver))
        for name, sender, receiver in (
            ("anyio.create_memory_object_stream", _SENDERS[0], _RECEIVERS[0]),
            ("trio.open_memory_channel", _SENDERS[1], _RECEIVERS[1]),
        )
    ),
    *(CallRow(names=(f"{name}.send",), effects=Effect.WAIT, timeout=_UNBOUNDED, coroutine=True) for name in _SENDERS),
    *(
        CallRow(names=(f"{name}.receive",), effects=Effect.WAIT, timeout=_UNBOUNDED, coroutine=True)
        for name in _RECEIVERS
    ),
    *(CallRow(names=(f"{name}.send_nowait",), loop_only=True) for name in _SENDERS),
    *(CallRow(names=(f"{name}.receive_nowait",), loop_only=True) for name in _RECEIVERS),
    *(CallRow(names=(f"{name}.clone",), returns=name) for name in (*_SENDERS, *_RECEIVERS)),
    CallRow(
        names=("anyio.to_interpreter.run_sync",),
        spawn=Spawn(runs_in=RunsIn.EXECUTOR_PROCESS, position=0, arguments_from=1),
        coroutine=True,
    ),
    CallRow(names=("trio.lowlevel.spawn_system_task",), spawn=_START_SOON, loop_only=True),
    CallRow(
        names=("trio.serve_tcp",),
        effects=Effect.NETWORK,
        spawn=Spawn(runs_in=RunsIn.TASK, keyword="handler", position=0, passes=("trio.SocketStream",)),
        coroutine=True,
    ),
    CallRow(names=("anyio.open_process",), effects=Effect.SUBPROCESS, returns="anyio.abc.Process", coroutine=True),
    CallRow(names=("trio.lowlevel.open_process",), effects=Effect.SUBPROCESS, returns="trio.Process", coroutine=True),
    *(
        row
        for name in ("anyio.abc.Process", "trio.Process")
        for row in (
            CallRow(
                names=(f"{name}.wait",),
                effects=Effect.SUBPROCESS | Effect.WAIT,
                timeout=_UNBOUNDED,
                role=Role.JOIN,
                coroutine=True,
            ),
            *(
                CallRow(names=(f"{name}.{method}",), role=Role.CANCEL)
                for method in ("kill", "send_signal", "terminate")
            ),
        )
    ),
    CallRow(names=("trio.sleep_until",), effects=Effect.SLEEP, coroutine=True, keeps=False),
    CallRow(names=("anyio.sleep_until",), effects=Effect.SLEEP, coroutine=True, keeps=False),
)
