"""What `requests` means (2.34): no call has a timeout of its own, and no Session holds one."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Effect, Kind, Role, Timeout

_SESSION = "requests.Session"
_VERBS = ("get", "options", "head", "post", "put", "patch", "delete")

CLASSES: tuple[ClassRow, ...] = (
    ClassRow(names=(_SESSION, "requests.sessions.Session"), kind=Kind.SESSION),
    ClassRow(names=("requests.Response", "requests.models.Response"), kind=Kind.OTHER),
    ClassRow(names=("requests.adapters.HTTPAdapter",), kind=Kind.OTHER),
)

_KEYWORD = Timeout()

CALLS: tuple[CallRow, ...] = (
    *(
        CallRow(
            names=(f"requests.{name}", f"requests.api.{name}"),
            effects=Effect.NETWORK,
            timeout=_KEYWORD,
            returns="requests.Response",
            keeps=False,
        )
        for name in (*_VERBS, "request")
    ),
    *(
        CallRow(
            names=(f"{_SESSION}.{verb}",),
            effects=Effect.NETWORK,
            timeout=_KEYWORD,
            returns="requests.Response",
            keeps=False,
        )
        for verb in _VERBS
    ),
    CallRow(
        names=(f"{_SESSION}.request",),
        effects=Effect.NETWORK,
        timeout=Timeout(position=8),
        returns="requests.Response",
        keeps=False,
    ),
    CallRow(
        names=(f"{_SESSION}.send",),
        effects=Effect.NETWORK,
        timeout=_KEYWORD,
        returns="requests.Response",
        keeps=False,
    ),
    CallRow(names=("requests.session", "requests.sessions.session"), returns=_SESSION),
    CallRow(names=(f"{_SESSION}.close",), role=Role.CLOSE),
    CallRow(names=(f"{_SESSION}.__exit__",), role=Role.CLOSE),
    CallRow(names=(f"{_SESSION}.mount",)),
    CallRow(names=("requests.Response.iter_content",), effects=Effect.NETWORK, keeps=False),
    CallRow(names=("requests.Response.iter_lines",), effects=Effect.NETWORK, keeps=False),
    CallRow(names=("requests.Response.json",), keeps=False),
    CallRow(names=("requests.Response.raise_for_status",), keeps=False),
)
