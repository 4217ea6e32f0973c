"""CON513: see docs/rules/CON513.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from conclint.analysis.editor import Editor
from conclint.catalog.rows import Domain, Kind, Role, RunsIn
from conclint.model.alarm import Alarm, Related
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.model.values import Constant, Name
from conclint.project.confinement import collect_confined
from conclint.project.lifetime import Made
from conclint.project.order import find_leading, precedes
from conclint.project.project import CallPlace, Project
from conclint.project.start_methods import StartMethods
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON513",
    name="fork-with-threads",
    summary="a process is forked while threads run: locks that they hold stay locked in the child",
    help="fork before any thread is started; or `spawn`, and `start_new_session=True` and the like for `preexec_fn`",
    category=Category.DEADLOCK,
    since="0.1.0",
)

_FORKS = frozenset({"os.fork", "os.forkpty", "posix.fork", "posix.forkpty", "pty.fork"})
_PROGRAMS = "subprocess."
_HOOK = "preexec_fn"
_SETSID = (Name("os.setsid"), Name("posix.setsid"))
_EXEC = ("os.exec", "posix.exec", "os._exit", "posix._exit")
_THREADS = frozenset({RunsIn.THREAD, RunsIn.TIMER, RunsIn.EXECUTOR_THREAD})


class Fork(NamedTuple):
    """A call that forks (must), and what of it does so, for the message."""

    place: CallPlace
    subject: str


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report forks in threads, and those after the start of one."""
    forks = list(_iter_forks(project))
    if not forks:
        return
    confined = collect_confined(project, lambda root: root.runs_in in _THREADS)
    threads = list(project.lifetimes.iter_made(Kind.THREAD, Kind.TIMER))
    for fork in forks:
        place = fork.place
        way = confined.get(place.function.symbol)
        if way is not None:
            yield _report(project, fork, "other threads run, which", *way.relate(project))
            continue
        start = next((one for made in threads for one in _iter_running(project, made, place)), None)
        if start is not None:
            running = project.related(start.site.module, start.call.span, "the thread is started here, and not joined")
            yield _report(project, fork, "a thread runs, which", running)


def _report(project: Project, fork: Fork, who: str, *steps: Related) -> Alarm:
    message = f"{fork.subject} forks while {who} may hold locks: the child inherits them locked"
    module, span = fork.place.site.module, fork.place.call.span
    given = fork.place.find_argument(_HOOK)
    is_session = given is not None and fork.place.facts.values[given.value] in _SETSID
    anchors = (project.anchor(module, span, "session"),) if is_session else ()
    return project.alarm(module, RULE.code, span, message, *steps, anchors=anchors)


def _iter_forks(project: Project) -> Iterator[Fork]:
    for place in project.external_calls:
        targets = project.externals(place.site)
        if not all(one.name in _FORKS or one.name.startswith(_PROGRAMS) for one in targets):
            continue
        callee = project.places.describe(place.site.module, place.call.callee)
        if all(target.name in _FORKS for target in targets):
            if not _ends_at_once(project, place):
                yield Fork(place, f"`{callee}`")
        else:
            given = place.find_argument(_HOOK)
            if given is not None and project.constant(place.site.module, given.value) != Constant(None):
                yield Fork(place, f"`{callee}` with a `preexec_fn`")
    yield from _iter_forked(project)


def _ends_at_once(project: Project, fork: CallPlace) -> bool:
    """Whether the function runs another program in the child, or ends it: that takes no locks."""
    targets = (target for place in project.calls_in(fork.function_place) for target in project.externals(place.site))
    return any(target.name.startswith(_EXEC) for target in targets)


def _iter_forked(project: Project) -> Iterator[Fork]:
    """Yield the processes and pools of which the program says that they are forked."""
    methods: StartMethods | None = None
    for made in project.lifetimes.iter_made(Kind.PROCESS, Kind.POOL, Kind.EXECUTOR):
        if made.row.domain is not Domain.PROCESS:
            continue
        methods = methods or StartMethods(project)
        if methods.find(made.place) != "fork":
            continue
        begins = project.lifetimes.iter_calls(made.found, Role.START) if made.row.kind is Kind.PROCESS else [made.place]
        for place in begins:
            callee = project.places.describe(place.site.module, place.call.callee)
            yield Fork(place, f"`{callee}`")


def _iter_running(project: Project, made: Made, fork: CallPlace) -> Iterator[CallPlace]:
    """Yield the start of a thread that certainly runs when a call of the same function forks."""
    if _is_either(project, fork):
        return
    for start in project.lifetimes.iter_calls(made.found, Role.START):
        if _is_either(project, start):
            continue
        is_here = start.function_place == fork.function_place
        if not is_here and (start.context.branches or start.context.after_return):
            continue
        for begin in find_leading(project, fork.function.symbol, start):
            is_certain = set(begin.context.branches) <= set(fork.context.branches)
            is_before = is_certain and precedes(begin.call.span, fork.call.span)
            if is_before and not _is_ended(project, made, begin, fork):
                yield start


def _is_either(project: Project, place: CallPlace) -> bool:
    """Whether what is started here may be a thread or a process: a setting says which, and does so for all."""
    receivers = [target.receiver for target in project.externals(place.site) if target.receiver is not None]
    rows = [project.class_row(one) for one in receivers]
    return len({row.domain for row in rows if row is not None}) > 1


def _is_ended(project: Project, made: Made, begin: CallPlace, fork: CallPlace) -> bool:
    """Whether the call that starts the thread, or anything up to the fork, may wait for it or end it."""
    operations = {one.site for one in project.operations(made.found)}
    joins = {place.function.symbol for place in project.lifetimes.iter_calls(made.found, Role.JOIN)}
    started = {target.function for target in project.callees(begin.site)}
    if not joins.isdisjoint(project.call_graph.reach(started)):
        return True
    between = (
        place
        for place in project.calls_in(fork.function_place)
        if precedes(begin.call.span, place.call.span) and precedes(place.call.span, fork.call.span)
    )
    return any(place.site in operations or project.callees(place.site) for place in between)


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Have `subprocess` begin the new session by itself, without running Python in the child."""
    call = editor.find(anchor.span, cst.Call)
    given = {one.keyword.value: one for one in call.args if one.keyword is not None} if call is not None else {}
    hook = given.get(_HOOK)
    if not anchor.words or hook is None or hook.keyword is None or "start_new_session" in given:
        return None
    start, end = editor.outer(hook.keyword)[0], editor.outer(hook.value)[1]
    edit = editor.edit(start, end, "start_new_session=True")
    return Fix("Pass `start_new_session=True`", Applicability.SAFE, (edit,))
