"""Background: the functions that only the threads begun at some roots run, and the calls that lead there."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import RunsIn
from conclint.model.alarm import Related
from conclint.model.facts import Context, Function
from conclint.model.values import Attribute, Local, Name, Super, Value
from conclint.project.callables import is_transparent
from conclint.project.objects import Object, ObjectKind
from conclint.project.roots import Root, relate_begin

if TYPE_CHECKING:
    from conclint.project.project import CallPlace, Project

Passes = Callable[[int, Context], bool]
"""Tells whether what is asked about gets out of a call, by its module and surroundings."""


class Way(NamedTuple):
    """How a thread gets to a function (may): the root where it begins, and the calls from there on."""

    root: Root
    calls: tuple[CallPlace, ...]

    def functions(self, last: str) -> Iterator[str]:
        """Yield the functions on the way, up to `last`, to which it leads."""
        yield from (place.function.symbol for place in self.calls)
        yield last

    def relate(self, project: Project) -> Iterator[Related]:
        """Yield the steps, for the trace of an alarm."""
        yield relate_begin(project, self.root)
        for place in self.calls:
            callee = project.places.describe(place.site.module, place.call.callee)
            message = f"`{place.function.name}` calls `{callee}`"
            yield project.related(place.site.module, place.call.span, message)


def collect_ways(
    project: Project, is_start: Callable[[Root], bool], passes: Passes = lambda module, context: True
) -> dict[str, Way]:
    """Return the functions that only the roots for which `is_start` holds run, with the shortest way to each (may).

    A function is left out if something else calls it, or may: it is handed on as a value, a method of its name
    is called on an object that is not known, or another kind of root begins with it. Ways lead through calls which
    `passes` lets pass, and through functions whose decorators change nothing.
    """
    starts = {root.function: root for root in reversed(project.roots) if is_start(root)}
    inside = _find_inside(project, is_start, starts)
    ways = {symbol: Way(root, ()) for symbol, root in starts.items() if symbol in inside}
    pending = deque(ways)
    while pending:
        symbol = pending.popleft()
        for place, callee in _iter_calls(project, symbol):
            if callee in inside and callee not in ways and passes(place.site.module, place.context):
                ways[callee] = Way(ways[symbol].root, (*ways[symbol].calls, place))
                pending.append(callee)
    return ways


def _find_inside(project: Project, is_start: Callable[[Root], bool], starts: dict[str, Root]) -> set[str]:
    graph, unknown = project.call_graph, project.escapes.unknown_attributes
    others = {root.function for root in project.roots if root.runs_in is not RunsIn.HERE and not is_start(root)}
    callers: dict[str, set[str]] = {}
    for symbol, calls in graph.callers.items():
        callers[symbol] = {caller for caller, _, _ in calls}
    for root in project.roots:
        taker = project.find_call(root.site) if root.runs_in is RunsIn.HERE else None
        if taker is not None:
            callers.setdefault(root.function, set()).add(taker.function.symbol)
    inside = {
        symbol
        for symbol in graph.reach(starts) - others
        if _runs_as_written(project, symbol) and (symbol in starts or symbol.rpartition(".")[2] not in unknown)
    }
    inside -= {symbol for symbol in inside & graph.passed_functions if _is_out_of_sight(project, symbol)}
    while gone := {symbol for symbol in inside if not callers.get(symbol, set()) <= inside}:
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


def _iter_calls(project: Project, symbol: str) -> Iterator[tuple[CallPlace, str]]:
    followed = project.call_graph.called_by(symbol)
    for function in project.symbols.functions.get(symbol, ()):
        for place in project.calls_in(function):
            for target in project.callees(place.site):
                if target.function in followed:
                    yield place, target.function


def collect_own_ways(project: Project, root: Root) -> dict[str, Way]:
    """Return what a root runs on the object with which it began, and plain functions, with the shortest way to each.

    Followed are calls of `self.method()`, `super().method()` and of functions by name.
    """
    ways = {root.function: Way(root, ())}
    pending = deque(ways)
    while pending:
        symbol = pending.popleft()
        for place, callee in _iter_calls(project, symbol):
            if callee not in ways and is_transparent(project, callee) and _keeps_self(project, place, callee):
                ways[callee] = Way(root, (*ways[symbol].calls, place))
                pending.append(callee)
    return ways


def _keeps_self(project: Project, place: CallPlace, symbol: str) -> bool:
    function = project.function(symbol)
    callee = place.facts.values[place.call.callee]
    if isinstance(callee, Attribute):
        base = place.facts.values[callee.base]
        return isinstance(base, Super) or is_self(place.function, base)
    # `Session()` by name runs a method of another object.
    return isinstance(callee, Name) and function is not None and not function.owner


def is_self(function: Function, value: Value) -> bool:
    """Return whether a value is the first parameter of the method around, its `self`."""
    first = function.parameters[0].name if function.owner and function.parameters else ""
    return bool(first) and value == Local(function.symbol, first)
