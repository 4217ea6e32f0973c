"""CON601: see docs/rules/CON601.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Effect, RunsIn
from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.project.confinement import Way, collect_confined
from conclint.project.exceptions import Exceptions
from conclint.project.iteration import find_items
from conclint.project.project import CallPlace, Project
from conclint.project.roots import Root
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON601",
    name="worker-loop-unprotected",
    summary="the first error ends a thread that should go on for ever, and nobody gets to know",
    help="catch and log the error of a single round: `except Exception: logger.exception(...)`",
    category=Category.ERROR,
    since="0.1.0",
    default=False,
)

_HOOK = "threading.excepthook"
_CAUGHT = ("builtins.Exception", "builtins.BaseException")
_PAUSES = Effect.WAIT | Effect.SLEEP
_WATCHES = frozenset({"is_alive", "isAlive"})


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report calls that may raise, in loops of threads that wait for something in each round."""
    if _HOOK in project.symbols.names:
        return
    errors = Exceptions(project)
    for symbol, way in collect_confined(project, lambda root: root.runs_in is RunsIn.THREAD).items():
        where = project.place(symbol)
        if where is None or _is_watched(project, way.root) or any(_is_guarded(project, place) for place in way.calls):
            continue
        places = project.calls_in(where)
        loops = {loop for place in places if _pauses(project, place) for loop in place.context.loops}
        lasting = {loop for loop in loops if not find_items(project.modules[where.module], loop)}
        open_places = (
            one for one in places if not lasting.isdisjoint(one.context.loops) and not _is_guarded(project, one)
        )
        chains = (errors.find_outside(place) for place in open_places if errors.may_fail(place))
        chain = next((one for one in chains if one), ())
        if chain:
            yield _report(project, chain, way)


def _report(project: Project, chain: tuple[CallPlace, ...], way: Way) -> Alarm:
    names = [project.places.describe(place.site.module, place.call.callee) for place in chain]
    message = f"an error of `{names[0]}` ends this thread, and its loop with it: nothing catches it"
    steps = [
        project.related(place.site.module, place.call.span, f"`{name}` may fail")
        for place, name in zip(chain[1:], names[1:], strict=True)
    ]
    return project.alarm(chain[0].site.module, RULE.code, chain[0].call.span, message, *way.relate(project), *steps)


def _pauses(project: Project, place: CallPlace) -> bool:
    """Whether a call waits for somebody or something: the mark of a loop that serves."""
    return bool(place.context.loops) and any(row.effects & _PAUSES for _, row in project.rows(place.site))


def _is_guarded(project: Project, place: CallPlace) -> bool:
    """Whether some handler or `with` of the function may stop what the call raises."""
    handlers = project.handlers
    return bool(handlers.collect_caught(place)) or handlers.may_stop(place.site.module, place.call, _CAUGHT)


def _is_watched(project: Project, root: Root) -> bool:
    """Whether somebody looks whether the thread is still there, as a supervisor that restarts it does."""
    threads = project.result(root.site)
    return any(operation.name in _WATCHES for one in threads for operation in project.operations(one))
