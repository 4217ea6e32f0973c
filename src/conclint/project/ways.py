"""Ways: chains of calls that certainly lead from a function to a call of a certain kind, in the same thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from conclint.model.alarm import Related
from conclint.model.facts import Context
from conclint.project.callables import is_transparent
from conclint.project.roots import relate_begin

if TYPE_CHECKING:
    from conclint.project.objects import Object
    from conclint.project.parallel import Control
    from conclint.project.places import Place
    from conclint.project.project import CallPlace, Project

_LONGEST_TRACE = 8
_CACHES = frozenset({"functools.cache", "functools.lru_cache", "functools.cached_property"})


class Step(NamedTuple):
    """A call, or the load of a property, on the way, and the next one; the last one is what the way leads to."""

    place: CallPlace
    next: Step | None
    length: int

    @property
    def last(self) -> CallPlace:
        """The call that the way leads to."""
        step = self
        while step.next is not None:
            step = step.next
        return step.place

    def iter_following(self) -> Iterator[Step]:
        """Yield the steps after this one."""
        step = self.next
        while step is not None:
            yield step
            step = step.next


def relate_calls(project: Project, calls: Iterable[CallPlace]) -> Iterator[Related]:
    """Yield calls, one after the other, as steps of the trace of an alarm: "`f` calls `g`"."""
    for place in calls:
        yield _relate_call(project, place, "calls" if place.site.what != "acquisition" else "enters")


def _relate_call(project: Project, place: CallPlace, verb: str) -> Related:
    callee = project.places.describe(place.site.module, place.call.callee)
    return project.related(place.site.module, place.call.span, f"`{place.function.name}` {verb} `{callee}`")


def relate_steps(project: Project, first: Step, ending: str) -> Iterator[Related]:
    """Yield the steps after the first one as other ends of an alarm: "`f` calls `g`", at last "`g` waits in `h`"."""
    for step in first.iter_following():
        yield _relate_call(project, step.place, "calls" if step.next is not None else ending)


def collect_plain_calls(project: Project) -> tuple[tuple[CallPlace, tuple[str, ...]], ...]:
    """Return the calls, and loads of properties, of plain functions, with the functions that each may run.

    Coroutines and generators run when others want it, and a function behind a cache runs once.
    """
    plain = {
        (module, number)
        for module, facts in enumerate(project.modules)
        for number, function in enumerate(facts.functions)
        if number and not function.is_async and not function.is_generator
        if not (function.decorators and _CACHES.intersection(project.decorators(function.symbol)))
    }
    return tuple(
        (place, _find_callees(project, place))
        for place in iter_places(project)
        if (place.site.module, place.call.function) in plain
    )


def iter_places(project: Project) -> Iterator[CallPlace]:
    """Yield all places where a way may begin: calls, and loads of properties."""
    yield from project.calls
    yield from (place for place, _ in project.property_loads.values())


def _find_callees(project: Project, place: CallPlace) -> tuple[str, ...]:
    if place.site.what == "access":
        return project.property_loads[place.site][1]
    return tuple(one.function for one in project.callees(place.site))


def follow(way: int, steps: Iterable[Related]) -> Iterator[Related]:
    """Yield steps of a trace as those of one of the threads, or tasks, that meet; they count from 1."""
    return (msgspec.structs.replace(step, way=way) for step in steps)


def relate_chain(project: Project, start: str, goal: str) -> Iterator[Related]:
    """Yield the calls on a shortest way from one function to another in the same thread, as steps of a trace (may)."""
    return relate_calls(project, project.call_graph.find_chain(start, goal) or ())


def relate_way(project: Project, control: Control, goal: str) -> Iterator[Related]:
    """Yield where a thread of control begins, and the calls from there to a function; nothing for the main thread."""
    if control.root is not None:
        yield relate_begin(project, control.root, again=control.many)
        yield from relate_chain(project, control.root.function, goal)


def relate_unlocked(
    project: Project, symbol: str, identity: Object | Place, lock: str, *, strict: bool = False
) -> Iterator[Related]:
    """Yield the calls on a way to a function that does not hold a lock, the nearest first, as steps of a trace."""
    for caller, callee, context in project.locks.find_way_without(symbol, identity, strict=strict) or ():
        place = project.call_graph.find_call(caller, callee, context)
        if place is not None:
            message = f"`{place.function.name}` calls `{callee.rpartition('.')[2]}` here without `{lock}`"
            yield project.related(place.site.module, place.call.span, message)


class Ways:
    """The shortest ways of plain functions to the calls for which `is_end` holds.

    A function has a way if it makes the call whenever it is called: not under a condition or below a `return`, not in
    a generator, not behind a cache, and not where `is_careful` says that it knows what it does. `is_taken` says
    in which surroundings a call counts all the same.
    """

    def __init__(
        self,
        project: Project,
        is_end: Callable[[CallPlace], bool],
        is_careful: Callable[[CallPlace], bool] = lambda place: False,
        is_taken: Callable[[Context], bool] = lambda context: not (context.branches or context.after_return),
    ) -> None:
        self._project, self._is_end, self._is_careful, self._is_taken = project, is_end, is_careful, is_taken
        self._by_function = self._find_all()

    def find(self, place: CallPlace) -> Step | None:
        """Return the way that a call takes, whatever it may run; None where some of that leads elsewhere."""
        if self._is_end(place):
            return Step(place, None, 1)
        return self._find_through(place, self._by_function)

    def _find_all(self) -> dict[str, Step]:
        ways: dict[str, Step] = {}
        callers: dict[str, list[CallPlace]] = {}
        for place, callees in self._project.plain_calls:
            if not self._is_taken(place.context):
                continue
            is_end = self._is_end(place)
            if (callees or is_end) and not self._is_careful(place):
                for function in callees:
                    callers.setdefault(function, []).append(place)
                if is_end:
                    ways.setdefault(place.function.symbol, Step(place, None, 1))
        pending = deque(ways)
        while pending:
            for place in callers.get(pending.popleft(), ()):
                symbol = place.function.symbol
                step = self._find_through(place, ways) if symbol not in ways else None
                if step is not None:
                    ways[symbol] = step
                    pending.append(symbol)
        return ways

    def _find_through(self, place: CallPlace, ways: dict[str, Step]) -> Step | None:
        callees = _find_callees(self._project, place)
        if not callees or self._project.externals(place.site):
            return None
        following = [ways.get(function) if self._is_plain(place, function) else None for function in callees]
        if any(step is None for step in following):
            return None
        nearest = min((step for step in following if step is not None), key=lambda step: (step.length, step.place.site))
        return Step(place, nearest, nearest.length + 1) if nearest.length < _LONGEST_TRACE else None

    def _is_plain(self, place: CallPlace, function: str) -> bool:
        # A decorator such as `sync_to_async` may well move the call to a thread.
        return place.site in self._project.property_loads or is_transparent(self._project, function)
