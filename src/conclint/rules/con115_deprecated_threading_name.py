"""CON115: see docs/rules/CON115.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint import catalog
from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.project.project import CallPlace, Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON115",
    name="deprecated-threading-name",
    summary="an old camel-case name of `threading` is used",
    help="use the name that replaces it: the old one is deprecated since Python 3.10, or gone",
    category=Category.THREAD,
    since="0.1.0",
)

_REPLACEMENTS = {
    "threading.Thread.getName": "the attribute `name`",
    "threading.Thread.setName": "the attribute `name`",
    "threading.Thread.isDaemon": "the attribute `daemon`",
    "threading.Thread.setDaemon": "the attribute `daemon`",
    "threading.Thread.isAlive": "`is_alive()`",
    "threading.Condition.notifyAll": "`notify_all()`",
    "threading.Event.isSet": "`is_set()`",
    "threading.currentThread": "`current_thread()`",
    "threading.activeCount": "`active_count()`",
}


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report calls of the old names, on objects that are known to be threads, conditions and events."""
    for place in project.calls:
        old = _find_old_name(project, place)
        if old is not None:
            name = old.rpartition(".")[2]
            gone = "removed in Python 3.9" if name == "isAlive" else "deprecated"
            message = f"`{name}()` is {gone}"
            yield project.alarm(
                place.site.module, RULE.code, place.call.span, message, help=f"use {_REPLACEMENTS[old]}"
            )


def _find_old_name(project: Project, place: CallPlace) -> str | None:
    """Return the old name that a call certainly means, under the class that defines it."""
    if project.callees(place.site):
        return None
    names = {_find_origin(target.name) for target in project.externals(place.site)}
    return names.pop() if len(names) == 1 else None


_OLD_NAMES = frozenset(name.rpartition(".")[2] for name in _REPLACEMENTS)


def _find_origin(name: str) -> str | None:
    owner, _, method = name.rpartition(".")
    if method not in _OLD_NAMES:
        return None
    candidates = (name, *(f"{base}.{method}" for base in catalog.resolve_mro(owner)))
    return next((one for one in candidates if one in _REPLACEMENTS), None)
