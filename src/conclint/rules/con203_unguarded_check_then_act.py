"""CON203: see docs/rules/CON203.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.blocks import find_block, find_statement, lift_comments
from conclint.analysis.editor import Editor
from conclint.analysis.fields import iter_nodes
from conclint.analysis.holding import hold_lock, hold_new_lock
from conclint.model.alarm import Alarm, Related
from conclint.model.facts import AccessKind
from conclint.model.fix import Anchor, Applicability, Fix, read_span, spell
from conclint.model.observations import SequenceKind
from conclint.model.rule import Category, Rule
from conclint.project.checks import CheckThenAct
from conclint.project.holding import Holding
from conclint.project.places import PlaceKind
from conclint.project.project import Project
from conclint.project.roots import relate_begin
from conclint.project.shared import SharedAccess
from conclint.project.ways import relate_chain
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON203",
    name="unguarded-check-then-act",
    summary="shared state is tested and then changed without a lock",
    help="hold one lock around the test and the change",
    category=Category.DATA_RACE,
    since="0.1.0",
)

_SETDEFAULT, _NEW = "setdefault", "new"
_WHAT = {
    SequenceKind.MISSING_KEY: "another thread may add the key",
    SequenceKind.PRESENT_KEY: "another thread may remove the key",
    SequenceKind.UNSET: "another thread may set it",
    SequenceKind.FLAG: "another thread may pass the same test",
}


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report tests of shared state whose answer may be stale when it is acted upon."""
    holding = Holding(project)
    for found in project.checks.unguarded:
        message = f"`{found.state}` is tested and then changed without a lock: {_WHAT[found.kind]} in between"
        anchors = (_find_anchor(project, holding, found),)
        yield project.alarm(found.module, RULE.code, found.check, message, *_relate(project, found), anchors=anchors)


def _find_anchor(project: Project, holding: Holding, found: CheckThenAct) -> Anchor:
    symbol = project.modules[found.module].functions[found.function].symbol
    access = SharedAccess(
        *(found.place, AccessKind.WRITE, found.module, symbol, found.act, frozenset(), False, False),
        target=found.target,
    )
    identity = found.identity if found.identity is not None else holding.find_single_lock(found.place)
    words = holding.describe(access, identity) if identity is not None else ()
    if identity is None:
        words = _find_words_for_new_lock(project, holding, found)
    is_dict = all(one.symbol == "builtins.dict" for one in project.place_objects(found.place))
    atomic = _SETDEFAULT if is_dict and identity is None and found.kind is SequenceKind.MISSING_KEY else ""
    return project.anchor(found.module, found.check, spell(found.act), atomic, *words)


def _find_words_for_new_lock(project: Project, holding: Holding, found: CheckThenAct) -> tuple[str, ...]:
    """Return the name of a variable of the module, and the lines that no lock may be held around; else nothing."""
    facts = project.modules[found.module]
    symbol = facts.functions[found.function].symbol
    if found.place.kind is not PlaceKind.GLOBAL or found.place.owner != facts.module or _calls_itself(project, symbol):
        return ()
    lines = holding.find_unfit_lines(found.module, symbol, frozenset(), found.place)
    return (_NEW, found.place.name, *map(str, lines)) if lines is not None else ()


def _calls_itself(project: Project, symbol: str) -> bool:
    """Whether a function may run once more before it ends: it would wait for itself."""
    place = project.place(symbol)
    calls = project.calls_in(place) if place is not None else ()
    called = {target.function for call in calls for target in project.callees(call.site)}
    return symbol in project.call_graph.reach(called)


def _relate(project: Project, found: CheckThenAct) -> Iterator[Related]:
    yield project.related(found.module, found.act, "it is changed here, if the test still holds")
    witness = found.witness
    if witness is not None:
        yield project.related(witness.module, witness.span, f"`{found.lock}` is held here around `{found.state}`")
    if found.taken is not None:
        yield project.related(*found.taken, f"this takes `{found.lock}`: threads share objects of this class")
    if found.root is not None:
        yield relate_begin(project, found.root)
        facts = project.modules[found.module]
        yield from relate_chain(project, found.root.function, facts.functions[found.function].symbol)


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Hold the lock around both; without any, have the dictionary do both in one step, or make a lock."""
    check, act = editor.find(anchor.span, cst.CSTNode), editor.find(read_span(anchor.words[0]), cst.CSTNode)
    if check is None or act is None:
        return None
    if anchor.words[1] == _SETDEFAULT and (atomic := _set_default(editor, check, act)) is not None:
        return atomic
    words = anchor.words[2:]
    if words and words[0] == _NEW:
        look = _find_look(editor, check, words[1])
        return hold_new_lock(editor, words[1], look, act, words[2:]) if look is not None else None
    look = _find_look(editor, check, words[2]) if words else None
    return hold_lock(editor, look, act, words) if look is not None else None


def _find_look(editor: Editor, check: cst.CSTNode, state: str) -> cst.CSTNode | None:
    """Return where the state is looked at: by the test, or by `found = d.get(key)` above, if `found` is tested."""
    if _mentions(check, state):
        return check
    statement = find_statement(editor, check)
    block = find_block(editor, statement) if statement is not None else ()
    for above in reversed(block[: block.index(statement)] if statement is not None else ()):
        part = above.body[0] if isinstance(above, cst.SimpleStatementLine) and len(above.body) == 1 else None
        names = [one.target for one in part.targets] if isinstance(part, cst.Assign) else []
        if any(isinstance(name, cst.Name) and _mentions(check, name.value) for name in names):
            return above if _mentions(above, state) else None
    return None


def _mentions(node: cst.CSTNode, name: str) -> bool:
    return any(isinstance(one, cst.Name) and one.value == name for one in iter_nodes(node))


def _set_default(editor: Editor, check: cst.CSTNode, act: cst.CSTNode) -> Fix | None:
    """Return the fix that makes `d.setdefault(k, [])` of `if k not in d: d[k] = []`."""
    test, line = editor.around(check, cst.If), editor.line_of(act)
    act = act.target if isinstance(act, cst.AssignTarget) else act
    given = line.body[0] if line is not None and test is not None and editor.parent(line) is test.body else None
    if (
        test is None
        or not isinstance(act, cst.Subscript)
        or not isinstance(given, cst.Assign)
        or test.orelse is not None
    ):
        return None
    if len(test.body.body) != 1 or len(given.targets) != 1 or given.targets[0].target is not act:
        return None
    start, before = editor.source.offsets[test][0], editor.indent(test)
    state, key = editor.code(act.value), ", ".join(editor.code(one) for one in act.slice)
    is_same = editor.code(test.test) == f"{key} not in {state}" and len(act.slice) == 1
    if not is_same or not _is_cheap(given.value) or before is None or not find_block(editor, test):
        return None
    text = f"{state}.setdefault({key}, {editor.code(given.value)})"
    comments = lift_comments(editor, start, editor.end_of_line(test), before)
    last = len(editor.source.text[: editor.end_of_line(test)].rstrip("\r\n"))
    return Fix("Do both with `setdefault`", Applicability.UNSAFE, (editor.edit(start, last, f"{comments}{text}"),))


def _is_cheap(value: cst.BaseExpression) -> bool:
    """Whether a value costs nothing to make, and may be thrown away."""
    if isinstance(value, cst.List | cst.Dict | cst.Set | cst.Tuple):
        return not value.elements
    return isinstance(value, cst.SimpleString | cst.Integer | cst.Float) or (
        isinstance(value, cst.Name) and value.value in ("None", "True", "False")
    )
