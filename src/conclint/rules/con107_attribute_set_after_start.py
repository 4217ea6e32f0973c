"""CON107: see docs/rules/CON107.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import libcst as cst

from conclint.analysis.blocks import end_of, find_block, find_line, find_statement, holds, is_statement, move
from conclint.analysis.editor import Editor
from conclint.analysis.fields import iter_nodes
from conclint.catalog.rows import Effect, Kind, Role
from conclint.model.alarm import Alarm
from conclint.model.facts import AccessKind, Flow, ModuleFacts
from conclint.model.fix import Anchor, Applicability, Fix, read_span, spell
from conclint.model.rule import Category, Rule
from conclint.model.span import Span
from conclint.model.values import Attribute, Local, Name, ValueId
from conclint.project.objects import Object, ObjectKind
from conclint.project.order import precedes
from conclint.project.project import CallPlace, Project
from conclint.project.roots import PARALLEL_KINDS
from conclint.project.symbols import FunctionPlace
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON107",
    name="attribute-set-after-start",
    summary="an attribute that a thread reads is set only after the thread was started",
    help="set the attribute before `start()`",
    category=Category.THREAD,
    since="0.1.0",
)

_INITIAL = ("__init__", "__new__", "setUp")
_READS = (AccessKind.READ, AccessKind.UPDATE, AccessKind.CHECK, AccessKind.ITERATE)


class _Started(NamedTuple):
    """A call of `start()` on a thread that runs the method `target` of the object around."""

    start: CallPlace
    target: str
    owner: str


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report first assignments to `self.x` after a start, where the thread's function reads `self.x`."""
    for started in sorted(_iter_started(project), key=lambda one: (one.start.site, one.target)):
        reads = _collect_reads(project, started)
        for flow, name in _iter_assigned_after(project, started):
            if name in reads and not _is_assigned_elsewhere(project, started, name):
                start, module = started.start, started.start.site.module
                reader, span = reads[name]
                related = (
                    project.related(module, start.call.span, "the thread is started here"),
                    project.related(reader, span, f"the thread reads `self.{name}` here"),
                )
                message = f"`self.{name}` is set after the start of the thread that reads it"
                anchor = project.anchor(module, start.call.span, spell(flow.span))
                yield project.alarm(module, RULE.code, flow.span, message, *related, anchors=(anchor,))


def _iter_started(project: Project) -> set[_Started]:
    found: set[_Started] = set()
    by_site = {made.place.site: made.found for made in project.lifetimes.iter_made(Kind.THREAD, Kind.TIMER)}
    for root in project.roots:
        if root.runs_in not in PARALLEL_KINDS or root.receiver is None or root.site not in by_site:
            continue
        for start in project.lifetimes.iter_calls(by_site[root.site], Role.START):
            found |= _match(project, start, root.function, root.receiver.symbol)
    for symbol in project.symbols.classes:
        run = project.symbols.find_method(symbol, "run")
        if run is not None and project.symbols.is_subclass(symbol, "threading.Thread"):
            for start in project.lifetimes.iter_calls(Object(ObjectKind.INSTANCE, symbol), Role.START):
                found |= _match(project, start, run, symbol)
    return found


def _match(project: Project, start: CallPlace, target: str, owner: str) -> set[_Started]:
    # With a lock held, the thread may have to wait for it before it reads.
    related = start.function.owner in project.symbols.linearise(owner)
    return {_Started(start, target, owner)} if related and not start.context.lockset else set()


def _iter_assigned_after(project: Project, started: _Started) -> Iterator[tuple[Flow, str]]:
    """Yield the assignments to `self.x` that follow the start on the same way, before anything else is waited for."""
    start, facts = started.start, started.start.facts
    for flow in facts.flows:
        name = _find_own_attribute(facts, flow.target, start.call.function)
        if name is None or flow.function != start.call.function or not precedes(start.call.span, flow.span):
            continue
        branches, others = start.context.branches, facts.contexts[flow.context].branches
        shared = min(len(branches), len(others))
        if branches[:shared] == others[:shared] and not _waits_between(project, start, flow.span):
            yield flow, name


def _waits_between(project: Project, start: CallPlace, end: Span) -> bool:
    return any(
        Effect.WAIT in row.effects
        for place in project.calls_in(start.function_place)
        if precedes(start.call.span, place.call.span) and precedes(place.call.span, end)
        for _, row in project.rows(place.site)
    )


def _is_assigned_elsewhere(project: Project, started: _Started, name: str) -> bool:
    """Whether the attribute may have a value before the start: from the class, `__init__`, or an earlier line."""
    family = {*project.symbols.linearise(started.owner), *project.symbols.subclasses.get(started.owner, ())}
    if any(name in project.symbols.methods.get(one, ()) for one in family):
        return True
    return any(
        _is_earlier(started.start, FunctionPlace(module, flow.function), facts, flow)
        for module, facts in enumerate(project.modules)
        for flow in facts.flows
        if _is_assigned(facts, flow, name, family)
    )


def _is_assigned(facts: ModuleFacts, flow: Flow, name: str, family: set[str]) -> bool:
    target = facts.values[flow.target]
    if isinstance(target, Name):
        return target.symbol in {f"{one}.{name}" for one in family}
    owned = facts.functions[flow.function].owner in family
    return owned and _find_own_attribute(facts, flow.target, flow.function) == name


def _is_earlier(start: CallPlace, place: FunctionPlace, facts: ModuleFacts, flow: Flow) -> bool:
    if place == start.function_place:
        return precedes(flow.span, start.call.span)
    # Before `__init__` is done, only the class and other `__init__` methods have had their turn.
    return start.function.name != "__init__" or flow.function == 0 or facts.functions[flow.function].name in _INITIAL


def _collect_reads(project: Project, started: _Started) -> dict[str, tuple[int, Span]]:
    """Return the attributes of its object that the thread reads without waiting first, with the module and place."""
    reads: dict[str, tuple[int, Span]] = {}
    for symbol in _iter_reachable(project, started):
        place = project.place(symbol)
        if place is None:
            continue
        facts = project.modules[place.module]
        first_wait = _find_first_wait(project, place)
        for access in facts.accesses:
            name = _find_own_attribute(facts, access.target, place.index) if access.function == place.index else None
            if name is not None and access.kind in _READS and (first_wait is None or precedes(access.span, first_wait)):
                reads.setdefault(name, (place.module, access.span))
    return reads


def _iter_reachable(project: Project, started: _Started) -> Iterator[str]:
    """Yield the thread's function and the methods of its class that this one calls at once, without a wait before."""
    family = project.symbols.linearise(started.owner)
    yield started.target
    place = project.place(started.target)
    if place is not None and _find_first_wait(project, place) is None:
        for symbol in sorted(project.call_graph.called_by(started.target)):
            if symbol.rpartition(".")[0] in family and symbol != started.target:
                yield symbol


def _find_first_wait(project: Project, place: FunctionPlace) -> Span | None:
    """Return where a function first waits for another thread: what it reads from there on may be set by then."""
    waits = [
        call.call.span
        for call in project.calls_in(place)
        for _, row in project.rows(call.site)
        if row.effects & (Effect.WAIT | Effect.SLEEP)
    ]
    facts = project.modules[place.module]
    entries = [one.span for one in facts.acquisitions if one.function == place.index]
    return min([*waits, *entries], default=None)


def _find_own_attribute(facts: ModuleFacts, value: ValueId, function: int) -> str | None:
    """Return `x` for `self.x` in a method, None for anything else."""
    found = facts.values[value]
    if not isinstance(found, Attribute):
        return None
    base, around = facts.values[found.base], facts.functions[function]
    is_own = isinstance(base, Local) and bool(around.owner and around.parameters)
    return found.name if is_own and base == Local(around.symbol, around.parameters[0].name) else None


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Start at the end of the block that starts it, where nothing after that needs the thread to run."""
    start, late = editor.find(anchor.span, cst.Call), editor.find(read_span(anchor.words[0]), cst.BaseExpression)
    line = find_line(editor, start) if start is not None else None
    if start is None or line is None or not isinstance(start.func, cst.Attribute) or not is_statement(editor, start):
        return None
    block = find_block(editor, line)
    following = block[block.index(line) + 1 :]
    if late is None or not any(holds(one, late) for one in following):
        return None
    thread = editor.code(start.func.value)
    last = following[-1]
    leaves = isinstance(last, cst.SimpleStatementLine) and isinstance(last.body[-1], cst.Return | cst.Raise)
    if _is_used(editor, following, thread) or any(_leaves(one) for one in (following[:-1] if leaves else following)):
        return None
    place = editor.start_of_line(last) if leaves else end_of(editor, last)
    edits = move(editor, line, place, above=editor.indent(line) or "") if find_statement(editor, last) else None
    return Fix("Start the thread at the end", Applicability.UNSAFE, edits) if edits is not None else None


def _is_used(editor: Editor, statements: Sequence[cst.CSTNode], thread: str) -> bool:
    """Whether statements ask the thread for something, or rebind its name: only the object may be handed on."""
    nodes = [node for one in statements for node in iter_nodes(one)]
    asked = (one.value for one in nodes if isinstance(one, cst.Attribute) and one.attr.value in _OF_RUNNING)
    rebound = (one.target for one in nodes if isinstance(one, cst.AssignTarget | cst.AugAssign | cst.For))
    return any(editor.code(one) == thread for one in (*asked, *rebound))


def _leaves(statement: cst.CSTNode) -> bool:
    return any(isinstance(one, cst.Return | cst.Raise | cst.Break | cst.Continue) for one in iter_nodes(statement))


_OF_RUNNING = frozenset({"start", "join", "is_alive", "ident", "native_id", "cancel"})
"""What is only right for a thread that has been started."""
