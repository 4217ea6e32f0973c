"""Tests of state: what an `if`, `while`, `try`, `and`, `or` or conditional expression finds out, and for which code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from conclint.analysis.collector import Collector
from conclint.analysis.fields import iter_nodes
from conclint.analysis.locksets import ends_block
from conclint.analysis.scope import Scope
from conclint.model.observations import SequenceKind
from conclint.model.span import Span
from conclint.model.values import Attribute, Name, ValueId

_KEYED = (SequenceKind.MISSING_KEY, SequenceKind.PRESENT_KEY)
_LOOPING = (*_KEYED, SequenceKind.FILLED, SequenceKind.ROOM)
_MADE = (cst.Call, cst.List, cst.Dict, cst.Set)
_NO_KEY = frozenset({"builtins.KeyError", "builtins.LookupError"})
_NO_ATTRIBUTE = frozenset({"builtins.AttributeError"})

_Question = tuple[SequenceKind, cst.BaseExpression]
_Tests = Iterator["Test"]


@dataclass(frozen=True, slots=True)
class Test:
    """A test, at `span`: what it asks of `target`, and the stretch of code that relies on the answer."""

    kind: SequenceKind
    target: ValueId
    span: Span
    function: int
    context: int
    relying: Span


def iter_tests(node: cst.If | cst.IfExp, scope: Scope, collector: Collector) -> _Tests:
    """Yield what the test of an `if` asks, for both arms, and for the rest of the block if the body leaves it."""
    yield from _note(split_test(node.test, negated=False), node.test, _find_span(node.body, scope), scope, collector)
    relying = None
    if isinstance(node, cst.If) and node.orelse is None:
        relying = _rest_of_block(node, scope) if ends_block(node.body) else None
    elif not isinstance(node.orelse, cst.If):
        # An `elif` asks for itself.
        relying = _find_span(node.orelse, scope) if node.orelse is not None else None
    yield from _note(split_test(node.test, negated=True), node.test, relying, scope, collector)


def iter_loop_tests(node: cst.While, scope: Scope, collector: Collector) -> _Tests:
    """Yield what the test of a `while` asks of keys and queues: for its body, and for what follows it.

    Flags and None are left out: `while self.item is None: self.item = poll()` waits.
    """
    asked = [one for one in split_test(node.test, negated=False) if one[0] in (*_LOOPING, SequenceKind.SET)]
    yield from _note(asked, node.test, scope.span(node.body), scope, collector)
    if node.orelse is None and not any(isinstance(one, cst.Break) for one in iter_nodes(node.body)):
        asked = [one for one in split_test(node.test, negated=True) if one[0] in _LOOPING]
        yield from _note(asked, node.test, _rest_of_block(node, scope), scope, collector)


def iter_operator_tests(node: cst.BooleanOperation, scope: Scope, collector: Collector) -> _Tests:
    """Yield what the left side of `and`, `or` asks, for the right side."""
    asked = split_test(node.left, negated=isinstance(node.operator, cst.Or))
    yield from _note(asked, node.left, scope.span(node.right), scope, collector)


def iter_assigned_tests(node: cst.Assign, scope: Scope, collector: Collector) -> _Tests:
    """Yield the test in `x = x or make()` and `x = make() if x is None else x`, for the assignment to `x`."""
    value, target = node.value, node.targets[0].target
    if (
        isinstance(value, cst.BooleanOperation)
        and isinstance(value.operator, cst.Or)
        and isinstance(value.right, _MADE)
    ):
        asked, test = list(split_test(value.left, negated=True)), value.left
    elif isinstance(value, cst.IfExp) and isinstance(value.body, _MADE):
        asked, test = list(split_test(value.test, negated=False)), value.test
    elif isinstance(value, cst.IfExp) and isinstance(value.orelse, _MADE):
        asked, test = list(split_test(value.test, negated=True)), value.test
    else:
        return
    asked = [one for one in asked if one[0] is SequenceKind.UNSET]
    yield from _note(asked, test, scope.span(target), scope, collector)


def iter_tried(node: cst.Try, scope: Scope, collector: Collector) -> _Tests:
    """Yield what a `try` finds out by failing: `d[k]` with `except KeyError`, `self.x` with `except AttributeError`."""
    for handler in node.handlers:
        caught = set(_iter_caught(handler.type, scope))
        asked = [] if not caught else list(_iter_loads(node.body, caught))
        relying = scope.span(handler.body)
        for kind, subject, load in asked:
            yield from _note([(kind, subject)], load, relying, scope, collector)
        if not ends_block(handler.body) and ends_block(node.body) and len(node.handlers) == 1:
            for kind, subject, load in asked:
                yield from _note([(kind, subject)], load, _rest_of_block(node, scope), scope, collector)


def _iter_caught(node: cst.BaseExpression | None, scope: Scope) -> Iterator[str]:
    parts = [element.value for element in node.elements] if isinstance(node, cst.Tuple) else [node]
    for part in parts:
        if part is not None and (name := scope.resolve(part)) is not None:
            yield name


def _iter_loads(
    body: cst.BaseSuite, caught: set[str]
) -> Iterator[tuple[SequenceKind, cst.BaseExpression, cst.BaseExpression]]:
    """Yield what may be missing in the body of a `try`: kind, collection or attribute, and the place that reads it."""
    if len(body.body) != 1:
        # What fails may be something else.
        return
    targets = {one.target for one in iter_nodes(body) if isinstance(one, cst.AssignTarget | cst.AugAssign | cst.Del)}
    for node in iter_nodes(body):
        if node in targets:
            continue
        if isinstance(node, cst.Subscript) and caught & _NO_KEY:
            yield SequenceKind.MISSING_KEY, node.value, node
        elif isinstance(node, cst.Attribute) and caught & _NO_ATTRIBUTE:
            yield SequenceKind.UNSET, node, node


def split_test(node: cst.BaseExpression, *, negated: bool) -> Iterator[_Question]:
    """Yield what is known where the test is true (or, `negated`, where it is false)."""
    while isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
        node, negated = node.expression, not negated
    if isinstance(node, cst.BooleanOperation):
        if isinstance(node.operator, cst.And) is not negated:
            yield from split_test(node.left, negated=negated)
            yield from split_test(node.right, negated=negated)
    elif isinstance(node, cst.Comparison) and len(node.comparisons) == 1:
        yield from _split_comparison(node, negated=negated)
    elif isinstance(node, cst.Name | cst.Attribute):
        yield (SequenceKind.UNSET if negated else SequenceKind.SET), node
    elif isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and not node.args:
        name = node.func.attr.value
        if name == ("empty" if negated else "qsize"):
            yield SequenceKind.FILLED, node.func.value
        elif negated and name == "full":
            yield SequenceKind.ROOM, node.func.value


def _split_comparison(node: cst.Comparison, *, negated: bool) -> Iterator[_Question]:
    operator, right = node.comparisons[0].operator, node.comparisons[0].comparator
    is_none = isinstance(right, cst.Name) and right.value == "None"
    if is_none and isinstance(operator, cst.Is | cst.IsNot):
        yield (SequenceKind.UNSET if isinstance(operator, cst.Is) is not negated else SequenceKind.SET), node.left
    elif isinstance(operator, cst.In | cst.NotIn):
        missing = isinstance(operator, cst.NotIn) is not negated
        yield (SequenceKind.MISSING_KEY if missing else SequenceKind.PRESENT_KEY), right


def _note(
    asked: Sequence[_Question] | Iterator[_Question],
    test: cst.BaseExpression,
    relying: Span | None,
    scope: Scope,
    collector: Collector,
) -> _Tests:
    if relying is None:
        return
    span = scope.span(test)
    for kind, subject in asked:
        target = collector.evaluate(subject, scope.table)
        if kind is SequenceKind.SET and not isinstance(collector.values[target], Attribute | Name):
            # What is bound to a local first is read once.
            continue
        yield Test(kind, target, span, scope.function, scope.context, relying)


def _find_span(node: cst.CSTNode, scope: Scope) -> Span:
    return scope.span(node.body if isinstance(node, cst.Else) else node)


def _rest_of_block(node: cst.BaseCompoundStatement, scope: Scope) -> Span | None:
    parent = scope.parent(node)
    if not isinstance(parent, cst.IndentedBlock | cst.Module):
        return None
    after = parent.body[list(parent.body).index(node) + 1 :]
    if not after:
        return None
    start, end = scope.span(after[0]), scope.span(after[-1])
    return Span(start.line, start.column, end.end_line, end.end_column)
