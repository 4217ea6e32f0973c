"""Endings: whether a call is the last thing that a program does.

The interpreter joins all threads and processes that are no daemons when the main thread ends. So a program whose
main block ends by starting them needs no join of its own.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from conclint.catalog.rows import Kind, Role
from conclint.model.facts import Call
from conclint.project.objects import Site
from conclint.project.symbols import FunctionPlace

if TYPE_CHECKING:
    from conclint.project.project import CallPlace, Project

_STARTED = (Kind.THREAD, Kind.TIMER, Kind.PROCESS)
_DEEPEST = 3
"""How far a start may be from the main block, in calls: `main()` → `serve()` → `thread.start()`."""


class Endings:
    """Answers whether anything is done after a call."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def is_last_done(self, place: CallPlace, depth: int = 0) -> bool:
        """Return whether a call is the last thing done under `if __name__ == "__main__":`, itself or its callers."""
        if any(self._matters(Site(place.site.module, other)) for other in self._iter_later(place)):
            return False
        if place.call.function == 0:
            return place.context.main_guard
        callers = self._callers.get(place.function.symbol, ())
        return bool(callers) and depth < _DEEPEST and all(self.is_last_done(one, depth + 1) for one in callers)

    def _iter_later(self, place: CallPlace) -> tuple[int, ...]:
        """Return the calls of the same function that run after this one: they follow it, or share a loop with it."""
        loops = set(place.context.loops)
        same = self._by_function.get(FunctionPlace(place.site.module, place.call.function), ())
        return tuple(
            number
            for number in same
            if number != place.site.index
            and (
                _follows(place.facts.calls[number], place.call)
                or not loops.isdisjoint(place.facts.contexts[place.facts.calls[number].context].loops)
            )
        )

    def _matters(self, site: Site, depth: int = 0) -> bool:
        """Whether a call is more than preparing and starting further threads and processes."""
        project = self._project
        if (targets := project.callees(site)) and depth < _DEEPEST:
            places = (project.place(target.function) for target in targets)
            inner = (Site(place.module, call) for place in places if place for call in self._by_function.get(place, ()))
            return any(self._matters(one, depth + 1) for one in inner)
        rows = [row for _, row in project.rows(site)]
        if rows and all(row.role is Role.START or not (row.keeps or row.effects) for row in rows):
            return False
        for target in project.externals(site):
            receiver = project.class_row(target.receiver) if target.receiver is not None else None
            if receiver is not None and receiver.kind is Kind.COLLECTION:
                return False
        made = (project.class_row(found) for found in project.result(site) if found.site == site)
        return not any(row is not None and row.kind in _STARTED for row in made)

    @cached_property
    def _by_function(self) -> dict[FunctionPlace, list[int]]:
        found: dict[FunctionPlace, list[int]] = {}
        for place in self._project.calls:
            found.setdefault(FunctionPlace(place.site.module, place.call.function), []).append(place.site.index)
        return found

    @cached_property
    def _callers(self) -> dict[str, list[CallPlace]]:
        found: dict[str, list[CallPlace]] = {}
        for place in self._project.calls:
            for target in self._project.callees(place.site):
                found.setdefault(target.function, []).append(place)
        return found


def _follows(other: Call, call: Call) -> bool:
    start, end = (other.span.line, other.span.column), (call.span.end_line, call.span.end_column)
    return start >= end
