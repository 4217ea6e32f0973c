"""What `os` means for processes, what `time` and `sched` mean, and terminal input. Files stand in `files`."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Effect, Kind, Role, RunsIn, Spawn, Timeout

CLASSES: tuple[ClassRow, ...] = (ClassRow(names=("sched.scheduler",), kind=Kind.OTHER),)

_UNBOUNDED = Timeout(keyword="")
_EXEC = "asyncio.create_subprocess_exec"
_SHELL = "asyncio.create_subprocess_shell"
_RUN = "subprocess.run"
_ACTION = Spawn(
    runs_in=RunsIn.HERE,
    keyword="action",
    position=2,
    args_keyword="argument",
    args_position=3,
    kwargs_keyword="kwargs",
)

_PROCESSES = (
    CallRow(
        names=("os.system",), effects=Effect.SUBPROCESS, timeout=_UNBOUNDED, keeps=False, twin=_SHELL, bounded=_RUN
    ),
    CallRow(names=("os.popen",), effects=Effect.SUBPROCESS, timeout=_UNBOUNDED, keeps=False, twin=_SHELL, bounded=_RUN),
    # With P_NOWAIT as first argument they do not wait for the child.
    *(
        CallRow(
            names=(f"os.spawn{suffix}",),
            effects=Effect.SUBPROCESS,
            timeout=_UNBOUNDED,
            keeps=False,
            twin=_EXEC,
            bounded=_RUN,
        )
        for suffix in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")
    ),
    CallRow(names=("os.posix_spawn", "posix.posix_spawn"), effects=Effect.SUBPROCESS, keeps=False, twin=_EXEC),
    CallRow(names=("os.posix_spawnp", "posix.posix_spawnp"), effects=Effect.SUBPROCESS, keeps=False, twin=_EXEC),
    CallRow(names=("os.fork", "posix.fork"), effects=Effect.SUBPROCESS),
    CallRow(names=("os.forkpty", "posix.forkpty"), effects=Effect.SUBPROCESS),
    *(
        CallRow(
            names=(f"os.{name}", f"posix.{name}"),
            effects=Effect.SUBPROCESS | Effect.WAIT,
            timeout=_UNBOUNDED,
            keeps=False,
        )
        for name in ("wait", "waitpid", "waitid", "wait3", "wait4")
    ),
)

CALLS: tuple[CallRow, ...] = (
    *_PROCESSES,
    CallRow(names=("time.sleep",), effects=Effect.SLEEP, keeps=False, twin="asyncio.sleep"),
    *(
        CallRow(names=(f"time.{name}",), keeps=False)
        for name in ("time", "monotonic", "perf_counter", "time_ns", "monotonic_ns", "perf_counter_ns", "process_time")
    ),
    CallRow(names=("getpass.getpass",), effects=Effect.TERMINAL, timeout=_UNBOUNDED, keeps=False),
    *(
        CallRow(names=(f"sys.stdin.{name}",), effects=Effect.TERMINAL, timeout=_UNBOUNDED, keeps=False)
        for name in ("read", "readline", "readlines")
    ),
    # The actions run in the thread that calls `run`.
    CallRow(names=("sched.scheduler.enter",), spawn=_ACTION),
    CallRow(names=("sched.scheduler.enterabs",), spawn=_ACTION),
    CallRow(names=("sched.scheduler.cancel",), role=Role.CANCEL),
    CallRow(
        names=("sched.scheduler.run",),
        effects=Effect.SLEEP,
        timeout=Timeout(keyword="", nonblocking=(("blocking", 0, False),)),
    ),
)
