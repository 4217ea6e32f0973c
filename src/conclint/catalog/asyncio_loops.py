"""What the event loops of `asyncio` mean, its streams and processes. Tasks and primitives stand in `asyncio_`."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Domain, Effect, Kind, Role, RunsIn, Spawn, Timeout

_TASK = "asyncio.Task"
_FUTURE = "asyncio.Future"
_LOOP = "asyncio.AbstractEventLoop"
_PROCESS = "asyncio.subprocess.Process"
_READER = "asyncio.StreamReader"
_WRITER = "asyncio.StreamWriter"


def _class(name: str, module: str) -> ClassRow:
    return ClassRow(names=(f"asyncio.{name}", f"asyncio.{module}.{name}"), kind=Kind.OTHER, domain=Domain.TASK)


CLASSES: tuple[ClassRow, ...] = (
    _class("StreamReader", "streams"),
    _class("StreamWriter", "streams"),
    _class("Server", "base_events"),
    ClassRow(names=("asyncio.Runner", "asyncio.runners.Runner"), kind=Kind.LOOP, domain=Domain.TASK, since=(3, 11)),
    ClassRow(
        names=(
            _LOOP,
            "asyncio.events.AbstractEventLoop",
            "asyncio.BaseEventLoop",
            "asyncio.base_events.BaseEventLoop",
            "asyncio.SelectorEventLoop",
        ),
        kind=Kind.LOOP,
        domain=Domain.TASK,
    ),
    ClassRow(names=("uvloop.Loop",), kind=Kind.LOOP, domain=Domain.TASK, bases=(_LOOP,)),
    ClassRow(names=(_PROCESS,), kind=Kind.POPEN, domain=Domain.TASK),
)

_UNBOUNDED = Timeout(keyword="")
_START_TASK = Spawn(runs_in=RunsIn.TASK, keyword="coro", position=0)
# The coroutine has run to its end when the call returns, so its caller does not run beside it.
_RUN = Spawn(runs_in=RunsIn.HERE, position=0)

_LOOP_FUNCTIONS = (
    *(
        CallRow(names=(f"asyncio.{name}", f"asyncio.events.{name}"), returns=_LOOP)
        for name in ("get_event_loop", "get_running_loop", "new_event_loop")
    ),
    CallRow(names=("asyncio.set_event_loop", "asyncio.events.set_event_loop")),
    # Child watchers went in 3.14; the policies are deprecated since.
    *(
        CallRow(names=(f"asyncio.{name}", f"asyncio.events.{name}"), until=(3, 14))
        for name in ("get_child_watcher", "set_child_watcher")
    ),
    CallRow(names=("uvloop.new_event_loop",), returns=_LOOP),
    CallRow(
        names=("asyncio.run", "asyncio.runners.run"),
        effects=Effect.WAIT,
        timeout=_UNBOUNDED,
        spawn=Spawn(runs_in=RunsIn.HERE, keyword="main", position=0),
    ),
    CallRow(names=("uvloop.run",), effects=Effect.WAIT, timeout=_UNBOUNDED, spawn=_RUN),
    CallRow(
        names=("asyncio.Runner.run",),
        effects=Effect.WAIT,
        timeout=_UNBOUNDED,
        spawn=Spawn(runs_in=RunsIn.HERE, keyword="coro", position=0),
    ),
    CallRow(names=("asyncio.Runner.get_loop",), returns=_LOOP),
    CallRow(names=("asyncio.Runner.close",), effects=Effect.WAIT, role=Role.CLOSE),
    CallRow(names=("asyncio.Runner.__exit__",), effects=Effect.WAIT, role=Role.CLOSE),
)

_LOOP_METHODS = (
    CallRow(
        names=(f"{_LOOP}.run_until_complete",),
        effects=Effect.WAIT,
        timeout=_UNBOUNDED,
        spawn=Spawn(runs_in=RunsIn.HERE, keyword="future", position=0),
    ),
    CallRow(names=(f"{_LOOP}.run_forever",), effects=Effect.WAIT, timeout=_UNBOUNDED),
    CallRow(names=(f"{_LOOP}.stop",), role=Role.CANCEL, loop_only=True),
    CallRow(names=(f"{_LOOP}.close",), role=Role.CLOSE),
    CallRow(names=(f"{_LOOP}.create_task",), spawn=_START_TASK, returns=_TASK, loop_only=True),
    CallRow(names=(f"{_LOOP}.create_future",), returns=_FUTURE),
    CallRow(
        names=(f"{_LOOP}.run_in_executor",),
        spawn=Spawn(runs_in=RunsIn.EXECUTOR, keyword="func", position=1, arguments_from=2),
        returns=_FUTURE,
    ),
    *(
        CallRow(
            names=(f"{_LOOP}.{name}",),
            spawn=Spawn(runs_in=RunsIn.LOOP_CALLBACK, keyword="callback", position=0, arguments_from=1),
            returns="asyncio.Handle",
            loop_only=name == "call_soon",
        )
        for name in ("call_soon", "call_soon_threadsafe")
    ),
    *(
        CallRow(
            names=(f"{_LOOP}.{name}",),
            spawn=Spawn(runs_in=RunsIn.LOOP_CALLBACK, keyword="callback", position=1, arguments_from=2),
            returns=returns,
            loop_only=True,
        )
        for name, returns in (
            ("call_later", "asyncio.TimerHandle"),
            ("call_at", "asyncio.TimerHandle"),
            ("add_reader", ""),
            ("add_writer", ""),
            # asyncio runs it on the loop, not in the signal handler itself.
            ("add_signal_handler", ""),
        )
    ),
    CallRow(
        names=(f"{_LOOP}.set_exception_handler",),
        spawn=Spawn(runs_in=RunsIn.LOOP_CALLBACK, keyword="handler", position=0),
    ),
    CallRow(
        names=(f"{_LOOP}.shutdown_default_executor",),
        effects=Effect.WAIT,
        timeout=_UNBOUNDED,
        coroutine=True,
    ),
    *(
        CallRow(names=(f"{_LOOP}.{name}",), effects=Effect.NETWORK, timeout=_UNBOUNDED, coroutine=True)
        for name in (
            "create_connection",
            "create_datagram_endpoint",
            "create_unix_connection",
            "connect_accepted_socket",
            "getaddrinfo",
            "getnameinfo",
            "sock_accept",
            "sock_connect",
            "sock_recv",
            "sock_recv_into",
            "sock_sendall",
            "sock_sendfile",
            "sendfile",
            "start_tls",
        )
    ),
    *(
        CallRow(names=(f"{_LOOP}.{name}",), effects=Effect.NETWORK, timeout=_UNBOUNDED, coroutine=True, since=(3, 11))
        for name in ("sock_recvfrom", "sock_recvfrom_into", "sock_sendto")
    ),
    CallRow(names=(f"{_LOOP}.create_server",), coroutine=True, returns="asyncio.Server"),
    CallRow(names=(f"{_LOOP}.create_unix_server",), coroutine=True, returns="asyncio.Server"),
    *(CallRow(names=(f"{_LOOP}.{name}",), coroutine=True) for name in ("connect_read_pipe", "connect_write_pipe")),
    CallRow(names=(f"{_LOOP}.shutdown_asyncgens",), effects=Effect.WAIT, timeout=_UNBOUNDED, coroutine=True),
    *(CallRow(names=(f"{_LOOP}.{name}",), keeps=False, loop_only=True) for name in ("remove_reader", "remove_writer")),
    CallRow(names=(f"{_LOOP}.subprocess_exec",), effects=Effect.SUBPROCESS, coroutine=True),
    CallRow(names=(f"{_LOOP}.subprocess_shell",), effects=Effect.SUBPROCESS, coroutine=True),
)

_STREAM_CALLS = (
    *(
        CallRow(
            names=(f"asyncio.{name}", f"asyncio.streams.{name}"),
            effects=Effect.NETWORK,
            timeout=_UNBOUNDED,
            returns_items=(_READER, _WRITER),
            coroutine=True,
        )
        for name in ("open_connection", "open_unix_connection")
    ),
    *(
        CallRow(
            names=(f"asyncio.{name}", f"asyncio.streams.{name}"),
            spawn=Spawn(runs_in=RunsIn.TASK, keyword="client_connected_cb", position=0, passes=(_READER, _WRITER)),
            returns="asyncio.Server",
            coroutine=True,
        )
        for name in ("start_server", "start_unix_server")
    ),
    *(
        CallRow(names=(name,), effects=Effect.NETWORK, timeout=_UNBOUNDED, coroutine=True)
        for name in (
            f"{_READER}.read",
            f"{_READER}.readline",
            f"{_READER}.readexactly",
            f"{_READER}.readuntil",
            f"{_WRITER}.drain",
            f"{_WRITER}.wait_closed",
        )
    ),
    CallRow(names=(f"{_WRITER}.start_tls",), effects=Effect.NETWORK, timeout=_UNBOUNDED, coroutine=True, since=(3, 11)),
    CallRow(names=(f"{_WRITER}.write",), keeps=False, loop_only=True),
    CallRow(names=(f"{_WRITER}.writelines",), keeps=False, loop_only=True),
    CallRow(names=(f"{_WRITER}.close",), role=Role.CLOSE, loop_only=True),
    CallRow(names=("asyncio.Server.close",), role=Role.CANCEL),
    *(
        CallRow(names=(f"asyncio.Server.{name}",), role=Role.CANCEL, since=(3, 13))
        for name in ("abort_clients", "close_clients")
    ),
    CallRow(names=("asyncio.Server.start_serving",), coroutine=True),
    CallRow(names=("asyncio.Server.wait_closed",), effects=Effect.WAIT, role=Role.JOIN, coroutine=True),
    CallRow(names=("asyncio.Server.serve_forever",), effects=Effect.WAIT, coroutine=True),
    *(
        CallRow(
            names=(f"asyncio.{name}", f"asyncio.subprocess.{name}"),
            effects=Effect.SUBPROCESS,
            returns=_PROCESS,
            coroutine=True,
        )
        for name in ("create_subprocess_exec", "create_subprocess_shell")
    ),
    *(
        CallRow(
            names=(f"{_PROCESS}.{name}",),
            effects=Effect.SUBPROCESS | Effect.WAIT,
            timeout=_UNBOUNDED,
            role=Role.JOIN,
            coroutine=True,
        )
        for name in ("wait", "communicate")
    ),
    *(CallRow(names=(f"{_PROCESS}.{name}",), role=Role.CANCEL) for name in ("terminate", "kill", "send_signal")),
)

CALLS: tuple[CallRow, ...] = (*_LOOP_FUNCTIONS, *_LOOP_METHODS, *_STREAM_CALLS)
