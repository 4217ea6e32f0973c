"""Polling: loops that ask a primitive, or a variable, again and again until another thread or task changes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import Domain, Effect, Kind
from conclint.model.observations import Asked, Poll
from conclint.model.values import Attribute, Await, Collection, Constant, Item, Local, Name, Result, ValueId
from conclint.project.loads import find_getters
from conclint.project.objects import Site
from conclint.project.places import Place
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
_PLAIN = frozenset({"builtins.len", "builtins.all", "builtins.any", "builtins.bool", "builtins.isinstance"})
"""What only looks at its arguments; other functions may ask another process, the file system or the clock."""
_TELLING = frozenset({Kind.EVENT, Kind.FUTURE, Kind.TASK, Kind.QUEUE, Kind.COLLECTION, Kind.LOCK, Kind.SEMAPHORE})
"""Objects whose methods tell of the state of this program."""


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


class AwaitedState(NamedTuple):
    """A loop of a coroutine that does nothing but sleep, and asks for state of the program alone (must)."""

    module: int
    poll: Poll
    state: ValueId
    write: SharedAccess | None
    """A write of the state once its object is made; None for what a primitive or a collection tells of itself."""


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


def iter_awaited_state(project: Project) -> Iterator[AwaitedState]:
    """Yield loops that await nothing but a sleep, until state changes that other code of the program sets.

    All that the test asks for is known: none of it asks the clock, the system or another program.
    """
    for module, facts in enumerate(project.modules):
        for poll in facts.polls:
            if poll.pause is None or not _awaits_sleep(project, module, poll.pause):
                continue
            asked = [_find_asked(project, module, one.value) for one in poll.asked]
            if all(parts is not None for parts in asked):
                parts = (part for parts in asked for part in parts or ())
                states = (AwaitedState(module, poll, part, write) for part, write in _iter_set(project, module, parts))
                yield from islice(states, 1)


def _awaits_sleep(project: Project, module: int, pause: ValueId) -> bool:
    awaited = project.value(module, pause)
    value = project.value(module, awaited.base) if isinstance(awaited, Await) else None
    rows = [row for _, row in project.rows(Site(module, value.call))] if isinstance(value, Result) else []
    return bool(rows) and all(row.effects is Effect.SLEEP and row.coroutine for row in rows)


def _find_asked(project: Project, module: int, value: ValueId) -> tuple[ValueId, ...] | None:
    """Return what a part of a test looks at, all of it variables and primitives; None where it may ask anybody else."""
    found = project.value(module, value)
    if isinstance(found, Constant | Local | Name):
        return (value,)
    if isinstance(found, Attribute | Item):
        return (value,) if _collect_places(project, module, value) is not None else None
    if isinstance(found, Collection):
        inner = [_find_asked(project, module, one) for one in found.items]
    elif isinstance(found, Result) and _is_plain(project, Site(module, found.call)):
        inner = [_find_asked(project, module, one.value) for one in project.modules[module].calls[found.call].arguments]
    else:
        return (value,) if isinstance(found, Result) and _tells(project, module, found) else None
    return None if None in inner else tuple(one for parts in inner for one in parts or ())


def _is_plain(project: Project, site: Site) -> bool:
    targets = project.externals(site)
    return bool(targets) and all(target.name in _PLAIN for target in targets)


def _tells(project: Project, module: int, value: Result) -> bool:
    """Whether a call asks a primitive of this process, or a collection, for its own state (must)."""
    callee = project.places.split(module, project.modules[module].calls[value.call].callee)
    rows = [project.class_row(one) for one in project.objects(module, callee[0])] if callee is not None else []
    return bool(rows) and all(
        row is not None and row.kind in _TELLING and row.domain is not Domain.PROCESS for row in rows
    )


def _iter_set(project: Project, module: int, parts: Iterable[ValueId]) -> Iterator[tuple[ValueId, SharedAccess | None]]:
    """Yield the parts that the program changes once their object is made, and where; None for what primitives tell."""
    for part in parts:
        if isinstance(project.value(module, part), Result):
            yield part, None
            continue
        places = _collect_places(project, module, part) or ()
        accesses = (access for place in places for access in project.shared.by_place.get(place, ()))
        write = next((one for one in accesses if one.is_write and not project.shared.is_alone(one.function)), None)
        if write is not None:
            yield part, write


def _collect_places(project: Project, module: int, value: ValueId) -> tuple[Place, ...] | None:
    """Return the state that a variable or attribute names, or reads if it is a property.

    None where some of that is not known, and where a property calls anything, such as the clock.
    """
    found: dict[Place, None] = {}
    pending = [(module, value)]
    seen = set(pending)
    for where, one in pending:
        target, place = project.value(where, one), project.places.find(where, one)
        getters = find_getters(project, where, target) if isinstance(target, Attribute) else ()
        if place is not None:
            found[place._replace(element=False)] = None
        elif not getters and not isinstance(target, Name):
            return None
        for getter in getters:
            read = _collect_read(project, getter)
            if read is None:
                return None
            pending += [other for other in read if other not in seen]
            seen.update(read)
    return tuple(found)


def _collect_read(project: Project, symbol: str) -> list[tuple[int, ValueId]] | None:
    """Return what a function reads, with its module; None where it calls anything that does more than look."""
    place = project.place(symbol)
    if place is None or not all(_is_plain(project, one.site) for one in project.calls_in(place)):
        return None
    accesses = project.modules[place.module].accesses
    return [(place.module, access.target) for access in accesses if access.function == place.index]
