"""What `gevent` (26) and `eventlet` mean: greenlets take turns in one thread, and change over only where they wait."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Effect, Kind, Role, Timeout, Wait

_GREENLET = "gevent.Greenlet"

PATCHERS = frozenset({"gevent.monkey.patch_all", "gevent.monkey.patch_thread", "eventlet.monkey_patch"})
"""Calls after which the threads of the standard library are greenlets."""

CLASSES: tuple[ClassRow, ...] = (ClassRow(names=(_GREENLET, "gevent.greenlet.Greenlet"), kind=Kind.OTHER),)

CALLS: tuple[CallRow, ...] = (
    *(CallRow(names=(name,), keeps=False) for name in sorted(PATCHERS)),
    *(
        CallRow(names=(name,), returns=_GREENLET)
        for name in ("gevent.spawn", "gevent.spawn_later", f"{_GREENLET}.spawn", f"{_GREENLET}.spawn_later")
    ),
    CallRow(names=(f"{_GREENLET}.start",), role=Role.START),
    CallRow(names=(f"{_GREENLET}.join",), effects=Effect.WAIT, timeout=Timeout(position=0), role=Role.JOIN),
    CallRow(
        names=(f"{_GREENLET}.get",),
        effects=Effect.WAIT,
        timeout=Timeout(position=1, nonblocking=(("block", 0, False),)),
        role=Role.RESULT,
    ),
    CallRow(
        names=(f"{_GREENLET}.kill",),
        effects=Effect.WAIT,
        timeout=Timeout(position=2, nonblocking=(("block", 1, False),)),
        role=Role.CANCEL,
    ),
    CallRow(
        names=("gevent.joinall", "gevent.greenlet.joinall"),
        effects=Effect.WAIT,
        timeout=Timeout(position=1),
        role=Role.JOIN,
        keeps=False,
    ),
    CallRow(names=("gevent.sleep", "gevent.hub.sleep", "eventlet.sleep"), effects=Effect.SLEEP, keeps=False),
    CallRow(names=("gevent.Timeout",), timeout=Timeout(keyword="seconds", position=0, default=Wait.NONE)),
)
