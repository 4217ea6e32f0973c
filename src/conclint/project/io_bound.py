"""I/O-bound functions: those that wait for the network or sleep, and do nothing else that takes time.

A function is I/O-bound (must) when it, or a function that it calls, waits, and every call below it is known to wait, to
read or write files, or to be short. One unknown call, one loop that computes, makes it something else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import Effect
from conclint.model.facts import Function
from conclint.project.callables import is_transparent
from conclint.project.cpu import CpuBound, is_method_of_data
from conclint.project.symbols import FunctionPlace

if TYPE_CHECKING:
    from conclint.project.link import ExternalTarget
    from conclint.project.project import CallPlace, Project

_MOST_FUNCTIONS = 20
"""A call tree with more functions than this does more than wait."""
_WAITS = Effect.NETWORK | Effect.SLEEP
_ALLOWED = _WAITS | Effect.FILE | Effect.WAIT | Effect.SLOW_FIRST_USE
_SHORT_MODULES = frozenset(
    """
    builtins collections contextlib dataclasses datetime enum functools itertools json logging operator random time
    """.split()
)
"""Modules whose functions, as far as they compute, do so for a short time."""


class Waits(NamedTuple):
    """Why a function is I/O-bound: the calls that lead to the wait, and the wait itself."""

    calls: tuple[CallPlace, ...]
    wait: CallPlace


class IoBound:
    """Answers which functions of a program are I/O-bound."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._cpu = CpuBound(project)
        self._entered = {
            (FunctionPlace(module, one.function), one.value)
            for module, facts in enumerate(project.modules)
            for one in facts.acquisitions
        }

    def find_waits(self, start: str) -> Waits | None:
        """Return why a function is I/O-bound (must), None where it is not or that is not known."""
        found: Waits | None = None
        trails: dict[str, tuple[CallPlace, ...]] = {start: ()}
        for symbol in (queue := [start]):
            place, function = self._project.place(symbol), self._project.function(symbol)
            if place is None or function is None or len(queue) > _MOST_FUNCTIONS or not self._is_plain(place, function):
                return None
            for call in self._project.calls_in(place):
                if not self._is_known(call):
                    return None
                if found is None and self._waits(call):
                    found = Waits(trails[symbol], call)
                for target in sorted(self._project.callees(call.site), key=lambda one: one.function):
                    if target.function not in trails:
                        trails[target.function] = (*trails[symbol], call)
                        queue.append(target.function)
        return found

    def _is_plain(self, place: FunctionPlace, function: Function) -> bool:
        """Whether running the function is running its body, which has no long loop, and enters what is known."""
        if function.is_async or function.is_stub or function.is_generator or function.cost.span is not None:
            return False
        entered = (value for where, value in self._entered if where == place)
        known = all(self._project.objects(place.module, value) for value in entered)
        return known and is_transparent(self._project, function.symbol)

    def _is_known(self, place: CallPlace) -> bool:
        targets = self._project.externals(place.site)
        if targets:
            return all(self._is_quick_or_waits(place, target) for target in targets)
        if self._project.callees(place.site):
            return True
        return is_method_of_data(place.facts.values[place.call.callee], place.call, place.facts.values)

    def _is_quick_or_waits(self, place: CallPlace, target: ExternalTarget) -> bool:
        row = self._project.find_row(target)
        if row is not None and row.spawn is None and not row.coroutine:
            return not row.effects & ~_ALLOWED
        short = target.receiver is not None or target.name.partition(".")[0] in _SHORT_MODULES
        return short and self._cpu.is_computing(place, target)

    def _waits(self, place: CallPlace) -> bool:
        rows = [row for _, row in self._project.rows(place.site)]
        return bool(rows) and all(row.effects & _WAITS for row in rows)
