"""Jobs: what is submitted to executors and pools, and whether anybody asks the futures for what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from conclint import catalog
from conclint.catalog.rows import Domain, Kind, Role, RunsIn
from conclint.model.facts import Use
from conclint.model.values import Attribute, Local
from conclint.project.callables import iter_functions
from conclint.project.lifetime import Made
from conclint.project.link import ExternalTarget
from conclint.project.objects import Object, ObjectKind, Site

if TYPE_CHECKING:
    from conclint.project.project import CallPlace, Project

_EXECUTORS = frozenset({RunsIn.EXECUTOR, RunsIn.EXECUTOR_THREAD, RunsIn.EXECUTOR_PROCESS})
_ASKING = frozenset({"__next__", "successful"})


def starts_job(project: Project, site: Site) -> bool:
    """Return whether a call gives a job to an executor or pool, and a future back, whatever it may be (must)."""
    targets = project.externals(site)
    return bool(targets) and not project.callees(site) and all(_gives_future(project, target) for target in targets)


def _gives_future(project: Project, target: ExternalTarget) -> bool:
    row = project.find_row(target)
    if row is None or row.spawn is None or row.spawn.runs_in not in _EXECUTORS or row.role is not None:
        return False
    made = catalog.find_class(row.returns)
    return made is not None and made.kind is Kind.FUTURE and made.domain is not Domain.TASK


class Jobs:
    """Answers which functions a job runs, and what becomes of its future."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def find_callables(self, place: CallPlace) -> tuple[Object, ...]:
        """Return what a call that submits a job may run (may), sorted; empty where nothing is known of that."""
        spawned = [row.spawn for _, row in self._project.rows(place.site) if row.spawn is not None]
        given = place.find_argument(spawned[0].keyword, spawned[0].position) if spawned else None
        objects = self._project.objects(place.site.module, given.value) if given is not None else frozenset()
        return tuple(sorted(objects, key=repr))

    def find_future(self, place: CallPlace) -> Made | None:
        """Return the future that a call which submits a job makes."""
        made = (one for one in self._project.result(place.site) if one.site == place.site)
        future = next((one for one in made if one.kind is ObjectKind.INSTANCE), None)
        row = self._project.class_row(future) if future is not None else None
        return Made(future, place, row) if future is not None and row is not None else None

    def is_never_asked(self, made: Made) -> bool:
        """Return whether a future is kept, and nobody asks it for its result or exception (must)."""
        found, lifetimes = made.found, self._project.lifetimes
        names = {operation.name for operation in lifetimes.iter_operations(found)} | self._project.loads(found)
        if Role.RESULT in lifetimes.find_roles(found) or names & _ASKING or lifetimes.is_out_of_sight(found):
            return False
        if found in self._returned or any(self._asks(place) for place in self.iter_waits(found)):
            return False
        callbacks = list(lifetimes.iter_calls(found, Role.CALLBACK))
        if Role.CALLBACK in lifetimes.find_roles(found) and not callbacks:
            return False
        return all(map(self._ignores, callbacks)) and (bool(callbacks) or self._is_kept(made))

    def iter_waits(self, found: Object) -> Iterator[CallPlace]:
        """Yield the calls that wait for a future without asking it: `wait(futures)`, `as_completed(futures)`."""
        for place in self._waits:
            for argument in place.call.arguments:
                given = self._project.objects(place.site.module, argument.value)
                if found in given or any(found in self._project.elements(one) for one in given):
                    yield place
                    break

    def _is_kept(self, made: Made) -> bool:
        """Whether the future is put into a collection or attribute, or waited for (must).

        A mere variable may be used as a key, which is not followed.
        """
        name = self._project.lifetimes.describe(made)
        return "." in name or "[" in name or any(self.iter_waits(made.found))

    def _asks(self, place: CallPlace) -> bool:
        """Whether what a wait gives back is asked, or may be: the done ones of `wait`, those of `as_completed`."""
        if place.call.use is Use.DROPPED:
            return False
        given = [one for made in self._project.result(place.site) for one in self._project.elements(made)]
        lifetimes = self._project.lifetimes
        return not given or any(
            lifetimes.is_out_of_sight(one) or not lifetimes.find_roles(one).isdisjoint((Role.RESULT, Role.CALLBACK))
            for one in given
        )

    def _ignores(self, place: CallPlace) -> bool:
        """Whether a done-callback does not look at the future: `futures.discard`, a function without use for it."""
        given = place.find_argument("fn", 0)
        objects = self._project.objects(place.site.module, given.value) if given is not None else frozenset()
        return bool(objects) and all(self._is_blind(found) for found in objects)

    def _is_blind(self, found: Object) -> bool:
        if found.kind is ObjectKind.METHOD and found.receiver is not None:
            row = self._project.class_row(found.receiver)
            return row is not None and row.kind is Kind.COLLECTION
        symbols = list(iter_functions(self._project, found))
        return found.kind is not ObjectKind.PARTIAL and bool(symbols) and all(map(self._drops_first, symbols))

    def _drops_first(self, symbol: str) -> bool:
        """Whether a function has no use for its first argument."""
        place, function = self._project.place(symbol), self._project.function(symbol)
        if place is None or function is None:
            return False
        parameters = function.parameters[bool(function.owner) :]
        facts = self._project.modules[place.module]
        if not parameters or Local(symbol, parameters[0].name) not in facts.values:
            return bool(parameters)
        value = facts.values.index(Local(symbol, parameters[0].name))
        read = {one.base for one in facts.values if isinstance(one, Attribute)}
        read |= {argument.value for call in facts.calls for argument in call.arguments}
        read |= {flow.source for flow in facts.flows}
        return value not in read

    @cached_property
    def _returned(self) -> frozenset[Object]:
        """What functions of the project return: their callers decide."""
        return frozenset(
            found
            for module, facts in enumerate(self._project.modules)
            for function in facts.functions
            for value in function.returns
            for found in self._project.objects(module, value)
        )

    @cached_property
    def _waits(self) -> tuple[CallPlace, ...]:
        return tuple(
            place
            for place in self._project.external_calls
            for target, row in self._project.rows(place.site)
            if row.role is Role.JOIN and target.receiver is None
        )
