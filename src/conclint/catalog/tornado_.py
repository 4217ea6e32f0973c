"""What `tornado` (6.6) means. Its loop is that of `asyncio`; only `add_callback` may be called from other threads."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Domain, Effect, Kind, Role, RunsIn, Spawn, Timeout, Wait

_LOOP = "tornado.ioloop.IOLoop"
_PERIODIC = "tornado.ioloop.PeriodicCallback"
_HANDLER = "tornado.web.RequestHandler"
_SOCKET = "tornado.websocket.WebSocketClientConnection"
_STREAM = "tornado.iostream.BaseIOStream"
_QUEUE = "tornado.queues.Queue"
_FETCH = Timeout(keyword="request_timeout", default=Wait.FINITE)
_LOCKS = (("Lock", Kind.LOCK), ("Semaphore", Kind.SEMAPHORE))
_REQUEST_METHODS = ("delete", "get", "head", "options", "patch", "post", "put", "prepare", "on_finish")


def _class(name: str, kind: Kind = Kind.OTHER, *bases: str) -> ClassRow:
    return ClassRow(names=(f"tornado.{name}",), kind=kind, domain=Domain.TASK, bases=bases)


CLASSES: tuple[ClassRow, ...] = (
    ClassRow(names=(_LOOP,), kind=Kind.LOOP, domain=Domain.TASK),
    ClassRow(names=(_PERIODIC,), kind=Kind.OTHER, domain=Domain.TASK),
    ClassRow(names=("tornado.httpclient.HTTPClient",), kind=Kind.SESSION),
    ClassRow(names=("tornado.httpclient.AsyncHTTPClient",), kind=Kind.SESSION, domain=Domain.TASK),
    # Each request gets a handler of its own, whose methods may be coroutine functions.
    ClassRow(
        names=(_HANDLER,), kind=Kind.OTHER, domain=Domain.TASK, runs=_REQUEST_METHODS, runs_in=RunsIn.LOOP_CALLBACK
    ),
    ClassRow(
        names=("tornado.websocket.WebSocketHandler",),
        kind=Kind.OTHER,
        domain=Domain.TASK,
        bases=(_HANDLER,),
        runs=(*_REQUEST_METHODS, "open", "on_message", "on_close", "on_ping", "on_pong"),
        runs_in=RunsIn.LOOP_CALLBACK,
    ),
    ClassRow(
        names=("tornado.tcpserver.TCPServer",),
        kind=Kind.OTHER,
        domain=Domain.TASK,
        runs=("handle_stream",),
        runs_in=RunsIn.LOOP_CALLBACK,
        shared=True,
    ),
    *(_class(f"locks.{name}", kind) for name, kind in _LOCKS),
    _class("locks.BoundedSemaphore", Kind.SEMAPHORE, "tornado.locks.Semaphore"),
    # It has no lock: nobody acquires it.
    _class("locks.Condition"),
    _class("locks.Event", Kind.EVENT),
    _class("queues.Queue", Kind.QUEUE),
    _class("queues.LifoQueue", Kind.QUEUE, _QUEUE),
    _class("queues.PriorityQueue", Kind.QUEUE, _QUEUE),
    _class("iostream.BaseIOStream"),
    _class("iostream.IOStream", Kind.OTHER, _STREAM),
    _class("iostream.SSLIOStream", Kind.OTHER, "tornado.iostream.IOStream"),
    _class("websocket.WebSocketClientConnection"),
    _class("tcpclient.TCPClient"),
)


def _callback(position: int) -> Spawn:
    # What a callback returns is awaited.
    return Spawn(
        runs_in=RunsIn.LOOP_CALLBACK,
        keyword="callback",
        position=position,
        arguments_from=position + 1,
        awaits=True,
    )


_LOOP_CALLS = (
    *(CallRow(names=(f"{_LOOP}.{name}",), returns=_LOOP) for name in ("current", "instance")),
    CallRow(names=(f"{_LOOP}.add_callback",), spawn=_callback(0)),
    CallRow(names=(f"{_LOOP}.add_callback_from_signal",), spawn=_callback(0)),
    # What it is since 6.0: another name of `add_callback`.
    CallRow(names=(f"{_LOOP}.spawn_callback",), spawn=_callback(0)),
    *(
        CallRow(names=(f"{_LOOP}.{name}",), spawn=_callback(1), loop_only=True)
        for name in ("add_timeout", "call_at", "call_later")
    ),
    CallRow(names=(f"{_LOOP}.add_future",), spawn=Spawn(runs_in=RunsIn.LOOP_CALLBACK, keyword="callback", position=1)),
    CallRow(names=(f"{_LOOP}.add_handler",), spawn=Spawn(runs_in=RunsIn.LOOP_CALLBACK, keyword="handler", position=1)),
    CallRow(
        names=(f"{_LOOP}.run_in_executor",),
        spawn=Spawn(runs_in=RunsIn.EXECUTOR_THREAD, keyword="func", position=1, arguments_from=2),
        returns="asyncio.Future",
    ),
    CallRow(
        names=(f"{_LOOP}.run_sync",),
        effects=Effect.WAIT,
        timeout=Timeout(position=1),
        spawn=Spawn(runs_in=RunsIn.HERE, keyword="func", position=0),
    ),
    CallRow(names=(f"{_LOOP}.start",), effects=Effect.WAIT, timeout=Timeout(keyword="")),
    CallRow(names=(f"{_LOOP}.stop",), role=Role.CANCEL, loop_only=True),
    CallRow(names=(f"{_LOOP}.close",), role=Role.CLOSE),
    CallRow(names=(_PERIODIC,), spawn=Spawn(runs_in=RunsIn.LOOP_CALLBACK, keyword="callback", position=0, awaits=True)),
    CallRow(names=(f"{_PERIODIC}.start",), role=Role.START),
    CallRow(names=(f"{_PERIODIC}.stop",), role=Role.CANCEL),
)

# They give futures, which run on without being awaited; so they are no coroutine functions.
_SYNC_CALLS = (
    *(
        row
        for name, _ in _LOCKS
        for row in (
            CallRow(names=(f"tornado.locks.{name}.acquire",), timeout=Timeout(position=0), returns="asyncio.Future"),
            CallRow(names=(f"tornado.locks.{name}.release",), keeps=False, loop_only=True),
            CallRow(
                names=(f"tornado.locks.{name}.__aenter__",),
                effects=Effect.WAIT,
                timeout=Timeout(keyword=""),
                coroutine=True,
                keeps=False,
            ),
            CallRow(names=(f"tornado.locks.{name}.__aexit__",), coroutine=True, keeps=False),
        )
    ),
    *(
        CallRow(names=(f"tornado.locks.{name}.wait",), timeout=Timeout(position=0), returns="asyncio.Future")
        for name in ("Condition", "Event")
    ),
    *(
        CallRow(names=(f"tornado.locks.{name}",), keeps=False, loop_only=True)
        for name in ("Condition.notify", "Condition.notify_all", "Event.set")
    ),
    *(CallRow(names=(f"tornado.locks.Event.{name}",), keeps=False) for name in ("clear", "is_set")),
    CallRow(names=(f"{_QUEUE}.get",), timeout=Timeout(position=0), returns="asyncio.Future"),
    CallRow(names=(f"{_QUEUE}.put",), timeout=Timeout(position=1), returns="asyncio.Future"),
    CallRow(names=(f"{_QUEUE}.join",), timeout=Timeout(position=0), returns="asyncio.Future"),
    *(CallRow(names=(f"{_QUEUE}.{name}",), loop_only=True) for name in ("get_nowait", "put_nowait", "task_done")),
    *(CallRow(names=(f"{_QUEUE}.{name}",), keeps=False) for name in ("empty", "full", "qsize")),
)

_NETWORK_CALLS = (
    CallRow(
        names=("tornado.httpclient.HTTPClient.fetch",),
        effects=Effect.NETWORK,
        timeout=_FETCH,
        keeps=False,
        twin="tornado.httpclient.AsyncHTTPClient.fetch",
    ),
    CallRow(names=("tornado.httpclient.HTTPClient.close",), role=Role.CLOSE),
    # It gives a future, of which nobody need ask the result.
    CallRow(names=("tornado.httpclient.AsyncHTTPClient.fetch",), timeout=_FETCH, returns="asyncio.Future", keeps=False),
    CallRow(names=("tornado.httpclient.AsyncHTTPClient.close",), role=Role.CLOSE),
    CallRow(names=("tornado.gen.sleep",), returns="asyncio.Future", keeps=False),
    CallRow(
        names=("tornado.gen.with_timeout",),
        timeout=Timeout(position=0, default=Wait.FINITE),
        returns="asyncio.Future",
        keeps=False,
    ),
    CallRow(
        names=("tornado.websocket.websocket_connect",),
        timeout=Timeout(keyword="connect_timeout", position=2, default=Wait.NONE),
        returns="asyncio.Future",
    ),
    CallRow(names=(f"{_SOCKET}.close",), role=Role.CLOSE),
    CallRow(
        names=("tornado.tcpclient.TCPClient.connect",),
        effects=Effect.NETWORK,
        timeout=Timeout(position=7),
        returns="tornado.iostream.IOStream",
        coroutine=True,
    ),
    *(
        CallRow(names=(f"{_STREAM}.{name}",), returns="asyncio.Future")
        for name in ("read_bytes", "read_into", "read_until", "read_until_close", "read_until_regex", "write")
    ),
    CallRow(names=(f"{_STREAM}.close",), role=Role.CLOSE, loop_only=True),
    # It forks, once per processor.
    CallRow(names=("tornado.process.fork_processes",), effects=Effect.SUBPROCESS),
)

CALLS: tuple[CallRow, ...] = (*_LOOP_CALLS, *_SYNC_CALLS, *_NETWORK_CALLS)
