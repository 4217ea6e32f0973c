"""Check-then-act with a lock around the act alone: the thread that waited for the lock acts on an old answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import Domain, Kind
from conclint.model.facts import AccessKind, Acquisition
from conclint.model.observations import Sequence, SequenceKind
from conclint.model.span import Span
from conclint.model.values import Await, Collection, Local, Result, ValueId
from conclint.project.locks import Lock
from conclint.project.objects import Site
from conclint.project.order import precedes
from conclint.project.places import Place, PlaceKind

if TYPE_CHECKING:
    from conclint.project.project import Project

EXCLUSIVE = frozenset({Kind.LOCK, Kind.RLOCK, Kind.CONDITION})
"""What lets in one at a time."""
KEYED = (SequenceKind.MISSING_KEY, SequenceKind.PRESENT_KEY)
"""Tests of what a collection holds."""
MAKING = (SequenceKind.MISSING_KEY, SequenceKind.UNSET)
"""Tests after which something is made that is not there yet."""
OF_STATE = (*KEYED, SequenceKind.UNSET, SequenceKind.FLAG)
"""Tests of state that a lock may guard; a queue, which the others are about, has a lock of its own."""
_LOOKS = frozenset({AccessKind.READ, AccessKind.CHECK, AccessKind.ITERATE, AccessKind.UPDATE})


class HalfGuarded(NamedTuple):
    """A test of a place, then `lock` is taken at `taken`, then the place is changed without another look (must)."""

    kind: SequenceKind
    module: int
    state: str
    lock: str
    check: Span
    taken: Span
    act: Span


def iter_half_guarded(project: Project) -> Iterator[HalfGuarded]:
    """Yield them in the order of modules and source."""
    for module, facts in enumerate(project.modules):
        for sequence in facts.sequences:
            if (
                sequence.kind not in OF_STATE
                or sequence.rechecked
                or facts.contexts[sequence.act_context].lockset == ()
            ):
                continue
            place = project.places.find(module, sequence.target)
            entry = _find_late_lock(project, module, sequence)
            if place is None or entry is None or not _matters(project, module, sequence, place, entry):
                continue
            state = project.places.describe(module, sequence.target)
            lock = project.places.describe(module, entry.value)
            yield HalfGuarded(sequence.kind, module, state, lock, sequence.check, entry.span, sequence.act)


def _find_late_lock(project: Project, module: int, sequence: Sequence) -> Acquisition | None:
    """Return what acquires, between the check and the act, the one lock of the act; None if another spans both."""
    locks = project.locks
    before = locks.lockset(module, sequence.function, sequence.check_context)
    if before & locks.lockset(module, sequence.function, sequence.act_context):
        return None
    for lock, entry in locks.held(module, sequence.act_context):
        if _is_exclusive(lock) and not entry.bounded and precedes(sequence.check, entry.span):
            return entry
    return None


def _is_exclusive(lock: Lock) -> bool:
    # A semaphore lets several in, and a lock between processes does not protect what is in memory.
    return lock.kind in EXCLUSIVE and lock.domain in (Domain.THREAD, Domain.TASK)


def _matters(project: Project, module: int, sequence: Sequence, place: Place, entry: Acquisition) -> bool:
    """Whether others see the place, the lock is meant for it, and nobody looks again with the lock held."""
    symbol = project.modules[module].functions[sequence.function].symbol
    is_excused = project.shared.is_excused(module, symbol, sequence.target, inside=sequence.kind in KEYED)
    if is_excused or project.locks.is_locked_by_name(symbol):
        return False
    if place.kind is PlaceKind.CLOSURE and place.owner == symbol:
        return False
    # What is made before the lock is taken is meant to be made twice rather than to hold up others.
    if sequence.kind in MAKING and not _is_made_inside(project, module, sequence, entry):
        return False
    if _is_done_either_way(project, module, sequence, entry):
        return False
    if not _is_always_held(project, module, place, entry):
        return False
    return not _is_looked_at_again(project, module, sequence, place, entry)


def _is_always_held(project: Project, module: int, place: Place, entry: Acquisition) -> bool:
    """Whether every change of the place is made with the lock held: else it may be meant for something next to it."""
    lock = project.locks.find(module, entry.value)
    changes = (one for one in project.shared.by_place.get(place._replace(element=False), ()) if one.is_write)
    return lock is not None and all(
        lock.identity in change.lockset or project.shared.is_quiet(change.function) for change in changes
    )


def _is_made_inside(project: Project, module: int, sequence: Sequence, entry: Acquisition) -> bool:
    """Whether what the act assigns is an object that is made with the lock held."""
    facts = project.modules[module]
    sources: list[ValueId] = [sequence.source]
    if isinstance(facts.values[sequence.source], Local):
        sources += [
            flow.source
            for flow in facts.flows
            if flow.target == sequence.source and _is_between(entry.span, flow.span, sequence.act)
        ]
    for source in sources:
        value = facts.values[source]
        if isinstance(value, Await):
            value = facts.values[value.base]
        if isinstance(value, Collection):
            return True
        if isinstance(value, Result) and precedes(entry.span, facts.calls[value.call].span):
            return True
    return False


def _is_done_either_way(project: Project, module: int, sequence: Sequence, entry: Acquisition) -> bool:
    """Whether the other arm of the test calls the same without the lock: all that the test spares is the lock."""
    facts = project.modules[module]
    around = facts.contexts[sequence.check_context].branches
    taken = facts.contexts[sequence.act_context].branches[: len(around) + 1]
    inside: set[ValueId] = set()
    outside: set[ValueId] = set()
    for call in facts.calls:
        branches = facts.contexts[call.context].branches
        if call.function != sequence.function:
            continue
        if _is_between(entry.span, call.span, sequence.act):
            inside.add(call.callee)
        elif branches[:-1] == around and branches != taken and precedes(sequence.act, call.span):
            outside.add(call.callee)
    return not inside.isdisjoint(outside)


def _is_between(first: Span, span: Span, last: Span) -> bool:
    return precedes(first, span) and precedes(span, last)


def _is_looked_at_again(project: Project, module: int, sequence: Sequence, place: Place, entry: Acquisition) -> bool:
    """Whether the place is read between the lock and the end of the act, here or by a function that is called."""
    facts = project.modules[module]
    symbol = facts.functions[sequence.function].symbol
    accesses = project.shared.by_place.get(place._replace(element=False), ())
    looks = [access for access in accesses if access.kind in _LOOKS]
    for look in looks:
        # To the end of the line: `self.x = self.x or make()` changes what it reads.
        before = look.span.line <= sequence.act.end_line
        if look.module == module and look.function == symbol and precedes(entry.span, look.span) and before:
            return True
    called = {
        target.function
        for number, call in enumerate(facts.calls)
        if call.function == sequence.function and _is_between(entry.span, call.span, sequence.act)
        for target in project.callees(Site(module, number))
    }
    return not project.call_graph.reach(called).isdisjoint(look.function for look in looks)
