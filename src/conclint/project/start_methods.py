"""Start methods: how processes are started, where the program says so, and what they are given at the start."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from conclint.catalog.rows import Spawn
from conclint.model.facts import Argument
from conclint.model.values import Collection, Constant, Result, ValueId
from conclint.project.objects import Site

if TYPE_CHECKING:
    from conclint.project.project import CallPlace, Project

_CLASSES = {"SpawnProcess": "spawn", "ForkServerProcess": "forkserver", "ForkProcess": "fork"}


class StartMethods:
    """Answers how the calls of a program that make processes start them.

    A context of which it is not seen where it is made is taken for one of its module, if all of these are alike.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._contexts: dict[Site, str] = {}
        program: set[str] = set()
        for site, targets in project.links.externals.items():
            for target in targets if site.what == "call" else ():
                if target.name.endswith(".get_context"):
                    self._contexts[site] = self._read(project.call(site))
                elif target.name == "multiprocessing.set_start_method":
                    program.add(self._read(project.call(site)))
        self._default = _only(program)

    def find(self, place: CallPlace) -> str:
        """Return "fork", "spawn" or "forkserver" for a process or a pool (must), "" where the program does not say."""
        targets = self._project.externals(place.site)
        context: ValueId | None = None
        if any(target.receiver is not None for target in targets):
            context, _ = self._project.places.split(place.site.module, place.call.callee) or (None, "")
        given = place.find_argument("mp_context") or place.find_argument("context")
        context = given.value if given is not None else context
        if context is not None:
            return _only(self._find_contexts(place, context))
        return _only({_CLASSES.get(target.name.rpartition(".")[2], self._default) for target in targets})

    def _find_contexts(self, place: CallPlace, context: ValueId) -> set[str]:
        facts, module = place.facts, place.site.module
        sources = [context, *(flow.source for flow in facts.flows if flow.target == context)]
        calls = [value.call for value in map(facts.values.__getitem__, sources) if isinstance(value, Result)]
        made = {self._contexts[Site(module, call)] for call in calls if Site(module, call) in self._contexts}
        return made or {said for site, said in self._contexts.items() if site.module == module}

    def _read(self, place: CallPlace) -> str:
        argument = place.find_argument("method", 0)
        constant = self._project.constant(place.site.module, argument.value) if argument is not None else None
        return constant.value if isinstance(constant, Constant) and isinstance(constant.value, str) else ""


def _only(said: AbstractSet[str]) -> str:
    return next(iter(said)) if len(said) == 1 else ""


def iter_passed(project: Project, place: CallPlace, spawn: Spawn) -> Iterator[Argument]:
    """Yield what a process, or a job for one, gets besides its function, as far as it stands at the call."""
    if spawn.arguments_from is not None:
        given = [one for one in place.call.arguments if one.keyword == ""][spawn.arguments_from :]
        yield from given if not spawn.maps else ()
        return
    for keyword, position in ((spawn.args_keyword, spawn.args_position), (spawn.kwargs_keyword, None)):
        argument = place.find_argument(keyword, position) if keyword else None
        value = project.value(place.site.module, argument.value) if argument is not None else None
        if argument is not None and isinstance(value, Collection):
            yield from (Argument("", item, argument.span) for item in value.items)
