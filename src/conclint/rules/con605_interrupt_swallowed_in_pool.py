"""CON605: see docs/rules/CON605.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Effect, Kind, RunsIn
from conclint.model.alarm import Alarm
from conclint.model.observations import Handler
from conclint.model.rule import Category, Rule
from conclint.project.confinement import collect_confined
from conclint.project.order import contains
from conclint.project.project import CallPlace, Project
from conclint.project.symbols import FunctionPlace
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON605",
    name="interrupt-swallowed-in-pool",
    summary="a wait in a loop swallows Ctrl-C, so that the program cannot be stopped",
    help="catch `Exception`, which leaves KeyboardInterrupt and SystemExit alone",
    category=Category.ERROR,
    since="0.1.0",
    default=False,
)

_KINDS = frozenset({Kind.THREAD, Kind.PROCESS, Kind.POPEN, Kind.POOL, Kind.EXECUTOR, Kind.FUTURE, Kind.QUEUE})
_THREADS = frozenset({RunsIn.THREAD, RunsIn.TIMER, RunsIn.EXECUTOR_THREAD})
_ALL = "builtins.BaseException"


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report handlers in loops that catch everything, KeyboardInterrupt too, around a wait, and do nothing."""
    in_threads: set[str] | None = None
    for module, facts in enumerate(project.modules):
        for handler in facts.handlers:
            if not handler.is_silent or not facts.contexts[handler.context].loops:
                continue
            wait = _find_wait(project, module, handler)
            if wait is None:
                continue
            if in_threads is None:
                in_threads = set(collect_confined(project, lambda root: root.runs_in in _THREADS))
            # Ctrl-C is raised in the main thread of a process only.
            if wait.function.symbol not in in_threads:
                yield _report(project, handler, wait)


def _report(project: Project, handler: Handler, wait: CallPlace) -> Alarm:
    module = wait.site.module
    callee = project.places.describe(module, wait.call.callee)
    message = f"this loop goes on after Ctrl-C: a KeyboardInterrupt in `{callee}` is swallowed"
    waits = project.related(module, wait.call.span, "the program is most likely to be here")
    return project.alarm(module, RULE.code, handler.span, message, waits)


def _find_wait(project: Project, module: int, handler: Handler) -> CallPlace | None:
    """Return the first guarded call that waits for a worker, or for what one gives."""
    for place in project.calls_in(FunctionPlace(module, handler.function)):
        if contains(handler.guarded, place.call.span) and _waits(project, place) and _catches_all(project, place):
            return place
    return None


def _waits(project: Project, place: CallPlace) -> bool:
    for target, row in project.rows(place.site):
        owner = project.class_row(target.receiver) if target.receiver is not None else None
        if row.effects & Effect.WAIT and not row.coroutine and owner is not None and owner.kind in _KINDS:
            return True
    return False


def _catches_all(project: Project, place: CallPlace) -> bool:
    """Whether KeyboardInterrupt is caught, and by no handler of its own before."""
    caught = {
        one.symbol
        for value in project.handlers.collect_caught(place)
        for one in project.objects(place.site.module, value)
    }
    return _ALL in caught and "builtins.KeyboardInterrupt" not in caught
