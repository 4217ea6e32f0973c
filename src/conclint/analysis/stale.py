"""Stale writes: state that a coroutine reads, and writes after an await point by what it has read before.

Other tasks run at the await point, and what they wrote in between is lost. The walk follows the statements of one
coroutine function. It is lenient: a second look at the state after the await point, any other write before it (which
may well be a claim: `self.connecting = True`), and values that went through a call end what is followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from conclint.analysis.fields import iter_children, iter_nodes
from conclint.analysis.tests import split_test
from conclint.model.facts import Access, AccessKind
from conclint.model.ids import ContextId
from conclint.model.observations import SequenceKind, StaleWrite
from conclint.model.span import Span
from conclint.model.values import Item, ValueId

if TYPE_CHECKING:
    from conclint.analysis.scope import Scope
    from conclint.analysis.traverse import Traversal

_WRITES = (AccessKind.WRITE, AccessKind.UPDATE)
_SUMS = (cst.BinaryOperation, cst.UnaryOperation, cst.List, cst.Tuple, cst.Set, cst.Dict)
_PARTS = (*_SUMS, cst.Element, cst.StarredElement, cst.DictElement, cst.StarredDictElement)
"""What keeps a value recognisable, though changed: `n + 1`, `[*items, item]`."""
_LESS = (cst.LessThan, cst.LessThanEqual, cst.GreaterThan, cst.GreaterThanEqual)
_NOTHING = frozenset({"None", "False"})


class _Key(NamedTuple):
    """Some state as it is written: `self.counts[name]`."""

    target: ValueId
    text: str


class _Seen(NamedTuple):
    """That state was read or tested at `span`; `suspension` is the first await point since then."""

    span: Span
    suspension: Span | None = None
    changed: bool = False
    """Whether what was read has been calculated with."""
    kind: SequenceKind | None = None
    """What was tested, None for a comparison of numbers."""


@dataclass(slots=True)
class _State:
    """What is known at a place, on some way there."""

    carried: dict[str, dict[_Key, _Seen]] = field(default_factory=dict)
    """The state that the value of each local variable depends on."""
    asked: dict[_Key, _Seen] = field(default_factory=dict)
    """The state whose test decided to come here."""
    lookups: dict[str, tuple[_Key, Span]] = field(default_factory=dict)
    """The entry that each local variable was looked up as, and where: `x = d.get(k)`."""

    def copy(self) -> _State:
        """Return the state for one of several ways."""
        carried = {name: dict(entries) for name, entries in self.carried.items()}
        return _State(carried, dict(self.asked), dict(self.lookups))

    def suspend(self, span: Span) -> None:
        """Note an await point."""
        for entries in (self.asked, *self.carried.values()):
            for key, seen in entries.items():
                if seen.suspension is None:
                    entries[key] = seen._replace(suspension=span)

    def forget(self, key: _Key) -> None:
        """Forget all that is known of some state: it is written here."""
        for entries in (self.asked, *self.carried.values()):
            entries.pop(key, None)

    def rebind(self, name: str) -> None:
        """Forget what depends on the old value of a local variable."""
        self.carried.pop(name, None)
        self.lookups.pop(name, None)
        for entries in (self.asked, *self.carried.values()):
            for key in [one for one in entries if name in one.text and re.search(rf"(?<![.\w]){name}\b", one.text)]:
                del entries[key]


def find_stale_writes(walk: Traversal, node: cst.FunctionDef, scope: Scope, accesses: Iterable[Access]) -> None:
    """Add the stale writes of a coroutine function; `accesses` are those in its body."""
    own = [access for access in accesses if access.function == scope.function]
    if any(access.kind in _WRITES for access in own):
        _Follower(walk, scope, own).follow(node.body.body, _State())


class _Follower:
    """Follows the statements of one function. Each method takes the state before and changes it to that after."""

    def __init__(self, walk: Traversal, scope: Scope, accesses: Sequence[Access]) -> None:
        self._walk, self._scope, self._accesses = walk, scope, accesses

    def follow(self, body: Sequence[cst.CSTNode], state: _State) -> _State | None:
        """Return the state after a block, None where control never gets there."""
        after: _State | None = state
        for statement in body:
            if after is None:
                return None
            after = self._follow_one(statement, after)
        return after

    def _follow_one(self, node: cst.CSTNode, state: _State) -> _State | None:
        if isinstance(node, cst.SimpleStatementLine):
            return self.follow(node.body, state)
        if isinstance(node, cst.If):
            return self._follow_if(node, state)
        if isinstance(node, cst.While | cst.For):
            return self._follow_loop(node, state)
        if isinstance(node, cst.With):
            return self._follow_with(node, state)
        if isinstance(node, cst.Try | cst.TryStar):
            return self._follow_try(node, state)
        if isinstance(node, cst.Match):
            return self._follow_match(node, state)
        return self._follow_small(node, state)

    def _follow_loop(self, node: cst.While | cst.For, state: _State) -> _State | None:
        if isinstance(node, cst.While):
            self._ask(node.test, state)
        else:
            self._read(node.iter, state)
            if node.asynchronous is not None:
                state.suspend(self._scope.span(node.iter))
            for name in (one for one in iter_nodes(node.target) if isinstance(one, cst.Name)):
                state.rebind(name.value)
        return _join(state, self._follow_suite(node.body, state.copy()))

    def _follow_with(self, node: cst.With, state: _State) -> _State | None:
        for item in node.items:
            self._read(item.item, state)
            if node.asynchronous is not None:
                state.suspend(self._scope.span(item.item))
        return self._follow_suite(node.body, state)

    def _follow_match(self, node: cst.Match, state: _State) -> _State | None:
        self._read(node.subject, state)
        after: _State | None = state.copy()
        for case in node.cases:
            after = _join(after, self._follow_suite(case.body, state.copy()))
        return after

    def _follow_small(self, node: cst.CSTNode, state: _State) -> _State | None:
        if isinstance(node, cst.Assign):
            self._assign([target.target for target in node.targets], node.value, state)
        elif isinstance(node, cst.AnnAssign) and node.value is not None:
            self._assign([node.target], node.value, state)
        elif isinstance(node, cst.AugAssign):
            self._augment(node, state)
        elif isinstance(node, cst.Assert):
            self._ask(node.test, state)
        elif isinstance(node, cst.Return | cst.Raise | cst.Break | cst.Continue):
            self._read(node, state)
            return None
        elif isinstance(node, cst.Expr | cst.Del):
            self._read(node, state)
        return state

    def _follow_suite(self, suite: cst.BaseSuite, state: _State) -> _State | None:
        return self.follow(suite.body, state)

    def _follow_if(self, node: cst.If, state: _State) -> _State | None:
        self._ask(node.test, state)
        taken, missed = state.copy(), state.copy()
        taken.asked.update(self._iter_questions(node.test, taken, negated=False))
        missed.asked.update(self._iter_questions(node.test, missed, negated=True))
        first = self._follow_suite(node.body, taken)
        second: _State | None = missed
        if isinstance(node.orelse, cst.If):
            second = self._follow_if(node.orelse, missed)
        elif node.orelse is not None:
            second = self._follow_suite(node.orelse.body, missed)
        joined = _join(first, second)
        if joined is not None and first is not None and second is not None:
            # What was asked decides no more; what was asked before still does, unless an arm has dealt with it.
            joined.asked = {key: seen for key, seen in joined.asked.items() if key in state.asked}
        return joined

    def _follow_try(self, node: cst.Try | cst.TryStar, state: _State) -> _State | None:
        after = self._follow_suite(node.body, state.copy())
        failed = _join(state, after.copy() if after is not None else None)
        if after is not None and node.orelse is not None:
            after = self._follow_suite(node.orelse.body, after)
        for handler in node.handlers:
            after = _join(after, self._follow_suite(handler.body, (failed or state).copy()))
        if node.finalbody is not None:
            ended = self._follow_suite(node.finalbody.body, after or (failed or state).copy())
            return ended if after is not None else None
        return after

    def _read(self, node: cst.CSTNode, state: _State) -> None:
        """Note the await points in an expression."""
        for part in iter_nodes(node):
            if isinstance(part, cst.Await):
                state.suspend(self._scope.span(part))
                return

    def _ask(self, test: cst.BaseExpression, state: _State) -> None:
        """Look at state in a test: what was known of it before counts no more."""
        self._read(test, state)
        looked = {self._scope.code(one) for one in iter_nodes(test) if isinstance(one, cst.Attribute | cst.Name)}
        for key in list(state.asked):
            if key.text in looked or key.text.partition("[")[0] in looked:
                del state.asked[key]

    def _iter_questions(
        self, test: cst.BaseExpression, state: _State, *, negated: bool
    ) -> Iterator[tuple[_Key, _Seen]]:
        """Yield what is known of state where a test is true (or, `negated`, where it is false)."""
        span = self._scope.span(test)
        for kind, subject in split_test(test, negated=negated):
            if kind is SequenceKind.UNSET and isinstance(subject, cst.Name) and subject.value in state.lookups:
                item, looked = state.lookups[subject.value]
                yield item, _Seen(looked, kind=SequenceKind.MISSING_KEY)
            elif kind is SequenceKind.UNSET and (key := self._find_key(subject)) is not None:
                yield key, _Seen(span, kind=kind)
            elif kind is SequenceKind.MISSING_KEY:
                for comparison in (one for one in iter_nodes(test) if isinstance(one, cst.Comparison)):
                    if comparison.comparisons[0].comparator is subject:
                        yield self._find_item(subject, comparison.left), _Seen(span, kind=kind)
        if isinstance(test, cst.Comparison) and isinstance(test.comparisons[0].operator, _LESS):
            for side in (test.left, test.comparisons[0].comparator):
                if (key := self._find_key(side)) is not None:
                    yield key, _Seen(span)

    def _assign(self, targets: Sequence[cst.BaseExpression], value: cst.BaseExpression, state: _State) -> None:
        self._read(value, state)
        sources = self._find_sources(value, state)
        lookup = self._find_lookup(value)
        for target in targets:
            if isinstance(target, cst.Tuple | cst.List):
                for element in target.elements:
                    self._set(element.value, None, {}, state)
            else:
                self._set(target, value, sources, state)
                if lookup is not None and isinstance(target, cst.Name):
                    state.lookups[target.value] = lookup, self._scope.span(value)

    def _set(
        self,
        target: cst.BaseExpression,
        value: cst.BaseExpression | None,
        sources: dict[_Key, _Seen],
        state: _State,
    ) -> None:
        key = self._find_key(target)
        if key is not None:
            self._write(key, target, value, sources.get(key), state)
        elif isinstance(target, cst.Name):
            state.rebind(target.value)
            if sources:
                state.carried[target.value] = sources

    def _augment(self, node: cst.AugAssign, state: _State) -> None:
        key = self._find_key(node.target)
        if key is None:
            self._read(node.value, state)
            if isinstance(node.target, cst.Name):
                carried = state.carried.get(node.target.value, {})
                state.carried[node.target.value] = {key: seen._replace(changed=True) for key, seen in carried.items()}
            return
        span = self._scope.span(node.target)
        probe = _State(asked={key: _Seen(span, changed=True)})
        # Python reads the target first, and only then evaluates the other side.
        self._read(node.value, probe)
        self._read(node.value, state)
        asked = state.asked.get(key)
        seen = probe.asked[key]
        if seen.suspension is None and asked is not None and asked.kind is None and asked.suspension is not None:
            self._emit(key, node.target, asked, tested=True)
        self._write(key, node.target, None, seen, state)

    def _write(
        self,
        key: _Key,
        target: cst.BaseExpression,
        value: cst.BaseExpression | None,
        source: _Seen | None,
        state: _State,
    ) -> None:
        asked = state.asked.get(key)
        if source is not None and source.suspension is not None and source.changed:
            self._emit(key, target, source, tested=False)
        elif asked is not None and asked.suspension is not None and asked.kind is not None and _sets(value):
            self._emit(key, target, asked, tested=True)
        state.forget(key)
        # Any write before the await point may tell other tasks that this one is at it.
        state.asked = {one: seen for one, seen in state.asked.items() if seen.suspension is not None}

    def _emit(self, key: _Key, target: cst.BaseExpression, seen: _Seen, *, tested: bool) -> None:
        written = self._scope.span(target)
        before, after = self._find_context(seen.span), self._find_context(written)
        if seen.suspension is not None and before is not None and after is not None:
            spans = (seen.span, seen.suspension, written)
            found = StaleWrite(self._scope.function, key.target, tested, *spans, before, after)
            self._walk.collector.stale_writes.append(found)

    def _find_context(self, span: Span) -> ContextId | None:
        """Return the context of the shared state that is accessed within `span`."""
        start, end = (span.line, span.column), (span.end_line, span.end_column)
        for access in self._accesses:
            here = access.span
            if start <= (here.line, here.column) and (here.end_line, here.end_column) <= end:
                return access.context
        return None

    def _find_sources(self, value: cst.BaseExpression, state: _State) -> dict[_Key, _Seen]:
        """Return the state that a value depends on, as far as it is only calculated with."""
        changed = not isinstance(value, cst.Name | cst.Attribute | cst.Subscript)
        found: dict[_Key, _Seen] = {}
        for part in _iter_parts(value):
            if isinstance(part, cst.Name) and part.value in state.carried:
                for key, seen in state.carried[part.value].items():
                    found[key] = seen._replace(changed=changed or seen.changed)
            elif (own := self._find_key(part)) is not None:
                later = (one for one in iter_nodes(value) if isinstance(one, cst.Await))
                read = self._scope.span(part)
                spans = (self._scope.span(one) for one in later)
                suspension = next((span for span in spans if (span.line, span.column) > (read.line, read.column)), None)
                found[own] = _Seen(read, suspension, changed)
        return found

    def _find_key(self, node: cst.BaseExpression) -> _Key | None:
        """Return the state that an expression names: an attribute, an entry, a global; None for what is local."""
        if not isinstance(node, cst.Attribute | cst.Subscript | cst.Name):
            return None
        if isinstance(node, cst.Name) and self._scope.table.find_owner(node.value) in (None, self._scope.table):
            return None
        if any(isinstance(one, cst.Call | cst.Await) for one in iter_nodes(node)):
            return None
        return _Key(self._walk.collector.evaluate(node, self._scope.table), self._scope.code(node))

    def _find_item(self, collection: cst.BaseExpression, key: cst.BaseExpression) -> _Key:
        target = self._walk.collector.intern(Item(self._walk.collector.evaluate(collection, self._scope.table)))
        return _Key(target, f"{self._scope.code(collection)}[{self._scope.code(key)}]")

    def _find_lookup(self, value: cst.BaseExpression) -> _Key | None:
        if not isinstance(value, cst.Call) or not isinstance(value.func, cst.Attribute) or len(value.args) != 1:
            return None
        if value.func.attr.value != "get" or self._find_key(value.func.value) is None:
            return None
        return self._find_item(value.func.value, value.args[0].value)


def _sets(value: cst.BaseExpression | None) -> bool:
    """Whether an assignment sets something, and does not clear it."""
    return value is not None and not (isinstance(value, cst.Name) and value.value in _NOTHING)


def _iter_parts(node: cst.CSTNode) -> Iterator[cst.BaseExpression]:
    """Yield what a value is calculated from."""
    if isinstance(node, _PARTS):
        for child in iter_children(node):
            yield from _iter_parts(child)
    elif isinstance(node, cst.BaseExpression):
        yield node


def _weigh(seen: _Seen) -> tuple[bool, bool]:
    """Tell which of two ways says more of a value."""
    return seen.suspension is not None, seen.changed


def _join(first: _State | None, second: _State | None) -> _State | None:
    """Return what is known where two ways meet (may)."""
    if first is None or second is None:
        return first or second
    for name, entries in second.carried.items():
        mine = first.carried.setdefault(name, {})
        for key, seen in entries.items():
            mine[key] = max(mine.get(key, seen), seen, key=_weigh)
    for key in list(first.asked):
        if key not in second.asked:
            # One of the ways has dealt with it.
            del first.asked[key]
        elif first.asked[key].suspension is None:
            first.asked[key] = second.asked[key]
    first.lookups = {name: key for name, key in first.lookups.items() if second.lookups.get(name) == key}
    return first
