"""CON301: see docs/rules/CON301.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint import catalog
from conclint.analysis.editor import Editor
from conclint.analysis.limiting import pass_timeout
from conclint.catalog.rows import CallRow, Effect, Kind, Spawn, Timeout, Wait
from conclint.model.alarm import Alarm
from conclint.model.fix import Anchor, Fix
from conclint.model.rule import Category, Rule
from conclint.model.span import Span
from conclint.model.values import Collection
from conclint.project.link import ExternalTarget
from conclint.project.objects import Object, ObjectKind
from conclint.project.project import CallPlace, Project
from conclint.project.timeouts import Limit, Timeouts, find_timeout
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON301",
    name="network-call-without-timeout",
    summary="a network call may wait for ever",
    help="pass a timeout",
    category=Category.TIMEOUT,
    since="0.1.0",
)

_TIMEOUT_CLASSES = frozenset({"aiohttp.ClientTimeout", "httpx.Timeout", "httpx2.Timeout"})
"""What is made to be passed as a timeout."""
_PARTIAL = "functools.partial"
_NO_PARAMETER = "it takes no timeout: call `socket.setdefaulttimeout()`, or use another function"


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report network calls that wait for ever, by default or because the timeout given says so."""
    timeouts = Timeouts(project)
    for place in project.external_calls:
        # Of most calls the catalog knows nothing.
        if not project.rows(place.site) or project.callees(place.site):
            continue
        targets = project.externals(place.site)
        limits = {_judge(project, timeouts, place, target) for target in targets}
        if limits in ({Limit.MISSING}, {Limit.INFINITE}):
            first = min(targets, key=lambda target: target.name)
            yield _describe(project, place, first, limits.pop())
    yield from _check_handed_over(project, timeouts)
    yield from _check_partials(project, timeouts)


def _judge(project: Project, timeouts: Timeouts, place: CallPlace, target: ExternalTarget) -> Limit:
    row = project.find_row(target)
    if row is None or not _uses_network(target, row):
        return Limit.LIMITED
    limit = timeouts.find_limit(place, target, row)
    if limit is Limit.MISSING and _is_limited_later(project, place):
        return Limit.LIMITED
    if limit is Limit.INFINITE and _has_other_limits(project, place, target):
        return Limit.LIMITED
    return limit if limit is Limit.INFINITE or _can_be_limited(row) else Limit.LIMITED


def _uses_network(target: ExternalTarget, row: CallRow) -> bool:
    """Whether the call talks to the network, or makes a client whose calls will take their timeout from it."""
    if row.effects & Effect.NETWORK and not row.effects & Effect.WAIT:
        return True
    made = catalog.find_class(target.name)
    return target.name in _TIMEOUT_CLASSES or (made is not None and made.kind is Kind.SESSION)


def _can_be_limited(row: CallRow) -> bool:
    """Whether a timeout could be given here. What a task may await for ever is the business of CON309."""
    timeout = row.timeout
    return timeout is not None and not row.coroutine and bool(timeout.keyword or timeout.default is Wait.SOCKET_DEFAULT)


def _is_limited_later(project: Project, place: CallPlace) -> bool:
    """Whether the client gets its timeout after it is made: `FTP().connect(host, timeout=9)`, `client.timeout = 9`."""
    for made in project.result(place.site):
        connects = [one for one in project.operations(made) if one.name == "connect" and one.site.what == "call"]
        given = (project.call(one.site).find_argument("timeout", 2) for one in connects)
        if project.assigned(made, "timeout") or "sock" in project.loads(made) or any(one is not None for one in given):
            return True
    return False


def _has_other_limits(project: Project, place: CallPlace, target: ExternalTarget) -> bool:
    """Whether another argument bounds a part of it: `ClientTimeout(total=None, sock_read=60)`."""
    if target.name not in _TIMEOUT_CLASSES:
        return False
    given = [project.constant(place.site.module, argument.value) for argument in place.call.arguments]
    return any(constant is None or constant.value not in (None, 0) for constant in given)


def _describe(project: Project, place: CallPlace, target: ExternalTarget, limit: Limit) -> Alarm:
    row = project.find_row(target)
    timeout = row.timeout if row is not None else None
    given = find_timeout(place, timeout) if timeout is not None else None
    module = place.site.module
    if limit is Limit.INFINITE and given is not None:
        constant = project.constant(module, given.value)
        message = f"`{target.name}` may wait for ever: its timeout is `{constant.value if constant else None}`"
        anchors = _find_anchors(project, place, target, timeout, given.span)
        return project.alarm(module, RULE.code, given.span, message, anchors=anchors)
    message = f"`{target.name}` may wait for ever: it is given no timeout"
    anchors = _find_anchors(project, place, target, timeout, place.call.span)
    advice = _advise(project, timeout, row.bounded if row is not None else "")
    return project.alarm(module, RULE.code, place.call.span, message, help=advice, anchors=anchors)


def _find_anchors(
    project: Project, place: CallPlace, target: ExternalTarget, timeout: Timeout | None, span: Span
) -> tuple[Anchor, ...]:
    """Return the place of a fix where a keyword takes a number of seconds; that of aiohttp takes an object."""
    is_object = target.name.startswith("aiohttp.") and target.name not in _TIMEOUT_CLASSES
    if timeout is None or not timeout.keyword or is_object or _takes_milliseconds(timeout):
        return ()
    return (project.anchor(place.site.module, span, timeout.keyword),)


def _advise(project: Project, timeout: Timeout | None, bounded: str = "") -> str:
    if timeout is None or not timeout.keyword:
        return f"it takes no timeout: use `{bounded}`, which does" if bounded else _NO_PARAMETER
    seconds = project.hints.default_timeout
    if seconds is None or _takes_milliseconds(timeout):
        return f"pass `{timeout.keyword}=` with a number of seconds"
    return f"pass `{timeout.keyword}={seconds:g}`"


def _takes_milliseconds(timeout: Timeout) -> bool:
    return timeout.keyword.lower().endswith("ms")


# Functions that are handed over: `executor.submit(requests.get, url)`


def _check_handed_over(project: Project, timeouts: Timeouts) -> Iterator[Alarm]:
    for spawn in project.links.spawns:
        if spawn.site.what != "call":
            continue
        place = project.call(spawn.site)
        rows = [row.spawn for _, row in project.rows(spawn.site) if row.spawn is not None]
        found = [_find_target(project, one) for one in project.spawned_objects(spawn.callable)]
        if len(rows) != 1 or len(found) != 1 or found[0] is None:
            continue
        target, bound = found[0]
        if _is_endless(project, timeouts, target, (_count_passed(place, rows[0], _keyword(project, target)), bound)):
            message = f"`{target.name}`, which is handed over here, may wait for ever: it is given no timeout"
            advice = "hand over a function that passes a timeout"
            yield project.alarm(spawn.site.module, RULE.code, place.call.span, message, help=advice)


def _check_partials(project: Project, timeouts: Timeouts) -> Iterator[Alarm]:
    """Report calls of `partial(requests.get, headers=…)` where neither the one nor the other gives a timeout."""
    # Without any partial, there is nothing to look for among all calls.
    for place in project.calls if any(project.calls_to({_PARTIAL})) else ():
        module = place.site.module
        found = project.objects(module, place.call.callee)
        if len(found) != 1 or (only := next(iter(found))).kind is not ObjectKind.PARTIAL:
            continue
        known = _find_target(project, only)
        if known is None:
            continue
        target, bound = known
        if _is_endless(project, timeouts, target, (_count_given(place, _keyword(project, target)), bound)):
            message = f"`{target.name}` may wait for ever: it is given no timeout"
            yield project.alarm(module, RULE.code, place.call.span, message)


def _find_target(project: Project, found: Object) -> tuple[ExternalTarget, int | None] | None:
    """Return the function that is called, and how many positional arguments a partial binds (see `_count_given`)."""
    if found.kind is ObjectKind.EXTERNAL:
        return ExternalTarget(found.symbol, None), 0
    if found.kind is ObjectKind.METHOD and found.receiver is not None:
        base = project.symbols.find_external_base(found.receiver.symbol)
        return ExternalTarget(f"{base}.{found.symbol}", found.receiver), 0
    if found.kind is ObjectKind.PARTIAL and found.site is not None and project.call(found.site).call.arguments:
        made = project.call(found.site)
        inner = tuple(project.objects(found.site.module, made.call.arguments[0].value))
        known = _find_target(project, inner[0]) if len(inner) == 1 and inner[0].kind is not ObjectKind.PARTIAL else None
        if known is not None:
            bound = _count_given(made, _keyword(project, known[0]))
            return known[0], bound - 1 if bound is not None else None
    return None


def _keyword(project: Project, target: ExternalTarget) -> str:
    row = project.find_row(target)
    return row.timeout.keyword if row is not None and row.timeout is not None else ""


def _count_given(place: CallPlace, keyword: str) -> int | None:
    """Return how many positional arguments a call gives, None where a timeout may be among the others."""
    given = [argument.keyword for argument in place.call.arguments]
    return None if {"*", "**", keyword} & {*given} else given.count("")


def _is_endless(
    project: Project, timeouts: Timeouts, target: ExternalTarget, counts: tuple[int | None, int | None]
) -> bool:
    """Whether the function waits for ever when it gets that many positional arguments, here and by a partial."""
    row = project.find_row(target)
    if row is None or row.timeout is None or not _uses_network(target, row) or not _can_be_limited(row):
        return False
    passed = [count for count in counts if count is not None]
    if len(passed) < len(counts) or (row.timeout.position is not None and sum(passed) > row.timeout.position):
        return False
    return timeouts.find_default(target, row.timeout) is Limit.MISSING


def _count_passed(place: CallPlace, spawn: Spawn, keyword: str) -> int | None:
    """Return how many positional arguments the callable gets, None where a timeout may be among the others."""
    given = {argument.keyword for argument in place.call.arguments}
    if given & {"*", "**"} or (spawn.kwargs_keyword and spawn.kwargs_keyword in given):
        return None
    if spawn.arguments_from is not None:
        # The timeout of `Executor.map` is its own.
        carried = keyword in given and not spawn.maps
        return None if carried else sum(1 for one in place.call.arguments if one.keyword == "") - spawn.arguments_from
    tuple_given = place.find_argument(spawn.args_keyword, spawn.args_position)
    if tuple_given is None:
        return 0
    value = place.facts.values[tuple_given.value]
    return len(value.items) if isinstance(value, Collection) else None


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Pass the timeout that the settings want."""
    return pass_timeout(editor, anchor)
