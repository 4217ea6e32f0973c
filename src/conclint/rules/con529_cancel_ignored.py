"""CON529: see docs/rules/CON529.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Role
from conclint.model.alarm import Alarm
from conclint.model.facts import Use
from conclint.model.rule import Category, Rule
from conclint.project.exceptions import last_name
from conclint.project.order import contains, precedes
from conclint.project.project import CallPlace, Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON529",
    name="cancel-ignored",
    summary="a job that runs too long is cancelled, which does not stop it",
    help="tell the job itself to stop, as by an event; or test what `cancel()` returns",
    category=Category.PROCESS,
    since="0.1.0",
    default=False,
)

_CANCEL = "concurrent.futures.Future.cancel"


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report futures that are cancelled because their result did not come in time."""
    for place in project.calls_to({_CANCEL}):
        is_certain = all(target.name == _CANCEL for target in project.externals(place.site))
        wait = _find_timed_wait(project, place) if is_certain and place.call.use is Use.DROPPED else None
        if wait is not None and not _tells_to_stop(project, place):
            name = project.places.describe(place.site.module, place.call.callee)
            message = f"`{name}` does not stop a job that runs: it goes on after the timeout"
            waited = project.related(wait.site.module, wait.call.span, "this has waited in vain")
            yield project.alarm(place.site.module, RULE.code, place.call.span, message, waited)


def _find_timed_wait(project: Project, cancel: CallPlace) -> CallPlace | None:
    """Return the wait with a timeout, in a `try` of the same function, whose failure leads to the call."""
    handlers = [one for one in cancel.facts.handlers if one.function == cancel.call.function]
    futures = {target.receiver for target in project.externals(cancel.site)}
    waits = (place for found in futures if found for place in project.lifetimes.iter_calls(found, Role.RESULT))
    for wait in waits:
        if wait.function_place != cancel.function_place or not wait.call.arguments:
            continue
        tried = [one.guarded for one in handlers if contains(one.guarded, wait.call.span)]
        is_behind = set(wait.context.branches) < set(cancel.context.branches)
        if is_behind and any(precedes(guarded, cancel.call.span) for guarded in tried):
            return wait
    return None


def _tells_to_stop(project: Project, cancel: CallPlace) -> bool:
    """Whether an event is set beside the call, by which the job may get to know."""
    around = (place for place in project.calls_in(cancel.function_place) if last_name(place) == "set")
    return any(place.context.branches == cancel.context.branches for place in around)
