"""CON116: see docs/rules/CON116.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import RunsIn
from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.project.confinement import Way, collect_ways
from conclint.project.parallel import MAIN
from conclint.project.project import CallPlace, Project
from conclint.project.roots import PARALLEL_KINDS, Root
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON116",
    name="signal-outside-main-thread",
    summary="a signal handler is set in a thread that is not the main one, which raises ValueError",
    help="set the handler in the main thread, before the thread is started",
    category=Category.THREAD,
    since="0.1.0",
)

_SETTERS = {
    "signal.signal": "ValueError",
    "signal.set_wakeup_fd": "ValueError",
    "asyncio.AbstractEventLoop.add_signal_handler": "RuntimeError",
}
"""What only the main thread may call, and what it raises elsewhere."""
_QUESTIONS = frozenset(
    {"threading.main_thread", "threading.current_thread", "threading.currentThread", "threading.get_ident"}
)
"""Who asks for the thread knows which one it is."""


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report handlers that are only ever set in threads."""
    elsewhere: set[str] | None = None
    for place in project.calls_to(_SETTERS.keys()):
        raised = _find_raised(project, place)
        if raised is None or place.context.protected:
            continue
        if elsewhere is None:
            elsewhere = _find_elsewhere(project)
        controls = project.parallel.controls(place.function.symbol)
        if not controls or MAIN in controls or place.function.symbol in elsewhere:
            continue
        root = controls[0].root
        way = _find_way(project, root, place.function.symbol) if root is not None else None
        if way is not None:
            name = project.places.describe(place.site.module, place.call.callee)
            message = f"`{name}` is only called outside the main thread, and raises {raised} there"
            yield project.alarm(place.site.module, RULE.code, place.call.span, message, *way.relate(project))


def _find_raised(project: Project, place: CallPlace) -> str | None:
    names = [target.name for target in project.externals(place.site)]
    raised = {_SETTERS.get(name) for name in names}
    return raised.pop() if len(raised) == 1 and not project.callees(place.site) else None


def _find_elsewhere(project: Project) -> set[str]:
    """Return what roots run that are no threads, such as processes: these have a main thread of their own."""
    here = PARALLEL_KINDS | {RunsIn.HERE}
    return project.call_graph.reach({root.function for root in project.roots if root.runs_in not in here})


def _find_way(project: Project, root: Root, symbol: str) -> Way | None:
    """Return how a root gets to a function, None where one on the way asks which thread it is."""

    def follows(place: CallPlace, callee: str) -> bool:
        return not place.context.protected and not _asks(project, callee)

    return None if _asks(project, root.function) else collect_ways(project, [root], follows).get(symbol)


def _asks(project: Project, symbol: str) -> bool:
    where = project.place(symbol)
    calls = project.calls_in(where) if where is not None else ()
    return any(target.name in _QUESTIONS for call in calls for target in project.externals(call.site))
