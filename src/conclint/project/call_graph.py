"""Which function of the project may call which, in the same thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from conclint.catalog.rows import RunsIn
from conclint.model.facts import Acquisition, Call, Function, Use
from conclint.model.ids import ContextId
from conclint.model.span import Span
from conclint.model.values import Local
from conclint.project.call_place import CallPlace
from conclint.project.objects import ObjectKind, Site

if TYPE_CHECKING:
    from conclint.project.project import Project
    from conclint.project.roots import Root

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
            place, caller = self.place_at(site), self.function_at(site).symbol
            for target in targets:
                found.setdefault(target.function, []).append((caller, site.module, place.context))
        for root, taker in self._takers:
            found.setdefault(root.function, []).append((taker.function.symbol, root.site.module, taker.call.context))
        return found

    def sites(self, symbol: str) -> tuple[Site, ...]:
        """Return the calls that may run a function, and what is entered where that does."""
        return tuple(self._sites.get(symbol, ()))

    @cached_property
    def _sites(self) -> dict[str, list[Site]]:
        found: dict[str, list[Site]] = {}
        for site, targets in self._project.links.callees.items():
            for target in targets:
                found.setdefault(target.function, []).append(site)
        return found

    @cached_property
    def runners(self) -> dict[str, set[str]]:
        """Which functions run a function in their own thread (may), those that run whatever they are given too."""
        found: dict[str, set[str]] = {}
        for site, targets in self._project.links.callees.items():
            for target in targets:
                if self.runs_at_once(site, target.function):
                    found.setdefault(target.function, set()).add(self.function_at(site).symbol)
        for root, taker in self._takers:
            found.setdefault(root.function, set()).add(taker.function.symbol)
        return found

    @cached_property
    def _takers(self) -> tuple[tuple[Root, CallPlace], ...]:
        """Predicates, sort keys and their like: what they run in is the call that takes them."""
        here = (root for root in self._project.roots if root.runs_in is RunsIn.HERE)
        return tuple((root, taker) for root in here if (taker := self._project.find_call(root.site)) is not None)

    def iter_calls(self, caller: str) -> Iterator[tuple[CallPlace, str]]:
        """Yield the calls in a function that run others in its thread, with these; `with` calls what it enters."""
        for site, callee in self._calls.get(caller, ()):
            yield self._call_at(site), callee

    def _call_at(self, site: Site) -> CallPlace:
        place = self.place_at(site)
        if isinstance(place, Acquisition):
            place = Call(place.function, place.value, (), place.span, Use.USED, place.context)
        return CallPlace(site, place, self._project.modules[site.module])

    @cached_property
    def passed_functions(self) -> frozenset[str]:
        """Functions that are handed on as values, roots apart: who calls them, and how, is not known."""
        found: set[str] = set()
        for module, facts in enumerate(self._project.modules):
            values = {flow.source for flow in facts.flows}
            values.update(argument.value for call in facts.calls for argument in call.arguments)
            values.update(value for function in facts.functions for value in function.returns)
            for value in values:
                for one in self._project.objects(module, value):
                    if one.kind in (ObjectKind.FUNCTION, ObjectKind.BOUND):
                        found.add(one.symbol)
        return frozenset(found - self._project.root_functions)

    def is_open(self, symbol: str) -> bool:
        """Return whether code outside the project may call a function by its name, in the thread that it likes.

        Private functions and those that are handed on as values have callers that are not known.
        """
        name = symbol.rpartition(".")[2]
        private = (name.startswith("_") and not name.endswith("__")) or "<locals>" in symbol
        return not private and symbol not in self.passed_functions

    def find_call(self, caller: str, callee: str, context: ContextId) -> CallPlace | None:
        """Return the first call, one of `callers`, by which a function runs another in some surroundings."""
        takers = (taker.site for root, taker in self._takers if root.function == callee)
        sites = [
            site
            for site in (*self.sites(callee), *takers)
            if self.function_at(site).symbol == caller and self.place_at(site).context == context
        ]
        return self._call_at(min(sites, key=lambda site: self.place_at(site).span)) if sites else None

    def called_by(self, symbol: str) -> frozenset[str]:
        """Return the functions that a function may call in its own thread."""
        return self._edges.get(symbol, frozenset())

    def place_at(self, site: Site) -> Call | Acquisition:
        """Return the call that stands at a site, or what is entered there."""
        facts = self._project.modules[site.module]
        return facts.acquisitions[site.index] if site.what == "acquisition" else facts.calls[site.index]

    def function_at(self, site: Site) -> Function:
        """Return the function around a call or an acquisition."""
        return self._project.modules[site.module].functions[self.place_at(site).function]

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

    def collect_callers(self, symbols: Iterable[str]) -> frozenset[str]:
        """Return the functions that may come to call one of `symbols`, through any number of others, and these."""
        found = set(symbols)
        pending = list(found)
        while pending:
            callers = {caller for caller, _, _ in self.callers.get(pending.pop(), ())} - found
            found |= callers
            pending.extend(callers)
        return frozenset(found)

    def find_chain(self, start: str, goal: str) -> tuple[CallPlace, ...] | None:
        """Return the calls on a shortest way from one function to another in the same thread (may)."""
        return self.collect_chains([start]).get(goal)

    def collect_chains(
        self, starts: Iterable[str], follows: Callable[[CallPlace, str], bool] = lambda place, callee: True
    ) -> dict[str, tuple[CallPlace, ...]]:
        """Return what functions may run in their thread, with the calls on a shortest way there, themselves included.

        Ways lead through calls for which `follows` holds.
        """
        chains: dict[str, tuple[CallPlace, ...]] = dict.fromkeys(starts, ())
        pending = deque(chains)
        while pending:
            caller = pending.popleft()
            for place, callee in self.iter_calls(caller):
                if callee not in chains and follows(place, callee):
                    chains[callee] = (*chains[caller], place)
                    pending.append(callee)
        return chains

    @cached_property
    def _edges(self) -> dict[str, frozenset[str]]:
        return {caller: frozenset(callee for _, callee in calls) for caller, calls in self._calls.items()}

    @cached_property
    def _calls(self) -> dict[str, list[tuple[Site, str]]]:
        """The calls by which a function runs another one, in the order of the source."""
        found: dict[str, list[tuple[Site, str]]] = {}
        for site, targets in self._project.links.callees.items():
            functions = {target.function for target in targets}
            if not self._is_dispatch(site, len(functions)):
                running = [(site, function) for function in functions if self.runs_at_once(site, function)]
                found.setdefault(self.function_at(site).symbol, []).extend(running)
        for taker, functions in self._taken.items():
            if not self._takes_any(taker, len(functions)):
                taken = [(taker, function) for function in functions]
                found.setdefault(self.function_at(taker).symbol, []).extend(taken)
        return {caller: sorted(calls, key=self._order) for caller, calls in found.items()}

    @cached_property
    def _taken(self) -> dict[Site, set[str]]:
        """What each call runs at once of what it is given."""
        taken: dict[Site, set[str]] = {}
        for root, taker in self._takers:
            taken.setdefault(taker.site, set()).add(root.function)
        return taken

    def _order(self, call: tuple[Site, str]) -> tuple[Span, Site, str]:
        site, callee = call
        return self.place_at(site).span, site, callee
