"""What `urllib3` means (2.8): `urllib3.request` has three seconds, the pools the socket default.

The timeout of a pool is the default of its requests; each request may bring its own.
"""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Effect, Kind, Role, Timeout, Wait

_MANAGER = "urllib3.PoolManager"
_POOL = "urllib3.HTTPConnectionPool"
_RESPONSE = "urllib3.HTTPResponse"

_METHODS = "urllib3._request_methods.RequestMethods"

CLASSES: tuple[ClassRow, ...] = (
    # The base of both kinds of pools; before version 2 it stood in `urllib3.request`.
    ClassRow(names=(_METHODS, "urllib3.request.RequestMethods"), kind=Kind.SESSION),
    ClassRow(names=(_MANAGER, "urllib3.poolmanager.PoolManager"), kind=Kind.SESSION, bases=(_METHODS,)),
    ClassRow(names=("urllib3.ProxyManager", "urllib3.poolmanager.ProxyManager"), kind=Kind.SESSION, bases=(_MANAGER,)),
    ClassRow(names=(_POOL, "urllib3.connectionpool.HTTPConnectionPool"), kind=Kind.SESSION, bases=(_METHODS,)),
    ClassRow(
        names=("urllib3.HTTPSConnectionPool", "urllib3.connectionpool.HTTPSConnectionPool"),
        kind=Kind.SESSION,
        bases=(_POOL,),
    ),
    ClassRow(names=(_RESPONSE, "urllib3.BaseHTTPResponse", "urllib3.response.HTTPResponse"), kind=Kind.OTHER),
)

_REQUESTS = ("request", "request_encode_url", "request_encode_body", "urlopen")

CALLS: tuple[CallRow, ...] = (
    CallRow(
        names=("urllib3.request",),
        effects=Effect.NETWORK,
        timeout=Timeout(default=Wait.FINITE),
        returns=_RESPONSE,
        keeps=False,
    ),
    *(
        CallRow(
            names=(f"{name}.{method}",),
            effects=Effect.NETWORK,
            timeout=Timeout(position=7 if (name, method) == (_POOL, "urlopen") else None, default=Wait.SOCKET_DEFAULT),
            returns=_RESPONSE,
            keeps=False,
        )
        for name in (_METHODS, _MANAGER, _POOL)
        for method in _REQUESTS
    ),
    CallRow(names=(_MANAGER,), timeout=Timeout(default=Wait.NONE)),
    CallRow(names=("urllib3.ProxyManager",), timeout=Timeout(default=Wait.NONE)),
    CallRow(names=("urllib3.poolmanager.proxy_from_url", "urllib3.proxy_from_url"), returns="urllib3.ProxyManager"),
    CallRow(names=(_POOL,), timeout=Timeout(position=2, default=Wait.NONE)),
    CallRow(names=("urllib3.HTTPSConnectionPool",), timeout=Timeout(position=2, default=Wait.NONE)),
    CallRow(
        names=("urllib3.connection_from_url", "urllib3.connectionpool.connection_from_url"),
        timeout=Timeout(default=Wait.NONE),
        returns=_POOL,
    ),
    CallRow(names=(f"{_MANAGER}.connection_from_url",), returns=_POOL),
    CallRow(names=(f"{_MANAGER}.connection_from_host",), returns=_POOL),
    CallRow(names=(f"{_MANAGER}.clear",), role=Role.CLOSE),
    CallRow(names=(f"{_POOL}.close",), role=Role.CLOSE),
    CallRow(names=(f"{_RESPONSE}.read",), effects=Effect.NETWORK, keeps=False),
    CallRow(names=(f"{_RESPONSE}.stream",), effects=Effect.NETWORK, keeps=False),
)
