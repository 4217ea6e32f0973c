"""Confinement: the functions that run in certain roots and, as far as is seen, nowhere else."""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import RunsIn
from conclint.model.alarm import Related
from conclint.model.facts import Use
from conclint.model.values import Attribute, Item, Local, ValueId
from conclint.project.roots import Root, relate_begin

if TYPE_CHECKING:
    from conclint.project.project import CallPlace, Project


NOUNS = {
    RunsIn.THREAD: "thread",
    RunsIn.TIMER: "thread",
    RunsIn.PROCESS: "process",
    RunsIn.TASK: "task",
    RunsIn.EXECUTOR_THREAD: "job",
    RunsIn.EXECUTOR_PROCESS: "job",
}
"""The roots that begin something of their own, in the user's words."""


class Way(NamedTuple):
    """How a root comes to a function: the calls on the shortest way, none for the function of the root itself."""

    root: Root
    calls: tuple[CallPlace, ...]


def collect_confined(project: Project, kinds: Container[RunsIn]) -> dict[str, Way]:
    """Return the functions that only roots of these kinds are seen to run (must, among known callers).

    Functions that are handed on as values may be called by anybody, and are left out.
    """
    ways = collect_reached(project, (root for root in project.roots if _begins(project, root, kinds)))
    elsewhere = {root.function for root in project.roots if not _begins(project, root, kinds)}
    elsewhere |= project.call_graph.passed_functions
    elsewhere |= project.call_graph.reach((set(project.symbols.functions) - set(ways)) | elsewhere)
    return {symbol: way for symbol, way in ways.items() if symbol not in elsewhere}


def iter_way(project: Project, way: Way) -> Iterator[Related]:
    """Yield the steps of a way for an alarm: where the root begins, and the calls that lead on from there."""
    root = way.root
    yield relate_begin(project, root, f"is started here, as a {NOUNS[root.runs_in]}")
    for call in way.calls:
        callee = project.places.describe(call.site.module, call.call.callee)
        yield project.related(call.site.module, call.call.span, f"`{callee}` is called here")


def is_of_self(project: Project, module: int, value: ValueId) -> bool:
    """Return whether a value is `self`, or anything that is reached from there: `self.queue.put` (must)."""
    found = project.value(module, value)
    while isinstance(found, Attribute | Item):
        found = project.value(module, found.base)
    function = project.function(found.function) if isinstance(found, Local) else None
    if function is None or not function.owner or not function.parameters:
        return False
    return isinstance(found, Local) and function.parameters[0].name == found.name


def collect_reached(project: Project, roots: Iterable[Root]) -> dict[str, Way]:
    """Return the functions that roots may run in their own thread, with the shortest way to each (may)."""
    found: dict[str, Way] = {}
    for root in roots:
        found.setdefault(root.function, Way(root, ()))
    pending = deque(found)
    while pending:
        symbol = pending.popleft()
        called, where = project.call_graph.called_by(symbol), project.place(symbol)
        for place in project.calls_in(where) if where is not None else ():
            for callee in sorted(target.function for target in project.callees(place.site)):
                if callee not in found and callee in called:
                    found[callee] = Way(found[symbol].root, (*found[symbol].calls, place))
                    pending.append(callee)
    return found


def _begins(project: Project, root: Root, kinds: Container[RunsIn]) -> bool:
    """Whether a root is of these kinds, and goes its own way: `await wait_for(work(), 5)` is as good as a call."""
    spawn = project.find_call(root.site) if root.runs_in in kinds else None
    return spawn is not None and (root.runs_in is not RunsIn.TASK or spawn.call.use is not Use.AWAITED)
