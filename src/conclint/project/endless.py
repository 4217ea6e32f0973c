"""Endless waits: calls that wait for another thread or process without a limit, and who could end the wait.

Only waits that could be limited, or whose end is known to be uncertain, are of interest: locks are held for short, as
a rule, and an executor waits for its jobs by its nature.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import CallRow, Domain, Effect, Kind, Role, RunsIn
from conclint.model.alarm import Related
from conclint.model.facts import ModuleFacts
from conclint.model.fix import Anchor
from conclint.model.values import Attribute, Local, Name, ValueId
from conclint.project.link import ExternalTarget
from conclint.project.objects import Object, ObjectKind, Site
from conclint.project.roots import Root, relate_begin
from conclint.project.timeouts import Limit, Timeouts, find_anchors
from conclint.project.waits import Waits
from conclint.project.ways import relate_calls

if TYPE_CHECKING:
    from conclint.project.final_waits import FinalWait
    from conclint.project.project import CallPlace, Project

SIGNALLED = frozenset({Kind.EVENT, Kind.QUEUE, Kind.FUTURE, Kind.BARRIER})
"""What somebody has to do something to, so that the wait ends."""
_JOINED = frozenset({Kind.THREAD, Kind.TIMER, Kind.PROCESS})
_PARKING = frozenset({Kind.EVENT, Kind.QUEUE, Kind.CONDITION})
_FILLS = frozenset({"put", "put_nowait"})
_WAKES = {
    Kind.EVENT: frozenset({"set"}),
    Kind.CONDITION: frozenset({"notify", "notify_all", "notifyAll"}),
    Kind.BARRIER: frozenset({"wait", "abort", "reset"}),
}
_WAKES_GET = _FILLS | {"shutdown", "close"}
_WAKES_PUT = frozenset({"get", "get_nowait", "shutdown"})
_WAKES_JOIN = frozenset({"task_done", "shutdown"})
_ALL_WAKES = frozenset().union(*_WAKES.values(), _WAKES_GET, _WAKES_PUT)


class EndlessWait(NamedTuple):
    """A call that waits without a limit (must), for objects of one kind."""

    place: CallPlace
    kind: Kind
    receivers: tuple[Object, ...]
    row: CallRow

    @property
    def method(self) -> str:
        """The name of the method that waits."""
        return self.row.names[0].rpartition(".")[2]

    @property
    def keyword(self) -> str:
        """The parameter that would limit the wait, "" where there is none."""
        return self.row.timeout.keyword if self.row.timeout is not None else ""

    def find_anchors(self, project: Project) -> tuple[Anchor, ...]:
        """Return where a timeout goes: into the call, or in the place of the one that says "for ever"."""
        return tuple(find_anchors(project, self.place, self.row))


class Blocked(NamedTuple):
    """A thread that is joined while it may wait for ever itself: nobody wakes it before."""

    root: Root
    calls: tuple[CallPlace, ...]
    """How it gets to the function that waits."""
    wait: EndlessWait

    def relate(self, project: Project) -> Iterator[Related]:
        """Yield the steps from the start of the thread to where it waits, for the trace of an alarm."""
        place = self.wait.place
        callee = project.places.describe(place.site.module, place.call.callee)
        yield relate_begin(project, self.root)
        yield from relate_calls(project, self.calls)
        yield project.related(place.site.module, place.call.span, f"`{place.function.name}` waits in `{callee}`")


class EndlessWaits:
    """Answers which calls wait without a limit, and what they wait for."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._timeouts = Timeouts(project)
        self._waits = Waits(project)
        self._found: dict[Site, EndlessWait | None] = {}
        self._parked_by_start: dict[str, tuple[tuple[tuple[CallPlace, ...], EndlessWait], ...]] = {}

    @cached_property
    def all(self) -> tuple[EndlessWait, ...]:
        """All of them, in the order of the program."""
        return tuple(self.iter_in(None))

    def iter_in(self, functions: Collection[str] | None) -> Iterator[EndlessWait]:
        """Yield those in some functions, or in all."""
        for site in self._sites:
            place = self._project.call(site)
            if functions is None or place.function.symbol in functions:
                if site not in self._found:
                    self._found[site] = self._find(place)
                if (found := self._found[site]) is not None:
                    yield found

    @cached_property
    def _sites(self) -> tuple[Site, ...]:
        """The calls that wait for something, as far as their methods tell."""
        return tuple(
            sorted(
                site
                for site, targets in self._project.links.externals.items()
                if site.what == "call" and targets and all(map(self._may_wait, targets))
            )
        )

    def _may_wait(self, target: ExternalTarget) -> bool:
        row = self._project.find_row(target) if target.receiver is not None else None
        return row is not None and bool(row.effects & Effect.WAIT) and not row.coroutine and row.timeout is not None

    def _find(self, place: CallPlace) -> EndlessWait | None:
        pairs = list(self._project.rows(place.site))
        if any(self._timeouts.find_limit(place, target, row) is Limit.LIMITED for target, row in pairs):
            return None
        receivers = tuple(target.receiver for target, _ in pairs if target.receiver is not None)
        rows = [self._project.class_row(one) for one in receivers]
        kinds = {row.kind if row is not None and row.domain is not Domain.TASK else None for row in rows}
        kind = kinds.pop() if len(kinds) == 1 else None
        if kind is None or kind not in SIGNALLED | _JOINED | _PARKING or self._waits.find(place) is None:
            return None
        return EndlessWait(place, kind, receivers, pairs[0][1])

    @cached_property
    def final(self) -> tuple[FinalWait, ...]:
        """Those of finalizers, exit handlers and signal handlers that may never end."""
        from conclint.project.final_waits import collect_final_waits

        return collect_final_waits(self._project)

    # Who ends the wait

    def find_wakers(self, wait: EndlessWait) -> tuple[CallPlace, ...]:
        """Return the calls that may end a wait, in the order of the program; for a future, where it is made."""
        if wait.kind is Kind.FUTURE:
            made = (self._project.find_call(one.site) for one in wait.receivers)
            return tuple(place for place in made if place is not None)
        names = _WAKES.get(wait.kind) or {"put": _WAKES_PUT, "join": _WAKES_JOIN}.get(wait.method, _WAKES_GET)
        sites = {
            one.site
            for found in wait.receivers
            for one in self._project.operations(found)
            if one.name in names and one.site.what == "call" and one.site != wait.place.site
        }
        return tuple(self._project.call(site) for site in sorted(sites))

    def find_blocked(self, wait: EndlessWait) -> Blocked | None:
        """Return why the end of a thread, for which a call waits, may never come: it waits for ever itself.

        Nobody wakes it who runs before that call, and nothing else does that the program starts.
        """
        if wait.kind not in _JOINED:
            return None
        parked = [
            (root, *one) for root in self._project.stalls.joins.find_roots(wait.place) for one in self._park(root)
        ]
        before = self._collect_before(wait.place) if parked else set()
        for root, calls, inner in parked:
            waking = {waker.function.symbol for waker in self.find_wakers(inner)}
            if not waking or not waking.isdisjoint(before) or not self._handed_over.isdisjoint(inner.receivers):
                continue
            if waking.isdisjoint(self._reach_others(root)):
                return Blocked(root, calls, inner)
        return None

    def _park(self, root: Root) -> tuple[tuple[tuple[CallPlace, ...], EndlessWait], ...]:
        """Return the waits to which a thread comes (may), with the calls that lead to each."""
        if root.function not in self._parked_by_start:
            chains = self._project.call_graph.collect_chains([root.function]) if self._parked else {}
            self._parked_by_start[root.function] = tuple(
                (calls, wait) for symbol, calls in chains.items() for wait in self._parked.get(symbol, ())
            )
        return self._parked_by_start[root.function]

    @cached_property
    def _parked(self) -> dict[str, list[EndlessWait]]:
        """By function: waits for what another thread tells, those of whoever it is in loops too."""
        found: dict[str, list[EndlessWait]] = {}
        for wait in self.all:
            if wait.kind in _PARKING and self._is_in_sight(wait.receivers):
                found.setdefault(wait.place.function.symbol, []).append(wait)
        return found

    def _is_in_sight(self, receivers: Iterable[Object]) -> bool:
        return not any(map(self._project.escapes.has_escaped, receivers))

    def _reach_others(self, own: Root) -> set[str]:
        """Return what all other threads, tasks and handlers run."""
        return self._project.call_graph.reach(
            root.function for root in self._project.roots if root.function != own.function
        )

    @cached_property
    def _handed_over(self) -> frozenset[Object]:
        """What may be woken by a method of its own that is handed on as a value: `atexit.register(jobs.put, None)`."""
        return frozenset(
            one.receiver
            for module, facts in enumerate(self._project.modules)
            for value in {*_iter_handed(facts)}
            if isinstance(found := facts.values[value], Attribute | Name) and _last_name(found) in _ALL_WAKES
            for one in self._project.objects(module, value)
            if one.kind is ObjectKind.METHOD and one.receiver is not None
        )

    def _collect_before(self, place: CallPlace) -> set[str]:
        """Return the functions that may run before a call, on its behalf: those around it, and what they call."""
        graph = self._project.call_graph
        around, pending = {place.function.symbol}, [place.function.symbol]
        helpers = set(around)
        while pending:
            symbol = pending.pop()
            for caller, _, _ in graph.callers.get(symbol, ()):
                if caller not in around:
                    around.add(caller)
                    pending.append(caller)
                    if symbol in helpers and not graph.is_open(symbol):
                        helpers.add(caller)
        return around | graph.reach(helpers)

    # Where nobody minds

    @cached_property
    def signal_handlers(self) -> frozenset[str]:
        """What signal handlers run."""
        roots = (root.function for root in self._project.roots if root.runs_in is RunsIn.SIGNAL)
        return frozenset(self._project.call_graph.reach(roots))

    @cached_property
    def callbacks(self) -> frozenset[str]:
        """What is called once a future is done."""
        return frozenset(
            root.function
            for root in self._project.roots
            if any(row.role is Role.CALLBACK for _, row in self._project.rows(root.site))
        )

    def iter_callers(self, symbol: str) -> Iterator[tuple[str, bool]]:
        """Yield who calls a function, and whether in a loop."""
        for caller, module, context in self._project.call_graph.callers.get(symbol, ()):
            yield caller, bool(self._project.modules[module].contexts[context].loops)


def _iter_handed(facts: ModuleFacts) -> Iterator[ValueId]:
    """Yield the values that a module passes on, returns, or keeps elsewhere than in a local variable."""
    yield from (argument.value for call in facts.calls for argument in call.arguments)
    yield from (flow.source for flow in facts.flows if not isinstance(facts.values[flow.target], Local))
    yield from (value for function in facts.functions for value in function.returns)


def _last_name(value: Attribute | Name) -> str:
    return value.name if isinstance(value, Attribute) else value.symbol.rpartition(".")[2]
