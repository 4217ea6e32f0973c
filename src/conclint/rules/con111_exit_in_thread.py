"""CON111: see docs/rules/CON111.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.catalog.rows import RunsIn
from conclint.model.alarm import Alarm
from conclint.model.facts import Call
from conclint.model.observations import Raise
from conclint.model.rule import Category, Rule
from conclint.model.values import Result
from conclint.project.confinement import collect_confined
from conclint.project.handlers import SYSTEM_EXIT
from conclint.project.objects import ObjectKind, Site
from conclint.project.project import Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON111",
    name="exit-in-thread",
    summary="a thread other than the main one calls `sys.exit()`, which ends that thread alone",
    help="tell the main thread to exit, through an event, a queue or a future; to end the thread only, return",
    category=Category.THREAD,
    since="0.1.0",
)

_ENDED = (RunsIn.THREAD, RunsIn.TIMER)
"""What SystemExit ends silently; executors keep it for `result()`."""
_CAREFUL = frozenset({"os.fork", "os.forkpty", "threading.current_thread", "threading.main_thread"})
"""What a function calls that knows in which thread it runs, or goes on in a child process."""


class _Exit(NamedTuple):
    module: int
    function: str
    place: Call | Raise
    text: str
    """How the exit is written."""


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report exits in functions that only threads run, where nothing on the way catches SystemExit."""

    def passes(module: int, place: Call | Raise) -> bool:
        return not project.handlers.may_stop(module, place, SYSTEM_EXIT)

    exits = list(_iter_exits(project))
    ways = collect_confined(project, lambda root: root.runs_in in _ENDED, passes) if exits else {}
    careful = frozenset(_iter_careful(project)) if ways else frozenset()
    for found in exits:
        way = ways.get(found.function)
        if way is None or careful & set(way.functions(found.function)) or not passes(found.module, found.place):
            continue
        message = f"`{found.text}` ends only the thread that it runs in, not the program"
        yield project.alarm(found.module, RULE.code, found.place.span, message, *way.relate(project))


def _iter_exits(project: Project) -> Iterator[_Exit]:
    for place in project.external_calls:
        rows = project.rows(place.site)
        known = len(rows) == len(project.externals(place.site)) and not project.callees(place.site)
        if known and all(row.exits for _, row in rows):
            text = f"{project.places.describe(place.site.module, place.call.callee)}()"
            yield _Exit(place.site.module, place.function.symbol, place.call, text)
    for module, facts in enumerate(project.modules):
        for raised in facts.raises:
            if _is_exit(project, module, raised):
                yield _Exit(module, facts.functions[raised.function].symbol, raised, "raise SystemExit")


def _is_exit(project: Project, module: int, raised: Raise) -> bool:
    """Whether all that is raised is SystemExit, or a class of the project that derives from it."""
    made = project.value(module, raised.value)
    if isinstance(made, Result) and (externals := project.externals(Site(module, made.call))):
        return all(target.name == SYSTEM_EXIT[0] for target in externals)
    objects = project.objects(module, raised.value)
    kinds = (ObjectKind.CLASS, ObjectKind.EXTERNAL, ObjectKind.INSTANCE)
    return bool(objects) and all(
        found.kind in kinds and project.symbols.is_subclass(found.symbol, SYSTEM_EXIT[0]) for found in objects
    )


def _iter_careful(project: Project) -> Iterator[str]:
    return (place.function.symbol for place in project.calls_to(_CAREFUL))
