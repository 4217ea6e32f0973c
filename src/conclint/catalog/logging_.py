"""What `logging` and `warnings` mean: calls that keep nothing, and handlers that use the network."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Effect, Kind, Role, Timeout, Wait

CLASSES: tuple[ClassRow, ...] = (
    ClassRow(names=("logging.Logger",), kind=Kind.OTHER),
    ClassRow(names=("logging.LoggerAdapter",), kind=Kind.OTHER),
    ClassRow(names=("logging.handlers.HTTPHandler",), kind=Kind.OTHER),
    ClassRow(names=("logging.handlers.SocketHandler",), kind=Kind.OTHER),
    ClassRow(names=("logging.handlers.SMTPHandler",), kind=Kind.OTHER),
    ClassRow(names=("logging.handlers.SysLogHandler",), kind=Kind.OTHER),
    ClassRow(names=("logging.handlers.QueueListener",), kind=Kind.OTHER),
)

_LEVELS = ("debug", "info", "warning", "error", "exception", "critical", "log")
_NETWORK_HANDLERS = ("HTTPHandler", "SocketHandler", "SMTPHandler")

CALLS: tuple[CallRow, ...] = (
    *(
        CallRow(names=(f"{prefix}.{level}",), keeps=False)
        for prefix in ("logging", "logging.Logger", "logging.LoggerAdapter")
        for level in _LEVELS
    ),
    *(
        CallRow(names=(f"logging.{name}.{method}",), keeps=False)
        for name in ("Logger", "LoggerAdapter")
        for method in ("isEnabledFor", "setLevel", "getEffectiveLevel")
    ),
    CallRow(names=("logging.getLogger",), returns="logging.Logger", keeps=False),
    CallRow(names=("logging.Logger.getChild",), returns="logging.Logger", keeps=False),
    CallRow(names=("logging.basicConfig",)),
    CallRow(names=("warnings.warn", "_warnings.warn"), keeps=False),
    CallRow(names=("logging.handlers.HTTPHandler",), timeout=Timeout(keyword="", default=Wait.SOCKET_DEFAULT)),
    # `SocketHandler.makeSocket` connects with a timeout of one second; sending has none.
    CallRow(names=("logging.handlers.SocketHandler",), timeout=Timeout(keyword="", default=Wait.SOCKET_DEFAULT)),
    CallRow(names=("logging.handlers.SMTPHandler",), timeout=Timeout(position=6, default=Wait.FINITE)),
    *(CallRow(names=(f"logging.handlers.{name}.emit",), effects=Effect.NETWORK) for name in _NETWORK_HANDLERS),
    CallRow(names=("logging.handlers.QueueListener.start",), role=Role.START),
    CallRow(names=("logging.handlers.QueueListener.stop",), effects=Effect.WAIT, role=Role.JOIN),
    CallRow(names=("logging.handlers.QueueListener.__enter__",), role=Role.START, since=(3, 14)),
    CallRow(names=("logging.handlers.QueueListener.__exit__",), effects=Effect.WAIT, role=Role.JOIN, since=(3, 14)),
)
