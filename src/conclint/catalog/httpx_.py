"""What `httpx` (0.28) and `httpx2` mean: five seconds for everything, unless a timeout of None is given."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Domain, Effect, Kind, Role, Timeout, Wait

_LIBRARIES = ("httpx", "httpx2")
_VERBS = ("get", "options", "head", "post", "put", "patch", "delete", "request", "stream")
_FINITE = Timeout(default=Wait.FINITE)
# What is given here is the default of the client's requests.
_CLIENT = Timeout(default=Wait.FINITE)

CLASSES: tuple[ClassRow, ...] = tuple(
    row
    for library in _LIBRARIES
    for row in (
        ClassRow(names=(f"{library}.Client", f"{library}._client.Client"), kind=Kind.SESSION),
        ClassRow(
            names=(f"{library}.AsyncClient", f"{library}._client.AsyncClient"), kind=Kind.SESSION, domain=Domain.TASK
        ),
        ClassRow(names=(f"{library}.Response", f"{library}._models.Response"), kind=Kind.OTHER),
    )
)

CALLS: tuple[CallRow, ...] = tuple(
    row
    for library in _LIBRARIES
    for row in (
        *(
            CallRow(
                names=(f"{library}.{verb}", f"{library}._api.{verb}"),
                effects=Effect.NETWORK,
                timeout=_FINITE,
                returns=f"{library}.Response",
                keeps=False,
                twin=f"{library}.AsyncClient.{verb}",
            )
            for verb in _VERBS
        ),
        *(
            CallRow(
                names=(f"{library}.Client.{verb}",),
                effects=Effect.NETWORK,
                timeout=_FINITE,
                returns=f"{library}.Response",
                keeps=False,
                twin=f"{library}.AsyncClient.{verb}",
            )
            for verb in _VERBS
        ),
        *(
            CallRow(
                names=(f"{library}.AsyncClient.{verb}",),
                effects=Effect.NETWORK,
                timeout=_FINITE,
                returns=f"{library}.Response",
                coroutine=True,
                keeps=False,
            )
            for verb in _VERBS
            if verb != "stream"
        ),
        # It gives an async context manager; the network is used when that is entered.
        CallRow(names=(f"{library}.AsyncClient.stream",), timeout=_FINITE, keeps=False),
        CallRow(names=(f"{library}.Client",), timeout=_CLIENT),
        CallRow(names=(f"{library}.AsyncClient",), timeout=_CLIENT),
        CallRow(names=(f"{library}.Timeout",), timeout=Timeout(position=0, default=Wait.FINITE)),
        CallRow(names=(f"{library}.Client.send",), effects=Effect.NETWORK, returns=f"{library}.Response"),
        CallRow(
            names=(f"{library}.AsyncClient.send",),
            effects=Effect.NETWORK,
            returns=f"{library}.Response",
            coroutine=True,
        ),
        CallRow(names=(f"{library}.Client.close",), effects=Effect.NETWORK, role=Role.CLOSE),
        CallRow(names=(f"{library}.Client.__exit__",), effects=Effect.NETWORK, role=Role.CLOSE),
        CallRow(names=(f"{library}.AsyncClient.aclose",), role=Role.CLOSE, coroutine=True),
        CallRow(names=(f"{library}.AsyncClient.__aexit__",), role=Role.CLOSE, coroutine=True),
        CallRow(names=(f"{library}.Response.json",), keeps=False),
        CallRow(names=(f"{library}.Response.raise_for_status",), keeps=False),
    )
)
