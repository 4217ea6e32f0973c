"""The project rules, shared out between this process and a forked one that sees the same linked project."""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
from collections.abc import Iterable, Iterator, Sequence
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
_STATE_AND_LOCKS = ("CON2", "CON510")
"""Rules that share their groundwork, who accesses what with which locks: one process does it for all of them."""
_LIFETIMES = ("CON210",)
"""Of these, what asks for lifetimes instead, like most of the others."""


class Share(msgspec.Struct, frozen=True, array_like=True):
    """What some checks found, and which of them failed."""

    alarms: tuple[Alarm, ...]
    failures: tuple[Failure, ...]


def check_project(project: Project, checks: Sequence[ProjectCheck[Any]], *, jobs: int) -> Share:
    """Run the checks over the project; a bug in one costs that one alone."""
    if jobs < 2 or len(project.calls) < _MANY_CALLS or not may_fork():
        return _run(project, checks)
    ordered = sorted(checks, key=_rank)
    leaves = _issue(len(ordered))
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_send, args=(project, _take(ordered[::-1], leaves), sender), name="conclint-rules")
    child.start()
    sender.close()
    mine: list[ProjectCheck[Any]] = []
    try:
        ours = _run(project, _take(ordered, leaves, mine))
        received = _receive(receiver) or _run(project, ordered[len(mine) :])
    finally:
        # It has ended, unless this process was interrupted.
        child.kill()
        child.join()
        os.close(leaves)
    return Share(ours.alarms + received.alarms, ours.failures + received.failures)


def _rank(check: ProjectCheck[Any]) -> tuple[bool, str]:
    """Order checks so that those with common groundwork stand together, at one end or the other."""
    code = check.rule.code
    about_state = code.startswith(_STATE_AND_LOCKS) and code not in _LIFETIMES
    return about_state, code


def _issue(count: int) -> int:
    """Return a pipe with so many leaves to take one more check: whichever process reads one has it."""
    leaves, writer = os.pipe()
    os.write(writer, bytes(count))
    os.close(writer)
    return leaves


def _take(
    checks: Sequence[ProjectCheck[Any]], leaves: int, taken: list[ProjectCheck[Any]] | None = None
) -> Iterator[ProjectCheck[Any]]:
    """Yield checks, each with a leave, and note them; the two processes begin at different ends, and meet."""
    for check in checks:
        if not os.read(leaves, 1):
            return
        if taken is not None:
            taken.append(check)
        yield check


def _receive(receiver: Connection) -> Share | None:
    """Return what the child has found, None if it died, as for want of memory."""
    try:
        return msgspec.msgpack.decode(receiver.recv_bytes(), type=Share)
    except (EOFError, OSError):
        return None


def _send(project: Project, checks: Iterable[ProjectCheck[Any]], sender: Connection) -> None:
    # Ctrl-C reaches both processes: it ends this one silently, and the other one speaks.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sender.send_bytes(msgspec.msgpack.encode(_run(project, checks)))
    sender.close()


def _run(project: Project, checks: Iterable[ProjectCheck[Any]]) -> Share:
    alarms: list[Alarm] = []
    failures: list[Failure] = []
    for check in checks:
        try:
            alarms += tuple(check.run(project))
        except Exception as error:  # noqa: BLE001, PERF203  # reported with its traceback, exit code 3
            failures.append(Failure("", check.rule.code, repr(error), traceback.format_exc()))
    return Share(tuple(alarms), tuple(failures))
