"""CON211: see docs/rules/CON211.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from conclint.analysis.blocks import (
    deepen,
    end_of,
    find_block,
    find_line,
    find_top,
    holds,
    is_statement,
    iter_own,
    take,
    wrap,
)
from conclint.analysis.editor import Editor, Statement
from conclint.model.alarm import Alarm
from conclint.model.fix import Anchor, Applicability, Edit, Fix, read_span, spell
from conclint.model.rule import Category, Rule
from conclint.project.project import Project
from conclint.project.undone import UndoneTasks
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON211",
    name="task-done-not-in-finally",
    summary="`task_done()` is skipped when the work on an item fails, so `join()` waits for ever",
    help="call `task_done()` in a `finally` block",
    category=Category.DEADLOCK,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report workers that survive an error without saying that the item is done."""
    for found in UndoneTasks(project).iter_all():
        done, work = found.done, found.failing
        callee = project.places.describe(done.site.module, done.call.callee)
        failing = project.places.describe(work.site.module, work.call.callee)
        last = (found.through or (done,))[-1]
        steps = [project.related(work.site.module, work.call.span, f"`{failing}` may raise here")]
        for place in found.through:
            name = project.places.describe(place.site.module, place.call.callee)
            steps.append(project.related(place.site.module, place.call.span, f"the error comes out of `{name}`"))
        steps.append(project.related(last.site.module, found.handler.span, "it is caught here, and the loop goes on"))
        steps.append(project.related(found.join.site.module, found.join.call.span, "this waits for the item"))
        message = f"`{callee}()` is skipped when `{failing}` raises, and the worker goes on"
        words = (spell(found.get.call.span), spell(work.call.span))
        anchors = (project.anchor(done.site.module, done.call.span, *words),)
        yield project.alarm(done.site.module, RULE.code, done.call.span, message, *steps, anchors=anchors)


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Put the work on the item into a `try` whose `finally` says that it is done."""
    done, get, work = (editor.find(span, cst.Call) for span in (anchor.span, *map(read_span, anchor.words)))
    line = find_line(editor, done) if done is not None else None
    if done is None or get is None or work is None or line is None or not is_statement(editor, done):
        return None
    block = find_block(editor, line)
    before = block[: block.index(line)]
    said = editor.code(done.func)
    first = max((n + 1 for n, one in enumerate(before) if holds(one, get) or _says(editor, one, said)), default=0)
    section = before[first:]
    if not any(holds(one, work) for one in section) or not _is_got_before(editor, get, line):
        return None
    around = editor.parent(editor.parent(line) or line)
    if isinstance(around, cst.Try) and around.finalbody is None and section == block[:-1]:
        edits = _add_finally(editor, around, line, said)
    else:
        edits = _wrap(editor, section, line)
    return Fix("Say so in a `finally`", Applicability.UNSAFE, edits) if edits is not None else None


def _is_got_before(editor: Editor, get: cst.Call, line: cst.SimpleStatementLine) -> bool:
    """Whether the item is taken by a statement above, or above one that the line stands in."""
    for inner in (line, *editor.iter_around(line)):
        block = find_block(editor, inner)
        if isinstance(inner, cst.FunctionDef):
            return False
        if inner in block and any(holds(one, get) for one in block[: block.index(inner)]):
            return True
    return False


def _says(editor: Editor, node: cst.CSTNode, said: str) -> bool:
    return any(isinstance(one, cst.Call) and editor.code(one.func) == said for one in iter_own([node]))


def _add_finally(editor: Editor, around: cst.Try, line: cst.SimpleStatementLine, said: str) -> tuple[Edit, ...] | None:
    """Return the edits for a `task_done()` that ends the body of a `try`."""
    before = editor.indent(around)
    if before is None or _says(editor, around.body.with_changes(body=around.body.body[:-1]), said):
        return None
    if any(_says(editor, handler, said) for handler in around.handlers):
        return None
    place = end_of(editor, around)
    taken = take(editor, line, above=editor.indent(line) or "")
    return (taken[0], editor.insert(place, f"{before}finally:\n{taken[1]}")) if taken is not None else None


def _wrap(editor: Editor, section: Sequence[Statement], line: cst.SimpleStatementLine) -> tuple[Edit, ...] | None:
    before, wrapped, deeper = editor.indent(line), wrap(editor, section, "try:"), deepen(editor, [line])
    if wrapped is None or deeper is None or before is None:
        return None
    top, step = find_top(editor, line), editor.source.tree.default_indent
    first, end = editor.insert(top, step), end_of(editor, section[-1])
    # No block ends with an empty line.
    start = top if editor.source.text[end:top].strip() else end
    header = editor.edit(start, top, f"{before}finally:\n{step}")
    return *wrapped, header, *(one for one in deeper if one != first)
