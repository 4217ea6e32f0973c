"""CON222: see docs/rules/CON222.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import LOCK_KINDS, Kind
from conclint.model.alarm import Alarm
from conclint.model.naming import is_test_code
from conclint.model.rule import Category, Rule
from conclint.model.values import Result
from conclint.project.objects import Object, Site
from conclint.project.project import CallPlace, Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON222",
    name="lock-created-in-with",
    summary="a lock is made where it is acquired, so nobody else can wait for it",
    help="make the lock once, where all who need it can reach it, and acquire that one",
    category=Category.DATA_RACE,
    since="0.1.0",
)

_DEEPEST = 4
"""Helpers that return the lock of a helper are followed this far."""


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report the acquisition of a lock that this very expression makes."""
    for module, facts in enumerate(project.modules):
        named = {flow.source for flow in facts.flows}
        for acquisition in facts.acquisitions:
            value = facts.values[acquisition.value]
            # What a walrus names may be handed on.
            function = facts.functions[acquisition.function]
            if not isinstance(value, Result) or acquisition.value in named or is_test_code(function.symbol):
                continue
            place = project.call(Site(module, value.call))
            origin = _find_origin(project, place)
            if origin is None:
                continue
            if origin.site == place.site:
                message = "this lock is made anew each time, so it excludes nobody"
                yield project.alarm(module, RULE.code, acquisition.span, message)
            else:
                message = "each call of this function makes a new lock, so it excludes nobody"
                made = project.related(origin.site.module, origin.call.span, "it is made here")
                yield project.alarm(module, RULE.code, acquisition.span, message, made)


def _find_origin(project: Project, place: CallPlace, depth: int = 0) -> CallPlace | None:
    """Return the call that makes a lock each time `place` runs: itself, or one whose result a helper returns."""
    if _makes_lock(project, place):
        return place
    callees = project.callees(place.site)
    if len(callees) != 1 or project.externals(place.site) or depth == _DEEPEST:
        return None
    function, where = project.function(callees[0].function), project.place(callees[0].function)
    if function is None or where is None or function.decorators or function.is_async or function.is_generator:
        return None
    values = [project.modules[where.module].values[value] for value in function.returns]
    if len(values) != 1 or not isinstance(values[0], Result):
        return None
    return _find_origin(project, project.call(Site(where.module, values[0].call)), depth + 1)


def _makes_lock(project: Project, place: CallPlace) -> bool:
    # A method may well return the same lock each time: `multiprocessing.Value.get_lock()`.
    # What a factory gives is made where that calls the constructor.
    by_method = any(target.receiver is not None for target in project.externals(place.site))
    if by_method or place.site in project.links.factories:
        return False
    made = project.result(place.site)
    return bool(made) and all(_is_anonymous(project, place, found) for found in made)


def _is_anonymous(project: Project, place: CallPlace, found: Object) -> bool:
    """Whether this is a new lock of a library that no argument ties to a name, a file or another lock."""
    row = project.class_row(found)
    if row is None or row.kind not in LOCK_KINDS or found.site != place.site or found.symbol != row.names[0]:
        return False
    return len(place.call.arguments) <= (1 if row.kind is Kind.SEMAPHORE else 0)
