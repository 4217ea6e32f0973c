"""CON235: see docs/rules/CON235.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import LOCK_KINDS, CallRow, Kind
from conclint.model.alarm import Alarm
from conclint.model.facts import Use
from conclint.model.rule import Category, Rule
from conclint.model.values import Constant, Local, Result
from conclint.project.objects import Site
from conclint.project.order import precedes
from conclint.project.project import CallPlace, Project
from conclint.project.timeouts import find_timeout
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON235",
    name="timed-acquire-ignored",
    summary="nobody looks whether an `acquire()` that may give up has got the lock",
    help="enter the critical section only if it returns true: `if lock.acquire(timeout=…):`",
    category=Category.DATA_RACE,
    since="0.1.0",
)

_OWNED = LOCK_KINDS - {Kind.SEMAPHORE}
"""A semaphore may be released by whoever likes to, and be taken just to count down."""


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report acquires that may fail, where the lock is used and released as if they never did."""
    unread = _find_unread(project)
    for place in project.calls:
        if (place.call.use is Use.DROPPED or place.site in unread) and _may_give_up(project, place):
            released = _find_release(project, place)
            if released is not None and _does_something(project, place, released):
                name = project.places.describe(place.site.module, place.call.callee)
                message = f"`{name}` may return without the lock, and nobody looks whether it has"
                related = project.related(
                    place.site.module, released.call.span, "it is released here, whether it is held or not"
                )
                yield project.alarm(place.site.module, RULE.code, place.call.span, message, related)


def _find_unread(project: Project) -> frozenset[Site]:
    """Return the calls whose result is bound to a variable that nobody reads."""
    return frozenset(
        Site(module, source.call)
        for module, facts in enumerate(project.modules)
        for flow in facts.flows
        if isinstance(source := facts.values[flow.source], Result)
        and isinstance(target := facts.values[flow.target], Local)
        and target.name in facts.functions[flow.function].unread
    )


def _may_give_up(project: Project, place: CallPlace) -> bool:
    """Whether a lock is acquired with a timeout, or without waiting (must), that others may hold."""
    targets = project.externals(place.site)
    if not targets or project.callees(place.site):
        return False
    for target in targets:
        row = project.find_row(target)
        kind = project.class_row(target.receiver) if target.receiver is not None else None
        if row is None or kind is None or kind.kind not in _OWNED or not target.name.endswith(".acquire"):
            return False
        made = target.receiver.site if target.receiver is not None else None
        if made is not None and made.what == "call" and project.call(made).function_place == place.function_place:
            # Nobody else has this one yet.
            return False
        if not _is_bounded(project, place, row):
            return False
    return True


def _is_bounded(project: Project, place: CallPlace, row: CallRow) -> bool:
    timeout, module = row.timeout, place.site.module
    if timeout is None:
        return False
    for keyword, position, expected in timeout.nonblocking:
        given = place.find_argument(keyword, position)
        constant = project.constant(module, given.value) if given is not None else None
        if constant is not None and constant.value == expected:
            return True
    given = find_timeout(place, timeout)
    return given is not None and not _is_infinite(project.value(module, given.value), timeout.infinite)


def _is_infinite(value: object, infinite: tuple[object, ...]) -> bool:
    return isinstance(value, Constant) and value.value in infinite


def _does_something(project: Project, acquired: CallPlace, released: CallPlace) -> bool:
    """Whether there is a critical section between the two: without, the lock is only made to be free."""
    spans = [other.call.span for other in project.calls_in(acquired.function_place)]
    spans += [access.span for access in acquired.facts.accesses if access.function == acquired.call.function]
    return any(precedes(acquired.call.span, span) and precedes(span, released.call.span) for span in spans)


def _find_release(project: Project, place: CallPlace) -> CallPlace | None:
    """Return where the same function releases the same lock further down."""
    acquired = project.places.split(place.site.module, place.call.callee)
    if acquired is None:
        return None
    wanted = (acquired[0], "release")
    for other in project.calls_in(place.function_place):
        is_release = project.places.split(other.site.module, other.call.callee) == wanted
        if is_release and precedes(place.call.span, other.call.span):
            return other
    return None
