"""Statements: the order of a block, branches and loops, and what is held where their ways meet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import libcst as cst

from conclint.analysis.accesses import mark_checks, mark_iterated
from conclint.analysis.assignments import assign, bind_element, visit_target
from conclint.analysis.constants import find_truth
from conclint.analysis.fields import iter_children, iter_nodes
from conclint.analysis.handlers import add_handler, add_suppression
from conclint.analysis.locksets import ends_block
from conclint.analysis.narrowing import narrow, narrow_case, narrow_following
from conclint.analysis.polls import find_polls
from conclint.analysis.rounds import find_round
from conclint.analysis.scope import Scope
from conclint.analysis.tests import iter_loop_tests, iter_tests, iter_tried
from conclint.model.facts import How
from conclint.model.ids import ContextId
from conclint.model.values import Entered, Name

if TYPE_CHECKING:
    from conclint.analysis.traverse import Handler, Traversal


_ASSERTION_ERROR = Name("builtins.AssertionError")


def _visit_suite(
    walk: Traversal, node: cst.IndentedBlock | cst.SimpleStatementSuite | cst.SimpleStatementLine, scope: Scope
) -> None:
    walk.set_after(node, scope, visit_block(walk, node.body, node, scope))


def visit_block(walk: Traversal, body: Sequence[cst.CSTNode], parent: cst.CSTNode, scope: Scope) -> ContextId:
    """Traverse statements in order; return the context after the last one."""
    for index, statement in enumerate(body):
        walk.visit(statement, parent, scope)
        scope = _move(scope, walk.take_after(statement, scope))
        if scope.function in walk.returned and not scope.surroundings.after_return:
            scope = walk.derive(scope, after_return=True)
        narrow_following(walk, body, index, scope)
    return scope.context


def _visit_simple(walk: Traversal, node: cst.Expr, scope: Scope) -> None:
    walk.visit(node.value, node, scope)
    walk.set_after(node, scope, walk.locksets.apply_statement(node.value, scope))


def _visit_assert(walk: Traversal, node: cst.Assert, scope: Scope) -> None:
    walk.visit(node.test, node, scope)
    if node.msg is not None:
        walk.visit(node.msg, node, scope)
    walk.collector.add_raise(walk.collector.intern(_ASSERTION_ERROR), node, scope.function, scope.context)
    held, _ = walk.locksets.apply_test(node.test, scope)
    walk.set_after(node, scope, held)


def _visit_raise(walk: Traversal, node: cst.Raise, scope: Scope) -> None:
    for child in iter_children(node):
        walk.visit(child, node, scope)
    if node.exc is not None:
        raised = walk.collector.evaluate(node.exc, scope.table)
        walk.collector.add_raise(raised, node, scope.function, scope.context)


def _visit_if(walk: Traversal, node: cst.If, scope: Scope) -> None:
    if (truth := find_truth(node.test, scope.table)) is not None:
        _visit_decided(walk, node, scope, node.body if truth else node.orelse)
        return
    mark_checks(walk, node.test)
    walk.visit(node.test, node, scope)
    is_guard = scope.function == 0 and _is_main_guard(node.test)
    held, not_held = walk.locksets.apply_test(node.test, scope)
    taken = walk.branch(_move(scope, held), main_guard=is_guard or scope.surroundings.main_guard)
    missed = walk.branch(_move(scope, not_held))
    narrow(walk, node.test, [node.body], taken)
    walk.visit(node.body, node, taken)
    ends = _find_ends(walk, node.body, taken)
    if node.orelse is None:
        ends.append(missed.context)
    else:
        walk.visit(node.orelse, node, missed)
        ends += _find_ends(walk, node.orelse, missed)
    walk.tests.extend(iter_tests(node, scope, walk.collector))
    _meet(walk, node, scope, ends)


def _visit_decided(walk: Traversal, node: cst.If, scope: Scope, taken: cst.CSTNode | None) -> None:
    """Traverse the one arm that ever runs; the names that the other one reads are no unread ones."""
    walk.visit(node.test, node, scope)
    for arm in (node.body, node.orelse):
        if arm is not None and arm is not taken:
            for name in (one.value for one in iter_nodes(arm) if isinstance(one, cst.Name)):
                if (owner := scope.table.find_owner(name)) is not None:
                    owner.loads.add(name)
    if taken is not None:
        walk.visit(taken, node, scope)
        walk.set_after(node, scope, walk.take_after(taken, scope))


def _move(scope: Scope, context: ContextId) -> Scope:
    return scope if context == scope.context else Scope(scope.view, scope.table, scope.function, context)


def _find_ends(walk: Traversal, suite: cst.CSTNode, scope: Scope) -> list[ContextId]:
    """Return the context at the end of a suite that was traversed in `scope`; none where control leaves it before."""
    return [] if ends_block(suite) else [walk.take_after(suite, scope)]


def _meet(walk: Traversal, node: cst.CSTNode, scope: Scope, ends: list[ContextId]) -> None:
    if ends:
        lockset = walk.locksets.intersect(ends)
        walk.set_after(node, scope, walk.derive(scope, lockset=lockset).context)


def _visit_else(walk: Traversal, node: cst.Else | cst.Finally, scope: Scope) -> None:
    walk.visit(node.body, node, scope)
    walk.set_after(node, scope, walk.take_after(node.body, scope))


def _visit_while(walk: Traversal, node: cst.While, scope: Scope) -> None:
    loop = walk.enter_loop(scope)
    mark_checks(walk, node.test)
    walk.visit(node.test, node, loop)
    taken, missed = walk.locksets.apply_test(node.test, loop)
    walk.visit(node.body, node, _move(scope, taken))
    if node.orelse is not None:
        walk.visit(node.orelse, node, scope)
    walk.tests.extend(iter_loop_tests(node, scope, walk.collector))
    walk.collector.polls.extend(find_polls(node, scope, walk.collector))
    walk.set_after(node, scope, missed)


def _visit_for(walk: Traversal, node: cst.For, scope: Scope) -> None:
    mark_iterated(walk, node.iter, node)
    first = len(walk.collector.accesses)
    walk.visit(node.iter, node, scope)
    last, awaits = len(walk.collector.accesses), walk.awaits[scope.function]
    loop = walk.enter_loop(scope)
    visit_target(walk, node.target, node, loop)
    bind_element(walk, node.target, node.iter, scope, loop)
    walk.visit(node.body, node, loop)
    if walk.awaits[scope.function] > awaits:
        walk.collector.suspend_iterations(first, last)
        walk.collector.rounds.extend(find_round(node, scope, walk.collector))
    walk.awaits[scope.function] += node.asynchronous is not None
    if node.orelse is not None:
        walk.visit(node.orelse, node, scope)


def _visit_with(walk: Traversal, node: cst.With, scope: Scope) -> None:
    how = How.ASYNC_WITH if node.asynchronous is not None else How.WITH
    walk.awaits[scope.function] += node.asynchronous is not None
    inner = scope
    for item in node.items:
        walk.view.parents[item] = node
        walk.run_checks(item, inner)
        walk.visit(item.item, item, inner)
        add_suppression(item, node, scope, walk.collector)
        last_line = scope.span(node).end_line
        inner = walk.locksets.acquire(item.item, item.item, how, inner, bounded=False, last_line=last_line)
        if item.asname is not None:
            entered = walk.collector.intern(Entered(walk.collector.evaluate(item.item, scope.table)))
            visit_target(walk, item.asname.name, item, inner)
            assign(walk, item.asname.name, entered, inner)
    walk.visit(node.body, node, inner)
    body_after = walk.take_after(node.body, inner)
    kept = walk.locksets.leave(body_after, inner.context, scope.context)
    walk.set_after(node, scope, walk.derive(scope, lockset=kept).context)


def _visit_try(walk: Traversal, node: cst.Try | cst.TryStar, scope: Scope) -> None:
    body_scope = walk.derive(scope, protected=True)
    walk.visit(node.body, node, body_scope)
    ends = _find_ends(walk, node.body, body_scope)
    if node.orelse is not None:
        following = walk.derive(scope, lockset=walk.view.contexts[ends[0]].lockset) if ends else scope
        walk.visit(node.orelse, node, following)
        ends = _find_ends(walk, node.orelse, following) if ends else []
    for handler in node.handlers:
        ends += _visit_handler(walk, handler, node, scope)
    if isinstance(node, cst.Try):
        walk.tests.extend(iter_tried(node, scope, walk.collector))
    lockset = walk.locksets.intersect(ends) if ends else walk.view.contexts[scope.context].lockset
    if node.finalbody is not None:
        final = walk.derive(scope, lockset=lockset, finally_body=True)
        walk.visit(node.finalbody, node, final)
        lockset = walk.view.contexts[walk.take_after(node.finalbody, final)].lockset
    walk.set_after(node, scope, walk.derive(scope, lockset=lockset).context)


def _visit_handler(
    walk: Traversal,
    handler: cst.ExceptHandler | cst.ExceptStarHandler,
    parent: cst.Try | cst.TryStar,
    scope: Scope,
) -> list[ContextId]:
    walk.view.parents[handler] = parent
    walk.run_checks(handler, scope)
    branch = walk.branch(scope)
    if handler.type is not None:
        walk.visit(handler.type, handler, branch)
    add_handler(handler, parent, scope, walk.collector)
    walk.visit(handler.body, handler, branch)
    return _find_ends(walk, handler.body, branch)


def _visit_match(walk: Traversal, node: cst.Match, scope: Scope) -> None:
    walk.visit(node.subject, node, scope)
    ends = [] if _is_catch_all(node.cases[-1]) else [scope.context]
    for case in node.cases:
        walk.view.parents[case] = node
        branch = walk.branch(scope)
        walk.visit(case.pattern, case, branch)
        if case.guard is not None:
            walk.visit(case.guard, case, branch)
        narrow_case(walk, node.subject, case, branch)
        walk.visit(case.body, case, branch)
        ends += _find_ends(walk, case.body, branch)
    _meet(walk, node, scope, ends)


def _visit_capture(
    walk: Traversal, node: cst.MatchAs | cst.MatchStar | cst.MatchMapping | cst.MatchKeywordElement, scope: Scope
) -> None:
    # The names in these patterns are bound, or those of attributes; none is used.
    for child in iter_children(node):
        if not isinstance(child, cst.Name):
            walk.visit(child, node, scope)


def _is_main_guard(test: cst.BaseExpression) -> bool:
    if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1:
        return False
    right = test.comparisons[0].comparator
    pair = (test.left, right) if isinstance(test.left, cst.Name) else (right, test.left)
    name, text = pair
    named = isinstance(name, cst.Name) and name.value == "__name__"
    return named and isinstance(text, cst.SimpleString) and text.evaluated_value == "__main__"


def _is_catch_all(case: cst.MatchCase) -> bool:
    pattern = case.pattern
    return case.guard is None and isinstance(pattern, cst.MatchAs) and pattern.pattern is None


HANDLERS: dict[type[cst.CSTNode], Handler] = {
    cst.SimpleStatementLine: _visit_suite,
    cst.SimpleStatementSuite: _visit_suite,
    cst.IndentedBlock: _visit_suite,
    cst.Expr: _visit_simple,
    cst.Assert: _visit_assert,
    cst.Raise: _visit_raise,
    cst.If: _visit_if,
    cst.Else: _visit_else,
    cst.Finally: _visit_else,
    cst.While: _visit_while,
    cst.For: _visit_for,
    cst.With: _visit_with,
    cst.Try: _visit_try,
    cst.TryStar: _visit_try,
    cst.Match: _visit_match,
    cst.MatchAs: _visit_capture,
    cst.MatchStar: _visit_capture,
    cst.MatchMapping: _visit_capture,
    cst.MatchKeywordElement: _visit_capture,
}
