"""Ways: chains of calls that certainly lead from a function to a call of a certain kind, in the same thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from conclint.model.alarm import Related
from conclint.project.callables import is_transparent

if TYPE_CHECKING:
    from conclint.project.project import CallPlace, Project

_LONGEST_TRACE = 8
_CACHES = frozenset({"functools.cache", "functools.lru_cache", "functools.cached_property"})


class Step(NamedTuple):
    """A call on the way, and the next one; the last one is what the way leads to."""

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


class Ways:
    """The shortest ways of plain functions to the calls for which `is_end` holds.

    A function has a way if it makes the call whenever it is called: not under a condition or below a `return`, not in
    a generator, not behind a cache, and not where `is_careful` says that it knows what it does.
    """

    def __init__(
        self,
        project: Project,
        is_end: Callable[[CallPlace], bool],
        is_careful: Callable[[CallPlace], bool] = lambda place: False,
    ) -> None:
        self._project, self._is_end, self._is_careful = project, is_end, is_careful
        self._by_function = self._find_all()

    def find(self, place: CallPlace) -> Step | None:
        """Return the way that a call takes, whatever it may run; None where some of that leads elsewhere."""
        if self._is_end(place):
            return Step(place, None, 1)
        return self._find_through(place, self._by_function)

    def _find_all(self) -> dict[str, Step]:
        ways: dict[str, Step] = {}
        callers: dict[str, list[CallPlace]] = {}
        for place in self._project.calls:
            if self._is_certain(place):
                for target in self._project.callees(place.site):
                    callers.setdefault(target.function, []).append(place)
                if self._is_end(place):
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

    def _is_certain(self, place: CallPlace) -> bool:
        function = place.function
        if function.is_async or function.is_generator or place.call.function == 0:
            return False
        if place.context.branches or place.context.after_return or self._is_cached(function.symbol):
            return False
        return not self._is_careful(place)

    def _is_cached(self, symbol: str) -> bool:
        return any(name in _CACHES for name in self._project.decorators(symbol))

    def _find_through(self, place: CallPlace, ways: dict[str, Step]) -> Step | None:
        callees = self._project.callees(place.site)
        if not callees or self._project.externals(place.site):
            return None
        # A decorator such as `sync_to_async` may well move the call to a thread.
        following = [
            ways.get(target.function) if is_transparent(self._project, target.function) else None for target in callees
        ]
        if any(step is None for step in following):
            return None
        nearest = min((step for step in following if step is not None), key=lambda step: (step.length, step.place.site))
        return Step(place, nearest, nearest.length + 1) if nearest.length < _LONGEST_TRACE else None


def relate_steps(project: Project, first: Step, ends_in: str) -> Iterator[Related]:
    """Yield the trace of a way behind its first call: `load` calls `fetch`, `fetch` blocks in `requests.get`."""
    for step in first.iter_following():
        module = step.place.site.module
        callee = project.places.describe(module, step.place.call.callee)
        verb = "calls" if step.next is not None else ends_in
        yield project.related(module, step.place.call.span, f"`{step.place.function.name}` {verb} `{callee}`")
