"""CON413: see docs/rules/CON413.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.project.objects import Object, ObjectKind
from conclint.project.project import CallPlace, Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON413",
    name="asyncio-wait-on-coroutines",
    summary="`asyncio.wait` is given coroutines, and takes tasks only",
    help="make tasks of them: `asyncio.wait([asyncio.create_task(f()) for f in …])`, or use `asyncio.gather`",
    category=Category.ASYNC,
    since="0.1.0",
)

_WAIT = frozenset({"asyncio.wait", "asyncio.tasks.wait"})


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report `asyncio.wait` on collections of coroutines."""
    for place in project.calls:
        targets = project.externals(place.site)
        if not targets or any(target.name not in _WAIT for target in targets):
            continue
        held = _collect_elements(project, place)
        if held and all(found.kind is ObjectKind.COROUTINE for found in held):
            name = min(found.symbol for found in held).rpartition(".")[2]
            message = (
                f"`{project.places.describe(place.site.module, place.call.callee)}` gets the coroutine of `{name}`"
            )
            yield project.alarm(place.site.module, RULE.code, place.call.span, f"{message}, not a task: a TypeError")


def _collect_elements(project: Project, place: CallPlace) -> frozenset[Object]:
    given = place.find_argument("fs", 0)
    collections = project.objects(place.site.module, given.value) if given is not None else frozenset()
    return frozenset(found for collection in collections for found in project.elements(collection))
