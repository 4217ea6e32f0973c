"""Moving: which calls of a coroutine could be handed to another thread as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conclint.catalog.rows import Domain, Kind, RunsIn
from conclint.model.values import Attribute
from conclint.project.loops import may_await_there
from conclint.project.off_loop import ASKS_WHERE

if TYPE_CHECKING:
    from conclint.project.link.links import ExternalTarget
    from conclint.project.objects import Object
    from conclint.project.project import CallPlace, Project

_STARTS = frozenset({RunsIn.TASK, RunsIn.LOOP_CALLBACK})
_LOOP_METHODS = frozenset(
    """
    add_callback add_reader add_timeout add_writer call_at call_later call_soon create_future create_task ensure_future
    remove_reader remove_writer spawn_callback start_soon
    """.split()
)
"""Names that methods of event loops and task groups have, and hardly anything else."""
_OF_MAIN_THREAD = frozenset({"builtins.input", "signal.set_wakeup_fd", "signal.signal"})
_OF_THREAD = ("asyncio.", "sqlite3.")
"""What belongs to its loop, or to the thread that has made it."""


class Moves:
    """Says whether a thread could make a call, which a coroutine then awaits."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._bound: dict[str, bool] = {}

    def may_move(self, place: CallPlace) -> bool:
        """Return whether nothing is known that ties a call, or what it leads to, to the thread of its loop (may)."""
        if not may_await_there(self._project, place) or self._is_tied(place):
            return False
        reached = self._project.call_graph.reach(one.function for one in self._project.callees(place.site))
        return not any(map(self._is_bound, reached))

    def _is_bound(self, symbol: str) -> bool:
        """Whether a function itself uses what belongs to a loop or a thread, or asks where it runs (may)."""
        if symbol not in self._bound:
            where = self._project.place(symbol)
            calls = self._project.calls_in(where) if where is not None else ()
            self._bound[symbol] = any(map(self._is_tied, calls))
        return self._bound[symbol]

    def _is_tied(self, place: CallPlace) -> bool:
        targets, callees = self._project.externals(place.site), self._project.callees(place.site)
        if not targets and not callees:
            callee = place.facts.values[place.call.callee]
            return isinstance(callee, Attribute) and callee.name in _LOOP_METHODS
        functions = (self._project.function(one.function) for one in callees)
        return (
            any(map(self._is_of_thread, targets))
            or any(map(self._is_of_loop, self._project.result(place.site)))
            or any(function is not None and function.is_async for function in functions)
        )

    def _is_of_thread(self, target: ExternalTarget) -> bool:
        row = self._project.find_row(target)
        spawns = row is not None and row.spawn is not None and row.spawn.runs_in in _STARTS
        if target.name in ASKS_WHERE | _OF_MAIN_THREAD or target.name.startswith(_OF_THREAD) or spawns:
            return True
        return target.receiver is not None and self._is_of_loop(target.receiver)

    def _is_of_loop(self, found: Object) -> bool:
        row = self._project.class_row(found)
        return row is not None and (row.domain is Domain.TASK or row.kind is Kind.THREAD_LOCAL)
