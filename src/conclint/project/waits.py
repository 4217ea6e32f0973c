"""Waits: calls that stop their thread until another thread or process does something, locks included."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import Domain, Effect, Kind, Role
from conclint.model.facts import Acquisition, How, Use
from conclint.model.span import Span
from conclint.model.values import Attribute, ValueId
from conclint.project.blocking import LOOP_STOPPERS, Blocking, find_blocking
from conclint.project.callables import is_transparent
from conclint.project.locks import Lock
from conclint.project.loops import collect_loop_functions, runs_loop
from conclint.project.objects import Object, ObjectKind, Site
from conclint.project.places import Place
from conclint.project.roots import Root
from conclint.project.ways import Step, Ways

if TYPE_CHECKING:
    from conclint.project.link import Operation
    from conclint.project.project import CallPlace, Project

_MUTUAL = frozenset({Kind.LOCK, Kind.RLOCK, Kind.CONDITION})
"""What is held for short, as a rule: waiting for it is harmless until some holder blocks."""
_COUNTED = frozenset(
    {
        Kind.SEMAPHORE,
        Kind.EVENT,
        Kind.BARRIER,
        Kind.QUEUE,
        Kind.THREAD,
        Kind.TIMER,
        Kind.PROCESS,
        Kind.POOL,
        Kind.EXECUTOR,
        Kind.FUTURE,
    }
)
_TELLS_READY = frozenset({"cancelled", "done", "empty", "full", "put", "put_nowait", "qsize", "ready", "running"})
"""Methods that tell whether a wait would be over at once, or see to it: who calls them knows what he does (may)."""
_WAITS_ON_CONDITION = ("wait", "wait_for")


class Section(NamedTuple):
    """A critical section of another thread that blocks while it holds its lock (may)."""

    module: int
    span: Span
    """Where the lock is acquired."""
    step: Step
    root: Root


class Contended(NamedTuple):
    """The acquisition of a lock that another thread holds while it blocks."""

    module: int
    entry: Acquisition
    section: Section


class Waits:
    """Answers which calls and acquisitions stop their thread for another one."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def find(self, place: CallPlace) -> Blocking | None:
        """Return what a call waits for, locks apart; None where it may be ready or do something else."""
        found = find_blocking(self._project, place, Effect.WAIT)
        if found is None or found.row.effects & LOOP_STOPPERS or runs_loop(self._project, place.site):
            return None
        receivers = [target.receiver for target in self._project.externals(place.site)]
        if not all(self._is_waited_for(found, receiver) for receiver in receivers):
            return None
        # `Executor.map` itself returns at once, and waits when its result is read.
        if place.call.use is Use.DROPPED and found.name.endswith("Executor.map"):
            return None
        return None if any(self._is_ready(place, one) for one in receivers if one is not None) else found

    def _is_waited_for(self, found: Blocking, receiver: Object | None) -> bool:
        if receiver is None:
            return found.name.startswith("concurrent.futures.") and found.row.role is Role.JOIN
        row = self._project.class_row(receiver)
        if row is None or row.domain is Domain.TASK:
            return False
        if row.kind is Kind.CONDITION:
            return found.name.endswith(_WAITS_ON_CONDITION)
        # `join_thread` of a multiprocessing queue waits for what is under way to a pipe only.
        return row.kind in _COUNTED and not (row.kind is Kind.QUEUE and found.row.role is Role.JOIN)

    def _is_ready(self, place: CallPlace, receiver: Object) -> bool:
        """Whether the function makes sure, or asks, that there is nothing to wait for (may)."""
        made = receiver.site
        # What `as_completed` hands out is done.
        if made is not None and made.what == "call" and self._joins(made):
            return True
        return any(
            earlier.call.span < place.call.span and self._tells_ready(earlier, place, receiver)
            for earlier in self._project.calls_in(place.function_place)
        )

    def _joins(self, site: Site) -> bool:
        return any(row.role is Role.JOIN for _, row in self._project.rows(site))

    def _tells_ready(self, earlier: CallPlace, place: CallPlace, receiver: Object) -> bool:
        base, method = self._project.places.split(earlier.site.module, earlier.call.callee) or (None, "")
        if base is not None and self._may_be(earlier, base, receiver):
            asks = method == "is_alive" and len(place.context.branches) <= len(earlier.context.branches)
            return asks or method in _TELLS_READY
        awaited = earlier.call.use is Use.AWAITED
        if not awaited and all(row.role not in (Role.JOIN, Role.RESULT) for _, row in self._project.rows(earlier.site)):
            return False
        return any(self._may_be(earlier, argument.value, receiver) for argument in earlier.call.arguments)

    def _may_be(self, place: CallPlace, value: ValueId, receiver: Object) -> bool:
        """Whether a value may be the object, hold it, or be a method of it."""
        found = self._project.objects(place.site.module, value)
        held = (one for collection in found for one in self._project.elements(collection))
        bound = (one.receiver for one in found if one.kind is ObjectKind.METHOD)
        return receiver in found or receiver in held or receiver in bound

    # Locks

    def find_contention(self, module: int, number: int) -> Contended | None:
        """Return what an acquisition has to wait for, where another thread blocks under the same lock (may)."""
        entry = self._project.modules[module].acquisitions[number]
        if entry.bounded or entry.how not in (How.WITH, How.ACQUIRE):
            return None
        lock = self._project.locks.find(module, entry.value)
        section = self._sections.get(lock.identity) if lock is not None and _is_mutual(lock) else None
        return Contended(module, entry, section) if section is not None else None

    def find_contended_call(self, place: CallPlace) -> Contended | None:
        """Return the lock that a plain function takes whenever it is called, if all that a call may run do that."""
        callees = self._project.callees(place.site)
        if not callees or self._project.externals(place.site):
            return None
        found = [
            self._contended_functions.get(one.function) if is_transparent(self._project, one.function) else None
            for one in callees
        ]
        return found[0] if all(found) else None

    @cached_property
    def _contended_functions(self) -> dict[str, Contended]:
        found: dict[str, Contended] = {}
        for module, facts in enumerate(self._project.modules):
            for number, entry in enumerate(facts.acquisitions):
                function, context = facts.functions[entry.function], facts.contexts[entry.context]
                if function.is_async or function.is_generator or context.branches or context.after_return:
                    continue
                contended = self.find_contention(module, number)
                if contended is not None:
                    found.setdefault(function.symbol, contended)
        return found

    def is_kept(self, module: int, number: int) -> bool:
        """Return whether a function acquires a lock of threads, and leaves it to others to release it (must)."""
        facts = self._project.modules[module]
        entry = facts.acquisitions[number]
        lock = self._project.locks.find(module, entry.value)
        if lock is None or not _is_mutual(lock) or entry.how is not How.ACQUIRE or entry.bounded:
            return False
        operations = [one for found in self._project.objects(module, entry.value) for one in self._releases(found)]
        return bool(operations) and all(
            one.site.module != module or facts.calls[one.site.index].function != entry.function for one in operations
        )

    def _releases(self, found: Object) -> Iterator[Operation]:
        return (one for one in self._project.operations(found) if one.name == "release" and one.site.what == "call")

    def is_held_across_await(self, module: int, acquisition: int) -> bool:
        """Return whether there is an await point in the critical section: another rule's matter (CON230)."""
        facts = self._project.modules[module]
        held = [index for index, context in enumerate(facts.contexts) if acquisition in context.lockset]
        return any(call.use is Use.AWAITED and call.context in held for call in facts.calls) or any(
            inner.how is How.ASYNC_WITH and inner.context in held for inner in facts.acquisitions
        )

    @cached_property
    def _sections(self) -> dict[Object | Place, Section]:
        """For each lock, the first of its critical sections that blocks in a thread of its own."""
        project = self._project
        on_loop = {(found.module, found.number) for found in collect_loop_functions(project)}
        ways = Ways(project, self._stops)
        found: dict[Object | Place, Section] = {}
        for place in project.calls:
            held = [(lock, entry) for lock, entry in project.locks.held(place.site.module, place.call.context)]
            if not held or (place.site.module, place.call.function) in on_loop:
                continue
            step, root = ways.find(place), self._find_thread(place.function.symbol)
            if step is None or root is None:
                continue
            for lock, entry in held:
                if _is_mutual(lock) and not self._waits_on(step.last, lock):
                    found.setdefault(lock.identity, Section(place.site.module, entry.span, step, root))
        return found

    def _stops(self, place: CallPlace) -> bool:
        return find_blocking(self._project, place, LOOP_STOPPERS) is not None or self.find(place) is not None

    def _find_thread(self, symbol: str) -> Root | None:
        roots = (control.root for control in self._project.parallel.controls(symbol))
        return next((root for root in roots if root is not None), None)

    def _waits_on(self, place: CallPlace, lock: Lock) -> bool:
        """Whether the call is `wait` of a Condition, which gives the lock away meanwhile."""
        callee = place.facts.values[place.call.callee]
        if not isinstance(callee, Attribute) or callee.name not in _WAITS_ON_CONDITION:
            return False
        waited = self._project.locks.find(place.site.module, callee.base)
        return waited is not None and waited.identity == lock.identity


def _is_mutual(lock: Lock) -> bool:
    """Whether a lock stops the thread that waits for it, and is meant to be held for short."""
    return lock.kind in _MUTUAL and lock.domain is not Domain.TASK
