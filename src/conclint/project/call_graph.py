"""Which function of the project may call which, in the same thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from conclint.catalog.rows import RunsIn
from conclint.model.facts import ContextId, Function, Use
from conclint.model.span import Span
from conclint.model.values import Local
from conclint.project.objects import ObjectKind, Site

if TYPE_CHECKING:
    from conclint.project.project import Project

_MOST_HANDED = 1
"""Functions that a call of a variable may run before it counts as a dispatcher."""
_MOST_TARGETS = 8


class CallGraph:
    """Edges are calls that the points-to analysis resolves (may); dispatchers are left out."""

    def __init__(self, project: Project) -> None:
        self._project = project

    @cached_property
    def callers(self) -> dict[str, list[tuple[str, int, int]]]:
        """Who calls a function: for its symbol, the calling functions with module and context of the call."""
        found: dict[str, list[tuple[str, int, int]]] = {}
        for site, targets in self._project.links.callees.items():
            facts = self._project.modules[site.module]
            place = facts.acquisitions[site.index] if site.what == "acquisition" else facts.calls[site.index]
            caller = facts.functions[place.function].symbol
            for target in targets:
                found.setdefault(target.function, []).append((caller, site.module, place.context))
        for root in self._project.roots:
            # What a predicate or a sort key runs in is the call that takes it.
            if root.runs_in is RunsIn.HERE and root.site.what == "call":
                taker = self._project.call(root.site)
                found.setdefault(root.function, []).append(
                    (taker.function.symbol, root.site.module, taker.call.context)
                )
        return found

    def find_span(self, caller: str, callee: str, context: ContextId) -> tuple[int, Span] | None:
        """Return the module and the place of a call of `callee` in a context; None where none is to be seen."""
        where = self._project.place(caller)
        for place in self._project.calls_in(where) if where is not None else ():
            called = [target.function for target in self._project.callees(place.site)]
            if place.call.context == context and callee in called:
                return place.site.module, place.call.span
        return None

    @cached_property
    def passed_functions(self) -> frozenset[str]:
        """Functions that are handed on as values, roots apart: who calls them, and how, is not known."""
        found: set[str] = set()
        for module, facts in enumerate(self._project.modules):
            values = {flow.source for flow in facts.flows}
            values.update(argument.value for call in facts.calls for argument in call.arguments)
            values.update(value for function in facts.functions for value in function.returns)
            for value in values:
                found.update(
                    one.symbol
                    for one in self._project.objects(module, value)
                    if one.kind in (ObjectKind.FUNCTION, ObjectKind.BOUND)
                )
        return frozenset(found - {root.function for root in self._project.roots})

    def is_open(self, symbol: str) -> bool:
        """Return whether code outside the project may call a function by its name, in the thread that it likes.

        Private functions and those that are handed on as values have callers that are not known.
        """
        name = symbol.rpartition(".")[2]
        private = (name.startswith("_") and not name.endswith("__")) or "<locals>" in symbol
        return not private and symbol not in self.passed_functions

    def called_by(self, symbol: str) -> frozenset[str]:
        """Return the functions that a function may call in its own thread."""
        return self._edges.get(symbol, frozenset())

    def function_at(self, site: Site) -> Function:
        """Return the function around a call or an acquisition."""
        facts = self._project.modules[site.module]
        place = facts.acquisitions[site.index] if site.what == "acquisition" else facts.calls[site.index]
        return facts.functions[place.function]

    def runs_at_once(self, site: Site, symbol: str) -> bool:
        """Return whether a call runs the function's body: a coroutine function's only where it is awaited."""
        function = self._project.function(symbol)
        if function is None or not function.is_async or site.what == "acquisition":
            return True
        return self._project.modules[site.module].calls[site.index].use is Use.AWAITED

    def _is_dispatch(self, site: Site, targets: int) -> bool:
        """Whether a call runs whatever it was given: without contexts, all callers' functions would meet there.

        Left out of the call graph, it costs some reach and spares chains that no execution takes.
        """
        facts = self._project.modules[site.module]
        if site.what == "acquisition":
            return False
        handed = isinstance(facts.values[facts.calls[site.index].callee], Local)
        return targets > (_MOST_HANDED if handed else _MOST_TARGETS)

    def _takes_any(self, site: Site, functions: int) -> bool:
        """Whether a call takes whatever the function around it was given, and runs it: `asyncio.run(main)`."""
        facts = self._project.modules[site.module]
        arguments = facts.calls[site.index].arguments
        handed = any(isinstance(facts.values[argument.value], Local) for argument in arguments)
        return functions > (_MOST_HANDED if handed else _MOST_TARGETS)

    def reach(self, starts: Iterable[str]) -> set[str]:
        """Return the functions that may run, in the same thread, once those of `starts` do, themselves included."""
        reached = set(starts)
        pending = list(reached)
        while pending:
            for callee in self.called_by(pending.pop()):
                if callee not in reached:
                    reached.add(callee)
                    pending.append(callee)
        return reached

    def find_chain(self, start: str, goal: str) -> tuple[Site, ...] | None:
        """Return the calls on a shortest way from one function to another in the same thread (may)."""
        ways: dict[str, tuple[Site, ...]] = {start: ()}
        pending = deque(ways)
        while pending and goal not in ways:
            caller = pending.popleft()
            for callee in sorted(self.called_by(caller) - ways.keys()):
                site = self._sites.get((caller, callee))
                ways[callee] = (*ways[caller], site) if site is not None else ways[caller]
                pending.append(callee)
        return ways.get(goal)

    @cached_property
    def _sites(self) -> dict[tuple[str, str], Site]:
        """The first call by which one function calls another."""
        found: dict[tuple[str, str], Site] = {}
        for site, targets in self._project.links.callees.items():
            if site.what == "call":
                caller = self.function_at(site).symbol
                for target in targets:
                    known = found.setdefault((caller, target.function), site)
                    found[(caller, target.function)] = min(known, site)
        return found

    @cached_property
    def _edges(self) -> dict[str, frozenset[str]]:
        graph: dict[str, set[str]] = {}
        for site, targets in self._project.links.callees.items():
            functions = {target.function for target in targets}
            if not self._is_dispatch(site, len(functions)):
                running = {function for function in functions if self.runs_at_once(site, function)}
                graph.setdefault(self.function_at(site).symbol, set()).update(running)
        taken: dict[Site, set[str]] = {}
        for root in self._project.roots:
            if root.runs_in is RunsIn.HERE and root.site.what == "call":
                taken.setdefault(root.site, set()).add(root.function)
        for site, functions in taken.items():
            if not self._takes_any(site, len(functions)):
                graph.setdefault(self.function_at(site).symbol, set()).update(functions)
        return {caller: frozenset(callees) for caller, callees in graph.items()}
