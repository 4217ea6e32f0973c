"""Off the loop: calls that belong into the thread of an event loop, and the other threads that make them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import RunsIn
from conclint.model.values import Attribute
from conclint.project.loops import ASKING, collect_loop_functions
from conclint.project.roots import PARALLEL_KINDS, Root

if TYPE_CHECKING:
    from conclint.project.project import CallPlace, Project

_OWN_LOOP = frozenset(
    {"asyncio.new_event_loop", "asyncio.set_event_loop", "tornado.ioloop.IOLoop.start", "uvloop.new_event_loop"}
)
_RUNNING = frozenset({"run", "run_forever", "run_sync", "run_until_complete"})
"""Methods of event loops, those of frameworks too, that end only with the loop."""
ASKS_WHERE = ASKING | {
    "threading.current_thread",
    "threading.get_ident",
    "threading.main_thread",
    "_thread.get_ident",
}
"""What a function calls that may go another way in another thread."""


class Intrusion(NamedTuple):
    """A call that only the thread of the loop may make (must not), and the root in whose thread it is made."""

    place: CallPlace
    root: Root
    chain: tuple[CallPlace, ...]
    """The calls that lead from the root to the function around `place`."""


class OffLoop:
    """Finds calls on objects of an event loop that are made in other threads only."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def find_intrusion(self, place: CallPlace) -> Intrusion | None:
        """Return how a call on an object of a loop is made in another thread; None where it may run on the loop."""
        symbol = place.function.symbol
        if symbol in self._on_loop or symbol in self._careful or not self._is_bound_to_loop(place):
            return None
        roots = [control.root for control in self._project.parallel.controls(symbol)]
        if not roots or None in roots or any(root in self._with_own_loop for root in roots):
            return None
        graph = self._project.call_graph
        ways = [(root, graph.find_chain(root.function, symbol)) for root in roots if root is not None]
        root, chain = min(ways, key=lambda way: (len(way[1] or ()), way[0].site))
        calls = chain or ()
        if not self._is_certain(root):
            return None
        if any(call.function.symbol in self._careful for call in calls):
            return None
        return Intrusion(place, root, calls)

    def _is_bound_to_loop(self, place: CallPlace) -> bool:
        targets = self._project.externals(place.site)
        rows = [self._project.find_row(target) for target in targets]
        known = bool(rows) and not self._project.callees(place.site)
        return known and all(row is not None and row.loop_only for row in rows)

    def _is_certain(self, root: Root) -> bool:
        """Whether all that a root may be given to runs it in another thread: one future may be a job's or a task's."""
        if root.site.what != "call":
            return True
        rows = (self._project.find_row(target) for target in self._project.externals(root.site))
        return not any(
            row is not None and row.spawn is not None and row.spawn.runs_in is RunsIn.LOOP_CALLBACK for row in rows
        )

    @cached_property
    def _on_loop(self) -> frozenset[str]:
        starts = {found.function.symbol for found in collect_loop_functions(self._project)}
        return frozenset(self._project.call_graph.reach(starts))

    @cached_property
    def _careful(self) -> frozenset[str]:
        return frozenset(place.function.symbol for place in self._project.calls_to(ASKS_WHERE))

    @cached_property
    def _with_own_loop(self) -> frozenset[Root]:
        """The threads that run a loop themselves: what they do to it, they do in its thread."""
        running = {place.function.symbol for place in self._project.calls if self._runs_loop(place)}
        graph = self._project.call_graph
        roots = (root for root in self._project.roots if root.runs_in in PARALLEL_KINDS)
        return frozenset(root for root in roots if running & graph.reach({root.function}))

    def _runs_loop(self, place: CallPlace) -> bool:
        targets = self._project.externals(place.site)
        if targets:
            return any(target.name in _OWN_LOOP or target.name.endswith(_RUN_ENDS) for target in targets)
        callee = place.facts.values[place.call.callee]
        unknown = not self._project.callees(place.site)
        return unknown and isinstance(callee, Attribute) and callee.name in _RUNNING


_RUN_ENDS = tuple(f".{name}" for name in sorted(_RUNNING))
