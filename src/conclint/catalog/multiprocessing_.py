"""What `multiprocessing` means: processes, pools, queues, pipes and managers."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Domain, Effect, Kind, Role, RunsIn, Spawn, Timeout, Wait

_CONTEXT = "multiprocessing.context.BaseContext"
_MANAGER = "multiprocessing.managers.SyncManager"
_CONNECTION = "multiprocessing.connection.Connection"
_RESULT = "multiprocessing.pool.AsyncResult"
_POOL = "multiprocessing.Pool"

_SHARED_CLASSES = (
    ("Lock", "synchronize.Lock", Kind.LOCK, ()),
    ("RLock", "synchronize.RLock", Kind.RLOCK, ("multiprocessing.Lock",)),
    ("Semaphore", "synchronize.Semaphore", Kind.SEMAPHORE, ("multiprocessing.Lock",)),
    ("BoundedSemaphore", "synchronize.BoundedSemaphore", Kind.SEMAPHORE, ("multiprocessing.Semaphore",)),
    ("Condition", "synchronize.Condition", Kind.CONDITION, ("multiprocessing.Lock",)),
    ("Event", "synchronize.Event", Kind.EVENT, ()),
    ("Barrier", "synchronize.Barrier", Kind.BARRIER, ("threading.Barrier",)),
    ("Queue", "queues.Queue", Kind.QUEUE, ()),
    ("JoinableQueue", "queues.JoinableQueue", Kind.QUEUE, ("multiprocessing.Queue",)),
    ("SimpleQueue", "queues.SimpleQueue", Kind.QUEUE, ()),
    ("Value", "sharedctypes.Synchronized", Kind.OTHER, ()),
    ("Array", "sharedctypes.SynchronizedArray", Kind.OTHER, ("multiprocessing.Value",)),
)

_MANAGED_CLASSES = (
    ("Lock", Kind.LOCK, "threading.Lock"),
    ("RLock", Kind.RLOCK, "threading.RLock"),
    ("Semaphore", Kind.SEMAPHORE, "threading.Semaphore"),
    ("BoundedSemaphore", Kind.SEMAPHORE, "threading.BoundedSemaphore"),
    ("Condition", Kind.CONDITION, "threading.Condition"),
    ("Event", Kind.EVENT, "threading.Event"),
    ("Barrier", Kind.BARRIER, "threading.Barrier"),
    ("Queue", Kind.QUEUE, "queue.Queue"),
    ("JoinableQueue", Kind.QUEUE, "queue.Queue"),
    ("dict", Kind.COLLECTION, "builtins.dict"),
    ("list", Kind.COLLECTION, "builtins.list"),
)
"""What a manager hands out: proxies, with the methods of the class behind them."""

CLASSES: tuple[ClassRow, ...] = (
    ClassRow(
        names=(
            "multiprocessing.Process",
            "multiprocessing.process.BaseProcess",
            "multiprocessing.context.Process",
            "multiprocessing.context.SpawnProcess",
            "multiprocessing.context.ForkProcess",
            "multiprocessing.context.ForkServerProcess",
        ),
        kind=Kind.PROCESS,
        domain=Domain.PROCESS,
        runs=("run",),
        runs_in=RunsIn.PROCESS,
    ),
    ClassRow(names=(_POOL, "multiprocessing.pool.Pool"), kind=Kind.POOL, domain=Domain.PROCESS, factory=True),
    ClassRow(
        names=("multiprocessing.pool.ThreadPool", "multiprocessing.dummy.Pool"),
        kind=Kind.POOL,
        bases=(_POOL,),
    ),
    ClassRow(
        names=("multiprocessing.dummy.Process", "multiprocessing.dummy.DummyProcess"),
        kind=Kind.THREAD,
        bases=("threading.Thread",),
    ),
    ClassRow(names=(_RESULT, "multiprocessing.pool.ApplyResult", "multiprocessing.pool.MapResult"), kind=Kind.FUTURE),
    ClassRow(names=("multiprocessing.pool.IMapIterator",), kind=Kind.OTHER),
    ClassRow(
        names=(
            _CONTEXT,
            "multiprocessing.context.DefaultContext",
            "multiprocessing.context.SpawnContext",
            "multiprocessing.context.ForkContext",
            "multiprocessing.context.ForkServerContext",
        ),
        kind=Kind.OTHER,
        domain=Domain.PROCESS,
    ),
    ClassRow(names=(_CONNECTION,), kind=Kind.OTHER, domain=Domain.PROCESS),
    ClassRow(names=("multiprocessing.connection.Listener",), kind=Kind.OTHER, domain=Domain.PROCESS),
    ClassRow(names=("multiprocessing.managers.BaseManager",), kind=Kind.OTHER, domain=Domain.PROCESS),
    ClassRow(
        names=(_MANAGER, "multiprocessing.Manager"),
        kind=Kind.OTHER,
        domain=Domain.PROCESS,
        bases=("multiprocessing.managers.BaseManager",),
    ),
    ClassRow(names=("multiprocessing.shared_memory.SharedMemory",), kind=Kind.OTHER, domain=Domain.PROCESS),
    *(
        ClassRow(
            names=(f"multiprocessing.{name}", f"multiprocessing.{real}"),
            kind=kind,
            domain=Domain.PROCESS,
            bases=bases,
            factory=True,
        )
        for name, real, kind, bases in _SHARED_CLASSES
    ),
    *(
        ClassRow(names=(f"{_MANAGER}.{name}",), kind=kind, domain=Domain.PROCESS, bases=(base,), factory=True)
        for name, kind, base in _MANAGED_CLASSES
    ),
)

_UNBOUNDED = Timeout(keyword="")
_FIRST = Timeout(position=0)
_QUEUE_GET = Timeout(position=1, nonblocking=(("block", 0, False),))
_QUEUE_PUT = Timeout(position=2, nonblocking=(("block", 1, False),))
_PROCESS_SPAWN = Spawn(
    runs_in=RunsIn.PROCESS,
    keyword="target",
    position=1,
    args_keyword="args",
    args_position=3,
    kwargs_keyword="kwargs",
)

_PROCESS_CALLS = (
    CallRow(names=("multiprocessing.Process",), spawn=_PROCESS_SPAWN),
    CallRow(
        names=("multiprocessing.dummy.Process",),
        spawn=Spawn(
            runs_in=RunsIn.THREAD,
            keyword="target",
            position=1,
            args_keyword="args",
            args_position=3,
            kwargs_keyword="kwargs",
        ),
    ),
    CallRow(names=("multiprocessing.Process.start",), role=Role.START),
    CallRow(names=("multiprocessing.Process.join",), effects=Effect.WAIT, timeout=_FIRST, role=Role.JOIN),
    CallRow(names=("multiprocessing.Process.terminate",), role=Role.CANCEL),
    CallRow(names=("multiprocessing.Process.kill",), role=Role.CANCEL),
    CallRow(names=("multiprocessing.Process.interrupt",), role=Role.CANCEL, since=(3, 14)),
    CallRow(names=("multiprocessing.Process.close",), role=Role.CLOSE),
    CallRow(names=("multiprocessing.Process.is_alive",), keeps=False),
    CallRow(names=("multiprocessing.current_process",), returns="multiprocessing.Process"),
    CallRow(names=("multiprocessing.parent_process",), returns="multiprocessing.Process"),
    CallRow(names=("multiprocessing.active_children",), returns_item="multiprocessing.Process"),
    CallRow(names=("multiprocessing.get_context", f"{_CONTEXT}.get_context"), returns=_CONTEXT),
)

_CONTEXT_CALLS = (
    CallRow(names=(f"{_CONTEXT}.Process",), spawn=_PROCESS_SPAWN, returns="multiprocessing.Process"),
    CallRow(
        names=(f"{_CONTEXT}.Pool",),
        spawn=Spawn(
            runs_in=RunsIn.EXECUTOR_PROCESS,
            keyword="initializer",
            position=1,
            args_keyword="initargs",
            args_position=2,
        ),
        returns=_POOL,
    ),
    CallRow(names=(f"{_CONTEXT}.Manager",), effects=Effect.SUBPROCESS, returns=_MANAGER),
    *(
        CallRow(names=(f"{_CONTEXT}.{name}",), returns=f"multiprocessing.{name}", keeps=False)
        for name, _, _, _ in _SHARED_CLASSES
    ),
    *(
        CallRow(names=(f"{_MANAGER}.{name}",), effects=Effect.WAIT, returns=f"{_MANAGER}.{name}")
        for name, _, _ in _MANAGED_CLASSES
    ),
)

_POOLS = (
    (_POOL, RunsIn.EXECUTOR_PROCESS),
    ("multiprocessing.pool.ThreadPool", RunsIn.EXECUTOR_THREAD),
)

# A pool has one thread that hands out all results.
_CALLBACKS = (
    Spawn(runs_in=RunsIn.CALLBACK_THREAD, keyword="callback", position=3),
    Spawn(runs_in=RunsIn.CALLBACK_THREAD, keyword="error_callback", position=4),
)

_POOL_JOBS = tuple(
    row
    for name, runs_in in _POOLS
    for one, many in (
        (
            Spawn(
                runs_in=runs_in,
                keyword="func",
                position=0,
                args_keyword="args",
                args_position=1,
                kwargs_keyword="kwds",
            ),
            Spawn(runs_in=runs_in, keyword="func", position=0, arguments_from=1, maps=True),
        ),
    )
    for row in (
        CallRow(
            names=(name,),
            spawn=Spawn(runs_in=runs_in, keyword="initializer", position=1, args_keyword="initargs", args_position=2),
        ),
        *(
            # What the twin returns has a `get` with a timeout.
            CallRow(
                names=(f"{name}.{method}",),
                effects=Effect.WAIT,
                timeout=_UNBOUNDED,
                spawn=spawn,
                bounded=f"{name}.{method}_async",
            )
            for method, spawn in (("apply", one), ("map", many), ("starmap", many))
        ),
        *(
            CallRow(names=(f"{name}.{method}_async",), spawn=spawn, callbacks=_CALLBACKS, returns=_RESULT)
            for method, spawn in (("apply", one), ("map", many), ("starmap", many))
        ),
        CallRow(names=(f"{name}.imap",), spawn=many, returns="multiprocessing.pool.IMapIterator"),
        CallRow(names=(f"{name}.imap_unordered",), spawn=many, returns="multiprocessing.pool.IMapIterator"),
    )
)

_POOL_CALLS = (
    CallRow(names=(f"{_POOL}.close",), role=Role.CANCEL),
    CallRow(names=(f"{_POOL}.terminate",), effects=Effect.WAIT, role=Role.CLOSE),
    CallRow(names=(f"{_POOL}.join",), effects=Effect.WAIT, timeout=_UNBOUNDED, role=Role.JOIN),
    # It terminates the workers: jobs that still run are lost.
    CallRow(names=(f"{_POOL}.__exit__",), effects=Effect.WAIT, role=Role.CLOSE),
    CallRow(names=(f"{_RESULT}.get",), effects=Effect.WAIT, timeout=_FIRST, role=Role.RESULT),
    CallRow(names=(f"{_RESULT}.wait",), effects=Effect.WAIT, timeout=_FIRST, role=Role.JOIN),
    CallRow(names=(f"{_RESULT}.ready",), keeps=False),
    CallRow(names=(f"{_RESULT}.successful",), keeps=False),
    CallRow(names=("multiprocessing.pool.IMapIterator.next",), effects=Effect.WAIT, timeout=_FIRST, role=Role.RESULT),
    CallRow(
        names=("multiprocessing.pool.IMapIterator.__next__",),
        effects=Effect.WAIT,
        timeout=_UNBOUNDED,
        role=Role.RESULT,
        bounded="multiprocessing.pool.IMapIterator.next",
    ),
)

_SYNC_CALLS = (
    CallRow(
        names=("multiprocessing.Lock.acquire",),
        effects=Effect.WAIT,
        timeout=Timeout(position=1, nonblocking=(("block", 0, False),)),
        keeps=False,
    ),
    CallRow(
        names=("multiprocessing.Lock.__enter__",),
        effects=Effect.WAIT,
        timeout=_UNBOUNDED,
        keeps=False,
        bounded="multiprocessing.Lock.acquire",
    ),
    CallRow(names=("multiprocessing.Lock.__exit__",), keeps=False),
    CallRow(names=("multiprocessing.Lock.release",), keeps=False),
    CallRow(names=("multiprocessing.Lock.locked",), keeps=False, since=(3, 14)),
    CallRow(names=("multiprocessing.Condition.wait",), effects=Effect.WAIT, timeout=_FIRST, keeps=False),
    CallRow(
        names=("multiprocessing.Condition.wait_for",),
        effects=Effect.WAIT,
        timeout=Timeout(position=1),
        spawn=Spawn(runs_in=RunsIn.HERE, keyword="predicate", position=0),
        keeps=False,
    ),
    CallRow(names=("multiprocessing.Condition.notify",), keeps=False),
    CallRow(names=("multiprocessing.Condition.notify_all",), keeps=False),
    CallRow(names=("multiprocessing.Event.wait",), effects=Effect.WAIT, timeout=_FIRST, keeps=False),
    CallRow(names=("multiprocessing.Event.set",), keeps=False),
    CallRow(names=("multiprocessing.Event.clear",), keeps=False),
    CallRow(names=("multiprocessing.Event.is_set",), keeps=False),
    CallRow(names=("multiprocessing.Barrier",), timeout=Timeout(position=2, default=Wait.NONE)),
    CallRow(names=("multiprocessing.Value.get_lock",), returns="multiprocessing.RLock", keeps=False),
    CallRow(names=("multiprocessing.Queue.get",), effects=Effect.WAIT, timeout=_QUEUE_GET),
    CallRow(names=("multiprocessing.Queue.put",), effects=Effect.WAIT, timeout=_QUEUE_PUT),
    CallRow(names=("multiprocessing.Queue.get_nowait",)),
    CallRow(names=("multiprocessing.Queue.put_nowait",)),
    CallRow(names=("multiprocessing.Queue.empty",), keeps=False),
    CallRow(names=("multiprocessing.Queue.full",), keeps=False),
    CallRow(names=("multiprocessing.Queue.qsize",), keeps=False),
    CallRow(names=("multiprocessing.Queue.close",), role=Role.CLOSE),
    CallRow(names=("multiprocessing.Queue.cancel_join_thread",), keeps=False),
    CallRow(names=("multiprocessing.Queue.join_thread",), effects=Effect.WAIT, timeout=_UNBOUNDED, role=Role.JOIN),
    CallRow(names=("multiprocessing.JoinableQueue.join",), effects=Effect.WAIT, timeout=_UNBOUNDED),
    CallRow(names=("multiprocessing.JoinableQueue.task_done",), keeps=False),
    CallRow(names=("multiprocessing.SimpleQueue.get",), effects=Effect.WAIT, timeout=_UNBOUNDED),
    # It writes to a pipe, which may be full.
    CallRow(names=("multiprocessing.SimpleQueue.put",), effects=Effect.WAIT, timeout=_UNBOUNDED),
    CallRow(names=("multiprocessing.SimpleQueue.empty",), keeps=False),
    CallRow(names=("multiprocessing.SimpleQueue.close",), role=Role.CLOSE),
)

_CONNECTION_CALLS = (
    CallRow(names=("multiprocessing.Pipe", f"{_CONTEXT}.Pipe"), returns_item=_CONNECTION),
    CallRow(
        names=("multiprocessing.connection.Pipe",),
        returns_item=_CONNECTION,
    ),
    CallRow(
        names=("multiprocessing.connection.wait",),
        effects=Effect.WAIT,
        timeout=Timeout(position=1),
        role=Role.JOIN,
        keeps=False,
    ),
    CallRow(
        names=("multiprocessing.connection.Client",),
        effects=Effect.NETWORK,
        timeout=_UNBOUNDED,
        returns=_CONNECTION,
    ),
    CallRow(
        names=("multiprocessing.connection.Listener.accept",),
        effects=Effect.WAIT,
        timeout=_UNBOUNDED,
        returns=_CONNECTION,
    ),
    CallRow(names=("multiprocessing.connection.Listener.close",), role=Role.CLOSE),
    *(
        CallRow(
            names=(f"{_CONNECTION}.{name}",), effects=Effect.WAIT, timeout=_UNBOUNDED, bounded=f"{_CONNECTION}.poll"
        )
        for name in ("recv", "recv_bytes", "recv_bytes_into")
    ),
    CallRow(names=(f"{_CONNECTION}.send",), effects=Effect.WAIT, timeout=_UNBOUNDED),
    CallRow(names=(f"{_CONNECTION}.send_bytes",), effects=Effect.WAIT, timeout=_UNBOUNDED),
    CallRow(
        names=(f"{_CONNECTION}.poll",),
        effects=Effect.WAIT,
        timeout=Timeout(position=0, default=Wait.NONE),
        keeps=False,
    ),
    CallRow(names=(f"{_CONNECTION}.close",), role=Role.CLOSE),
    CallRow(names=(_MANAGER,), effects=Effect.SUBPROCESS),
    CallRow(names=("multiprocessing.managers.BaseManager.start",), effects=Effect.SUBPROCESS, role=Role.START),
    CallRow(names=("multiprocessing.managers.BaseManager.connect",), effects=Effect.NETWORK),
    # `shutdown` is set on the instance by `start`.
    CallRow(names=("multiprocessing.managers.BaseManager.shutdown",), effects=Effect.WAIT, role=Role.CLOSE),
    CallRow(names=("multiprocessing.managers.BaseManager.join",), effects=Effect.WAIT, timeout=_FIRST, role=Role.JOIN),
    CallRow(names=("multiprocessing.managers.BaseManager.__exit__",), effects=Effect.WAIT, role=Role.CLOSE),
    CallRow(names=("multiprocessing.shared_memory.SharedMemory.close",), role=Role.CLOSE),
    CallRow(names=("multiprocessing.shared_memory.SharedMemory.unlink",), role=Role.CLOSE),
)

CALLS: tuple[CallRow, ...] = (
    *_PROCESS_CALLS,
    *_CONTEXT_CALLS,
    *_POOL_JOBS,
    *_POOL_CALLS,
    *_SYNC_CALLS,
    *_CONNECTION_CALLS,
)
