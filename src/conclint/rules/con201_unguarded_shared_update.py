"""CON201: see docs/rules/CON201.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model.alarm import Alarm, Related
from conclint.model.rule import Category, Rule
from conclint.project.parallel import Control
from conclint.project.places import Place, PlaceKind
from conclint.project.project import Project
from conclint.project.races import Race
from conclint.project.roots import relate_begin
from conclint.project.ways import relate_chain
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON201",
    name="unguarded-shared-update",
    summary="shared state is updated by several threads without a lock",
    help="hold one lock around every update",
    category=Category.DATA_RACE,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report reads followed by writes that another thread's write may come between."""
    for race in project.races.lost_updates:
        name = _describe(race.place)
        alone = race.others[0] == (race.access, race.control)
        who = "several threads at once" if alone else "two threads"
        message = f"`{name}` is updated by {who} without a lock"
        yield project.alarm(race.access.module, RULE.code, race.access.span, message, *_relate(project, race))


def _relate(project: Project, race: Race) -> Iterator[Related]:
    reached = {race.control: race.access}
    for other, control in race.others:
        reached.setdefault(control, other)
        if other is not race.access:
            yield project.related(other.module, other.span, f"`{_describe(race.place)}` is changed here as well")
    for control, access in reached.items():
        if (step := _relate_spawn(project, control)) is not None and control.root is not None:
            yield step
            yield from relate_chain(project, control.root.function, access.function)


def _relate_spawn(project: Project, control: Control) -> Related | None:
    if control.root is None:
        return None
    return relate_begin(project, control.root, again=control.many)


def _describe(place: Place) -> str:
    return f"self.{place.name}" if place.kind is PlaceKind.ATTRIBUTE else place.name
