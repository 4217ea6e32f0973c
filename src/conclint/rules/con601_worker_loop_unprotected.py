"""CON601: see docs/rules/CON601.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.awaits import count_mentions
from conclint.analysis.blocks import wrap
from conclint.analysis.editor import Editor, Statement
from conclint.analysis.fields import iter_nodes
from conclint.analysis.loggers import refer_to_exception
from conclint.catalog.rows import Effect, RunsIn
from conclint.model.alarm import Alarm
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.naming import is_test_code
from conclint.model.rule import Category, Rule
from conclint.project.confinement import Way, collect_confined
from conclint.project.exceptions import Exceptions
from conclint.project.iteration import find_items
from conclint.project.objects import Object, ObjectKind
from conclint.project.project import CallPlace, Project
from conclint.project.roots import Root
from conclint.rules.declare import fixer, project_rule

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
    errors = Exceptions(project, strict=True)
    for symbol, way in collect_confined(project, lambda root: root.runs_in is RunsIn.THREAD).items():
        where = project.place(symbol)
        if where is None or is_test_code(symbol) or any(_is_guarded(project, place) for place in way.calls):
            continue
        if _is_watched(project, way.root):
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
            pauses = [place for place in places if _pauses(project, place)]
            yield _report(project, chain, way, pauses)


def _report(project: Project, chain: tuple[CallPlace, ...], way: Way, pauses: list[CallPlace]) -> Alarm:
    names = [project.places.describe(place.site.module, place.call.callee) for place in chain]
    message = f"an error of `{names[0]}` ends this thread, and its loop with it: nothing catches it"
    steps = [
        project.related(place.site.module, place.call.span, f"`{name}` may fail")
        for place, name in zip(chain[1:], names[1:], strict=True)
    ]
    module, span = chain[0].site.module, chain[0].call.span
    anchor = project.anchor(module, span, chain[0].function.name, *(str(place.call.span.line) for place in pauses))
    return project.alarm(module, RULE.code, span, message, *way.relate(project), *steps, anchors=(anchor,))


def _pauses(project: Project, place: CallPlace) -> bool:
    """Whether a call waits for somebody or something: the mark of a loop that serves."""
    return bool(place.context.loops) and any(row.effects & _PAUSES for _, row in project.rows(place.site))


def _is_guarded(project: Project, place: CallPlace) -> bool:
    """Whether some handler or `with` of the function may stop what the call raises."""
    handlers = project.handlers
    return bool(handlers.collect_caught(place)) or handlers.may_stop(place.site.module, place.call, _CAUGHT)


def _is_watched(project: Project, root: Root) -> bool:
    """Whether somebody looks whether the thread is still there, as a supervisor that restarts it does."""
    threads = set(project.result(root.site))
    if root.receiver is not None:
        # A method of the class asks some object of it.
        threads |= {root.receiver, Object(ObjectKind.INSTANCE, root.receiver.symbol)}
    return any(operation.name in _WATCHES for one in threads for operation in project.operations(one))


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Catch and log what the rest of a round raises, its last wait apart: else the loop would turn without a rest."""
    call = editor.find(anchor.span, cst.Call)
    name, *lines = anchor.words
    pauses = {int(line) for line in lines}
    loop = _find_loop(editor, call, pauses) if call is not None else None
    if call is None or loop is None or not isinstance(loop.body, cst.IndentedBlock):
        return None
    statements = [one for one in loop.body.body if isinstance(one, Statement)]
    number = next((number for number, one in enumerate(statements) if call in set(iter_nodes(one))), None)
    tried = _find_tried(editor, statements[number:], pauses) if number is not None else []
    log = refer_to_exception(editor, call)
    indent = editor.indent(tried[0]) if tried else None
    if log is None or indent is None:
        return None
    edits = wrap(editor, tried, "try:")
    step = editor.source.tree.default_indent
    handler = f'{indent}except Exception:\n{indent}{step}{log.text}("error in {name}")\n'
    caught = editor.insert(editor.end_of_line(tried[-1]), handler)
    return Fix("Log the error and go on", Applicability.UNSAFE, (*log.edits, *edits, caught)) if edits else None


def _find_loop(editor: Editor, call: cst.Call, pauses: set[int]) -> cst.While | None:
    """Return the innermost loop that waits for something: another one within might try again without a rest."""
    loops = (one for one in editor.iter_around(call) if isinstance(one, cst.While))
    found = next((one for one in loops if not pauses.isdisjoint(range(*editor.lines(one)))), None)
    return found if found is not None and editor.function(found) is editor.function(call) else None


def _find_tried(editor: Editor, rest: list[Statement], pauses: set[int]) -> list[Statement]:
    """Return the statements up to the waits at the end of the round; none where one in between would be left out."""
    waits = [bool(pauses & set(range(*editor.lines(one)))) for one in rest]
    count = len(rest)
    while count > 1 and waits[count - 1]:
        count -= 1
    bound = {
        one.value
        for statement in rest[:count]
        for target in iter_nodes(statement)
        if isinstance(target, cst.AssignTarget | cst.NamedExpr | cst.For | cst.AsName)
        for one in iter_nodes(_name(target))
        if isinstance(one, cst.Name)
    }
    needed = any(count_mentions(one, name) for one in rest[count:] for name in bound)
    return [] if any(waits[1:count]) or needed else rest[:count]


def _name(target: cst.CSTNode) -> cst.CSTNode:
    return target.name if isinstance(target, cst.AsName) else target.target  # type: ignore[attr-defined]
