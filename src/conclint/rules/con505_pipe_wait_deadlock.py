"""CON505: see docs/rules/CON505.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.editor import Editor
from conclint.analysis.fields import iter_nodes
from conclint.catalog.rows import Kind, Role
from conclint.model.alarm import Alarm
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.model.span import Span
from conclint.model.values import Attribute, Name
from conclint.project.lifetime import Made
from conclint.project.order import precedes
from conclint.project.project import CallPlace, Project
from conclint.project.symbols import FunctionPlace
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON505",
    name="pipe-wait-deadlock",
    summary="a program's output goes into a pipe that nobody reads while its end is waited for",
    help="use `communicate()` or `subprocess.run(capture_output=True)`; or send the output to `subprocess.DEVNULL`",
    category=Category.DEADLOCK,
    since="0.1.0",
)

_PIPE = Name("subprocess.PIPE")
_CHECKED = "subprocess.check_call"
_CALLS = frozenset({"subprocess.call", _CHECKED})
_OUTPUTS = ("stdout", "stderr")
_MAYBE = (cst.BaseComp, cst.BooleanOperation, cst.IfExp, cst.Lambda)
"""Expressions that may not evaluate all of their parts, or not now."""
_READING = frozenset({"communicate", "__exit__"})


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report `wait()` on a program whose pipes nobody reads, and `call(stdout=PIPE)`, where nobody can."""
    for made in project.lifetimes.iter_made(Kind.POPEN):
        pipe = _find_pipe(made.place)
        waits = [one for one in project.lifetimes.iter_calls(made.found, Role.JOIN) if not one.call.arguments]
        if pipe and waits and not _may_be_read(project, made, waits[0]):
            opened = project.related(made.place.site.module, made.place.call.span, f"its `{pipe}` goes into a pipe")
            message = f"nobody reads `{pipe}` of this program until it ends: when the pipe is full, it never does"
            module, span = waits[0].site.module, waits[0].call.span
            is_unread = project.loads(made.found).isdisjoint((*_OUTPUTS, "stdin"))
            anchors = (project.anchor(module, span, "communicate"),) if is_unread else ()
            yield project.alarm(module, RULE.code, span, message, opened, anchors=anchors)
    for place in project.external_calls:
        pipe = _find_pipe(place) if _waits_for_ever(project, place) else ""
        if pipe:
            message = f"nobody can read `{pipe}` of this program: when the pipe is full, it never ends"
            names = {one.name for one in project.externals(place.site)}
            anchors = (project.anchor(place.site.module, place.call.span, *names),) if len(names) == 1 else ()
            yield project.alarm(place.site.module, RULE.code, place.call.span, message, anchors=anchors)


def _waits_for_ever(project: Project, place: CallPlace) -> bool:
    """Whether a call is `subprocess.call`, or `check_call`, without a timeout."""
    targets = project.externals(place.site)
    return bool(targets) and all(one.name in _CALLS for one in targets) and place.find_argument("timeout") is None


def _find_pipe(place: CallPlace) -> str:
    """Return the output that goes into a pipe of its own, "" where none does."""
    for output in _OUTPUTS:
        argument = place.find_argument(output)
        if argument is not None and place.facts.values[argument.value] == _PIPE:
            return output
    return ""


def _may_be_read(project: Project, made: Made, wait: CallPlace) -> bool:
    """Whether somebody reads a pipe before the wait ends; `process.wait()` and then `process.stdout.read()` is late."""
    names = {one.name for one in project.lifetimes.iter_operations(made.found)}
    if not _READING.isdisjoint(names) or project.lifetimes.is_out_of_sight(made.found):
        return True
    reads = list(_iter_reads(project, made))
    if not reads:
        return not project.loads(made.found).isdisjoint(_OUTPUTS)
    late = (where == wait.function_place and precedes(wait.call.span, span) for where, span in reads)
    return bool(wait.context.loops) or not all(late)


def _iter_reads(project: Project, made: Made) -> Iterator[tuple[FunctionPlace, Span]]:
    """Yield where the pipes of a program are read off it."""
    for module, facts in enumerate(project.modules):
        for access in facts.accesses:
            value = facts.values[access.target]
            if not isinstance(value, Attribute) or value.name not in _OUTPUTS:
                continue
            if made.found in project.objects(module, value.base):
                yield FunctionPlace(module, access.function), access.span


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Read the pipes until the program ends."""
    call = editor.find(anchor.span, cst.Call)
    if call is None or not anchor.words:
        return None
    if anchor.words[0] in _CALLS:
        return _run(editor, call, is_checked=anchor.words[0] == _CHECKED)
    return _communicate(editor, call)


def _communicate(editor: Editor, wait: cst.Call) -> Fix | None:
    """Call `communicate()` in place of `wait()`, or before it where its result is used: it then returns at once."""
    if not isinstance(wait.func, cst.Attribute) or not isinstance(wait.func.value, cst.Name | cst.Attribute):
        return None
    title = "Read the output with `communicate()`"
    if isinstance(editor.parent(wait), cst.Expr):
        return Fix(title, Applicability.UNSAFE, (editor.replace(wait.func.attr, "communicate"),))
    statement = editor.around(wait, (cst.SimpleStatementLine, cst.BaseCompoundStatement))
    indent = editor.indent(statement) if statement is not None else None
    if statement is None or indent is None or not _is_always_run(editor, wait, statement):
        return None
    line = f"{indent}{editor.code(wait.func.value)}.communicate()\n"
    return Fix(title, Applicability.UNSAFE, (editor.insert(editor.start_of_line(statement), line),))


def _is_always_run(editor: Editor, wait: cst.Call, statement: cst.CSTNode) -> bool:
    """Whether the statement makes the call, once, before it does anything else of importance."""
    if isinstance(statement, cst.If):
        # Before an `elif` there is no place.
        is_first = editor.source.text.startswith("if", editor.source.offsets[statement][0])
        if not is_first or wait not in set(iter_nodes(statement.test)):
            return False
    elif not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) > 1:
        return False
    around = editor.around(wait, (*_MAYBE, type(statement)))
    return around is statement


def _run(editor: Editor, call: cst.Call, *, is_checked: bool) -> Fix | None:
    """Use `run`, which reads the pipes."""
    run = editor.refer("subprocess.run", call)
    check = editor.add_argument(call, "check=True") if is_checked else None
    if run is None or (is_checked and check is None):
        return None
    code = () if isinstance(editor.parent(call), cst.Expr) else (editor.insert_after(call, ".returncode"),)
    edits = (*run.edits, editor.replace(call.func, run.text), *((check,) if check is not None else ()), *code)
    return Fix(f"Use `{run.text}`", Applicability.UNSAFE, edits)
