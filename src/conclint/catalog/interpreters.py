"""What `concurrent.interpreters` means (3.14): threads that share no objects, as processes share none."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Domain, Effect, Kind, Role, RunsIn, Spawn, Timeout

_MODULE = "concurrent.interpreters"
_INTERPRETER = f"{_MODULE}.Interpreter"
_QUEUE = f"{_MODULE}.Queue"
_SINCE = (3, 14)

CLASSES: tuple[ClassRow, ...] = (
    ClassRow(names=(_INTERPRETER,), kind=Kind.OTHER, domain=Domain.PROCESS, since=_SINCE),
    ClassRow(names=(_QUEUE,), kind=Kind.QUEUE, domain=Domain.PROCESS, since=_SINCE),
)

CALLS: tuple[CallRow, ...] = (
    *(CallRow(names=(f"{_MODULE}.{name}",), returns=_INTERPRETER, since=_SINCE) for name in ("create", "get_current")),
    CallRow(names=(f"{_MODULE}.create_queue",), returns=_QUEUE, since=_SINCE),
    # What it runs is copied, and runs on the globals of the other interpreter.
    CallRow(
        names=(f"{_INTERPRETER}.call_in_thread",),
        spawn=Spawn(runs_in=RunsIn.PROCESS, keyword="callable", position=0, arguments_from=1),
        since=_SINCE,
    ),
    *(
        CallRow(
            names=(f"{_INTERPRETER}.{name}",),
            spawn=Spawn(runs_in=RunsIn.PROCESS, position=0, arguments_from=1),
            effects=Effect.WAIT,
            timeout=Timeout(keyword=""),
            since=_SINCE,
        )
        for name in ("call", "exec")
    ),
    CallRow(names=(f"{_INTERPRETER}.close",), role=Role.CLOSE, since=_SINCE),
    CallRow(
        names=(f"{_QUEUE}.get",),
        effects=Effect.WAIT,
        timeout=Timeout(position=1, nonblocking=(("block", 0, False),)),
        since=_SINCE,
    ),
    CallRow(
        names=(f"{_QUEUE}.put",),
        effects=Effect.WAIT,
        timeout=Timeout(position=2, nonblocking=(("block", 1, False),)),
        since=_SINCE,
    ),
    *(CallRow(names=(f"{_QUEUE}.{name}",), since=_SINCE) for name in ("get_nowait", "put_nowait")),
    *(CallRow(names=(f"{_QUEUE}.{name}",), keeps=False, since=_SINCE) for name in ("empty", "full", "qsize")),
)
