"""What the servers of `aiohttp` and `sanic` mean: handlers are tasks, and several requests are handled at once."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Domain, Effect, Kind, RunsIn, Spawn, Timeout

_METHODS = ("delete", "get", "head", "options", "patch", "post", "put", "route")
_ROUTER = "aiohttp.web.UrlDispatcher"
_SOCKET = "aiohttp.web.WebSocketResponse"
_REQUEST = "aiohttp.web.Request"
_SANIC = ("sanic.Sanic", "sanic.Blueprint")


def _class(*names: str) -> ClassRow:
    return ClassRow(names=names, kind=Kind.OTHER, domain=Domain.TASK)


CLASSES: tuple[ClassRow, ...] = (
    _class("aiohttp.web.RouteTableDef", "aiohttp.web_routedef.RouteTableDef"),
    _class(_ROUTER, "aiohttp.web_urldispatcher.UrlDispatcher"),
    _class(_REQUEST, "aiohttp.web_request.Request"),
    _class(_SOCKET, "aiohttp.web_ws.WebSocketResponse"),
    # Each request gets a view of its own.
    ClassRow(
        names=("aiohttp.web.View", "aiohttp.web_urldispatcher.View"),
        kind=Kind.OTHER,
        domain=Domain.TASK,
        runs=("delete", "get", "head", "options", "patch", "post", "put"),
        runs_in=RunsIn.TASK,
    ),
    _class("sanic.Sanic", "sanic.app.Sanic"),
    _class("sanic.Blueprint", "sanic.blueprints.Blueprint"),
)


def _handler(position: int) -> Spawn:
    return Spawn(runs_in=RunsIn.TASK, keyword="handler", position=position, passes=(_REQUEST,), awaits=True)


CALLS: tuple[CallRow, ...] = (
    *(CallRow(names=(f"aiohttp.web.RouteTableDef.{name}",), decorates=RunsIn.TASK) for name in (*_METHODS, "view")),
    *(
        CallRow(
            names=(f"aiohttp.web.{name}", f"aiohttp.web_routedef.{name}"), spawn=_handler(2 if name == "route" else 1)
        )
        for name in _METHODS
    ),
    *(CallRow(names=(f"{_ROUTER}.add_{name}",), spawn=_handler(2 if name == "route" else 1)) for name in _METHODS),
    CallRow(names=(f"{_SOCKET}.receive",), effects=Effect.NETWORK, timeout=Timeout(position=0), coroutine=True),
    *(
        CallRow(names=(f"{_SOCKET}.{name}",), effects=Effect.NETWORK, timeout=Timeout(), coroutine=True)
        for name in ("receive_bytes", "receive_json", "receive_str")
    ),
    *(
        CallRow(names=(f"{_SOCKET}.{name}",), effects=Effect.NETWORK, coroutine=True)
        for name in ("close", "ping", "pong", "prepare", "send_bytes", "send_json", "send_str")
    ),
    # Plain functions run on the event loop itself.
    *(
        CallRow(names=(f"{owner}.{name}",), decorates=RunsIn.LOOP_CALLBACK)
        for owner in _SANIC
        for name in (*_METHODS, "exception", "websocket")
    ),
    *(
        CallRow(
            names=(f"{owner}.add_route",),
            spawn=Spawn(runs_in=RunsIn.LOOP_CALLBACK, keyword="handler", position=0, awaits=True),
        )
        for owner in _SANIC
    ),
)
