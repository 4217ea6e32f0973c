"""Interleaving: coroutines that run several times at once, on the same object."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import CallRow, Domain, RunsIn, Spawn
from conclint.model.facts import Argument, Use
from conclint.model.span import Span
from conclint.model.values import Attribute, Item, Local, Result, ValueId
from conclint.project.handles import begins
from conclint.project.objects import Object, ObjectKind, Site
from conclint.project.paths import Path
from conclint.project.places import Place, PlaceKind
from conclint.project.roots import find_begin

if TYPE_CHECKING:
    from conclint.project.link import ExternalTarget
    from conclint.project.project import CallPlace, Project


class Start(NamedTuple):
    """What has several tasks of one coroutine function run at once (must): a call, or a framework at each request."""

    module: int
    span: Span
    starter: str
    """The function in which that stands."""
    function: str
    handles: frozenset[Path]
    """The variables that lead to the same object in all of them."""


class Interleaving:
    """Answers whether a coroutine may meet another run of itself."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def find(self, symbol: str, place: Place, module: int, target: ValueId) -> Start | None:
        """Return what starts the tasks that run `symbol` at once, and share the state `target` there."""
        found = (start for start in self._starts if symbol in self._reached[start.function])
        return next((start for start in found if self._is_shared(start, place, module, target)), None)

    @cached_property
    def _reached(self) -> dict[str, set[str]]:
        functions = {start.function for start in self._starts}
        return {function: self._project.call_graph.reach([function]) for function in functions}

    def _is_shared(self, start: Start, place: Place, module: int, target: ValueId) -> bool:
        if place.kind is PlaceKind.GLOBAL:
            return True
        if place.kind is PlaceKind.CLOSURE:
            # The variable of a function that starts the tasks, and in which they are nested.
            return start.function.startswith(f"{place.owner}.<locals>.") and (
                f"{start.starter}.".startswith(f"{place.owner}.")
            )
        value = self._project.value(module, target)
        while isinstance(value, Item):
            value = self._project.value(module, value.base)
        path = self._project.locks.paths.find(module, value.base) if isinstance(value, Attribute) else None
        if path is None:
            return False
        return path.function == "" or any(begins(path, handle) for handle in start.handles)

    @cached_property
    def _starts(self) -> tuple[Start, ...]:
        tasks = (
            start
            for place in self._project.external_calls
            for target, row in self._project.rows(place.site)
            if row.spawn is not None and self._starts_tasks(target, row)
            for start in self._iter_starts(place, row.spawn)
        )
        return (*tasks, *self._iter_handlers())

    def _starts_tasks(self, target: ExternalTarget, row: CallRow) -> bool:
        """Whether coroutine functions that the call is given become tasks; plain ones may run in threads."""
        if row.spawn is None or row.spawn.runs_in is not RunsIn.REQUEST_THREAD:
            return row.spawn is not None and row.spawn.runs_in is RunsIn.TASK
        owner = self._project.class_row(target.receiver) if target.receiver is not None else None
        return row.spawn.awaits and (owner is None or owner.domain is Domain.TASK)

    def _iter_handlers(self) -> Iterator[Start]:
        """Yield the coroutine functions that a framework runs for each request: below `@app.get("/")`, or by name."""
        project = self._project
        for root in project.roots:
            if root.site.what != "function" or root.runs_in not in (RunsIn.TASK, RunsIn.LOOP_CALLBACK):
                continue
            function = project.function(root.function)
            if function is not None and function.is_async:
                # A method runs on the one object that there is.
                shared = root.receiver is None and function.owner and function.parameters
                first = [Path(function.symbol, function.parameters[0].name)] if shared else []
                handles = project.races.handles.spread(first)
                around = function.symbol.rpartition(".<locals>.")[0]
                yield Start(root.site.module, find_begin(project, root), around, function.symbol, handles)

    def _iter_starts(self, place: CallPlace, spawn: Spawn) -> Iterator[Start]:
        given = self._collect_given(place, spawn)
        callees = [made.call.callee for argument in given if (made := self._find_made(place, argument)) is not None]
        for argument in given:
            for found in self._iter_callables(place, argument):
                if found.kind is ObjectKind.COROUTINE and found.site is not None and found.site.what == "call":
                    made = self._project.call(found.site)
                    twice = argument.keyword == "" and callees.count(made.call.callee) > 1
                    if twice or self._is_repeated(place, made, argument):
                        handles = self._spread_arguments(made, found.symbol, twice=twice)
                        yield _make_start(place, found, handles)
                elif found.kind in (ObjectKind.FUNCTION, ObjectKind.BOUND) and self._is_called_often(place, spawn):
                    handles = self._spread_receiver(place, argument, found)
                    yield _make_start(place, found, handles)

    @staticmethod
    def _is_called_often(place: CallPlace, spawn: Spawn) -> bool:
        """Whether the library calls a function for each connection or request, or is told to in a loop."""
        for_each = bool(spawn.passes) or spawn.runs_in is RunsIn.REQUEST_THREAD
        return for_each or (bool(place.context.loops) and place.call.use is not Use.AWAITED)

    def _collect_given(self, place: CallPlace, spawn: Spawn) -> tuple[Argument, ...]:
        if spawn.variadic:
            return tuple(argument for argument in place.call.arguments if argument.keyword in ("", "*"))
        argument = place.find_argument(spawn.keyword, spawn.position)
        return (argument,) if argument is not None else ()

    def _iter_callables(self, place: CallPlace, argument: Argument) -> Iterator[Object]:
        found = self._project.objects(place.site.module, argument.value)
        if argument.keyword == "*":
            found = frozenset(one for collection in found for one in self._project.elements(collection))
        return iter(sorted(found, key=repr))

    def _find_made(self, place: CallPlace, argument: Argument) -> CallPlace | None:
        """Return the call that makes the coroutine, where it stands in the argument itself."""
        value = self._project.value(place.site.module, argument.value)
        return self._project.call(Site(place.site.module, value.call)) if isinstance(value, Result) else None

    def _is_repeated(self, place: CallPlace, made: CallPlace, argument: Argument) -> bool:
        """Whether many of the coroutines made at one place run side by side (must)."""
        if argument.keyword == "*":
            return len(made.context.loops) > len(place.context.loops)
        if not place.context.loops or place.call.use is Use.AWAITED or made.function_place != place.function_place:
            return False
        return made.context.loops == place.context.loops and not self._is_waited_for(place)

    def _is_waited_for(self, place: CallPlace) -> bool:
        """Whether the handle has a place for one task only, or a name that is kept nowhere else (may)."""
        facts = place.facts
        targets = [flow.target for flow in facts.flows if facts.values[flow.source] == Result(place.site.index)]
        if any(not isinstance(facts.values[target], Local | Item) for target in targets):
            return True
        kept = {
            argument.value
            for other in self._project.calls_in(place.function_place)
            if other.call.use is not Use.AWAITED
            for argument in other.call.arguments
        }
        return any(isinstance(facts.values[target], Local) and target not in kept for target in targets)

    def _spread_arguments(self, made: CallPlace, symbol: str, *, twice: bool) -> frozenset[Path]:
        """Return what leads from the arguments that all the coroutines made at one place have in common."""
        project = self._project
        function = project.function(symbol)
        paths, handles = project.locks.paths, project.races.handles
        first = []
        # Calls side by side have their receiver in common, and not their arguments.
        values = {} if twice else paths.bind_values(made.site, symbol)
        if function is not None and function.owner and function.parameters:
            base, _ = project.places.split(made.site.module, made.call.callee) or (made.call.callee, "")
            values[function.parameters[0].name] = base
        for name, value in values.items():
            if twice or handles.is_made_before(made, value):
                path = paths.find(made.site.module, value)
                first += [Path(symbol, name)] if path is not None else []
        return handles.spread(first)

    def _spread_receiver(self, place: CallPlace, argument: Argument, found: Object) -> frozenset[Path]:
        project = self._project
        function = project.function(found.symbol)
        value = project.value(place.site.module, argument.value)
        if function is None or found.kind is not ObjectKind.BOUND or not isinstance(value, Attribute):
            return frozenset()
        handles = project.races.handles
        if place.context.loops and not handles.is_made_before(place, value.base):
            return frozenset()
        return handles.spread([Path(found.symbol, function.parameters[0].name)])


def _make_start(place: CallPlace, started: Object, handles: frozenset[Path]) -> Start:
    return Start(place.site.module, place.call.span, place.function.symbol, started.symbol, handles)
