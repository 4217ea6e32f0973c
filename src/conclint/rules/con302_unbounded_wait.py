"""CON302: see docs/rules/CON302.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.analysis.editor import Editor
from conclint.analysis.limiting import SILENT, pass_timeout
from conclint.catalog.rows import Kind, RunsIn
from conclint.model.alarm import Alarm, Related
from conclint.model.fix import Anchor, Fix
from conclint.model.rule import Category, Rule
from conclint.model.values import Attribute, Collection, Result, ValueId
from conclint.project.confinement import collect_confined
from conclint.project.endless import SIGNALLED, Blocked, EndlessWait, EndlessWaits
from conclint.project.objects import Site
from conclint.project.order import precedes
from conclint.project.project import CallPlace, Project
from conclint.project.roots import Root
from conclint.project.testing import is_test
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON302",
    name="unbounded-wait",
    summary="a thread waits for another one, however long that takes",
    help="pass `timeout=`, and say what to do when the time is over",
    category=Category.TIMEOUT,
    since="0.1.0",
    default=False,
)

_OWN_THREAD = frozenset({"threading.current_thread", "threading.get_ident"})
_TELLS_READY = frozenset({"empty", "full", "qsize", "done", "ready"})
_ENDS_PROGRAM = frozenset({"os._exit", "os.abort"})
_ENDS_JOBS = frozenset({"join", "shutdown"})


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report waits without a timeout that stand in no loop, and joins of threads that may never end."""
    endless = project.stalls.endless
    # Those are CON303.
    final = {one.wait for one in endless.final}
    found = [wait for wait in endless.all if wait.keyword and wait not in final and not is_test(wait.place)]
    for wait in found:
        blocked = endless.find_blocked(wait)
        if blocked is not None:
            yield _report_join(project, wait, blocked)
    uncertain = [wait for wait in found if wait.kind in SIGNALLED and _is_uncertain(project, endless, wait)]
    daemons = _collect_daemons(project) if uncertain else frozenset()
    for wait in uncertain:
        if wait.place.function.symbol not in daemons:
            yield _report(project, wait, endless.find_wakers(wait)[0])


def _is_uncertain(project: Project, endless: EndlessWaits, wait: EndlessWait) -> bool:
    """Whether it is seen who ends the wait, but not that he certainly does."""
    wakers = endless.find_wakers(wait)
    return bool(wakers) and not _is_meant(project, endless, wait) and not _is_sure(project, endless, wait, wakers)


def _collect_daemons(project: Project) -> frozenset[str]:
    """Return what only daemon threads run: they may wait for as long as the program lives."""
    made = {one.place.site: one for one in project.lifetimes.iter_made(Kind.THREAD, Kind.PROCESS)}

    def is_daemon(root: Root) -> bool:
        thread = made.get(root.site)
        is_thread = root.runs_in in (RunsIn.THREAD, RunsIn.PROCESS)
        return is_thread and thread is not None and project.lifetimes.may_be_daemon(thread)

    return frozenset(collect_confined(project, is_daemon))


def _is_meant(project: Project, endless: EndlessWaits, wait: EndlessWait) -> bool:
    """Whether a worker waits for its next item, or a function is called once there is nothing to wait for."""
    place, symbol = wait.place, wait.place.function.symbol
    if symbol in endless.callbacks or (place.context.loops and wait.kind is not Kind.FUTURE):
        return True
    if _waits_its_turn(project, wait):
        return True
    asking = {
        project.call(one.site).function.symbol
        for found in wait.receivers
        for one in project.operations(found)
        if one.name in _TELLS_READY and one.site.what == "call"
    }
    return any(in_loop or caller in asking for caller, in_loop in endless.iter_callers(symbol))


def _is_sure(project: Project, endless: EndlessWaits, wait: EndlessWait, wakers: tuple[CallPlace, ...]) -> bool:
    """Whether the end was seen to before, or comes from outside, or a `with` waits for it anyway."""
    if all(waker.function.symbol in endless.signal_handlers for waker in wakers):
        return True
    own = [waker for waker in wakers if waker.function_place == wait.place.function_place]
    if wait.kind is Kind.FUTURE:
        return any(_is_waited_for(project, waker, wait.place) for waker in own)
    if wait.kind is Kind.EVENT and any(_is_final(project, waker) or _ends_all(project, waker) for waker in wakers):
        return True
    return any(precedes(waker.call.span, wait.place.call.span) for waker in own)


def _is_final(project: Project, waker: CallPlace) -> bool:
    """Whether a call stands in a `finally` block, or comes first in what is called from one: no error prevents it."""
    if waker.context.finally_body:
        return True
    if waker.context.branches or waker.context.loops or waker.context.after_return:
        return False
    earlier = (one for one in project.calls_in(waker.function_place) if precedes(one.call.span, waker.call.span))
    callers = project.call_graph.callers.get(waker.function.symbol, ())
    called = any(project.modules[module].contexts[context].finally_body for _, module, context in callers)
    return called and not any(earlier)


def _ends_all(project: Project, waker: CallPlace) -> bool:
    """Whether whatever error comes before a call ends the whole program, and so everybody who waits (may)."""
    handler = project.handlers.find_broad(waker)
    return handler is not None and any(
        precedes(handler.span, one.call.span)
        and {target.name for target in project.externals(one.site)} & _ENDS_PROGRAM
        for one in project.calls_in(waker.function_place)
    )


def _waits_its_turn(project: Project, wait: EndlessWait) -> bool:
    """Whether a function puts an event of its own into a list of waiters, with nothing but its thread (must)."""
    made = {place.function_place for one in wait.receivers if (place := project.find_call(one.site)) is not None}
    if wait.kind is not Kind.EVENT or made != {wait.place.function_place}:
        return False
    values = wait.place.facts.values
    callee = values[wait.place.call.callee]
    event = callee.base if isinstance(callee, Attribute) else None
    for one in project.calls_in(wait.place.function_place):
        put = values[one.call.callee]
        if isinstance(put, Attribute) and put.name == "append" and len(one.call.arguments) == 1:
            given = one.call.arguments[0].value
            found = values[given]
            items = found.items if isinstance(found, Collection) else (given,)
            others = [item for item in items if item != event]
            if len(others) < len(items) and all(_is_own_thread(project, wait.place, item) for item in others):
                return True
    return False


def _is_own_thread(project: Project, place: CallPlace, value: ValueId) -> bool:
    sources = {value, *(flow.source for flow in place.facts.flows if flow.target == value)}
    calls = (found.call for one in sources if isinstance(found := place.facts.values[one], Result))
    names = {target.name for call in calls for target in project.externals(Site(place.site.module, call))}
    return bool(names) and names <= _OWN_THREAD


def _is_waited_for(project: Project, submit: CallPlace, place: CallPlace) -> bool:
    """Whether the executor of a job has ended before `place`, or a `with` around does not let go until it has."""
    executors = {target.receiver for target in project.externals(submit.site)} - {None}
    operations = [one for found in executors if found is not None for one in project.operations(found)]
    ended = (project.call(one.site) for one in operations if one.name in _ENDS_JOBS and one.site.what == "call")
    return any(one.name == "__enter__" for one in operations) or any(
        call.function_place == place.function_place and precedes(call.call.span, place.call.span) for call in ended
    )


def _report(project: Project, wait: EndlessWait, waker: CallPlace) -> Alarm:
    place = wait.place
    callee = project.places.describe(place.site.module, place.call.callee)
    ends = project.places.describe(waker.site.module, waker.call.callee)
    text = "the job begins here" if wait.kind is Kind.FUTURE else f"`{waker.function.name}` calls `{ends}` here"
    related = project.related(waker.site.module, waker.call.span, text)
    message = f"`{callee}` waits for another thread, however long that takes"
    return _make(project, wait, message, related)


def _report_join(project: Project, wait: EndlessWait, blocked: Blocked) -> Alarm:
    place, inner = wait.place, blocked.wait.place
    callee = project.places.describe(place.site.module, place.call.callee)
    other = project.places.describe(inner.site.module, inner.call.callee)
    message = f"`{callee}` waits for a thread that waits for ever in `{other}`: nobody wakes it first"
    return _make(project, wait, message, *blocked.relate(project))


def _make(project: Project, wait: EndlessWait, message: str, *related: Related) -> Alarm:
    module, span = wait.place.site.module, wait.place.call.span
    anchors = wait.find_anchors(project)
    if wait.kind is Kind.EVENT:
        # What it gives is the only sign that the time is over.
        anchors = tuple(Anchor(one.path, one.span, (*one.words, SILENT)) for one in anchors)
    return project.alarm(module, RULE.code, span, message, *related, anchors=anchors)


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Pass the timeout that the settings want, and raise when it is over where nobody would notice."""
    return pass_timeout(editor, anchor)
