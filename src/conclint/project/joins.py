"""Joins: what a call waits for the end of, and whether that can end while the caller holds its locks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import Domain, Effect, Kind, Role, RunsIn
from conclint.model.facts import AccessKind
from conclint.model.values import Attribute, ValueId
from conclint.project.blocking import find_blocking
from conclint.project.lock_order import Step as LockStep
from conclint.project.objects import Object
from conclint.project.order import precedes
from conclint.project.places import Place
from conclint.project.roots import PARALLEL_KINDS, Root
from conclint.project.stalls import Waiting
from conclint.project.testing import is_test
from conclint.project.timeouts import Limit, Timeouts
from conclint.project.ways import Ways

if TYPE_CHECKING:
    from conclint.project.project import CallPlace, Project

_IN_THREADS = PARALLEL_KINDS | {RunsIn.TASK, RunsIn.LOOP_CALLBACK}
_EXECUTORS = (Kind.EXECUTOR, Kind.POOL)
_WRITES = (AccessKind.WRITE, AccessKind.UPDATE)


class Standstill(NamedTuple):
    """A wait for the end of `root` while a lock is held that `root` takes at the end of `steps`."""

    waiting: Waiting
    root: Root
    taken: str
    """The lock as the root names it."""
    steps: tuple[LockStep, ...]
    is_forever: bool


class Joins:
    """Finds threads and jobs that are waited for under a lock which they need themselves."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._timeouts = Timeouts(project)

    def find_roots(self, place: CallPlace) -> tuple[Root, ...]:
        """Return the roots in other threads whose end a call waits for (may)."""
        found = (root for receiver in self._find_receivers(place) for root in self._find_roots_of(receiver))
        return tuple(dict.fromkeys(found))

    @cached_property
    def standstills(self) -> tuple[Standstill, ...]:
        """Each wait for a thread that may need a lock which the waiting one holds, one for each call."""
        return tuple(self._iter_standstills())

    def _iter_standstills(self) -> Iterator[Standstill]:
        ways = Ways(self._project, lambda place: bool(self.find_roots(place)), is_taken=lambda context: True)
        for place in self._project.calls:
            step = ways.find(place) if place.context.lockset and not is_test(place) else None
            if step is not None:
                held = self._project.stalls.iter_held(place, step)
                found = next((one for waiting in held for one in self._iter_taking(waiting)), None)
                if found is not None:
                    yield found

    def _iter_taking(self, waiting: Waiting) -> Iterator[Standstill]:
        last = waiting.step.last
        for root in self.find_roots(last):
            found = self._project.lock_order.find_acquired(root.function).get(waiting.lock.identity)
            if found is None or self._is_agreed(last, root):
                continue
            name, steps = found
            if self._is_same_object(waiting, root):
                yield Standstill(waiting, root, name, steps, self._is_forever(last))

    def _is_forever(self, last: CallPlace) -> bool:
        limits = [self._timeouts.find_limit(last, target, row) for target, row in self._project.rows(last.site)]
        return all(limit is not Limit.LIMITED for limit in limits)

    def _is_same_object(self, waiting: Waiting, root: Root) -> bool:
        """Whether the lock is one of a kind, or the root runs on the object whose lock is held: `target=self._run`."""
        place = self._project.places.find(waiting.module, waiting.entry.value)
        owner = place.owner if place is not None else ""
        receiver = root.receiver
        if receiver is None or owner not in self._project.symbols.linearise(receiver.symbol):
            return True
        last = waiting.step.last
        split = self._project.places.split(last.site.module, last.call.callee)
        if split is None or not self._is_of_holder(waiting, last, split[0]):
            return False
        joined = self._project.objects(last.site.module, split[0])
        return any(_may_be(one, receiver) for one in joined) or self._project.parallel.has_shared_receiver(root)

    def _is_of_holder(self, waiting: Waiting, last: CallPlace, joined: ValueId) -> bool:
        """Whether `self._thread` belongs to the `self` of `self._lock`; what is no attribute is taken to."""
        if not isinstance(self._project.value(last.site.module, joined), Attribute):
            return True
        paths = self._project.locks.paths
        held, path = paths.find(waiting.module, waiting.entry.value), paths.find(last.site.module, joined)
        return held is not None and path is not None and held.variable == path.variable

    def _is_agreed(self, last: CallPlace, root: Root) -> bool:
        """Whether the wait depends on what the root has written: that it will not take the lock any more, perhaps."""
        if not last.context.branches:
            return False
        callee = self._project.places.split(last.site.module, last.call.callee)
        joined = self._project.places.find(last.site.module, callee[0]) if callee is not None else None
        read = self._find_read(last) - {joined}
        reached = self._project.call_graph.reach([root.function])
        return any(not read.isdisjoint(self._written.get(symbol, ())) for symbol in reached)

    def _find_read(self, last: CallPlace) -> set[Place | None]:
        """Return the state that the function reads before it waits."""
        return {
            self._project.places.find(last.site.module, access.target)
            for access in last.facts.accesses
            if access.function == last.call.function
            and access.kind not in _WRITES
            and precedes(access.span, last.call.span)
        } - {None}

    @cached_property
    def _written(self) -> dict[str, set[Place]]:
        """The places that a function writes."""
        found: dict[str, set[Place]] = {}
        for module, facts in enumerate(self._project.modules):
            for access in facts.accesses:
                place = self._project.places.find(module, access.target) if access.kind in _WRITES else None
                if place is not None:
                    found.setdefault(facts.functions[access.function].symbol, set()).add(place)
        return found

    # What is waited for

    def _find_receivers(self, place: CallPlace) -> Iterator[Object]:
        blocking = find_blocking(self._project, place, Effect.WAIT)
        if blocking is None or blocking.row.role not in (Role.JOIN, Role.CLOSE, Role.RESULT):
            return
        for target in self._project.externals(place.site):
            if target.receiver is not None:
                yield target.receiver

    def _find_roots_of(self, found: Object) -> Iterator[Root]:
        """Yield what runs in a thread, in an executor, or for a future."""
        row = self._project.class_row(found)
        if row is None or row.domain is Domain.PROCESS:
            return
        for root in self._project.roots:
            if root.runs_in not in _IN_THREADS or root.site.what != "call":
                continue
            if row.kind in _EXECUTORS:
                if any(target.receiver == found for target in self._project.externals(root.site)):
                    yield root
            elif root.site == found.site or (root.receiver is not None and _may_be(found, root.receiver)):
                yield root


def _may_be(found: Object, receiver: Object) -> bool:
    """Whether a thread that is joined is the one that runs; `self` of a method may be any object of its class."""
    return found == receiver or (found.site is None and found.symbol == receiver.symbol)
