"""Stalls: calls that wait while a lock is held, and who has to wait for that lock meanwhile."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import LOCK_KINDS, Domain, Effect, Kind, Role
from conclint.model.facts import Acquisition
from conclint.model.ids import ContextId
from conclint.project.blocking import Blocking, find_blocking
from conclint.project.locks import Lock, find_lock_sites
from conclint.project.objects import Object
from conclint.project.places import Place
from conclint.project.symbols import FunctionPlace
from conclint.project.testing import is_test
from conclint.project.timeouts import find_timeout
from conclint.project.ways import Step, Ways

if TYPE_CHECKING:
    from conclint.project.joins import Joins
    from conclint.project.project import CallPlace, Project

_EXCLUSIVE = LOCK_KINDS - {Kind.SEMAPHORE}
"""A semaphore hands out places: whoever has one may well take his time."""
_HOLDS_UP = Effect.SLEEP | Effect.NETWORK | Effect.SUBPROCESS | Effect.WAIT
_ENDS = (Role.JOIN, Role.CLOSE, Role.RESULT)
_SIGNALS = (Kind.QUEUE, Kind.EVENT, Kind.BARRIER)
_THREADS = frozenset({Domain.THREAD, Domain.PROCESS})
_MOMENT = 0.05
"""Seconds that nobody minds to wait for a lock."""


class Waiting(NamedTuple):
    """A call at `step` leads to one that waits, while `lock` is held: acquired in the same module by `entry`."""

    module: int
    lock: Lock
    acquisition: int
    entry: Acquisition
    step: Step


class Bystander(NamedTuple):
    """Somebody else who waits for a lock."""

    module: int
    acquisition: int
    entry: Acquisition


class Stalls:
    """Finds the calls that wait under a lock."""

    def __init__(self, project: Project) -> None:
        self._project = project

    @cached_property
    def all(self) -> tuple[Waiting, ...]:
        """Every call of non-test code that certainly waits, by itself or through helpers, for each lock held there."""
        ways = Ways(self._project, lambda place: self.find_waiting(place) is not None)
        return tuple(
            waiting
            for place in self._project.calls
            if place.context.lockset and not is_test(place) and (step := ways.find(place)) is not None
            for waiting in self.iter_held(place, step)
        )

    @cached_property
    def joins(self) -> Joins:
        """The waits for threads and jobs, and those that cannot end."""
        from conclint.project.joins import Joins

        return Joins(self._project)

    def iter_held(
        self, place: CallPlace, step: Step, domains: Collection[Domain | None] = _THREADS
    ) -> Iterator[Waiting]:
        """Yield `step` with each lock around it that excludes others of `domains`, innermost first."""
        module = place.site.module
        for index in reversed(place.context.lockset):
            for lock, entry in self._project.locks.entered(module, index):
                if lock.kind in _EXCLUSIVE and lock.domain in domains:
                    yield Waiting(module, lock, index, entry, step)

    def find_waiting(self, place: CallPlace) -> Blocking | None:
        """Return what a call waits for: time, another thread or process; None for locks, input and output."""
        found = find_blocking(self._project, place, Effect.SLEEP | Effect.SUBPROCESS | Effect.WAIT)
        if found is None or self._is_brief(place, found) or self._is_asked_first(place, found):
            return None
        if found.row.effects & Effect.SLEEP:
            return found
        receiver = self._project.class_row(found.receiver) if found.receiver is not None else None
        if found.row.effects & Effect.SUBPROCESS:
            # Without a timeout parameter it starts a program, and does not wait for its end.
            return found if found.row.timeout is not None else None
        is_signal = receiver is not None and receiver.kind in _SIGNALS
        return found if is_signal or found.row.role in _ENDS else None

    def _is_brief(self, place: CallPlace, found: Blocking) -> bool:
        given = find_timeout(place, found.row.timeout) if found.row.timeout is not None else None
        if found.row.effects & Effect.SLEEP:
            given = place.find_argument("", 0)
        seconds = self._project.constant(place.site.module, given.value) if given is not None else None
        return seconds is not None and isinstance(seconds.value, int | float) and 0 <= seconds.value <= _MOMENT

    def _is_asked_first(self, place: CallPlace, found: Blocking) -> bool:
        """Whether the same function asks whether the queue is empty or full, or the future done: it does not wait."""
        receiver = found.receiver
        return receiver is not None and any(
            operation.name in ("empty", "full", "qsize", "done", "ready")
            and operation.site.what == "call"
            and self._project.call(operation.site).function_place == place.function_place
            for operation in self._project.operations(receiver)
        )

    # Others who want the lock

    def find_bystander(self, waiting: Waiting, awaited: Collection[str]) -> Bystander | None:
        """Return somebody else who waits for the lock, and neither waits with it nor needs what is waited for.

        Where all who take a lock wait for the same thing, or use the object that is waited for, that is its purpose.
        The functions `awaited`, which the call itself waits for, do not count either.
        """
        for taker in self.iter_takers(waiting):
            symbol = self._project.modules[taker.module].functions[taker.entry.function].symbol
            if symbol not in awaited and not self._holds_up(taker) and not self._uses(taker, waiting.step.last):
                return taker
        return None

    def iter_takers(self, waiting: Waiting) -> Iterator[Bystander]:
        """Yield the places in other functions that wait for the lock without end."""
        own = waiting.step.place.function.symbol
        for taker in self._takers.get(waiting.lock.identity, ()):
            symbol = self._project.modules[taker.module].functions[taker.entry.function].symbol
            # Importing a module takes a lock once, and before others are there.
            if not taker.entry.bounded and symbol != own and taker.entry.function != 0:
                yield taker

    def section(self, taker: Bystander) -> tuple[CallPlace, ...]:
        """Return the calls that are made while the lock is held."""
        return tuple(self._sections.get((taker.module, taker.acquisition), ()))

    @cached_property
    def _takers(self) -> dict[Object | Place, list[Bystander]]:
        found: dict[Object | Place, list[Bystander]] = {}
        for module, index, entry, lock in find_lock_sites(self._project):
            found.setdefault(lock.identity, []).append(Bystander(module, index, entry))
        return found

    def _holds_up(self, taker: Bystander) -> bool:
        """Whether a critical section may take long too."""
        for place in self.section(taker):
            if _waits_outside(self._project, place):
                return True
            if any(target.function in self._slow for target in self._project.callees(place.site)):
                return True
        return False

    def _uses(self, taker: Bystander, last: CallPlace) -> bool:
        """Whether a critical section has to do with the object that a call waits for; queues are there for others."""
        project = self._project
        wanted = {
            target.receiver
            for target in project.externals(last.site)
            if target.receiver is not None
            and ((row := project.class_row(target.receiver)) is None or row.kind is not Kind.QUEUE)
        }
        calls = self.section(taker)
        inner = {project.place(target.function) for place in calls for target in project.callees(place.site)}
        return bool(wanted) and any(
            not wanted.isdisjoint(self._find_held(number, access.target))
            for number, facts in enumerate(project.modules)
            for access in facts.accesses
            if (number == taker.module and self._is_under(number, access.context, taker.acquisition))
            or FunctionPlace(number, access.function) in inner
        )

    def _find_held(self, module: int, value: int) -> frozenset[Object]:
        found = self._project.objects(module, value)
        return found.union(*(self._project.elements(one) for one in found))

    def _is_under(self, module: int, context: ContextId, acquisition: int) -> bool:
        return acquisition in self._project.modules[module].contexts[context].lockset

    @cached_property
    def _sections(self) -> dict[tuple[int, int], list[CallPlace]]:
        found: dict[tuple[int, int], list[CallPlace]] = {}
        for place in self._project.calls:
            for index in place.context.lockset:
                found.setdefault((place.site.module, index), []).append(place)
        return found

    @cached_property
    def _slow(self) -> frozenset[str]:
        """Functions that may wait for something."""
        calls = (place for place in self._project.calls if _waits_outside(self._project, place))
        return self._project.call_graph.collect_callers(place.function.symbol for place in calls)


def _waits_outside(project: Project, place: CallPlace) -> bool:
    """Whether a call may wait for more than a lock."""
    for target, row in project.rows(place.site):
        receiver = project.class_row(target.receiver) if target.receiver is not None else None
        if row.effects & _HOLDS_UP and (receiver is None or receiver.kind not in LOCK_KINDS):
            return True
    return False
