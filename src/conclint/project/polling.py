"""Polling: loops that ask a primitive, or a variable, again and again until another thread changes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import Domain, Effect, Kind
from conclint.model.observations import Asked, Poll
from conclint.model.values import Attribute, Constant, Local, Name, Result, ValueId
from conclint.project.objects import Site
from conclint.project.roots import Root
from conclint.project.shared import SharedAccess

if TYPE_CHECKING:
    from conclint.project.project import Project

_WAITS: dict[tuple[Kind, str, bool | None], str] = {
    (Kind.EVENT, "is_set", False): "wait",
    (Kind.EVENT, "isSet", False): "wait",
    (Kind.THREAD, "is_alive", True): "join",
    (Kind.TIMER, "is_alive", True): "join",
    (Kind.PROCESS, "is_alive", True): "join",
    (Kind.FUTURE, "done", False): "result",
    (Kind.FUTURE, "ready", False): "wait",
    (Kind.QUEUE, "empty", True): "get",
    (Kind.POPEN, "poll", None): "wait",
    (Kind.LOCK, "locked", True): "acquire",
}
"""What a primitive is asked while the loop goes on, and the method that waits for the answer instead."""
_CLOCK = "time"


class PolledPrimitive(NamedTuple):
    """A loop that asks a primitive (must) and could wait for it by its method `wait`."""

    module: int
    poll: Poll
    call: Site
    wait: str
    is_limited: bool
    """Whether it asks for something else too, such as the time."""


class PolledState(NamedTuple):
    """A loop without any body that asks for some state, and a write of it that another thread makes (may)."""

    module: int
    poll: Poll
    state: ValueId
    write: SharedAccess
    root: Root
    """Where the thread of the write begins; that of the loop, where the main thread writes."""


def iter_polled_primitives(project: Project) -> Iterator[PolledPrimitive]:
    """Yield loops whose only shared state is one primitive; a deadline, or a count of its own, may end them too."""
    for module, facts in enumerate(project.modules):
        for poll in facts.polls:
            waits = [found for one in poll.asked if (found := _find_wait(project, module, one)) is not None]
            others = len(poll.asked) - 1
            private = sum(_is_private(project, module, poll, one) for one in poll.asked)
            if len(waits) == 1 and private == others and _only_sleeps(project, module, poll):
                yield PolledPrimitive(module, poll, *waits[0], others > 0)


def _find_wait(project: Project, module: int, asked: Asked) -> tuple[Site, str] | None:
    """Return the call that asks, and the method that would wait, if all that it may be called on has that one."""
    value = project.value(module, asked.value)
    if not isinstance(value, Result) or project.modules[module].calls[value.call].arguments:
        return None
    site = Site(module, value.call)
    found = set()
    for target in project.externals(site):
        row = project.class_row(target.receiver) if target.receiver is not None else None
        known = row is not None and row.domain is not Domain.TASK
        method = target.name.rpartition(".")[2]
        found.add(_WAITS.get((row.kind, method, asked.goes_on), "") if row is not None and known else "")
    wait = found.pop() if len(found) == 1 and not project.callees(site) else ""
    return (site, wait) if wait else None


def _is_private(project: Project, module: int, poll: Poll, asked: Asked) -> bool:
    """Whether a part of the test is nobody else's: a constant, a local variable, the time."""
    facts = project.modules[module]
    value = facts.values[asked.value]
    if isinstance(value, Local):
        return value.function == facts.functions[poll.function].symbol
    if isinstance(value, Result):
        targets = project.externals(Site(module, value.call))
        return bool(targets) and all(target.name.partition(".")[0] == _CLOCK for target in targets)
    return isinstance(value, Constant)


def _only_sleeps(project: Project, module: int, poll: Poll) -> bool:
    if poll.pause is None:
        return True
    value = project.value(module, poll.pause)
    rows = [row for _, row in project.rows(Site(module, value.call))] if isinstance(value, Result) else []
    return bool(rows) and all(row.effects is Effect.SLEEP and not row.coroutine for row in rows)


def iter_polled_state(project: Project) -> Iterator[PolledState]:
    """Yield loops without a body whose only condition is a variable that another thread writes."""
    for module, facts in enumerate(project.modules):
        for poll in facts.polls:
            shared = [one for one in poll.asked if not _is_private(project, module, poll, one)]
            if poll.pause is None and len(shared) == 1:
                found = _find_write(project, module, poll, shared[0].value)
                if found is not None:
                    yield PolledState(module, poll, shared[0].value, *found)


def _find_write(project: Project, module: int, poll: Poll, value: ValueId) -> tuple[SharedAccess, Root] | None:
    if not isinstance(project.value(module, value), Attribute | Name | Local):
        return None
    place = project.places.find(module, value)
    reader = project.modules[module].functions[poll.function].symbol
    for access in project.shared.by_place.get(place, ()) if place is not None else ():
        if not access.is_write or access.place.element or access.function == reader:
            continue
        for writing in project.parallel.controls(access.function):
            for reading in project.parallel.controls(reader):
                root = writing.root or reading.root
                if root is not None and writing != reading and not project.shared.is_quiet(access.function):
                    return access, root
    return None
