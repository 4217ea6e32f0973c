"""CON801: see docs/rules/CON801.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.blocks import wrap
from conclint.analysis.editor import Editor, Statement
from conclint.model.alarm import Alarm, Related
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.project.gil_reliant import GilReliant, iter_gil_reliant
from conclint.project.project import Project
from conclint.project.roots import relate_begin
from conclint.project.ways import relate_chain
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


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report updates and check-then-acts, without a lock, of state that other threads see."""
    for found in iter_gil_reliant(project):
        done = "is tested and then changed" if found.is_tested else "is updated"
        message = f"`{found.state}` {done} without {f'`{found.lock}`' if found.lock else 'a lock'}: only the GIL helps"
        help_line = f"hold `{found.lock}` here too" if found.lock else ""
        anchors = (project.anchor(found.module, found.span, found.state, found.lock),)
        related = _relate(project, found)
        yield project.alarm(found.module, RULE.code, found.span, message, *related, help=help_line, anchors=anchors)


def _relate(project: Project, found: GilReliant) -> Iterator[Related]:
    other = found.other
    if found.lock:
        yield project.related(other.module, other.span, f"`{found.lock}` is held here around `{found.state}`")
        return
    yield project.related(other.module, other.span, "another thread may change it here in between")
    for control, symbol in zip(found.controls, (found.function, other.function), strict=True):
        if control.root is not None:
            yield relate_begin(project, control.root, again=control.many)
            yield from relate_chain(project, control.root.function, symbol)


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Hold the lock around the statement, where both belong to `self`."""
    state, lock = anchor.words
    node = editor.find(anchor.span, cst.BaseExpression)
    if node is None or not (state.startswith("self.") and lock.startswith("self.")):
        return None
    statement = _find_statement(editor, node, state)
    edits = wrap(editor, [statement], f"with {lock}:") if statement is not None else None
    return Fix(f"Hold `{lock}` here", Applicability.UNSAFE, edits) if edits is not None else None


def _find_statement(editor: Editor, node: cst.BaseExpression, state: str) -> Statement | None:
    """Return the statement with all steps: an update, or an `if` whose body makes the change."""
    around = editor.parent(node)
    if not isinstance(around, cst.If):
        return editor.line_of(node)
    # An `elif` cannot have a block of its own.
    if isinstance(editor.parent(around), cst.If) or not editor.is_read_in(around.test, state):
        return None
    return around if editor.is_changed_in(around.body, state) else None
