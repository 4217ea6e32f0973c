"""CON204: see docs/rules/CON204.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from conclint.analysis.blocks import (
    find_block,
    find_statement,
    find_top,
    holds,
    iter_bound,
    iter_own,
    leaks,
    reindent,
    wrap,
)
from conclint.analysis.editor import Editor, Statement
from conclint.analysis.fields import iter_nodes
from conclint.analysis.locksets import ends_block
from conclint.model.alarm import Alarm
from conclint.model.fix import Anchor, Applicability, Edit, Fix, read_span, spell
from conclint.model.observations import SequenceKind
from conclint.model.rule import Category, Rule
from conclint.project.project import Project
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON204",
    name="check-outside-lock",
    summary="shared state is tested before the lock is taken under which it is changed",
    help="repeat the test once the lock is held",
    category=Category.DATA_RACE,
    since="0.1.0",
)

_WHAT = {
    SequenceKind.MISSING_KEY: "another one may add the key while this one waits",
    SequenceKind.PRESENT_KEY: "another one may remove the key while this one waits",
    SequenceKind.UNSET: "another one may set it while this one waits",
    SequenceKind.FLAG: "another one may pass the same test meanwhile",
}


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report tests whose answer may be old by the time the lock is held."""
    for found in project.checks.half_guarded:
        message = f"`{found.state}` is tested before `{found.lock}` is taken: {_WHAT[found.kind]}"
        taken = project.related(found.module, found.taken, f"`{found.lock}` is taken here")
        act = project.related(found.module, found.act, "it is changed here, without another test")
        words = (spell(found.taken), spell(found.act), found.state)
        anchors = (project.anchor(found.module, found.check, *words),)
        yield project.alarm(found.module, RULE.code, found.check, message, taken, act, anchors=anchors)


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Repeat the test with the lock held."""
    check, lock, act = (editor.find(span, cst.CSTNode) for span in (anchor.span, *map(read_span, anchor.words[:2])))
    test, held = (
        editor.around(node, kind) if node is not None else None for node, kind in ((check, cst.If), (lock, cst.With))
    )
    if not isinstance(test, cst.If) or not isinstance(held, cst.With) or act is None or not holds(held.body, act):
        return None
    if check is None or not holds(test.test, check) or not _is_repeatable(editor, test.test, anchor.words[2]):
        return None
    if lock is None or holds(held.body, lock) or not isinstance(held.body, cst.IndentedBlock):
        return None
    if _rebinds(editor, test, held):
        return None
    edits = _repeat(editor, test, held, act) if holds(test.body, held) else _leave_again(editor, test, held)
    return Fix("Repeat the test with the lock held", Applicability.UNSAFE, edits) if edits is not None else None


def _is_repeatable(editor: Editor, test: cst.BaseExpression, state: str) -> bool:
    """Whether a test looks at the state itself, not at what was read of it before, and does nothing else."""
    nodes = list(iter_nodes(test))
    calling = (cst.Call, cst.Await, cst.NamedExpr, cst.Yield, cst.Lambda, cst.BaseComp)
    return not any(isinstance(one, calling) for one in nodes) and any(
        isinstance(one, cst.BaseExpression) and editor.code(one) == state for one in nodes
    )


def _rebinds(editor: Editor, test: cst.If, held: cst.With) -> bool:
    """Whether a variable of the test is bound anew in the `if`, before the lock is taken."""
    names = {one.value for one in iter_nodes(test.test) if isinstance(one, cst.Name)}
    end = editor.source.offsets[held][0]
    return any(
        isinstance(one, cst.Name) and one.value in names and editor.source.offsets[one][0] < end
        for one in iter_bound([test.body])
    )


def _repeat(editor: Editor, test: cst.If, held: cst.With, act: cst.CSTNode) -> tuple[Edit, ...] | None:
    """Return the edits that put what is done with the lock held into the same test."""
    body = find_block(editor, held.body.body[0])
    section: Sequence[Statement] = body[:-1] if ends_block(held.body) else body
    leaving = (cst.Return, cst.Break, cst.Continue)
    if not any(holds(one, act) for one in section) or any(isinstance(one, leaving) for one in iter_own(section)):
        return None
    written = _write_test(editor, test, section[0])
    return wrap(editor, section, f"if {written}:") if written and not leaks(editor, section) else None


def _write_test(editor: Editor, test: cst.If, place: Statement) -> str:
    """Return the test as it is written, with its lines as deep as they are at another place; "" for long strings."""
    written, before, after = editor.code(test.test), editor.indent(test), editor.indent(place)
    if written.isprintable():
        return written
    if before is None or after is None or any(isinstance(one, cst.BaseString) for one in iter_nodes(test.test)):
        return ""
    return reindent(f"{before}{written}", before, after).lstrip()


def _leave_again(editor: Editor, test: cst.If, held: cst.With) -> tuple[Edit, ...] | None:
    """Return the edits that repeat an `if done: return` above."""
    first, indent = find_statement(editor, held.body.body[0]), editor.indent(held.body.body[0])
    line = test.body.body[0] if len(test.body.body) == 1 else None
    part = line.body[0] if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1 else line
    if first is None or indent is None or part is None or test.orelse is not None or not ends_block(test.body):
        return None
    # In a loop in between, `continue` would be about that one.
    if held not in find_block(editor, test):
        return None
    if not isinstance(part, cst.BaseSmallStatement) or any(isinstance(one, cst.Call) for one in iter_nodes(part)):
        return None
    step = editor.source.tree.default_indent
    written = _write_test(editor, test, first)
    if not written:
        return None
    again = f"{indent}if {written}:\n{indent}{step}{editor.code(part)}\n"
    return (editor.insert(find_top(editor, first), again),)
