"""CON801: see docs/rules/CON801.md."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from conclint.analysis.blocks import wrap
from conclint.analysis.editor import Editor, Statement
from conclint.model.alarm import Alarm, Related
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.project.gil_reliant import GilReliant, iter_gil_reliant
from conclint.project.project import Project
from conclint.project.ways import follow, relate_way
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON801",
    name="gil-reliant-operation",
    summary="an object that threads share changes its state in several steps that only the GIL kept together",
    help="hold the lock of the object around all steps",
    category=Category.FREE_THREADING,
    since="0.1.0",
    default=False,
)

_OWN = re.compile(r"self\.\w+")
_TESTED, _UPDATED = "tested", "updated"


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report updates and check-then-acts, without a lock, of state that other threads see."""
    for found in iter_gil_reliant(project):
        done = "is tested and then changed" if found.is_tested else "is updated"
        message = f"`{found.state}` {done} without {f'`{found.lock}`' if found.lock else 'a lock'}: only the GIL helps"
        help_line = f"hold `{found.lock}` here too" if found.lock else ""
        words = (found.state, found.lock, _TESTED if found.is_tested else _UPDATED)
        anchors = (project.anchor(found.module, found.span, *words),)
        related = _relate(project, found)
        yield project.alarm(found.module, RULE.code, found.span, message, *related, help=help_line, anchors=anchors)


def _relate(project: Project, found: GilReliant) -> Iterator[Related]:
    other = found.other
    if found.lock:
        yield project.related(other.module, other.span, f"`{found.lock}` is held here around `{found.state}`")
        return
    for way, (control, symbol) in enumerate(zip(found.controls, (found.function, other.function), strict=True), 1):
        yield from follow(way, relate_way(project, control, symbol))
    yield from follow(2, [project.related(other.module, other.span, "another thread may change it here in between")])


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Hold the lock around the statement, where both belong to `self`."""
    state, lock, done = anchor.words
    node = editor.find(anchor.span, cst.BaseExpression)
    if node is None or not all(_OWN.fullmatch(name) for name in (state, lock)):
        # The lock of another object has another name here.
        return None
    statement = _find_statement(editor, node, state, is_tested=done == _TESTED)
    edits = wrap(editor, [statement], f"with {lock}:") if statement is not None else None
    return Fix(f"Hold `{lock}` here", Applicability.UNSAFE, edits) if edits is not None else None


def _find_statement(editor: Editor, node: cst.BaseExpression, state: str, *, is_tested: bool) -> Statement | None:
    """Return the statement with all steps: an update, an `if` that makes the change, or a `try` that does otherwise."""
    around = editor.parent(node)
    if not isinstance(around, cst.If):
        line = editor.line_of(node)
        return _find_attempt(editor, line, state) if is_tested and line is not None else line
    # An `elif` cannot have a block of its own.
    if isinstance(editor.parent(around), cst.If) or not editor.is_read_in(around.test, state):
        return None
    return around if editor.is_changed_in(around.body, state) else None


def _find_attempt(editor: Editor, line: Statement, state: str) -> cst.Try | None:
    """Return the `try` whose only statement `line` is, if a handler of it makes the change."""
    attempt = editor.around(line, cst.Try)
    if attempt is None or list(attempt.body.body) != [line]:
        return None
    return attempt if any(editor.is_changed_in(one.body, state) for one in attempt.handlers) else None
