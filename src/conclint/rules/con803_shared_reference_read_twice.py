"""CON803: see docs/rules/CON803.md."""

from __future__ import annotations

import keyword
from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from conclint.analysis.editor import Editor
from conclint.analysis.fields import iter_nodes
from conclint.model.alarm import Alarm, Related
from conclint.model.facts import AccessKind
from conclint.model.fix import Anchor, Applicability, Edit, Fix
from conclint.model.observations import Sequence, SequenceKind
from conclint.model.rule import Category, Rule
from conclint.model.span import Span
from conclint.model.values import Constant, Name
from conclint.project.gil_reliant import find_test
from conclint.project.parallel import Control
from conclint.project.places import Place, PlaceKind
from conclint.project.project import Project
from conclint.project.shared import SharedAccess
from conclint.project.ways import follow, relate_way
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON803",
    name="shared-reference-read-twice",
    summary="a shared reference is tested and then read again, while another thread may clear it",
    help="bind it to a local variable first, and test and use that",
    category=Category.FREE_THREADING,
    since="0.1.0",
    default=False,
)

_NOTHING = frozenset({None, False})


class Reread(NamedTuple):
    """A test of a reference, its use by a second read, and what another thread does to it in between (may).

    That threads share it is shown by the `lock` that is held where it is cleared, or by the threads that do both.
    """

    module: int
    sequence: Sequence
    test: SharedAccess
    clearing: SharedAccess
    lock: str = ""
    controls: tuple[Control, ...] = ()


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report references that are read once to be tested and once to be used, and cleared by a parallel thread."""
    told: set[tuple[int, Span]] = set()
    for module, facts in enumerate(project.modules):
        # The nearest test counts.
        for sequence in sorted(facts.sequences, key=lambda one: one.check, reverse=True):
            if sequence.kind is not SequenceKind.SET or (module, sequence.act) in told:
                continue
            found = _find_reread(project, module, sequence)
            if found is not None:
                told.add((module, sequence.act))
                yield _report(project, found)


def _find_reread(project: Project, module: int, sequence: Sequence) -> Reread | None:
    place = project.places.find(module, sequence.target)
    if place is None or place.element or place.kind is PlaceKind.CLOSURE:
        return None
    symbol = project.modules[module].functions[sequence.function].symbol
    if project.shared.is_excused(module, symbol, sequence.target) or _is_expected(project, module, sequence):
        return None
    test = find_test(project, place, module, sequence.check)
    accesses = project.shared.by_place.get(place, ())
    if test is None or _is_assigned_between(test, accesses, sequence):
        return None
    for clearing in accesses:
        if clearing.function == symbol or clearing.lockset & test.lockset or not _clears(project, clearing):
            continue
        found = Reread(module, sequence, test, clearing)
        if (lock := _find_forgotten(project, place, found)) is not None:
            return found._replace(lock=lock)
        if _is_public_reset(project, place, clearing):
            continue
        if (pair := project.races.find_pair(place, test, clearing)) is not None:
            return found._replace(controls=pair)
    return None


def _is_public_reset(project: Project, place: Place, clearing: SharedAccess) -> bool:
    """Whether nobody in the program calls what clears a global: who does, and in which thread, is not known."""
    if place.kind is not PlaceKind.GLOBAL or clearing.function in project.call_graph.passed_functions:
        return False
    return clearing.function not in project.root_functions and clearing.function not in project.call_graph.callers


def _is_expected(project: Project, module: int, sequence: Sequence) -> bool:
    """Whether a handler around the use says that its author knows: `except AttributeError`."""
    facts, act = project.modules[module], sequence.act
    around = (
        one
        for one in facts.handlers
        if one.function == sequence.function and one.guarded <= act and act.end_line <= one.guarded.end_line
    )
    return any(facts.values[caught] == Name("builtins.AttributeError") for one in around for caught in one.caught)


def _find_forgotten(project: Project, place: Place, found: Reread) -> str | None:
    """Return the lock of the same object under which the reference is cleared, and that is not held for the test."""
    guards = project.guards
    locks = found.clearing.lockset & guards.find_own_locks(place)
    if any(guards.is_reached_without(found.test.function, lock) for lock in locks):
        return min(guards.lock_names[lock] for lock in locks)
    return None


def _is_assigned_between(test: SharedAccess, accesses: tuple[SharedAccess, ...], sequence: Sequence) -> bool:
    """Whether the function binds the reference anew before it uses it: then it is not what was tested."""
    return any(
        one.is_write and not one.place.element and sequence.check < one.span < sequence.act
        for one in accesses
        if (one.module, one.function) == (test.module, test.function)
    )


def _clears(project: Project, access: SharedAccess) -> bool:
    """Whether an access leaves nothing behind that could be used: `self.conn = None`, `del self.conn`."""
    if not access.is_write or access.place.element or project.shared.is_quiet(access.function):
        return False
    if access.kind is AccessKind.DELETE:
        return True
    facts = project.modules[access.module]
    sources = (
        facts.values[flow.source] for flow in facts.flows if flow.target == access.target and flow.span == access.span
    )
    return any(isinstance(source, Constant) and source.value in _NOTHING for source in sources)


def _report(project: Project, found: Reread) -> Alarm:
    module, sequence = found.module, found.sequence
    name = project.places.describe(module, sequence.target)
    message = f"`{name}` is read again after it is tested: another thread may clear it in between"
    anchors = (project.anchor(module, sequence.act, name),)
    return project.alarm(module, RULE.code, sequence.act, message, *_relate(project, found, name), anchors=anchors)


def _relate(project: Project, found: Reread, name: str) -> Iterator[Related]:
    clearing = found.clearing
    holding = f", with `{found.lock}` held" if found.lock else ""
    ends = (
        (found.test, project.related(found.module, found.sequence.check, f"`{name}` is tested here")),
        (clearing, project.related(clearing.module, clearing.span, f"another thread clears it here{holding}")),
    )
    controls = found.controls or (None, None)
    for way, (control, (access, end)) in enumerate(zip(controls, ends, strict=True), 1):
        steps = relate_way(project, control, access.function) if control is not None else ()
        yield from follow(way, [*steps, end])


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Bind the reference to a local variable before the `if`, and read that in the test and in the body."""
    (name,) = anchor.words
    use = editor.find(anchor.span, cst.BaseExpression)
    node = _find_statement(editor, use, name) if use is not None else None
    if node is None or editor.indent(node) is None:
        return None
    variable = name.rpartition(".")[2].lstrip("_")
    reads = [*_iter_reads(editor, node.test, name), *_iter_reads(editor, node.body, name)]
    is_free = variable.isidentifier() and not keyword.iskeyword(variable) and editor.is_unbound(variable, node)
    if not is_free or not _is_plain(editor, node, reads):
        return None
    first = editor.insert(editor.start_of_line(node), f"{editor.indent(node)}{variable} = {name}\n")
    edits: tuple[Edit, ...] = (first, *(editor.replace(read, variable) for read in reads))
    return Fix(f"Bind `{name}` to a local variable first", Applicability.SAFE, edits)


def _find_statement(editor: Editor, use: cst.BaseExpression, name: str) -> cst.If | None:
    """Return the `if` that tests the reference and has its use in the body; an `elif` has no line before it."""
    inner: cst.CSTNode = use
    for around in editor.iter_around(use):
        if isinstance(around, cst.If) and inner is around.body:
            is_first = not isinstance(editor.parent(around), cst.If)
            return around if is_first and any(_iter_reads(editor, around.test, name)) else None
        if isinstance(around, cst.FunctionDef | cst.Lambda):
            return None
        inner = around
    return None


def _iter_reads(editor: Editor, node: cst.CSTNode, name: str) -> Iterator[cst.BaseExpression]:
    for part in iter_nodes(node):
        if not isinstance(part, cst.Name | cst.Attribute) or editor.code(part) != name:
            continue
        around = editor.parent(part)
        # The `name` of `other.name` and of `name=value` is a word, not a variable.
        is_word = (isinstance(around, cst.Attribute) and around.attr is part) or (
            isinstance(around, cst.Arg) and around.keyword is part
        )
        if not is_word:
            yield part


_DEFERRED = (cst.FunctionDef, cst.Lambda, cst.Await, cst.Yield, cst.While, cst.For, cst.With, cst.Try)


def _is_plain(editor: Editor, node: cst.If, reads: list[cst.BaseExpression]) -> bool:
    """Whether nothing that this thread does before the last read can bind the reference anew (must)."""
    last = max(editor.outer(read)[0] for read in reads)
    for part in (*iter_nodes(node.test), *iter_nodes(node.body)):
        if isinstance(part, _DEFERRED) or (isinstance(part, cst.Call) and editor.outer(part)[1] <= last):
            return False
        if isinstance(part, cst.AssignTarget | cst.AnnAssign | cst.AugAssign) and part.target in reads:
            return False
        if isinstance(part, cst.Del | cst.NamedExpr):
            return False
    return True
