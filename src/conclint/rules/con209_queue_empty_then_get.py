"""CON209: see docs/rules/CON209.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.blocks import find_block, find_line, find_statement, find_top, move, wrap
from conclint.analysis.editor import Editor
from conclint.analysis.locksets import ends_block, is_bounded, is_nonblocking
from conclint.model.alarm import Alarm, Related
from conclint.model.facts import SequenceKind
from conclint.model.fix import Anchor, Applicability, Edit, Fix, read_span, spell
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
_WITH_NONE = frozenset(
    {
        (cst.GreaterThan, "0"),
        (cst.NotEqual, "0"),
        (cst.GreaterThanEqual, "1"),
        (cst.Equal, "0"),
        (cst.LessThan, "1"),
        (cst.LessThanEqual, "0"),
    }
)
"""Comparisons of `qsize()` that ask whether there is anything at all."""


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
    at_once = _act_at_once(editor, act)
    if reference is None or at_once is None:
        return None
    queue = editor.code(act.func.value)
    if isinstance(test, cst.While):
        edits = _catch_in_loop(editor, test, line, queue, reference.text)
    else:
        edits = _catch_once(editor, test, line, queue, reference.text) if isinstance(test, cst.If) else None
    title = f"Catch `{reference.text}` instead of asking before"
    return Fix(title, Applicability.UNSAFE, (*reference.edits, *at_once, *edits)) if edits is not None else None


def _act_at_once(editor: Editor, act: cst.Call) -> tuple[Edit, ...] | None:
    """Return the edits after which a call does not wait for ever; None where it may, by what it is given."""
    method = act.func.attr if isinstance(act.func, cst.Attribute) else None
    if method is None or any(one.star for one in act.args):
        return None
    if method.value in ("get_nowait", "put_nowait") or is_bounded(act) or is_nonblocking(act):
        return ()
    least = 1 if method.value == "put" else 0
    is_plain = len(act.args) == least and all(one.keyword is None for one in act.args)
    return (editor.replace(method, f"{method.value}_nowait"),) if is_plain else None


def _catch_in_loop(
    editor: Editor, loop: cst.While, line: cst.SimpleStatementLine, queue: str, error: str
) -> tuple[Edit, ...] | None:
    """Return the edits that end a loop where `while not jobs.empty():` would have."""
    header, tried = _drop_test(editor, loop.test, queue), _try(editor, line, error, "break")
    if editor.parent(line) is not loop.body or loop.orelse is not None or header is None or tried is None:
        return None
    return header, *tried


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
    """Whether a condition asks how full the queue is, and nothing else: `not jobs.empty()`, `jobs.qsize() > 0`."""
    if isinstance(test, cst.UnaryOperation):
        return _asks(editor, test.expression, queue)
    if isinstance(test, cst.Comparison):
        parts = tuple((type(one.operator), editor.code(one.comparator)) for one in test.comparisons)
        return len(parts) == 1 and parts[0] in _WITH_NONE and _asks(editor, test.left, queue)
    asked = test.func if isinstance(test, cst.Call) else None
    return isinstance(asked, cst.Attribute) and asked.attr.value in _ASKING and editor.code(asked.value) == queue


def _catch_once(
    editor: Editor, test: cst.If, line: cst.SimpleStatementLine, queue: str, error: str
) -> tuple[Edit, ...] | None:
    """Return the edits that make a `try` of an `if`, which is no `elif` and asks nothing else."""
    is_if = editor.source.text.startswith("if", editor.source.offsets[test][0])
    if not is_if or find_statement(editor, test) is not test or not _asks(editor, test.test, queue):
        return None
    is_inside = editor.parent(line) is test.body
    return _catch_instead(editor, test, line, error) if is_inside else _catch_above(editor, test, line, error)


def _catch_instead(editor: Editor, test: cst.If, line: cst.SimpleStatementLine, error: str) -> tuple[Edit, ...] | None:
    """Return the edits that make a `try` of the `if`, whose other arm, if any, is run where it fails."""
    body, other = test.body.body, test.orelse
    is_alone = len(body) == 1
    if body[0] is not line or isinstance(other, cst.If) or (other is not None and not is_alone):
        return None
    before, step = editor.indent(test) or "", editor.source.tree.default_indent
    header = _replace_header(editor, test)
    if other is not None:
        place = editor.source.offsets[other][0]
        return (header, editor.edit(place, place + len("else"), f"except {error}"))
    rest = "" if is_alone else f"{before}else:\n"
    caught = f"{before}except {error}:\n{before}{step}pass\n{rest}"
    return (header, editor.insert(editor.end_of_line(line), caught))


def _catch_above(editor: Editor, test: cst.If, line: cst.SimpleStatementLine, error: str) -> tuple[Edit, ...] | None:
    """Return the edits that make the `except` of an `if jobs.empty(): return` right above the line."""
    block = find_block(editor, line)
    index = block.index(line)
    is_above = index > 0 and block[index - 1] is test
    if not is_above or test.orelse is not None or not isinstance(test.body, cst.IndentedBlock):
        return None
    first = find_statement(editor, test.body.body[0])
    if first is None or not ends_block(test.body):
        return None
    before, place = editor.indent(test), find_top(editor, first)
    moved = move(editor, line, place, above=editor.indent(first) or "")
    if moved is None:
        return None
    taken, put = moved
    return _replace_header(editor, test), editor.insert(place, f"{put.content}{before}except {error}:\n"), taken


def _replace_header(editor: Editor, test: cst.If) -> Edit:
    return editor.edit(editor.source.offsets[test][0], editor.outer(test.test)[1], "try")


def _try(editor: Editor, line: cst.SimpleStatementLine, error: str, instead: str) -> tuple[Edit, ...] | None:
    deeper = wrap(editor, [line], "try:")
    before, step = editor.indent(line), editor.source.tree.default_indent
    caught = f"{before}except {error}:\n{before}{step}{instead}\n"
    return (*deeper, editor.insert(editor.end_of_line(line), caught)) if deeper is not None else None
