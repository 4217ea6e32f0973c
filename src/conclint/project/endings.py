"""Endings: whether a call is the last thing that a program does.

The interpreter joins all threads and processes that are no daemons when the main thread ends. So a program whose
main block ends by starting them needs no join of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.catalog.rows import Kind, Role
from conclint.project.order import precedes

if TYPE_CHECKING:
    from conclint.project.objects import Site
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
        if any(self._matters(other) for other in self._iter_later(place)):
            return False
        if place.call.function == 0:
            return place.context.main_guard
        sites = self._project.call_graph.sites(place.function.symbol)
        callers = [self._project.call(site) for site in sites if site.what == "call"]
        return bool(callers) and depth < _DEEPEST and all(self.is_last_done(one, depth + 1) for one in callers)

    def _iter_later(self, place: CallPlace) -> Iterator[Site]:
        """Yield the calls of the same function that run after this one: they follow it, or share a loop with it."""
        loops = set(place.context.loops)
        for other in self._project.calls_in(place.function_place):
            follows = precedes(place.call.span, other.call.span)
            if other.site != place.site and (follows or not loops.isdisjoint(other.context.loops)):
                yield other.site

    def _matters(self, site: Site, depth: int = 0) -> bool:
        """Whether a call is more than preparing and starting further threads and processes."""
        project = self._project
        if (targets := project.callees(site)) and depth < _DEEPEST:
            places = (project.place(target.function) for target in targets)
            inner = (one.site for place in places if place is not None for one in project.calls_in(place))
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
