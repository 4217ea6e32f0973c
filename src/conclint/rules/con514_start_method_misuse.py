"""CON514: see docs/rules/CON514.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.model.values import Constant
from conclint.project.project import CallPlace, Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON514",
    name="start-method-misuse",
    summary="a module sets the start method of the whole program when it is imported",
    help='set it under `if __name__ == "__main__":`, or use `multiprocessing.get_context(...)`',
    category=Category.PROCESS,
    since="0.1.0",
    default=False,
)

_SET = "multiprocessing.set_start_method"
_SCRIPT = "__main__"


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report calls of `set_start_method` that an import makes, itself or through a function."""
    setting: dict[str, CallPlace] = {}
    for place in project.calls_to({_SET}):
        if any(target.name != _SET for target in project.externals(place.site)) or _is_careful(place):
            continue
        if _is_import(place):
            yield _report(project, place, place)
        elif place.call.function:
            setting[place.function.symbol] = place
    ends = {site: found for symbol, found in setting.items() for site in project.call_graph.sites(symbol)}
    for site, found in sorted(ends.items()):
        caller = project.find_call(site)
        if caller is not None and _is_import(caller):
            yield _report(project, caller, found)


def _report(project: Project, place: CallPlace, found: CallPlace) -> Alarm:
    message = "the import of this module sets the start method of the whole program: a second one is a RuntimeError"
    steps = () if place is found else (project.related(found.site.module, found.call.span, "it is set here"),)
    return project.alarm(place.site.module, RULE.code, place.call.span, message, *steps)


def _is_careful(place: CallPlace) -> bool:
    """Whether the call knows that the method may be set already."""
    force = place.find_argument("force", 1)
    is_forced = force is not None and place.facts.values[force.value] != Constant(False)
    return is_forced or place.context.protected or bool(place.context.branches)


def _is_import(place: CallPlace) -> bool:
    is_script = place.facts.module.rpartition(".")[2] == _SCRIPT
    return place.call.function == 0 and not place.context.main_guard and not is_script
