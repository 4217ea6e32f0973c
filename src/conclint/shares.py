"""The project rules, shared out between this process and a forked one that sees the same linked project."""

from __future__ import annotations

import multiprocessing
import signal
import traceback
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

import msgspec

from conclint.model.alarm import Alarm
from conclint.model.result import Failure
from conclint.model.rule import ProjectCheck
from conclint.processes import may_fork

if TYPE_CHECKING:
    from conclint.project.project import Project

_MANY_CALLS = 5_000
"""A smaller project is checked before another process would have started."""
_STATE_AND_LOCKS = "CON2"
"""The rules that share their groundwork, places and locksets, and take about half of the time."""


class Share(msgspec.Struct, frozen=True, array_like=True):
    """What some checks found, and which of them failed."""

    alarms: tuple[Alarm, ...]
    failures: tuple[Failure, ...]


def check_project(project: Project, checks: Sequence[ProjectCheck[Any]], *, jobs: int) -> Share:
    """Run the checks over the project; a bug in one costs that one alone."""
    if jobs < 2 or len(project.calls) < _MANY_CALLS or not may_fork():
        return _run(project, checks)
    theirs = [check for check in checks if check.rule.code.startswith(_STATE_AND_LOCKS)]
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_send, args=(project, theirs, sender), name="conclint-rules")
    child.start()
    sender.close()
    try:
        ours = _run(project, [check for check in checks if check not in theirs])
        received = _receive(receiver) or _run(project, theirs)
    finally:
        # It has ended, unless this process was interrupted.
        child.kill()
        child.join()
    return Share(ours.alarms + received.alarms, ours.failures + received.failures)


def _receive(receiver: Connection) -> Share | None:
    """Return what the child has found, None if it died, as for want of memory."""
    try:
        return msgspec.msgpack.decode(receiver.recv_bytes(), type=Share)
    except (EOFError, OSError):
        return None


def _send(project: Project, checks: Sequence[ProjectCheck[Any]], sender: Connection) -> None:
    # Ctrl-C reaches both processes: it ends this one silently, and the other one speaks.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sender.send_bytes(msgspec.msgpack.encode(_run(project, checks)))
    sender.close()


def _run(project: Project, checks: Sequence[ProjectCheck[Any]]) -> Share:
    alarms: list[Alarm] = []
    failures: list[Failure] = []
    for check in checks:
        try:
            alarms += tuple(check.run(project))
        except Exception as error:  # noqa: BLE001, PERF203  # reported with its traceback, exit code 3
            failures.append(Failure("", check.rule.code, repr(error), traceback.format_exc()))
    return Share(tuple(alarms), tuple(failures))
