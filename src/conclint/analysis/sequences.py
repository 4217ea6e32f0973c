"""Check-then-act: a test of some state, followed by an action that is right only while the test still holds.

The traversal notes the tests (`tests.py`); when it is through, each is matched with the accesses that follow.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.analysis.collector import Collector
from conclint.analysis.tests import Test
from conclint.model.facts import Access, AccessKind, Call
from conclint.model.observations import Sequence, SequenceKind
from conclint.model.span import Span
from conclint.model.values import Attribute, Constant, Item, Local, Name, Result, ValueId

_QUEUE_ACTS = {
    "get": SequenceKind.FILLED,
    "get_nowait": SequenceKind.FILLED,
    "put": SequenceKind.ROOM,
    "put_nowait": SequenceKind.ROOM,
}
_ACTING = frozenset({SequenceKind.PRESENT_KEY, SequenceKind.FILLED, SequenceKind.ROOM, SequenceKind.SET})
"""The tests that are about something else than an assignment."""
_REMOVERS = frozenset({"pop", "remove", "popitem"})
_ACTS = frozenset({AccessKind.WRITE, AccessKind.UPDATE, AccessKind.DELETE})

_ActKey = tuple[int, ValueId, SequenceKind | None]
"""Function, place, and the test that an act relies on: None for an assignment."""


def find_sequences(tests: list[Test], collector: Collector) -> Iterator[Sequence]:
    """Yield the check-then-acts: each test with the first act on its target in the code that relies on it."""
    sources = {(flow.target, flow.span): flow.source for flow in collector.flows}
    facts = _Indexed(tests, _index_acts(tests, collector), sources)
    lookups = _index_lookups(collector)
    for test in tests:
        target = lookups.get((test.function, test.target))
        if target is not None and test.kind is SequenceKind.UNSET:
            yield from _match(test, SequenceKind.MISSING_KEY, target, facts, collector)
        else:
            yield from _match(test, test.kind, test.target, facts, collector)


class _Indexed(NamedTuple):
    """What a module tests, and does: acts by function, place and what they do; what is assigned, by place."""

    tests: list[Test]
    acts: dict[_ActKey, list[tuple[Span, int]]]
    sources: dict[tuple[ValueId, Span], ValueId]


def _match(
    test: Test, kind: SequenceKind, target: ValueId, facts: _Indexed, collector: Collector
) -> Iterator[Sequence]:
    keyed = kind in (SequenceKind.MISSING_KEY, SequenceKind.PRESENT_KEY)
    place = collector.intern(Item(target)) if keyed else target
    doing = kind if kind in _ACTING else None
    for span, context in facts.acts.get((test.function, place, doing), ()):
        if not _contains(test.relying, span):
            continue
        source = facts.sources.get((place, span), collector.unknown)
        if kind is SequenceKind.UNSET and collector.values[source] == Constant(True):
            kind = SequenceKind.FLAG
        again = kind is not SequenceKind.SET and any(_repeats(other, test, span) for other in facts.tests)
        yield Sequence(test.function, kind, target, test.span, test.context, span, context, source, again)
        return


def _repeats(other: Test, test: Test, act: Span) -> bool:
    """Whether `other` makes the test once more on the way to the act."""
    if other is test or other.target != test.target or other.kind is SequenceKind.SET:
        return False
    return other.function == test.function and _contains(test.relying, other.span) and _contains(other.relying, act)


def _contains(outer: Span, inner: Span) -> bool:
    starts = (outer.line, outer.column) <= (inner.line, inner.column)
    return starts and (inner.end_line, inner.end_column) <= (outer.end_line, outer.end_column)


def _index_acts(tests: list[Test], collector: Collector) -> dict[_ActKey, list[tuple[Span, int]]]:
    """Return writes (None), and what else is done, by function and place."""
    found: dict[_ActKey, list[tuple[Span, int]]] = {}
    present = _Present(tests, collector)
    for access in collector.accesses:
        if (used := present.find_used(access)) is not None:
            found.setdefault(used, []).append((access.span, access.context))
        if access.kind in _ACTS:
            found.setdefault(_act_key(access), []).append((access.span, access.context))
    for call in collector.calls:
        if (used := present.find_called(call)) is not None:
            found.setdefault(used, []).append((call.span, call.context))
        base, method = _split_callee(call.callee, collector)
        # `d.pop(k)` needs the key; `d.pop(k, None)` does not.
        if method in _REMOVERS and len(call.arguments) <= 1:
            place = collector.intern(Item(base))
            found.setdefault((call.function, place, SequenceKind.PRESENT_KEY), []).append((call.span, call.context))
        elif (doing := _QUEUE_ACTS.get(method)) is not None:
            found.setdefault((call.function, base, doing), []).append((call.span, call.context))
    return found


class _Present:
    """What is tested for being there: no use of `x` counts unless some test asks for `x`."""

    def __init__(self, tests: list[Test], collector: Collector) -> None:
        self._values = collector.values
        self._tested = {(test.function, test.target) for test in tests if test.kind is SequenceKind.SET}
        self._globals = {
            (function, value.symbol): target
            for function, target in self._tested
            if isinstance(value := collector.values[target], Name)
        }

    def find_used(self, access: Access) -> _ActKey | None:
        """Return the key of what an access takes an attribute or an element of, if it is tested anywhere."""
        value = self._values[access.target]
        base = value.base if isinstance(value, Attribute | Item) else None
        if isinstance(value, Name) and self._globals:
            base = self._globals.get((access.function, value.symbol.rpartition(".")[0]))
        return self._find(access.function, base)

    def find_called(self, call: Call) -> _ActKey | None:
        """Return the key of what is called itself, if it is tested anywhere."""
        return self._find(call.function, call.callee)

    def _find(self, function: int, target: ValueId | None) -> _ActKey | None:
        if target is None or (function, target) not in self._tested:
            return None
        return function, target, SequenceKind.SET


def _act_key(access: Access) -> _ActKey:
    return access.function, access.target, SequenceKind.PRESENT_KEY if access.kind is AccessKind.DELETE else None


def _index_lookups(collector: Collector) -> dict[tuple[int, ValueId], ValueId]:
    """Return the collection `d` for each local `x` of `x = d.get(k)`, by function and value of `x`."""
    found: dict[tuple[int, ValueId], ValueId] = {}
    for flow in collector.flows:
        source = collector.values[flow.source]
        if isinstance(source, Result) and isinstance(collector.values[flow.target], Local):
            call = collector.calls[source.call]
            base, method = _split_callee(call.callee, collector)
            if method == "get" and len(call.arguments) == 1:
                found[flow.function, flow.target] = base
    return found


def _split_callee(callee: ValueId, collector: Collector) -> tuple[ValueId, str]:
    """Return the object and the name of a method, the name "" for what is none."""
    value = collector.values[callee]
    if isinstance(value, Attribute):
        return value.base, value.name
    if isinstance(value, Name):
        base, _, name = value.symbol.rpartition(".")
        return collector.intern(Name(base)), name
    return callee, ""
