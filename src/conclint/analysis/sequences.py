"""Check-then-act: a test of some state, followed by an action that is right only while the test still holds.

The traversal notes the tests of `if` statements; when it is through, each is matched with the accesses that follow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import libcst as cst

from conclint.analysis.collector import Collector
from conclint.analysis.locksets import ends_block
from conclint.analysis.scope import Scope
from conclint.model.facts import Access, AccessKind, Sequence, SequenceKind
from conclint.model.span import Span
from conclint.model.values import Attribute, Constant, Item, Local, Result, ValueId

_REMOVERS = frozenset({"pop", "remove", "popitem"})


@dataclass(frozen=True, slots=True)
class Test:
    """The test of an `if`: what it asks of `target`, and the stretch of code that relies on the answer."""

    kind: SequenceKind
    target: ValueId
    span: Span
    function: int
    context: int
    relying: Span


def iter_tests(node: cst.If, scope: Scope, collector: Collector) -> Iterator[Test]:
    """Yield what the test of an `if` asks, for its body, and for the rest of the block if the body leaves it."""
    body = scope.span(node.body)
    for kind, subject in _split_test(node.test, negated=False):
        yield _note(kind, subject, node, body, scope, collector)
    rest = _rest_of_block(node, scope) if ends_block(node.body) and node.orelse is None else None
    if rest is not None:
        for kind, subject in _split_test(node.test, negated=True):
            yield _note(kind, subject, node, rest, scope, collector)


def find_sequences(tests: list[Test], collector: Collector) -> Iterator[Sequence]:
    """Yield the check-then-acts: each test with the first act on its target in the code that relies on it."""
    sources = {(flow.target, flow.span): flow.source for flow in collector.flows}
    facts = _Indexed(tests, _index_acts(collector), sources)
    lookups = _index_lookups(collector)
    for test in tests:
        target = lookups.get((test.function, test.target))
        if target is not None and test.kind is SequenceKind.UNSET:
            yield from _match(test, SequenceKind.MISSING_KEY, target, facts, collector)
        else:
            yield from _match(test, test.kind, test.target, facts, collector)


class _Indexed(NamedTuple):
    """What a module tests, and does: acts by function, place and whether they remove; what is assigned, by place."""

    tests: list[Test]
    acts: dict[tuple[int, ValueId, bool], list[tuple[Span, int]]]
    sources: dict[tuple[ValueId, Span], ValueId]


def _match(
    test: Test, kind: SequenceKind, target: ValueId, facts: _Indexed, collector: Collector
) -> Iterator[Sequence]:
    keyed = kind in (SequenceKind.MISSING_KEY, SequenceKind.PRESENT_KEY)
    place = collector.intern(Item(target)) if keyed else target
    removing = kind is SequenceKind.PRESENT_KEY
    for span, context in facts.acts.get((test.function, place, removing), ()):
        if not _contains(test.relying, span):
            continue
        source = facts.sources.get((place, span), collector.unknown)
        if kind is SequenceKind.UNSET and collector.values[source] == Constant(True):
            kind = SequenceKind.FLAG
        again = any(
            other is not test and other.target == test.target and _between(test, other, span) for other in facts.tests
        )
        yield Sequence(test.function, kind, target, test.span, test.context, span, context, source, again)
        return


def _between(test: Test, other: Test, act: Span) -> bool:
    """Whether `other` repeats the test on the way to the act."""
    return other.function == test.function and _contains(test.relying, other.span) and _contains(other.relying, act)


def _split_test(node: cst.BaseExpression, *, negated: bool) -> Iterator[tuple[SequenceKind, cst.BaseExpression]]:
    """Yield what is known where the test is true (or, `negated`, where it is false)."""
    while isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
        node, negated = node.expression, not negated
    if isinstance(node, cst.BooleanOperation):
        if isinstance(node.operator, cst.And) is not negated:
            yield from _split_test(node.left, negated=negated)
            yield from _split_test(node.right, negated=negated)
    elif isinstance(node, cst.Comparison) and len(node.comparisons) == 1:
        yield from _split_comparison(node, negated=negated)
    elif negated and isinstance(node, cst.Name | cst.Attribute):
        yield SequenceKind.UNSET, node


def _split_comparison(node: cst.Comparison, *, negated: bool) -> Iterator[tuple[SequenceKind, cst.BaseExpression]]:
    operator, right = node.comparisons[0].operator, node.comparisons[0].comparator
    is_none = isinstance(right, cst.Name) and right.value == "None"
    if is_none and isinstance(operator, cst.IsNot if negated else cst.Is):
        yield SequenceKind.UNSET, node.left
    elif isinstance(operator, cst.In | cst.NotIn):
        missing = isinstance(operator, cst.NotIn) is not negated
        yield (SequenceKind.MISSING_KEY if missing else SequenceKind.PRESENT_KEY), right


def _note(
    kind: SequenceKind, subject: cst.BaseExpression, node: cst.If, relying: Span, scope: Scope, collector: Collector
) -> Test:
    target = collector.evaluate(subject, scope.table)
    return Test(kind, target, scope.span(node.test), scope.function, scope.context, relying)


def _rest_of_block(node: cst.If, scope: Scope) -> Span | None:
    parent = scope.parent(node)
    if not isinstance(parent, cst.IndentedBlock | cst.Module):
        return None
    after = parent.body[list(parent.body).index(node) + 1 :]
    if not after:
        return None
    start, end = scope.span(after[0]), scope.span(after[-1])
    return Span(start.line, start.column, end.end_line, end.end_column)


def _contains(outer: Span, inner: Span) -> bool:
    starts = (outer.line, outer.column) <= (inner.line, inner.column)
    return starts and (inner.end_line, inner.end_column) <= (outer.end_line, outer.end_column)


def _index_acts(collector: Collector) -> dict[tuple[int, ValueId, bool], list[tuple[Span, int]]]:
    """Return writes (False) and removals (True) by function and place."""
    found: dict[tuple[int, ValueId, bool], list[tuple[Span, int]]] = {}
    for access in collector.accesses:
        if access.kind in (AccessKind.WRITE, AccessKind.DELETE):
            found.setdefault(_act_key(access), []).append((access.span, access.context))
    for call in collector.calls:
        callee = collector.values[call.callee]
        # `d.pop(k)` needs the key; `d.pop(k, None)` does not.
        if isinstance(callee, Attribute) and callee.name in _REMOVERS and len(call.arguments) <= 1:
            place = collector.intern(Item(callee.base))
            found.setdefault((call.function, place, True), []).append((call.span, call.context))
    return found


def _act_key(access: Access) -> tuple[int, ValueId, bool]:
    return access.function, access.target, access.kind is AccessKind.DELETE


def _index_lookups(collector: Collector) -> dict[tuple[int, ValueId], ValueId]:
    """Return the collection `d` for each local `x` of `x = d.get(k)`, by function and value of `x`."""
    found: dict[tuple[int, ValueId], ValueId] = {}
    for flow in collector.flows:
        source = collector.values[flow.source]
        if isinstance(source, Result) and isinstance(collector.values[flow.target], Local):
            call = collector.calls[source.call]
            callee = collector.values[call.callee]
            if isinstance(callee, Attribute) and callee.name == "get" and len(call.arguments) == 1:
                found[flow.function, flow.target] = callee.base
    return found
