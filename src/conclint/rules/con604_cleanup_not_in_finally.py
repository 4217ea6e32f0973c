"""CON604: see docs/rules/CON604.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.blocks import deepen, find_top, wrap
from conclint.analysis.editor import Editor, Statement
from conclint.analysis.fields import iter_nodes
from conclint.catalog.rows import Kind, Role
from conclint.model.alarm import Alarm
from conclint.model.facts import Yield
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.project.lifetime import Made
from conclint.project.order import precedes
from conclint.project.project import CallPlace, Project
from conclint.project.symbols import FunctionPlace
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON604",
    name="cleanup-not-in-finally",
    summary="a context manager does not end its threads or processes when the `with` block raises",
    help="put `yield` into a `try` block, and what ends them into its `finally`",
    category=Category.ERROR,
    since="0.1.0",
)

_KINDS = (Kind.THREAD, Kind.TIMER, Kind.PROCESS, Kind.POPEN, Kind.POOL, Kind.EXECUTOR)
_ENDS = (Role.JOIN, Role.CANCEL, Role.CLOSE)
_LEAVING = (cst.Assert, cst.Break, cst.Continue, cst.Raise, cst.Return, cst.Yield)
"""What would do something else in a `finally` block, or hide the exception that is on its way."""
_DECORATORS = frozenset({"contextlib.contextmanager", "contextlib.asynccontextmanager"})


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report `yield`s of context managers after which, but not in a `finally`, something is ended."""
    managers = {
        FunctionPlace(module, one.function): one
        for module, facts in enumerate(project.modules)
        for one in facts.yields
        if not _DECORATORS.isdisjoint(project.decorators(facts.functions[one.function].symbol))
    }
    found: dict[FunctionPlace, list[tuple[Made, CallPlace]]] = {}
    for made in project.lifetimes.iter_made(*_KINDS) if managers else ():
        for end in (call for role in _ENDS for call in project.lifetimes.iter_calls(made.found, role)):
            produced = managers.get(end.function_place)
            if produced is not None and _is_skipped(produced, end):
                found.setdefault(end.function_place, []).append((made, end))
    for place, ends in found.items():
        yield _report(project, managers[place], ends)


def _report(project: Project, produced: Yield, ends: list[tuple[Made, CallPlace]]) -> Alarm:
    made, end = ends[0]
    callee = project.places.describe(end.site.module, end.call.callee)
    message = f"`{callee}` is not called when the `with` block raises: the exception comes out of this `yield`"
    left = project.related(end.site.module, end.call.span, "this is left out")
    begun = project.related(made.place.site.module, made.place.call.span, f"the {made.row.kind.value} is made here")
    anchor = project.anchor(
        end.site.module, produced.span, *(str(call.call.span.line) for call in _sort(project, ends))
    )
    return project.alarm(end.site.module, RULE.code, produced.span, message, left, begun, anchors=(anchor,))


def _sort(project: Project, ends: list[tuple[Made, CallPlace]]) -> list[CallPlace]:
    """Return what is left out, first the call of the message, then all that cannot wait in vain (must).

    Who only waits, and tells nobody to end, relies on what comes before.
    """
    told = {
        made.found
        for made, _ in ends
        for role in (Role.CANCEL, Role.CLOSE)
        for _ in project.lifetimes.iter_calls(made.found, role)
    }
    return [ends[0][1], *(end for made, end in ends if made.found in told)]


def _is_skipped(produced: Yield, end: CallPlace) -> bool:
    """Whether an exception out of the `yield` goes past what ends the object, which is done without a condition."""
    around = end.facts.contexts[produced.context]
    if around.protected or end.context.finally_body or end.context.branches != around.branches:
        return False
    return precedes(produced.span, end.call.span)


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Put what follows the `yield` into a `finally` block; safe where that only tells things to end."""
    produced = editor.find(anchor.span, cst.Yield)
    line = editor.line_of(produced) if produced is not None else None
    block = editor.parent(line) if line is not None else None
    if line is None or not isinstance(block, cst.IndentedBlock) or not isinstance(line.body[0], cst.Expr):
        return None
    after = [one for one in block.body[list(block.body).index(line) + 1 :] if isinstance(one, Statement)]
    first, *known = (int(word) for word in anchor.words)
    lines = [range(*editor.lines(one)) for one in after]
    is_here = any(first in one for one in lines)
    if not is_here or any(isinstance(one, _LEAVING) for statement in after for one in iter_nodes(statement)):
        return None
    indent = editor.indent(line)
    tried, ended = wrap(editor, [line], "try:"), deepen(editor, after)
    start = find_top(editor, after[0])
    if indent is None or tried is None or ended is None:
        return None
    is_safe = all(
        isinstance(statement, cst.SimpleStatementLine)
        and _is_call(statement)
        and any(number in one for number in known)
        for statement, one in zip(after, lines, strict=True)
    )
    # The first line to be moved begins where the clause goes.
    clause = editor.insert(start, f"{indent}finally:\n{editor.source.tree.default_indent}")
    edits = (*tried, clause, *ended[1:])
    return Fix("End them in a `finally` block", Applicability.SAFE if is_safe else Applicability.UNSAFE, edits)


def _is_call(line: cst.SimpleStatementLine) -> bool:
    """Whether a line does nothing but to call something, whose name and arguments call nothing more."""
    part = line.body[0]
    value = part.value if len(line.body) == 1 and isinstance(part, cst.Expr) else None
    call = value.expression if isinstance(value, cst.Await) else value
    return isinstance(call, cst.Call) and sum(isinstance(one, cst.Call) for one in iter_nodes(call)) == 1
