"""CON404: see docs/rules/CON404.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.editor import Editor
from conclint.catalog.rows import RunsIn
from conclint.model.alarm import Alarm, Related
from conclint.model.facts import Use
from conclint.model.fix import Anchor, Applicability, Edit, Fix
from conclint.model.rule import Category, Rule
from conclint.project.callables import Handover, is_transparent, iter_functions
from conclint.project.link import ExternalTarget
from conclint.project.objects import Object, ObjectKind, Site
from conclint.project.project import CallPlace, Project
from conclint.project.results import iter_results
from conclint.project.tasks import gives_fresh_task, gives_handle, iter_weakly_kept, starts_task
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON404",
    name="dangling-task",
    summary="nobody keeps a task: it may vanish before it is done, and its exception is lost",
    help="keep it in a set until it is done (`task.add_done_callback(tasks.discard)`), await it, or use a `TaskGroup`",
    category=Category.ASYNC,
    since="0.1.0",
)

_SETS = ("_background_tasks", "_kept_tasks")
"""The set that a fix adds to a module, under the first name that is free."""
_NAMES = ("task", "background_task", "kept_task")
"""Variables for the task, the first one that is free."""


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report tasks and futures whose handle is dropped: by a statement, an unread name, or a callback's return."""
    unread = project.unread_results
    for place in project.calls:
        name = unread.get(place.site, "")
        if place.call.use is Use.DROPPED or name:
            fate = f"is bound to `{name}`, which is never read" if name else "is dropped"
            if starts_task(project, place.site):
                yield _report(project, place, fate)
            elif gives_fresh_task(project, place.site):
                start = _find_start(project, place.site)
                related = project.related(start.site.module, start.call.span, "it is started here")
                yield _report(project, place, fate, related, start=start)
    for started, kept in iter_weakly_kept(project):
        related = project.related(kept.site.module, kept.call.span, "a `WeakSet` does not keep it")
        yield _report(project, started, "is only in a `WeakSet`", related)
    yield from _check_callbacks(project)


def _report(project: Project, place: CallPlace, fate: str, *related: Related, start: CallPlace | None = None) -> Alarm:
    module = place.site.module
    callee = project.places.describe(module, place.call.callee)
    what, why = _describe_handle(project, (start or place).site)
    return project.alarm(module, RULE.code, place.call.span, f"the {what} of `{callee}` {fate}: {why}", *related)


def _describe_handle(project: Project, start: Site) -> tuple[str, str]:
    rows = [row for _, row in project.rows(start)]
    if rows and rows[0].spawn is not None and rows[0].spawn.runs_in is not RunsIn.TASK:
        return "future", "nobody sees its exception"
    return "task", "it may vanish before it is done, and nobody sees its exception"


def _find_start(project: Project, site: Site) -> CallPlace:
    """Return the call that starts the task which a function of the project gives; the first one of several."""
    return project.call(min(found.site for found in project.result(site) if found.site is not None))


def _check_callbacks(project: Project) -> Iterator[Alarm]:
    """Report callbacks that return a task: `add_signal_handler(SIGTERM, lambda: create_task(stop()))`."""
    reported: set[Site] = set()
    for handover in project.handovers:
        if not handover.loses_result:
            continue
        module = handover.place.site.module
        objects = sorted(project.objects(module, handover.argument.value), key=repr)
        if any(_starts_itself(project, found) for found in objects):
            yield _report_function(project, handover)
        for found in objects:
            for symbol in iter_functions(project, found):
                for place in _iter_returned_starts(project, symbol):
                    if place.site not in reported:
                        reported.add(place.site)
                        message = f"`{_last(handover.taker)}` drops what its callback returns"
                        related = project.related(module, handover.argument.span, message)
                        yield _report(project, place, "is returned to nobody", related)


def _iter_returned_starts(project: Project, symbol: str) -> Iterator[CallPlace]:
    where = project.place(symbol)
    if where is None or project.symbols.function(where).is_async or not is_transparent(project, symbol):
        return
    facts = project.modules[where.module]
    for value in project.symbols.function(where).returns:
        for number in iter_results(facts, value):
            site = Site(where.module, number)
            if starts_task(project, site):
                yield project.call(site)


def _starts_itself(project: Project, found: Object) -> bool:
    """Whether the callback is `asyncio.create_task`, or `loop.create_task`, itself."""
    if found.kind is ObjectKind.EXTERNAL:
        target = ExternalTarget(found.symbol, None)
    elif found.kind is ObjectKind.METHOD and found.receiver is not None:
        base = project.symbols.find_external_base(found.receiver.symbol)
        target = ExternalTarget(f"{base}.{found.symbol}", found.receiver)
    else:
        return False
    row = project.find_row(target)
    return row is not None and gives_handle(row, target.name)


def _report_function(project: Project, handover: Handover) -> Alarm:
    module = handover.place.site.module
    callee = project.places.describe(module, handover.argument.value)
    message = f"`{_last(handover.taker)}` drops the task of `{callee}`: it may vanish before it is done"
    return project.alarm(module, RULE.code, handover.argument.span, message)


def _last(name: str) -> str:
    return name.rpartition(".")[2]


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Keep the task in a set of the module until it is done."""
    call = editor.find(anchor.span, cst.Call)
    statement = editor.parent(call) if call is not None else None
    line = editor.line_of(call) if isinstance(statement, cst.Expr) and call is not None else None
    indent = editor.indent(line) if line is not None else None
    if call is None or line is None or indent is None or editor.function(line) is None:
        return None
    kept, declared = _declare_set(editor)
    name = next((one for one in _NAMES if editor.is_unbound(one, line)), None)
    if not kept or name is None:
        return None
    keep = f"{indent}{kept}.add({name})\n{indent}{name}.add_done_callback({kept}.discard)\n"
    edits = (*declared, editor.insert_before(call, f"{name} = "), editor.insert(editor.end_of_line(line), keep))
    # Nobody asked for its exception before either.
    return Fix("Keep the task until it is done", Applicability.UNSAFE, edits, reveals=("CON416",))


def _declare_set(editor: Editor) -> tuple[str, tuple[Edit, ...]]:
    """Return the module's set and the edits that it needs, after all imports: none where there is one already."""
    body = editor.source.tree.body
    lines = {editor.code(line) for line in body if isinstance(line, cst.SimpleStatementLine)}
    last = next((line for line in reversed(body) if _is_import(line)), None)
    for name in _SETS:
        if f"{name} = set()" in lines:
            return name, ()
        if last is not None and editor.is_free(name):
            return name, (editor.insert(editor.end_of_line(last), f"\n{name} = set()\n"),)
    return "", ()


def _is_import(line: cst.CSTNode) -> bool:
    return isinstance(line, cst.SimpleStatementLine) and isinstance(line.body[0], cst.Import | cst.ImportFrom)
