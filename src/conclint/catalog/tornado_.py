"""What `tornado` (6.6) means. Its loop is that of `asyncio`; only `add_callback` may be called from other threads."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Domain, Effect, Kind, Role, RunsIn, Spawn, Timeout, Wait

_LOOP = "tornado.ioloop.IOLoop"
_PERIODIC = "tornado.ioloop.PeriodicCallback"
_FETCH = Timeout(keyword="request_timeout", default=Wait.FINITE)

CLASSES: tuple[ClassRow, ...] = (
    ClassRow(names=(_LOOP,), kind=Kind.LOOP, domain=Domain.TASK),
    ClassRow(names=(_PERIODIC,), kind=Kind.OTHER, domain=Domain.TASK),
    ClassRow(names=("tornado.httpclient.HTTPClient",), kind=Kind.SESSION),
    ClassRow(names=("tornado.httpclient.AsyncHTTPClient",), kind=Kind.SESSION, domain=Domain.TASK),
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


CALLS: tuple[CallRow, ...] = (
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
)
