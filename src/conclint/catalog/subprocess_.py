"""What `subprocess` means."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Domain, Effect, Kind, Role, Timeout

CLASSES: tuple[ClassRow, ...] = (
    ClassRow(names=("subprocess.Popen",), kind=Kind.POPEN, domain=Domain.PROCESS),
    ClassRow(names=("subprocess.CompletedProcess",), kind=Kind.OTHER),
)

_EXEC = "asyncio.create_subprocess_exec"
_SHELL = "asyncio.create_subprocess_shell"
_RUN = "subprocess.run"
_ANY = Timeout()
_NONE = Timeout(keyword="")

CALLS: tuple[CallRow, ...] = (
    CallRow(
        names=("subprocess.run",),
        effects=Effect.SUBPROCESS,
        timeout=_ANY,
        returns="subprocess.CompletedProcess",
        keeps=False,
        twin=_EXEC,
    ),
    CallRow(names=("subprocess.call",), effects=Effect.SUBPROCESS, timeout=_ANY, keeps=False, twin=_EXEC),
    # Its signature is (*popenargs, **kwargs), and it hands `timeout` on to `call`.
    CallRow(names=("subprocess.check_call",), effects=Effect.SUBPROCESS, timeout=_ANY, keeps=False, twin=_EXEC),
    CallRow(names=("subprocess.check_output",), effects=Effect.SUBPROCESS, timeout=_ANY, keeps=False, twin=_EXEC),
    CallRow(
        names=("subprocess.getoutput",),
        effects=Effect.SUBPROCESS,
        timeout=_NONE,
        keeps=False,
        twin=_SHELL,
        bounded=_RUN,
    ),
    CallRow(
        names=("subprocess.getstatusoutput",),
        effects=Effect.SUBPROCESS,
        timeout=_NONE,
        keeps=False,
        twin=_SHELL,
        bounded=_RUN,
    ),
    CallRow(names=("subprocess.Popen",), effects=Effect.SUBPROCESS, twin=_EXEC),
    CallRow(
        names=("subprocess.Popen.wait",),
        effects=Effect.SUBPROCESS | Effect.WAIT,
        timeout=Timeout(position=0),
        role=Role.JOIN,
    ),
    CallRow(
        names=("subprocess.Popen.communicate",),
        effects=Effect.SUBPROCESS | Effect.WAIT,
        timeout=Timeout(position=1),
        role=Role.JOIN,
    ),
    CallRow(
        names=("subprocess.Popen.__exit__",),
        effects=Effect.SUBPROCESS | Effect.WAIT,
        timeout=_NONE,
        role=Role.CLOSE,
    ),
    CallRow(names=("subprocess.Popen.poll",), role=Role.RESULT),
    CallRow(names=("subprocess.Popen.terminate",), role=Role.CANCEL),
    CallRow(names=("subprocess.Popen.kill",), role=Role.CANCEL),
    CallRow(names=("subprocess.Popen.send_signal",), role=Role.CANCEL),
)
