"""CON233: see docs/rules/CON233.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.blocks import is_path
from conclint.analysis.editor import Editor
from conclint.analysis.holding import hold
from conclint.catalog.rows import Domain
from conclint.model.alarm import Alarm, Related
from conclint.model.facts import How
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.project.conditions import Use, iter_uses
from conclint.project.holding import Holding
from conclint.project.locks import Lock
from conclint.project.objects import Object
from conclint.project.places import Place, PlaceKind
from conclint.project.project import CallPlace, Project
from conclint.project.symbols import FunctionPlace
from conclint.project.testing import is_test
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON233",
    name="condition-not-held",
    summary="a Condition is waited for or notified without its lock, which raises RuntimeError",
    help="wrap the call, and the change or test of the state that it is about, in `with condition:`",
    category=Category.DEADLOCK,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report `wait` and `notify` where the lock of the Condition is certainly not held."""
    uses = list(iter_uses(project))
    kept, holding = _find_kept(project) if uses else frozenset(), Holding(project)
    for use in uses:
        if not is_test(use.place) and use.lock.identity not in kept and _is_not_held(project, use):
            message = f"`{use.condition}.{use.name}` is called without the lock of `{use.condition}`"
            related = (*_iter_made(project, use), *_iter_ways(project, use))
            anchors = (_find_anchor(project, holding, use),)
            yield project.alarm(
                use.place.site.module, RULE.code, use.place.call.span, message, *related, anchors=anchors
            )


def _find_anchor(project: Project, holding: Holding, use: Use) -> Anchor:
    module, call = use.place.site.module, use.place.call
    held = project.locks.lockset(module, call.function, call.context)
    lines = holding.find_unfit_lines(module, use.place.function.symbol, held, use.lock.identity, apart_from=use.place)
    domain = use.lock.domain.value if use.lock.domain is not None else ""
    words = (domain, *map(str, lines)) if lines is not None else ()
    return project.anchor(module, call.span, *words)


def _is_not_held(project: Project, use: Use) -> bool:
    place, identity = use.place, use.lock.identity
    if isinstance(identity, Place) and identity.kind is PlaceKind.CLOSURE:
        return False
    held = [lock for lock, _ in project.locks.held(place.site.module, place.call.context)]
    if any(not lock.is_known or lock.identity == identity for lock in held):
        return False
    return not _may_acquire(project, use) and project.locks.is_reached_without(place.function.symbol, identity)


def _may_acquire(project: Project, use: Use) -> bool:
    """Whether the function calls `acquire` itself: what that gives may be tested in ways that are not followed."""
    return any(
        operation.name == "acquire"
        and operation.site.what == "call"
        and project.call(operation.site).function_place == use.place.function_place
        for found in use.conditions
        for operation in project.operations(found)
    )


def _find_kept(project: Project) -> frozenset[Object | Place]:
    """Return the locks that some function acquires for its caller: it never releases them."""
    return frozenset(
        lock.identity
        for module, facts in enumerate(project.modules)
        for entry in facts.acquisitions
        if entry.how in (How.ACQUIRE, How.AWAITED_ACQUIRE)
        and (lock := project.locks.find(module, entry.value)) is not None
        and not any(_releases(project, one, lock) for one in project.calls_in(FunctionPlace(module, entry.function)))
    )


def _releases(project: Project, place: CallPlace, lock: Lock) -> bool:
    split = project.places.split(place.site.module, place.call.callee)
    released = project.locks.find(place.site.module, split[0]) if split is not None and split[1] == "release" else None
    return released is not None and released.identity == lock.identity


def _iter_made(project: Project, use: Use) -> Iterator[Related]:
    for found in sorted(use.conditions, key=repr):
        if found.site is not None:
            yield project.related(found.site.module, project.call(found.site).call.span, "the Condition is made here")


def _iter_ways(project: Project, use: Use) -> Iterator[Related]:
    """Yield the calls, from the inside out, by which the function is reached without the lock."""
    symbol, seen = use.place.function.symbol, {use.place.function.symbol}
    while (caller := _find_caller(project, symbol, use)) is not None and caller.function.symbol not in seen:
        seen.add(caller.function.symbol)
        name = symbol.rpartition(".")[2]
        message = f"`{caller.function.name}` calls `{name}` without it"
        yield project.related(caller.site.module, caller.call.span, message)
        symbol = caller.function.symbol


def _find_caller(project: Project, symbol: str, use: Use) -> CallPlace | None:
    callers = {caller for caller, _, _ in project.call_graph.callers.get(symbol, ())}
    for caller in sorted(callers):
        place = project.place(caller)
        for call in project.calls_in(place) if place is not None else ():
            if not is_test(call) and any(target.function == symbol for target in project.callees(call.site)):
                held = project.locks.held(call.site.module, call.call.context)
                if all(lock.identity != use.lock.identity for lock, _ in held) and project.locks.is_reached_without(
                    caller, use.lock.identity
                ):
                    return call
    return None


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Enter the Condition around the statement; around the loop, if that does nothing but wait."""
    call = editor.find(anchor.span, cst.Call)
    if call is None or not isinstance(call.func, cst.Attribute) or not is_path(call.func) or not anchor.words:
        return None
    domain, *lines = anchor.words
    line = editor.line_of(call)
    block = editor.parent(line) if line is not None else None
    loop = editor.parent(block) if isinstance(block, cst.IndentedBlock) and len(block.body) == 1 else None
    around = loop if isinstance(loop, cst.While) else call
    condition = editor.code(call.func.value)
    edits = hold(editor, condition, around, around, lines, is_of_tasks=domain == Domain.TASK.value)
    return Fix(f"Enter `{condition}`", Applicability.UNSAFE, edits) if edits is not None else None
