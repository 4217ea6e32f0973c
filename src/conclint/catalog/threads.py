"""What `threading`, `_thread` and `queue` mean."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Effect, Kind, Role, RunsIn, Spawn, Timeout, Wait

_SERIAL = ("serialize_iterator",)

CLASSES: tuple[ClassRow, ...] = (
    ClassRow(
        names=("threading.Lock", "_thread.allocate_lock", "_thread.allocate", "_thread.LockType"),
        kind=Kind.LOCK,
        factory=True,
    ),
    ClassRow(names=("threading.RLock", "_thread.RLock"), kind=Kind.RLOCK, factory=True),
    ClassRow(names=("threading.Condition",), kind=Kind.CONDITION),
    ClassRow(names=("threading.Semaphore",), kind=Kind.SEMAPHORE),
    ClassRow(names=("threading.BoundedSemaphore",), kind=Kind.SEMAPHORE, bases=("threading.Semaphore",)),
    ClassRow(names=("threading.Event",), kind=Kind.EVENT),
    ClassRow(names=("threading.Barrier",), kind=Kind.BARRIER),
    ClassRow(names=("threading.Thread",), kind=Kind.THREAD, runs=("run",), runs_in=RunsIn.THREAD),
    ClassRow(
        names=("threading.Timer",),
        kind=Kind.TIMER,
        bases=("threading.Thread",),
        runs=("run",),
        runs_in=RunsIn.TIMER,
    ),
    ClassRow(names=("threading.local", "_thread._local", "_threading_local.local"), kind=Kind.THREAD_LOCAL),
    ClassRow(names=("queue.Queue",), kind=Kind.QUEUE),
    ClassRow(names=("queue.LifoQueue",), kind=Kind.QUEUE, bases=("queue.Queue",)),
    ClassRow(names=("queue.PriorityQueue",), kind=Kind.QUEUE, bases=("queue.Queue",)),
    ClassRow(names=("queue.SimpleQueue", "_queue.SimpleQueue"), kind=Kind.QUEUE),
    # Iterators that several threads may ask: a lock of their own lets one in at a time.
    *(ClassRow(names=(f"threading.{name}",), kind=Kind.OTHER, since=(3, 15)) for name in _SERIAL),
)

_UNBOUNDED = Timeout(keyword="")
_FIRST = Timeout(position=0)
_LOCK_ACQUIRE = Timeout(position=1, infinite=(-1,), nonblocking=(("blocking", 0, False),))
_SEMAPHORE_ACQUIRE = Timeout(position=1, nonblocking=(("blocking", 0, False),))
_QUEUE_GET = Timeout(position=1, nonblocking=(("block", 0, False),))
_QUEUE_PUT = Timeout(position=2, nonblocking=(("block", 1, False),))

_FUNCTIONS = (
    CallRow(
        names=("_thread.start_new_thread", "_thread.start_new"),
        spawn=Spawn(runs_in=RunsIn.THREAD, position=0, args_position=1),
    ),
    CallRow(
        names=("threading.Thread",),
        spawn=Spawn(
            runs_in=RunsIn.THREAD,
            keyword="target",
            position=1,
            args_keyword="args",
            args_position=3,
            kwargs_keyword="kwargs",
        ),
    ),
    CallRow(
        names=("threading.Timer",),
        spawn=Spawn(
            runs_in=RunsIn.TIMER,
            keyword="function",
            position=1,
            args_keyword="args",
            args_position=2,
            kwargs_keyword="kwargs",
        ),
    ),
    CallRow(names=("threading.Barrier",), timeout=Timeout(position=2, default=Wait.NONE)),
    CallRow(names=("threading.current_thread", "threading.currentThread"), returns="threading.Thread"),
    CallRow(names=("threading.main_thread",), returns="threading.Thread"),
    CallRow(names=("threading.enumerate",), returns_item="threading.Thread"),
    CallRow(names=("threading.active_count", "threading.activeCount"), keeps=False),
    CallRow(
        names=("threading.concurrent_tee",),
        returns_item="threading.serialize_iterator",
        since=(3, 15),
    ),
    CallRow(names=("threading.synchronized_iterator",), since=(3, 15)),
)

_THREAD_METHODS = (
    CallRow(names=("threading.Thread.start",), role=Role.START),
    CallRow(names=("threading.Thread.join",), effects=Effect.WAIT, timeout=_FIRST, role=Role.JOIN),
    CallRow(names=("threading.Thread.is_alive",), keeps=False),
    CallRow(names=("threading.Timer.cancel",), role=Role.CANCEL),
)

_LOCK_METHODS = tuple(
    row
    for name, acquire in (
        ("threading.Lock", _LOCK_ACQUIRE),
        ("threading.RLock", _LOCK_ACQUIRE),
        ("threading.Condition", _LOCK_ACQUIRE),
        ("threading.Semaphore", _SEMAPHORE_ACQUIRE),
    )
    for row in (
        CallRow(names=(f"{name}.acquire",), effects=Effect.WAIT, timeout=acquire, keeps=False),
        CallRow(
            names=(f"{name}.__enter__",),
            effects=Effect.WAIT,
            timeout=_UNBOUNDED,
            keeps=False,
            bounded=f"{name}.acquire",
        ),
        CallRow(names=(f"{name}.__exit__",), keeps=False),
        CallRow(names=(f"{name}.release",), keeps=False),
    )
)

_SIGNAL_METHODS = (
    CallRow(names=("threading.Lock.locked",), keeps=False),
    CallRow(names=("threading.RLock.locked",), keeps=False, since=(3, 14)),
    CallRow(names=("threading.Condition.locked",), keeps=False, since=(3, 14)),
    CallRow(names=("threading.Condition.wait",), effects=Effect.WAIT, timeout=_FIRST, keeps=False),
    CallRow(
        names=("threading.Condition.wait_for",),
        effects=Effect.WAIT,
        timeout=Timeout(position=1),
        spawn=Spawn(runs_in=RunsIn.HERE, keyword="predicate", position=0),
        keeps=False,
    ),
    CallRow(names=("threading.Condition.notify",), keeps=False),
    CallRow(names=("threading.Condition.notify_all", "threading.Condition.notifyAll"), keeps=False),
    CallRow(names=("threading.Event.wait",), effects=Effect.WAIT, timeout=_FIRST, keeps=False),
    CallRow(names=("threading.Event.set",), keeps=False),
    CallRow(names=("threading.Event.clear",), keeps=False),
    CallRow(names=("threading.Event.is_set", "threading.Event.isSet"), keeps=False),
    CallRow(names=("threading.Barrier.wait",), effects=Effect.WAIT, timeout=_FIRST, keeps=False),
    CallRow(names=("threading.Barrier.reset",), keeps=False),
    CallRow(names=("threading.Barrier.abort",), keeps=False),
)

_QUEUE_METHODS = (
    CallRow(names=("queue.Queue.get",), effects=Effect.WAIT, timeout=_QUEUE_GET),
    CallRow(names=("queue.Queue.put",), effects=Effect.WAIT, timeout=_QUEUE_PUT),
    CallRow(names=("queue.Queue.get_nowait",)),
    CallRow(names=("queue.Queue.put_nowait",)),
    CallRow(names=("queue.Queue.join",), effects=Effect.WAIT, timeout=_UNBOUNDED),
    CallRow(names=("queue.Queue.task_done",), keeps=False),
    CallRow(names=("queue.Queue.empty",), keeps=False),
    CallRow(names=("queue.Queue.full",), keeps=False),
    CallRow(names=("queue.Queue.qsize",), keeps=False),
    CallRow(names=("queue.Queue.shutdown",), role=Role.CLOSE, keeps=False, since=(3, 13)),
    CallRow(names=("queue.SimpleQueue.get",), effects=Effect.WAIT, timeout=_QUEUE_GET),
    # The queue has no bound, so this never waits; it is also safe in finalizers and signal handlers.
    CallRow(names=("queue.SimpleQueue.put",)),
    CallRow(names=("queue.SimpleQueue.get_nowait",)),
    CallRow(names=("queue.SimpleQueue.put_nowait",)),
    CallRow(names=("queue.SimpleQueue.empty",), keeps=False),
    CallRow(names=("queue.SimpleQueue.qsize",), keeps=False),
)

CALLS: tuple[CallRow, ...] = _FUNCTIONS + _THREAD_METHODS + _LOCK_METHODS + _SIGNAL_METHODS + _QUEUE_METHODS
