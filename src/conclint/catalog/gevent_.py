"""What `gevent` (26) and `eventlet` mean: greenlets take turns in one thread, and change over only where they wait."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Effect, Kind, Role, RunsIn, Spawn, Timeout, Wait

_GREENLET = "gevent.Greenlet"
_RESULT = "gevent.event.AsyncResult"
_GROUP = "gevent.pool.Group"
_THREADS = "gevent.threadpool.ThreadPool"

PATCHERS = frozenset({"gevent.monkey.patch_all", "gevent.monkey.patch_thread", "eventlet.monkey_patch"})
"""Calls after which the threads of the standard library are greenlets."""


def _queue(name: str, *bases: str) -> ClassRow:
    return ClassRow(
        names=(f"gevent.queue.{name}",), kind=Kind.QUEUE, bases=tuple(f"gevent.queue.{one}" for one in bases)
    )


CLASSES: tuple[ClassRow, ...] = (
    ClassRow(names=(_GREENLET, "gevent.greenlet.Greenlet"), kind=Kind.OTHER, runs=("_run",), runs_in=RunsIn.GREENLET),
    # Greenlets exclude each other with them, as threads do with theirs.
    ClassRow(names=("gevent.lock.Semaphore",), kind=Kind.SEMAPHORE),
    ClassRow(names=("gevent.lock.BoundedSemaphore",), kind=Kind.SEMAPHORE, bases=("gevent.lock.Semaphore",)),
    ClassRow(names=("gevent.lock.RLock",), kind=Kind.RLOCK),
    ClassRow(names=("gevent.event.Event",), kind=Kind.EVENT),
    ClassRow(names=(_RESULT,), kind=Kind.FUTURE),
    _queue("SimpleQueue"),
    ClassRow(
        names=("gevent.queue.Queue", "gevent.queue.JoinableQueue"),
        kind=Kind.QUEUE,
        bases=("gevent.queue.SimpleQueue",),
    ),
    _queue("LifoQueue", "Queue"),
    _queue("PriorityQueue", "Queue"),
    _queue("UnboundQueue", "Queue"),
    _queue("Channel"),
    ClassRow(names=(_GROUP,), kind=Kind.OTHER),
    ClassRow(names=("gevent.pool.Pool",), kind=Kind.OTHER, bases=(_GROUP,)),
    ClassRow(names=(_THREADS,), kind=Kind.OTHER),
    ClassRow(
        names=("gevent.threadpool.ThreadPoolExecutor",),
        kind=Kind.EXECUTOR,
        bases=("concurrent.futures.ThreadPoolExecutor",),
    ),
    ClassRow(names=("gevent.local.local",), kind=Kind.THREAD_LOCAL),
    ClassRow(names=("gevent.Timeout", "gevent.timeout.Timeout"), kind=Kind.OTHER),
    ClassRow(names=("gevent.baseserver.BaseServer",), kind=Kind.OTHER),
    *(
        ClassRow(names=(name,), kind=Kind.OTHER, bases=("gevent.baseserver.BaseServer",))
        for name in ("gevent.pywsgi.WSGIServer", "gevent.server.StreamServer")
    ),
)

_FIRST = Timeout(position=0)
_SECOND = Timeout(position=1)
_BLOCK_FIRST = Timeout(position=1, nonblocking=(("block", 0, False),))
_BLOCK_SECOND = Timeout(position=2, nonblocking=(("block", 1, False),))
_ACQUIRE = Timeout(position=1, nonblocking=(("blocking", 0, False),))
_RUN = Spawn(runs_in=RunsIn.GREENLET, position=0, arguments_from=1)
_RUN_LATER = Spawn(runs_in=RunsIn.GREENLET, position=1, arguments_from=2)
_MAP = Spawn(runs_in=RunsIn.GREENLET, keyword="func", position=0, arguments_from=1, maps=True)
_APPLY = Spawn(
    runs_in=RunsIn.GREENLET, keyword="func", position=0, args_keyword="args", args_position=1, kwargs_keyword="kwds"
)

_LOCK_CALLS = tuple(
    row
    for name in ("gevent.lock.Semaphore", "gevent.lock.RLock")
    for row in (
        CallRow(names=(f"{name}.acquire",), effects=Effect.WAIT, timeout=_ACQUIRE, keeps=False),
        CallRow(
            names=(f"{name}.__enter__",),
            effects=Effect.WAIT,
            timeout=Timeout(keyword=""),
            keeps=False,
            bounded=f"{name}.acquire",
        ),
        CallRow(names=(f"{name}.__exit__",), keeps=False),
        CallRow(names=(f"{name}.release",), keeps=False),
    )
)

_QUEUE_CALLS = tuple(
    row
    for name in ("gevent.queue.SimpleQueue", "gevent.queue.Channel")
    for row in (
        CallRow(names=(f"{name}.get",), effects=Effect.WAIT, timeout=_BLOCK_FIRST),
        CallRow(names=(f"{name}.put",), effects=Effect.WAIT, timeout=_BLOCK_SECOND),
        CallRow(names=(f"{name}.get_nowait",)),
        CallRow(names=(f"{name}.put_nowait",)),
        *(CallRow(names=(f"{name}.{method}",), keeps=False) for method in ("empty", "full", "qsize")),
    )
)

_POOL_CALLS = (
    CallRow(names=(f"{_GROUP}.spawn",), spawn=_RUN, returns=_GREENLET),
    CallRow(names=(f"{_GROUP}.apply_async",), spawn=_APPLY, returns=_GREENLET),
    CallRow(names=(f"{_GROUP}.map_async",), spawn=_MAP, returns=_GREENLET),
    CallRow(names=(f"{_GROUP}.apply",), effects=Effect.WAIT, timeout=Timeout(keyword=""), spawn=_APPLY),
    CallRow(names=(f"{_GROUP}.map",), effects=Effect.WAIT, timeout=Timeout(keyword=""), spawn=_MAP),
    CallRow(names=(f"{_GROUP}.imap", f"{_GROUP}.imap_unordered"), spawn=_MAP),
    CallRow(names=(f"{_GROUP}.join",), effects=Effect.WAIT, timeout=_FIRST, role=Role.JOIN),
    CallRow(names=(f"{_GROUP}.kill",), effects=Effect.WAIT, timeout=_BLOCK_SECOND, role=Role.CANCEL),
    CallRow(names=("gevent.pool.Pool.wait_available",), effects=Effect.WAIT, timeout=_FIRST, keeps=False),
    # These are real threads, also after monkey patching. An error of a job is printed, as that of a thread is.
    CallRow(
        names=(f"{_THREADS}.spawn",),
        spawn=Spawn(runs_in=RunsIn.THREAD, keyword="func", position=0, arguments_from=1),
        returns=_RESULT,
    ),
    CallRow(
        names=(f"{_THREADS}.apply",),
        effects=Effect.WAIT,
        timeout=Timeout(keyword=""),
        spawn=Spawn(
            runs_in=RunsIn.THREAD,
            keyword="func",
            position=0,
            args_keyword="args",
            args_position=1,
            kwargs_keyword="kwds",
        ),
    ),
    CallRow(
        names=(f"{_THREADS}.map",),
        effects=Effect.WAIT,
        timeout=Timeout(keyword=""),
        spawn=Spawn(runs_in=RunsIn.THREAD, keyword="func", position=0, arguments_from=1, maps=True),
    ),
    CallRow(names=(f"{_THREADS}.join",), effects=Effect.WAIT, timeout=Timeout(keyword=""), role=Role.JOIN),
    CallRow(names=(f"{_THREADS}.kill",), role=Role.CLOSE),
)

CALLS: tuple[CallRow, ...] = (
    *(CallRow(names=(name,), keeps=False) for name in sorted(PATCHERS)),
    *(CallRow(names=(name,), spawn=_RUN, returns=_GREENLET) for name in ("gevent.spawn", f"{_GREENLET}.spawn")),
    *(
        CallRow(names=(name,), spawn=_RUN_LATER, returns=_GREENLET)
        for name in ("gevent.spawn_later", f"{_GREENLET}.spawn_later")
    ),
    CallRow(names=("gevent.spawn_raw", "gevent.hub.spawn_raw"), spawn=_RUN),
    CallRow(names=(_GREENLET,), spawn=_RUN),
    CallRow(names=(f"{_GREENLET}.start",), role=Role.START),
    CallRow(names=(f"{_GREENLET}.join",), effects=Effect.WAIT, timeout=_FIRST, role=Role.JOIN),
    CallRow(names=(f"{_GREENLET}.get",), effects=Effect.WAIT, timeout=_BLOCK_FIRST, role=Role.RESULT),
    CallRow(names=(f"{_GREENLET}.kill",), effects=Effect.WAIT, timeout=_BLOCK_SECOND, role=Role.CANCEL),
    CallRow(
        names=(f"{_GREENLET}.link",),
        role=Role.CALLBACK,
        spawn=Spawn(runs_in=RunsIn.GREENLET, keyword="callback", position=0),
    ),
    CallRow(
        names=("gevent.joinall", "gevent.greenlet.joinall"),
        effects=Effect.WAIT,
        timeout=_SECOND,
        role=Role.JOIN,
        keeps=False,
    ),
    CallRow(
        names=("gevent.killall", "gevent.greenlet.killall"),
        effects=Effect.WAIT,
        timeout=Timeout(position=3, nonblocking=(("block", 2, False),)),
        role=Role.CANCEL,
        keeps=False,
    ),
    CallRow(names=("gevent.wait", "gevent.hub.wait"), effects=Effect.WAIT, timeout=_SECOND, keeps=False),
    CallRow(names=("gevent.iwait", "gevent.hub.iwait"), effects=Effect.WAIT, timeout=_SECOND, keeps=False),
    CallRow(names=("gevent.sleep", "gevent.hub.sleep"), effects=Effect.SLEEP, keeps=False),
    CallRow(names=("eventlet.sleep",), effects=Effect.SLEEP, keeps=False),
    CallRow(names=("gevent.Timeout",), timeout=Timeout(keyword="seconds", position=0, default=Wait.NONE)),
    CallRow(
        names=("gevent.with_timeout", "gevent.timeout.with_timeout"),
        timeout=Timeout(keyword="seconds", position=0, default=Wait.FINITE),
        spawn=Spawn(runs_in=RunsIn.HERE, keyword="function", position=1, arguments_from=2),
    ),
    *_LOCK_CALLS,
    CallRow(names=("gevent.lock.Semaphore.wait",), effects=Effect.WAIT, timeout=_FIRST, keeps=False),
    CallRow(names=("gevent.lock.Semaphore.locked",), keeps=False),
    CallRow(names=("gevent.event.Event.wait",), effects=Effect.WAIT, timeout=_FIRST, keeps=False),
    *(CallRow(names=(f"gevent.event.Event.{name}",), keeps=False) for name in ("clear", "is_set", "set")),
    CallRow(names=(f"{_RESULT}.get",), effects=Effect.WAIT, timeout=_BLOCK_FIRST, role=Role.RESULT),
    CallRow(names=(f"{_RESULT}.wait",), effects=Effect.WAIT, timeout=_FIRST, role=Role.JOIN),
    *(CallRow(names=(f"{_RESULT}.{name}",)) for name in ("set", "set_exception")),
    *_QUEUE_CALLS,
    CallRow(names=("gevent.queue.SimpleQueue.peek",), effects=Effect.WAIT, timeout=_BLOCK_FIRST),
    CallRow(names=("gevent.queue.Queue.join",), effects=Effect.WAIT, timeout=_FIRST),
    CallRow(names=("gevent.queue.Queue.task_done",), keeps=False),
    *_POOL_CALLS,
    # A server runs its application, or its `handle`, in a greenlet for each connection.
    CallRow(
        names=("gevent.pywsgi.WSGIServer",),
        spawn=Spawn(runs_in=RunsIn.GREENLET, keyword="application", position=1),
    ),
    CallRow(names=("gevent.server.StreamServer",), spawn=Spawn(runs_in=RunsIn.GREENLET, keyword="handle", position=1)),
    CallRow(names=("gevent.baseserver.BaseServer.serve_forever",), effects=Effect.NETWORK),
    CallRow(names=("gevent.baseserver.BaseServer.start",), role=Role.START),
    CallRow(names=("gevent.baseserver.BaseServer.stop",), effects=Effect.WAIT, role=Role.CANCEL),
    # eventlet
    *(CallRow(names=(f"eventlet.{name}",), spawn=_RUN) for name in ("spawn", "spawn_n")),
    CallRow(names=("eventlet.spawn_after",), spawn=_RUN_LATER),
)
