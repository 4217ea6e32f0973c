"""CON508: see docs/rules/CON508.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.editor import Editor
from conclint.catalog.rows import LOCK_KINDS, Domain, Kind
from conclint.model.alarm import Alarm
from conclint.model.facts import Argument
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.project.objects import Object, ObjectKind
from conclint.project.parallel import OTHER_MEMORY
from conclint.project.project import CallPlace, Project
from conclint.project.start_methods import iter_passed
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON508",
    name="thread-primitive-across-process",
    summary="a lock, event or queue for threads is given to a process: nothing goes from one to the other",
    help="use its twin of `multiprocessing`",
    category=Category.PROCESS,
    since="0.1.0",
)

_PROCESS = frozenset({"multiprocessing.Process", "multiprocessing.context.Process", "multiprocessing.process.Process"})
_TWINS = {
    **{
        f"threading.{name}": f"multiprocessing.{name}"
        for name in ("Barrier", "BoundedSemaphore", "Condition", "Event", "Lock", "RLock", "Semaphore")
    },
    "queue.Queue": "multiprocessing.Queue",
    "queue.SimpleQueue": "multiprocessing.SimpleQueue",
}
"""What processes inherit, with the same methods."""
_COUNTING = frozenset({"join", "task_done"})
"""Methods that only a `JoinableQueue` has."""
_KINDS = LOCK_KINDS | {Kind.EVENT, Kind.BARRIER, Kind.QUEUE}
_LIBRARIES = ("threading.", "queue.", "asyncio.")


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report arguments of processes, and of their jobs, that only work within one process."""
    for place in project.external_calls:
        rows = [row for _, row in project.rows(place.site)]
        spawns = [row.spawn for row in rows if row.spawn is not None and row.spawn.runs_in in OTHER_MEMORY]
        if not spawns or len(spawns) != len(rows) or project.callees(place.site):
            continue
        for argument in iter_passed(project, place, spawns[0]):
            objects = project.objects(place.site.module, argument.value)
            if objects and all(_is_for_threads(project, found) for found in objects):
                is_certain = len(objects) == 1 and _may_inherit(project, place)
                yield _report(project, place, argument, min(objects, key=repr), is_certain=is_certain)


def _report(project: Project, place: CallPlace, argument: Argument, found: Object, *, is_certain: bool) -> Alarm:
    module = place.site.module
    name = project.places.describe(module, argument.value)
    subject = f"`{found.symbol}`" if "…" in name else f"`{name}` (`{found.symbol}`)"
    message = f"{subject} does not reach the other process: that gets a copy, or an error"
    made = project.call(found.site) if found.site is not None and found.site.what == "call" else None
    related = (project.related(made.site.module, made.call.span, "it is made here"),) if made is not None else ()
    anchors: tuple[Anchor, ...] = ()
    if made is not None and is_certain:
        words = (found.symbol, *sorted(one.name for one in project.operations(found)))
        anchors = (project.anchor(made.site.module, made.call.span, *words),)
    return project.alarm(module, RULE.code, argument.span, message, *related, anchors=anchors)


def _may_inherit(project: Project, place: CallPlace) -> bool:
    """Whether it is given to a `multiprocessing.Process` itself: jobs of a pool are sent, and get no locks (must)."""
    return all(one.receiver is None and one.name in _PROCESS for one in project.externals(place.site))


def _is_for_threads(project: Project, found: Object) -> bool:
    row = project.class_row(found) if found.kind is ObjectKind.INSTANCE else None
    if row is None or row.kind not in _KINDS or row.domain is Domain.PROCESS:
        return False
    return found.symbol.startswith(_LIBRARIES)


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Make its twin of `multiprocessing`."""
    call = editor.find(anchor.span, cst.Call)
    symbol, *methods = anchor.words or ("",)
    twin = _TWINS.get(symbol)
    # The lock that a Condition is given had to be another one as well.
    if call is None or twin is None or (twin.endswith(".Condition") and call.args):
        return None
    if twin.endswith(".Queue") and not _COUNTING.isdisjoint(methods):
        twin = "multiprocessing.JoinableQueue"
    reference = editor.refer(twin, call)
    if reference is None:
        return None
    edits = (*reference.edits, editor.replace(call.func, reference.text))
    return Fix(f"Use `{reference.text}`", Applicability.UNSAFE, edits)
