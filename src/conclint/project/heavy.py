"""Heavy calls: those that certainly compute for long, whether a library does or a loop of the project."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.cpu import ROUNDS
from conclint.catalog.rows import Effect
from conclint.model.facts import Cost
from conclint.model.values import Attribute, Await, Name, Result, ValueId
from conclint.project.blocking import find_blocking
from conclint.project.callables import is_transparent
from conclint.project.objects import Site

if TYPE_CHECKING:
    from conclint.project.project import CallPlace, Project


class LongLoop(NamedTuple):
    """A loop of the project that takes long whatever it is given (must, once it is reached)."""

    module: int
    cost: Cost


class Heavy:
    """Answers which calls compute for long."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def is_heavy(self, place: CallPlace) -> bool:
        """Return whether a call runs a function of a library that computes for long (must)."""
        found = find_blocking(self._project, place, Effect.HEAVY | Effect.GROWS)
        if found is None or self._is_small(place, found.name) or self._is_kept(place):
            return False
        return bool(found.row.effects & Effect.HEAVY) or self._gets_file(place)

    def releases_gil(self, place: CallPlace) -> bool:
        """Return whether a call runs a function of a library that computes without holding the GIL (must)."""
        found = find_blocking(self._project, place, Effect.HEAVY | Effect.GROWS)
        return found is not None and bool(found.row.effects & Effect.RELEASES_GIL)

    def find_loop(self, place: CallPlace) -> LongLoop | None:
        """Return the long loop that the plain functions which a call may run all have."""
        callees = self._project.callees(place.site)
        if not callees or self._project.externals(place.site):
            return None
        found = [self._find_own_loop(target.function) for target in callees]
        return found[0] if all(found) else None

    def _find_own_loop(self, symbol: str) -> LongLoop | None:
        place, function = self._project.place(symbol), self._project.function(symbol)
        if place is None or function is None or function.is_async or function.is_generator:
            return None
        certain = function.cost.certain and is_transparent(self._project, symbol)
        return LongLoop(place.module, function.cost) if certain else None

    def _is_small(self, place: CallPlace, name: str) -> bool:
        """Whether the call says itself that there is little to do."""
        if name not in ROUNDS:
            return False
        keyword, position, least = ROUNDS[name]
        given = place.find_argument(keyword, position)
        constant = self._project.constant(place.site.module, given.value) if given is not None else None
        return constant is not None and isinstance(constant.value, int) and constant.value < least

    def _is_kept(self, place: CallPlace) -> bool:
        """Whether the result is stored for good, as a model is that is loaded once."""
        return place.site in self._stored

    def _gets_file(self, place: CallPlace) -> bool:
        """Whether the first argument is what was read from a file, or an answer: as large as that is."""
        return bool(place.call.arguments) and self._is_read(place, place.call.arguments[0].value)

    def _is_read(self, place: CallPlace, value: ValueId) -> bool:
        found = place.facts.values[value]
        if isinstance(found, Await):
            return self._is_read(place, found.base)
        if not isinstance(found, Result):
            sources = [flow.source for flow in place.facts.flows if flow.target == value]
            return len(sources) == 1 and sources[0] != value and self._is_read(place, sources[0])
        made = self._project.call(Site(place.site.module, found.call))
        rows = [row for _, row in self._project.rows(made.site)]
        return bool(rows) and not made.call.arguments and all(row.effects & Effect.FILE for row in rows)

    @cached_property
    def _stored(self) -> frozenset[Site]:
        return frozenset(
            Site(module, source.call)
            for module, facts in enumerate(self._project.modules)
            for flow in facts.flows
            if isinstance(source := facts.values[flow.source], Result)
            and isinstance(facts.values[flow.target], Attribute | Name)
        )
