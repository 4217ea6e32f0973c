"""What `websockets` (17) and `websocket-client` (1.9) mean."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Domain, Effect, Kind, Role, RunsIn, Spawn, Timeout, Wait

_ASYNC = "websockets.asyncio.client.ClientConnection"
_SYNC = "websockets.sync.client.ClientConnection"
_SOCKET = "websocket.WebSocket"
_APP = "websocket.WebSocketApp"

CLASSES: tuple[ClassRow, ...] = (
    ClassRow(
        names=(_ASYNC, "websockets.ClientConnection", "websockets.WebSocketClientProtocol"),
        kind=Kind.SESSION,
        domain=Domain.TASK,
    ),
    ClassRow(names=("websockets.asyncio.server.ServerConnection",), kind=Kind.SESSION, domain=Domain.TASK),
    ClassRow(names=(_SYNC,), kind=Kind.SESSION),
    ClassRow(names=("websockets.sync.server.ServerConnection",), kind=Kind.SESSION),
    ClassRow(names=("websockets.sync.server.Server",), kind=Kind.OTHER),
    ClassRow(names=(_SOCKET,), kind=Kind.SESSION),
    ClassRow(names=(_APP,), kind=Kind.SESSION),
)

_OPEN = Timeout(keyword="open_timeout", default=Wait.FINITE)

CALLS: tuple[CallRow, ...] = (
    CallRow(
        names=("websockets.connect", "websockets.asyncio.client.connect", "websockets.client.connect"),
        effects=Effect.NETWORK,
        timeout=_OPEN,
        returns=_ASYNC,
        coroutine=True,
    ),
    CallRow(names=(f"{_ASYNC}.recv",), effects=Effect.NETWORK, timeout=Timeout(keyword=""), coroutine=True),
    CallRow(names=(f"{_ASYNC}.send",), effects=Effect.NETWORK, timeout=Timeout(keyword=""), coroutine=True),
    CallRow(names=(f"{_ASYNC}.close",), role=Role.CLOSE, coroutine=True),
    CallRow(names=("websockets.sync.client.connect",), effects=Effect.NETWORK, timeout=_OPEN, returns=_SYNC),
    # Each connection has its handler run: as a task, or in a thread.
    *(
        CallRow(
            names=names,
            spawn=Spawn(runs_in=runs_in, keyword="handler", position=0, passes=(passes,)),
            coroutine=runs_in is RunsIn.TASK,
            returns="" if runs_in is RunsIn.TASK else "websockets.sync.server.Server",
        )
        for names, runs_in, passes in (
            (
                ("websockets.serve", "websockets.asyncio.server.serve"),
                RunsIn.TASK,
                "websockets.asyncio.server.ServerConnection",
            ),
            (("websockets.sync.server.serve",), RunsIn.REQUEST_THREAD, "websockets.sync.server.ServerConnection"),
        )
    ),
    CallRow(names=("websockets.sync.server.Server.serve_forever",), effects=Effect.NETWORK),
    CallRow(names=("websockets.sync.server.Server.shutdown",), role=Role.CANCEL),
    *(
        CallRow(
            names=(f"websockets.asyncio.server.ServerConnection.{name}",),
            effects=Effect.NETWORK,
            timeout=Timeout(keyword=""),
            coroutine=True,
        )
        for name in ("recv", "send")
    ),
    CallRow(names=("websockets.asyncio.server.ServerConnection.close",), role=Role.CLOSE, coroutine=True),
    CallRow(names=("websockets.sync.server.ServerConnection.recv",), effects=Effect.WAIT, timeout=Timeout(position=0)),
    CallRow(names=("websockets.sync.server.ServerConnection.send",), effects=Effect.NETWORK),
    CallRow(names=("websockets.sync.server.ServerConnection.close",), effects=Effect.NETWORK, role=Role.CLOSE),
    CallRow(names=(f"{_ASYNC}.ping",), effects=Effect.NETWORK, coroutine=True),
    CallRow(names=(f"{_ASYNC}.wait_closed",), effects=Effect.WAIT, timeout=Timeout(keyword=""), coroutine=True),
    # Waiting for the next message without end is how a client usually works: it counts as a wait, not as a request.
    CallRow(names=(f"{_SYNC}.recv",), effects=Effect.WAIT, timeout=Timeout(position=0)),
    CallRow(names=(f"{_SYNC}.send",), effects=Effect.NETWORK),
    CallRow(names=(f"{_SYNC}.close",), effects=Effect.NETWORK, role=Role.CLOSE),
    CallRow(
        names=("websocket.create_connection",),
        effects=Effect.NETWORK,
        timeout=Timeout(position=1),
        returns=_SOCKET,
    ),
    CallRow(names=(f"{_SOCKET}.connect",), effects=Effect.NETWORK, timeout=Timeout()),
    CallRow(names=(f"{_SOCKET}.recv",), effects=Effect.NETWORK),
    *(
        CallRow(names=(f"{_SOCKET}.{name}",), effects=Effect.NETWORK)
        for name in ("ping", "pong", "recv_data", "recv_frame", "send", "send_binary", "send_bytes", "send_text")
    ),
    CallRow(
        names=(f"{_SOCKET}.close",),
        effects=Effect.NETWORK,
        timeout=Timeout(position=2, default=Wait.FINITE),
        role=Role.CLOSE,
    ),
    CallRow(names=(f"{_APP}.run_forever",), effects=Effect.NETWORK),
    CallRow(names=(f"{_APP}.close",), role=Role.CANCEL),
)
