"""GIL-reliant operations: several steps on the state of an object that threads share, with no lock around them.

What certainly goes wrong on any Python the rules about data races say. Here is what the GIL makes improbable.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from conclint.model.facts import AccessKind
from conclint.model.naming import is_test_code
from conclint.model.observations import Sequence, SequenceKind
from conclint.model.span import Span
from conclint.model.values import ValueId
from conclint.project.guards import weigh
from conclint.project.half_guarded import OF_STATE
from conclint.project.loops import is_called_by_coroutines
from conclint.project.objects import Object
from conclint.project.parallel import Control
from conclint.project.places import Place, PlaceKind
from conclint.project.shared import SharedAccess

if TYPE_CHECKING:
    from conclint.project.project import Project


class GilReliant(NamedTuple):
    """An update, or a test and a change, without a lock (must), and another access that shows that threads share it.

    `other` either stands under `lock`, a lock of the same object; or it is a change by a thread that may run meanwhile
    (may): then `controls` are this thread and that one.
    """

    module: int
    function: str
    span: Span
    state: str
    is_tested: bool
    other: SharedAccess
    lock: str = ""
    controls: tuple[Control, ...] = ()


class _Operation(NamedTuple):
    module: int
    symbol: str
    span: Span
    target: ValueId
    is_tested: bool
    is_entry: bool = False
    """Whether it makes an entry that is missing (must)."""


def iter_gil_reliant(project: Project) -> Iterator[GilReliant]:
    """Yield the operations of which no rule about data races speaks, in the order of modules and source."""
    found = [
        one
        for place, operation in (*_iter_updates(project), *_iter_tests(project))
        if (one := _judge(project, place, operation)) is not None
    ]
    told = _collect_told(project) if found else frozenset()
    yield from sorted(
        (one for one in found if (one.module, one.span) not in told), key=lambda one: (one.module, one.span)
    )


def _collect_told(project: Project) -> frozenset[tuple[int, Span]]:
    """Return the updates and tests of which CON201 to CON204 speak."""
    accesses = [race.access for race in project.races.lost_updates]
    accesses += [access for race in project.races.lost_updates for access, _ in race.others]
    accesses += [access for guard in project.guards.all for access in guard.unguarded]
    return collect_stale_tests(project) | {(one.module, one.span) for one in accesses}


def collect_stale_tests(project: Project) -> frozenset[tuple[int, Span]]:
    """Return the tests of which CON203 and CON204 speak."""
    unguarded = {(one.module, one.check) for one in project.checks.unguarded}
    return frozenset(unguarded | {(one.module, one.check) for one in project.checks.half_guarded})


def _iter_updates(project: Project) -> Iterator[tuple[Place, _Operation]]:
    for place, accesses in project.shared.by_place.items():
        for one in accesses if place.kind is PlaceKind.ATTRIBUTE else ():
            if one.kind is AccessKind.UPDATE and not one.lockset:
                yield place, _Operation(one.module, one.function, one.span, one.target, is_tested=False)


def _iter_tests(project: Project) -> Iterator[tuple[Place, _Operation]]:
    for module, facts in enumerate(project.modules):
        for sequence in facts.sequences:
            if sequence.kind not in OF_STATE or sequence.rechecked or _is_locked(project, module, sequence):
                continue
            place = project.places.find(module, sequence.target)
            if place is not None and place.kind is PlaceKind.ATTRIBUTE:
                symbol = facts.functions[sequence.function].symbol
                is_entry = sequence.kind is SequenceKind.MISSING_KEY
                yield place, _Operation(module, symbol, sequence.check, sequence.target, True, is_entry)


def _is_locked(project: Project, module: int, sequence: Sequence) -> bool:
    contexts = (sequence.check_context, sequence.act_context)
    return any(project.locks.lockset(module, sequence.function, context) for context in contexts)


def _judge(project: Project, place: Place, operation: _Operation) -> GilReliant | None:
    function = project.function(operation.symbol)
    # Coroutines take turns.
    if function is None or function.is_async or is_test_code(operation.symbol):
        return None
    if project.shared.is_excused(operation.module, operation.symbol, operation.target):
        return None
    accesses = project.shared.by_place.get(place._replace(element=False), ())
    others = (one for one in accesses if one.function != operation.symbol)
    elsewhere = [one for one in others if project.guards.may_share(place, operation.symbol, one.function)]
    found = _find_guarded(project, place, operation, elsewhere) or _find_parallel(project, place, operation, elsewhere)
    return None if found is not None and is_called_by_coroutines(project, operation.symbol) else found


def _describe(project: Project, operation: _Operation, other: SharedAccess) -> GilReliant:
    state = project.places.describe(operation.module, operation.target)
    return GilReliant(operation.module, operation.symbol, operation.span, state, operation.is_tested, other)


def _find_guarded(
    project: Project, place: Place, operation: _Operation, elsewhere: list[SharedAccess]
) -> GilReliant | None:
    """Find an access to the same state under a lock of its object, which is not held here."""
    names = project.guards.lock_names
    for lock in sorted(project.guards.find_own_locks(place), key=names.__getitem__):
        other = next((one for one in elsewhere if lock in one.lockset), None)
        if other is None or not project.guards.is_reached_without(operation.symbol, lock):
            continue
        if not _is_taken_for_other(project, place, lock, elsewhere):
            return _describe(project, operation, other)._replace(lock=names[lock])
    return None


def _is_taken_for_other(project: Project, place: Place, lock: Object | Place, elsewhere: list[SharedAccess]) -> bool:
    """Whether this state is only used under the lock next to what the lock guards, and mostly without it."""
    locked = [one for one in elsewhere if lock in one.lockset]
    if 2 * weigh(locked) >= weigh(elsewhere):
        return False
    guarding = {
        access.function
        for guard in project.guards.all
        if guard.identity == lock and guard.place != place._replace(element=False)
        for access in guard.guarded
    }
    return all(one.function in guarding for one in locked)


def _find_parallel(
    project: Project, place: Place, operation: _Operation, elsewhere: list[SharedAccess]
) -> GilReliant | None:
    """Find a change by another thread that may come between a test and what is done about it."""
    test = find_test(project, place, operation.module, operation.span) if operation.is_tested else None
    # Who replaces the whole dictionary drops all entries anyway: the next one to miss this one makes it.
    if test is None or operation.is_entry:
        return None
    for other in elsewhere:
        # A change of an element may well be one of another key.
        if not other.is_write or other.place.element or project.shared.is_quiet(other.function):
            continue
        controls = project.races.find_pair(place, test, other)
        if controls is not None:
            return _describe(project, operation, other)._replace(controls=controls)
    return None


def find_test(project: Project, place: Place, module: int, span: Span) -> SharedAccess | None:
    """Return the access to a place that stands in a test at `span`."""
    accesses = project.shared.by_place.get(place._replace(element=False), ())
    start, end = (span.line, span.column), (span.end_line, span.end_column)
    return next(
        (
            one
            for one in accesses
            if one.module == module and start <= (one.span.line, one.span.column)
            if (one.span.end_line, one.span.end_column) <= end
        ),
        None,
    )
