"""What `aiohttp` means (3.14): five minutes in total, unless that is switched off."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Domain, Effect, Kind, Role, Timeout, Wait

_SESSION = "aiohttp.ClientSession"
_RESPONSE = "aiohttp.ClientResponse"
_SOCKET = "aiohttp.ClientWebSocketResponse"
_VERBS = ("get", "options", "head", "post", "put", "patch", "delete", "request")


def _class(name: str, module: str, kind: Kind) -> ClassRow:
    return ClassRow(names=(f"aiohttp.{name}", f"aiohttp.{module}.{name}"), kind=kind, domain=Domain.TASK)


CLASSES: tuple[ClassRow, ...] = (
    _class("ClientSession", "client", Kind.SESSION),
    _class("ClientTimeout", "client", Kind.OTHER),
    _class("ClientResponse", "client_reqrep", Kind.OTHER),
    _class("StreamReader", "streams", Kind.OTHER),
    _class("ClientWebSocketResponse", "client_ws", Kind.OTHER),
    _class("TCPConnector", "connector", Kind.OTHER),
)

CALLS: tuple[CallRow, ...] = (
    # Without `total` the other limits stand, so only an explicit None or 0 means for ever.
    CallRow(
        names=("aiohttp.ClientTimeout", "aiohttp.client.ClientTimeout"),
        timeout=Timeout(keyword="total", position=0, default=Wait.FINITE, infinite=(None, 0)),
        keeps=False,
    ),
    # A session's `timeout=None` means its default, a request's means for ever.
    CallRow(names=(_SESSION,), timeout=Timeout(default=Wait.FINITE, infinite=())),
    *(
        CallRow(
            names=(f"{_SESSION}.{verb}",),
            effects=Effect.NETWORK,
            timeout=Timeout(default=Wait.FINITE, infinite=(None, 0)),
            returns=_RESPONSE,
            coroutine=True,
            keeps=False,
        )
        for verb in _VERBS
    ),
    CallRow(
        names=("aiohttp.request", "aiohttp.client.request"),
        effects=Effect.NETWORK,
        timeout=Timeout(default=Wait.FINITE, infinite=(None, 0)),
        returns=_RESPONSE,
        coroutine=True,
        keeps=False,
    ),
    CallRow(
        names=(f"{_SESSION}.ws_connect",),
        effects=Effect.NETWORK,
        returns=_SOCKET,
        coroutine=True,
        keeps=False,
    ),
    CallRow(names=(f"{_SESSION}.close",), role=Role.CLOSE, coroutine=True),
    CallRow(names=(f"{_SESSION}.__aexit__",), role=Role.CLOSE, coroutine=True),
    *(
        CallRow(names=(f"{_RESPONSE}.{name}",), effects=Effect.NETWORK, coroutine=True, keeps=False)
        for name in ("read", "text", "json")
    ),
    CallRow(names=(f"{_RESPONSE}.raise_for_status",), keeps=False),
    *(CallRow(names=(f"{_RESPONSE}.{name}",), role=Role.CLOSE) for name in ("close", "release")),
    *(
        CallRow(names=(f"aiohttp.StreamReader.{name}",), effects=Effect.NETWORK, coroutine=True, keeps=False)
        for name in ("read", "readany", "readchunk", "readexactly", "readline", "readuntil")
    ),
    CallRow(
        names=(f"{_SOCKET}.receive",),
        effects=Effect.NETWORK,
        timeout=Timeout(position=0),
        coroutine=True,
        keeps=False,
    ),
    *(
        CallRow(names=(f"{_SOCKET}.{name}",), effects=Effect.NETWORK, timeout=Timeout(), coroutine=True, keeps=False)
        for name in ("receive_str", "receive_bytes", "receive_json")
    ),
    *(
        CallRow(names=(f"{_SOCKET}.{name}",), effects=Effect.NETWORK, coroutine=True, keeps=False)
        for name in ("send_str", "send_bytes", "send_json", "send_frame", "ping", "pong")
    ),
    CallRow(names=(f"{_SOCKET}.close",), role=Role.CLOSE, coroutine=True),
)
