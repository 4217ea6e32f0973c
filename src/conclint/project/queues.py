"""Queues: tests of how full they are that others outdate before they are acted upon, and waits that never end."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import Domain, Kind
from conclint.model.facts import AccessKind
from conclint.model.observations import Sequence, SequenceKind
from conclint.model.span import Span
from conclint.model.values import Attribute, Item, ValueId
from conclint.project.objects import Object, Site
from conclint.project.parallel import MAIN, Control
from conclint.project.places import Place
from conclint.project.shared import SharedAccess
from conclint.project.symbols import FunctionPlace
from conclint.project.timeouts import Limit, Timeouts

if TYPE_CHECKING:
    from conclint.project.project import CallPlace, Project

_ACTS = {SequenceKind.FILLED: ("get", "get_nowait"), SequenceKind.ROOM: ("put", "put_nowait")}


class StaleTest(NamedTuple):
    """A test of a queue (must), an act that relies on it, and a rival that may come in between (may)."""

    kind: SequenceKind
    module: int
    check: Span
    act: CallPlace
    queue: str
    blocks: bool
    """Whether the act waits for ever where the test is wrong; else it raises, and nothing catches that."""
    rival: Site
    """The call of another thread; that of the act itself, where several threads come to it."""
    control: Control


class EndlessJoin(NamedTuple):
    """`join()` of a queue (must), and a call that puts something there for which nobody calls `task_done()`."""

    join: Site
    put: Site


class Queues:
    """Finds what goes wrong between the users of a queue."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._timeouts = Timeouts(project)

    def iter_stale_tests(self) -> Iterator[StaleTest]:
        """Yield tests that several threads make, or that other threads outdate."""
        for module, facts in enumerate(self._project.modules):
            for sequence in facts.sequences:
                if sequence.kind in _ACTS:
                    found = self._judge(module, sequence)
                    if found is not None:
                        yield found

    def iter_endless_joins(self) -> Iterator[EndlessJoin]:
        """Yield waits for queues that are filled, and of which nobody says that a task is done."""
        if self._is_done_somewhere:
            return
        for queue, operations in self._project.links.operations.items():
            row = self._project.class_row(queue)
            if row is None or row.kind is not Kind.QUEUE or not self._is_in_sight(queue):
                continue
            calls = [one for one in operations if one.site.what == "call"]
            puts = [one.site for one in calls if one.name in _ACTS[SequenceKind.ROOM]]
            if puts and all(one.name != "task_done" for one in calls):
                joins = (one.site for one in calls if one.name == "join")
                yield from (EndlessJoin(site, min(puts)) for site in joins if self._is_on_queues(site))

    def _is_on_queues(self, site: Site) -> bool:
        """Whether a method is called on nothing but queues (must).

        What comes of a pair may be its other half: `for thread, jobs in queues.items(): thread.join()`.
        """
        facts = self._project.modules[site.module]
        split = self._project.places.split(site.module, facts.calls[site.index].callee)
        if split is None:
            return False
        sources = (facts.values[flow.source] for flow in facts.flows if flow.target == split[0])
        if any(isinstance(source, Item) and source.index is not None for source in sources):
            return False
        rows = [self._project.class_row(found) for found in self._project.objects(site.module, split[0])]
        return all(row is not None and row.kind is Kind.QUEUE for row in rows)

    def _is_in_sight(self, queue: Object) -> bool:
        made = queue.site is not None and queue.site.what == "call"
        project = self._project
        return made and not project.escapes.has_escaped(queue) and queue not in project.lost_objects

    @cached_property
    def _is_done_somewhere(self) -> bool:
        """Whether `task_done` is called on, or taken from, a queue that is not known: it may be any."""
        for module, facts in enumerate(self._project.modules):
            for value in facts.values:
                if isinstance(value, Attribute) and value.name == "task_done":
                    objects = self._project.objects(module, value.base)
                    if not any(found.site is not None and found.site.what == "call" for found in objects):
                        return True
        return False

    def _judge(self, module: int, sequence: Sequence) -> StaleTest | None:
        queues = self._project.objects(module, sequence.target)
        if not queues or not all(self._is_fitting(queue, sequence.kind) for queue in queues):
            return None
        act = self._find_call(module, sequence)
        blocks = act is not None and self._blocks(act)
        if act is None or (act.context.protected and not blocks):
            return None
        if self._project.shared.is_excused(module, act.function.symbol, sequence.target, inside=True):
            return None
        rival = self._find_rival(act, sequence.target, queues, _ACTS[sequence.kind])
        if rival is None:
            return None
        state = self._project.places.describe(module, sequence.target)
        return StaleTest(sequence.kind, module, sequence.check, act, state, blocks, *rival)

    def _is_fitting(self, queue: Object, kind: SequenceKind) -> bool:
        """Whether it is a queue between threads, for ROOM one with a bound."""
        row = self._project.class_row(queue)
        if row is None or row.kind is not Kind.QUEUE or row.domain is not Domain.THREAD or queue.site is None:
            return False
        # An annotation does not say how large it is; the call that makes it does.
        unbounded = queue.site.what == "call" and not self._project.call(queue.site).call.arguments
        return kind is not SequenceKind.ROOM or not unbounded

    def _find_call(self, module: int, sequence: Sequence) -> CallPlace | None:
        calls = self._project.calls_in(FunctionPlace(module, sequence.function))
        return next((place for place in calls if place.call.span == sequence.act), None)

    def _blocks(self, act: CallPlace) -> bool:
        limits = [self._timeouts.find_limit(act, *row) for row in self._project.rows(act.site)]
        return bool(limits) and all(limit is not Limit.LIMITED for limit in limits)

    def _find_rival(
        self, act: CallPlace, value: ValueId, queues: frozenset[Object], names: tuple[str, ...]
    ) -> tuple[Site, Control] | None:
        """Return a call that does the same to the same queue, in another thread of control, or the act itself."""
        project = self._project
        symbol = act.function.symbol
        held = project.locks.lockset(act.site.module, act.call.function, act.call.context)
        for control in project.parallel.controls(symbol):
            if not held and control != MAIN and self._have_in_common(control, act.site.module, value):
                return act.site, control
        place = project.places.find(act.site.module, value)
        if place is None:
            return None
        here = _make_access(project, act, place, value)
        operations = {one for queue in queues for one in project.operations(queue) if one.name in names}
        for site in [act.site, *sorted(one.site for one in operations if one.site.what == "call")]:
            other = project.call(site)
            split = project.places.split(site.module, other.call.callee)
            if split is None or project.places.find(site.module, split[0]) != place:
                continue
            there = _make_access(project, other, place, split[0])
            pair = None if here.lockset & there.lockset else project.races.find_pair(place, here, there)
            if pair is not None:
                return site, pair[1] if pair[1] != MAIN else pair[0]
        return None

    def _have_in_common(self, control: Control, module: int, value: ValueId) -> bool:
        return control.root is not None and self._project.races.handles.is_same(control.root, module, value)


def _make_access(project: Project, place: CallPlace, state: Place, value: ValueId) -> SharedAccess:
    lockset = project.locks.lockset(place.site.module, place.call.function, place.call.context)
    symbol = place.function.symbol
    return SharedAccess(
        *(state, AccessKind.WRITE, place.site.module, symbol, place.call.span, lockset, True, False), target=value
    )
