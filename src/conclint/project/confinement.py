"""Confinement: what roots run in their own threads, with the calls that lead there; what only they run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import RunsIn
from conclint.model.alarm import Related
from conclint.model.facts import Call, Function, Use
from conclint.model.values import Attribute, Item, Local, Name, Super, Value, ValueId
from conclint.project.callables import is_transparent
from conclint.project.objects import Object, ObjectKind
from conclint.project.roots import Root, relate_begin
from conclint.project.ways import relate_calls

if TYPE_CHECKING:
    from conclint.project.project import CallPlace, Project

Follows = Callable[["CallPlace", str], bool]
"""Tells whether a way may lead through a call, to one of the functions that it runs."""
Passes = Callable[[int, Call], bool]
"""Tells whether what is asked about gets out of a call."""


class Way(NamedTuple):
    """How a root gets to a function (may): the calls on a shortest way, none to the function of the root itself."""

    root: Root
    calls: tuple[CallPlace, ...]

    def functions(self, last: str) -> Iterator[str]:
        """Yield the functions on the way, up to `last`, to which it leads."""
        yield from (place.function.symbol for place in self.calls)
        yield last

    def relate(self, project: Project) -> Iterator[Related]:
        """Yield the steps, for the trace of an alarm."""
        yield relate_begin(project, self.root)
        yield from relate_calls(project, self.calls)


def collect_ways(
    project: Project, roots: Iterable[Root], follows: Follows = lambda place, callee: True
) -> dict[str, Way]:
    """Return the functions that roots may run in their own thread, with the shortest way to each (may)."""
    starts: dict[str, Root] = {}
    for root in roots:
        starts.setdefault(root.function, root)
    chains = project.call_graph.collect_chains(starts, follows)
    return {
        symbol: Way(starts[calls[0].function.symbol if calls else symbol], calls) for symbol, calls in chains.items()
    }


def collect_confined(
    project: Project, is_start: Callable[[Root], bool], passes: Passes = lambda module, call: True
) -> dict[str, Way]:
    """Return the functions that only the roots for which `is_start` holds run, with the shortest way to each (may).

    A function is left out if something else calls it, or may: it is handed on as a value, a method of its name
    is called on an object that is not known, or another kind of root begins with it. Ways lead through calls which
    `passes` lets pass, and through functions whose decorators change nothing.
    """
    roots = [root for root in project.roots if is_start(root)]
    inside = _find_inside(project, roots)
    starts = (root for root in roots if root.function in inside)
    return collect_ways(
        project, starts, lambda place, callee: callee in inside and passes(place.site.module, place.call)
    )


def collect_own_ways(project: Project, root: Root) -> dict[str, Way]:
    """Return what a root runs on the object with which it began, and plain functions, with the shortest way to each.

    Followed are calls of `self.method()`, `super().method()` and of functions by name.
    """
    return collect_ways(
        project, [root], lambda place, callee: is_transparent(project, callee) and _keeps_self(project, place, callee)
    )


def goes_own_way(project: Project, root: Root) -> bool:
    """Return whether nobody waits for a root where it begins: `await wait_for(work(), 5)` is as good as a call."""
    spawn = project.find_call(root.site)
    return spawn is not None and (root.runs_in is not RunsIn.TASK or spawn.call.use is not Use.AWAITED)


def is_self(function: Function, value: Value) -> bool:
    """Return whether a value is the first parameter of the method around, its `self`."""
    first = function.parameters[0].name if function.owner and function.parameters else ""
    return bool(first) and value == Local(function.symbol, first)


def is_of_self(project: Project, module: int, value: ValueId) -> bool:
    """Return whether a value is `self`, or anything that is reached from there: `self.queue.put` (must)."""
    found = project.value(module, value)
    while isinstance(found, Attribute | Item):
        found = project.value(module, found.base)
    function = project.function(found.function) if isinstance(found, Local) else None
    return function is not None and is_self(function, found)


def _find_inside(project: Project, roots: list[Root]) -> set[str]:
    """Return what `roots` run and nothing else does, as far as is seen."""
    graph, unknown = project.call_graph, project.escapes.unknown_attributes
    starts, own = {root.function for root in roots}, set(roots)
    others = {root.function for root in project.roots if root.runs_in is not RunsIn.HERE and root not in own}
    inside = {
        symbol
        for symbol in graph.reach(starts) - others
        if _runs_as_written(project, symbol) and (symbol in starts or symbol.rpartition(".")[2] not in unknown)
    }
    inside -= {symbol for symbol in inside & graph.passed_functions if _is_out_of_sight(project, symbol)}
    while gone := {symbol for symbol in inside if not graph.runners.get(symbol, set()) <= inside}:
        inside -= gone
    return inside


def _runs_as_written(project: Project, symbol: str) -> bool:
    """Whether who calls a function runs its body; what it makes by `with` counts as run by who makes it."""
    return is_transparent(project, symbol) or project.decorators(symbol) == ("contextlib.contextmanager",)


def _is_out_of_sight(project: Project, symbol: str) -> bool:
    """Whether a function that is handed on may be called by what is not known; a method may be, on some object."""
    function = project.function(symbol)
    if function is None or function.owner:
        return True
    return project.lifetimes.is_out_of_sight(Object(ObjectKind.FUNCTION, symbol))


def _keeps_self(project: Project, place: CallPlace, symbol: str) -> bool:
    function = project.function(symbol)
    callee = place.facts.values[place.call.callee]
    if isinstance(callee, Attribute):
        base = place.facts.values[callee.base]
        return isinstance(base, Super) or is_self(place.function, base)
    # `Session()` by name runs a method of another object.
    return isinstance(callee, Name) and function is not None and not function.owner
