"""CON209: see docs/rules/CON209.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from conclint.analysis.blocks import find_block, find_line, find_statement, find_top, take, wrap
from conclint.analysis.editor import Editor
from conclint.analysis.locksets import ends_block, is_bounded, is_nonblocking
from conclint.model.alarm import Alarm, Related
from conclint.model.fix import Anchor, Applicability, Edit, Fix, read_span, spell
from conclint.model.observations import SequenceKind
from conclint.model.rule import Category, Rule
from conclint.project.project import Project
from conclint.project.queues import Queues, StaleTest
from conclint.project.roots import relate_begin
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON209",
    name="queue-empty-then-get",
    summary="a queue is tested and then used, and another thread may come in between",
    help="call `get_nowait()` or `put_nowait()` without a test, and catch `queue.Empty` or `queue.Full`",
    category=Category.DATA_RACE,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report tests of `empty()`, `full()` and `qsize()` that another consumer or producer outdates."""
    for found in Queues(project).iter_stale_tests():
        what = "take the last item" if found.kind is SequenceKind.FILLED else "fill it"
        then = "this one waits for ever" if found.blocks else "this one raises"
        message = f"`{found.queue}` is tested before it is used: another thread may {what}, and {then}"
        anchor = project.anchor(found.module, found.check, spell(found.act.call.span))
        yield project.alarm(found.module, RULE.code, found.check, message, *_relate(project, found), anchors=(anchor,))


def _relate(project: Project, found: StaleTest) -> Iterator[Related]:
    act, root = found.act, found.control.root
    yield project.related(act.site.module, act.call.span, "here, the test may hold no more")
    if found.rival != act.site:
        yield project.related(found.rival.module, project.call(found.rival).call.span, "another thread does so here")
    if root is not None:
        yield relate_begin(project, root)


_AT_ONCE = {"get": ("get_nowait", "queue.Empty"), "put": ("put_nowait", "queue.Full")}
"""What does the same without waiting, and what it raises where it cannot."""
_ASKING = frozenset({"empty", "full", "qsize"})


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Try it, and catch what says that it cannot be done."""
    check, act = editor.find(anchor.span, cst.BaseExpression), editor.find(read_span(anchor.words[0]), cst.Call)
    line = find_line(editor, act) if act is not None else None
    test = editor.around(check, (cst.If, cst.While)) if check is not None else None
    if act is None or line is None or test is None or not isinstance(act.func, cst.Attribute):
        return None
    named = _AT_ONCE.get(act.func.attr.value.removesuffix("_nowait"))
    reference = editor.refer(named[1], act) if named is not None else None
    method = _name_method(act, act.func.attr.value)
    if reference is None or method is None:
        return None
    use = _Use(line, act.func, method, reference.text)
    if isinstance(test, cst.While):
        edits = _catch_in_loop(editor, test, use)
    else:
        edits = _catch_once(editor, test, use) if isinstance(test, cst.If) else None
    title = f"Catch `{reference.text}` instead of asking before"
    return Fix(title, Applicability.UNSAFE, (*reference.edits, *edits)) if edits is not None else None


class _Use(NamedTuple):
    """The line that takes an item, or puts one; what is called there, the method to call, and what that raises."""

    line: cst.SimpleStatementLine
    called: cst.Attribute
    method: str
    error: str


def _name_method(act: cst.Call, method: str) -> str | None:
    """Return the method that does not wait for ever; None where it may, by what it is given."""
    if any(one.star for one in act.args):
        return None
    if method in ("get_nowait", "put_nowait") or is_bounded(act) or is_nonblocking(act):
        return method
    is_plain = len(act.args) == (1 if method == "put" else 0) and all(one.keyword is None for one in act.args)
    return f"{method}_nowait" if is_plain else None


def _catch_in_loop(editor: Editor, loop: cst.While, use: _Use) -> tuple[Edit, ...] | None:
    """Return the edits that end a loop where `while not jobs.empty():` would have."""
    header, tried = _drop_test(editor, loop.test, editor.code(use.called.value)), wrap(editor, [use.line], "try:")
    if editor.parent(use.line) is not loop.body or loop.orelse is not None or header is None or tried is None:
        return None
    before, step = editor.indent(use.line), editor.source.tree.default_indent
    caught = f"{before}except {use.error}:\n{before}{step}break\n"
    call = editor.replace(use.called.attr, use.method)
    return header, *tried, call, editor.insert(editor.end_of_line(use.line), caught)


def _drop_test(editor: Editor, test: cst.BaseExpression, queue: str) -> Edit | None:
    """Return the edit that takes a test out of the condition of a loop: all of it, or one side of an `and`."""
    if _asks(editor, test, queue):
        return editor.replace(test, "True")
    if not isinstance(test, cst.BooleanOperation) or not isinstance(test.operator, cst.And):
        return None
    for side, other in ((test.left, test.right), (test.right, test.left)):
        if _asks(editor, side, queue):
            return editor.replace(test, editor.code(other))
    return None


def _asks(editor: Editor, test: cst.BaseExpression, queue: str) -> bool:
    """Whether a condition asks how full the queue is, and nothing else: `not jobs.empty()`, `jobs.qsize()`."""
    if isinstance(test, cst.UnaryOperation):
        return _asks(editor, test.expression, queue)
    asked = test.func if isinstance(test, cst.Call) else None
    return isinstance(asked, cst.Attribute) and asked.attr.value in _ASKING and editor.code(asked.value) == queue


def _catch_once(editor: Editor, test: cst.If, use: _Use) -> tuple[Edit, ...] | None:
    """Return the edits that make a `try` of an `if`, which is no `elif` and asks nothing else."""
    start, queue = editor.source.offsets[test][0], editor.code(use.called.value)
    is_if = editor.source.text.startswith("if", start) and find_statement(editor, test) is test
    if not is_if or not _asks(editor, test.test, queue):
        return None
    header = editor.edit(start, editor.outer(test.test)[1], "try")
    is_inside = editor.parent(use.line) is test.body
    edits = _catch_instead(editor, test, use) if is_inside else _catch_above(editor, test, use)
    return (header, *edits) if edits is not None else None


def _catch_instead(editor: Editor, test: cst.If, use: _Use) -> tuple[Edit, ...] | None:
    """Return the edits for what the `if` guards; its other arm, if any, is run where it fails."""
    body, other = test.body.body, test.orelse
    is_alone = len(body) == 1
    if body[0] is not use.line or isinstance(other, cst.If) or (other is not None and not is_alone):
        return None
    call = editor.replace(use.called.attr, use.method)
    if other is not None:
        place = editor.source.offsets[other][0]
        return call, editor.edit(place, place + len("else"), f"except {use.error}")
    before, step = editor.indent(test) or "", editor.source.tree.default_indent
    rest = "" if is_alone else f"{before}else:\n"
    caught = f"{before}except {use.error}:\n{before}{step}pass\n{rest}"
    # No block begins with an empty line.
    place, text = editor.end_of_line(use.line), editor.source.text
    blank = len(text[place:]) - len(text[place:].lstrip("\r\n")) if rest else 0
    return call, editor.edit(place, place + blank, caught)


def _catch_above(editor: Editor, test: cst.If, use: _Use) -> tuple[Edit, ...] | None:
    """Return the edits that put the line into an `if jobs.empty(): return` right above it, which then comes second."""
    block = find_block(editor, use.line)
    index = block.index(use.line)
    first = find_statement(editor, test.body.body[0]) if isinstance(test.body, cst.IndentedBlock) else None
    if index == 0 or block[index - 1] is not test or test.orelse is not None or not ends_block(test.body):
        return None
    taken = take(editor, use.line, above=editor.indent(first) or "") if first is not None else None
    written = editor.code(use.called)
    if first is None or taken is None or written not in taken[1]:
        return None
    tried = taken[1].replace(written, f"{editor.code(use.called.value)}.{use.method}", 1)
    return editor.insert(find_top(editor, first), f"{tried}{editor.indent(test)}except {use.error}:\n"), taken[0]
