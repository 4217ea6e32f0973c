"""What `signal`, `atexit`, `weakref` and the hooks of `sys` and `threading` mean: code that runs when it likes."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Effect, Kind, Role, RunsIn, Spawn, Timeout, Wait

CLASSES: tuple[ClassRow, ...] = (ClassRow(names=("weakref.finalize",), kind=Kind.OTHER),)

_FINALIZER = Spawn(runs_in=RunsIn.FINALIZER, keyword="callback", position=1)

HOOKS = frozenset({"sys.excepthook", "sys.unraisablehook", "threading.excepthook"})
"""Variables of libraries: what is assigned to one runs in whatever thread raises."""

CALLS: tuple[CallRow, ...] = (
    CallRow(names=("signal.signal",), spawn=Spawn(runs_in=RunsIn.SIGNAL, keyword="handler", position=1)),
    CallRow(names=("signal.pause",), effects=Effect.WAIT, timeout=Timeout(keyword=""), keeps=False),
    *(
        CallRow(
            names=(f"signal.{name}",),
            effects=Effect.WAIT,
            timeout=Timeout(keyword=""),
            keeps=False,
            bounded="signal.sigtimedwait",
        )
        for name in ("sigwait", "sigwaitinfo")
    ),
    # Its parameters are positional only.
    CallRow(
        names=("signal.sigtimedwait",),
        effects=Effect.WAIT,
        timeout=Timeout(position=1, default=Wait.FINITE, infinite=()),
        keeps=False,
    ),
    CallRow(names=("atexit.register",), spawn=Spawn(runs_in=RunsIn.ATEXIT, position=0, arguments_from=1)),
    CallRow(names=("atexit.unregister",), keeps=False),
    CallRow(names=("weakref.finalize",), spawn=Spawn(runs_in=RunsIn.FINALIZER, position=1, arguments_from=2)),
    CallRow(names=("weakref.finalize.detach",), role=Role.CANCEL),
    CallRow(names=("weakref.ref", "weakref.ReferenceType", "_weakref.ref"), spawn=_FINALIZER, keeps=False),
    CallRow(names=("weakref.proxy", "_weakref.proxy"), spawn=_FINALIZER, keeps=False),
    CallRow(names=("weakref.WeakMethod",), spawn=_FINALIZER, keeps=False),
    *(
        CallRow(names=(f"{module}.{name}",), spawn=Spawn(runs_in=RunsIn.HOOK, position=0))
        for module in ("sys", "threading")
        for name in ("settrace", "setprofile")
    ),
    *(
        CallRow(names=(f"threading.{name}",), spawn=Spawn(runs_in=RunsIn.HOOK, position=0), since=(3, 12))
        for name in ("settrace_all_threads", "setprofile_all_threads")
    ),
    CallRow(names=("sys.addaudithook",), spawn=Spawn(runs_in=RunsIn.HOOK, position=0)),
    # They run in the thread that forks; `after_in_child` does in the child, where nothing else runs.
    CallRow(
        names=("os.register_at_fork", "posix.register_at_fork"),
        spawn=Spawn(runs_in=RunsIn.HOOK, keyword="before"),
        callbacks=(Spawn(runs_in=RunsIn.HOOK, keyword="after_in_parent"),),
    ),
)
