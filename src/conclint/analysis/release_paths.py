"""Finds the ways out of a function on which a lock that it acquired is not released.

An abstract interpretation of the function's statements. A state is the acquisition that is open at that point, or that
none is. Every block maps the states at its start to those at its end, and to the exits by which control leaves it.
Where a decision and a release may depend on each other (`finally: if got: lock.release()`) the release is believed.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from conclint.analysis.fields import iter_children, iter_nodes

_OPAQUE = frozenset({cst.FunctionDef, cst.ClassDef, cst.Lambda})
_CATCHES_ALL = frozenset({"Exception", "BaseException"})
_MOST_ROUNDS = 4
"""A loop's states settle after two rounds; the bound only guards against a mistake here."""


class Way(enum.Enum):
    """How control leaves a function, or a loop's body."""

    RAISE = "raise"
    RETURN = "return"
    END = "end"
    BREAK = "break"
    CONTINUE = "continue"


class Free(enum.Enum):
    """The lock is not held by this function."""

    NOT_YET = "not-yet"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Opened:
    """The lock is held because of the call `acquire`; `flag` is the variable that says whether it really is."""

    acquire: cst.Call
    flag: str = ""


State = Opened | Free
States = frozenset[State]
_Predicate = Callable[[cst.CSTNode], bool]
_NOT_YET: States = frozenset({Free.NOT_YET})
_RELEASED: States = frozenset({Free.RELEASED})


@dataclass(frozen=True, slots=True)
class Exit:
    """A way out of a block, and what is held there."""

    way: Way
    node: cst.CSTNode
    state: State


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a block does: the states at its end, and the exits."""

    states: States
    exits: tuple[Exit, ...] = ()


@dataclass(frozen=True, slots=True)
class Paths:
    """The ways out of a body with regard to one lock."""

    exits: tuple[Exit, ...]
    """Those of the function, in the order of the source."""
    releases: tuple[cst.Call, ...]
    """The calls that release the lock."""
    uses_finally: bool
    """Whether a `finally` releases it."""
    is_foreign: bool
    """Whether others acquire or release it, too: the caller, a `with`, a nested function, code that it is given to."""

    @property
    def hands_over(self) -> bool:
        """Whether all ways out but exceptions keep the lock: the function acquires it for its caller."""
        states = {one.state for one in self.exits if one.way is not Way.RAISE}
        return Free.RELEASED not in states and any(isinstance(state, Opened) for state in states)

    def iter_leaks(self, acquire: cst.Call) -> Iterator[Exit]:
        """Yield the ways out (may) on which the lock that `acquire` took is still held."""
        for one in self.exits:
            if isinstance(one.state, Opened) and one.state.acquire is acquire:
                yield one


def trace_paths(body: cst.BaseSuite | cst.Module, end: cst.CSTNode, is_lock: _Predicate, is_safe: _Predicate) -> Paths:
    """Follow a lock through `body`; `end` stands for falling off its end, `is_safe` knows calls that never raise."""
    return _Tracer(is_lock, is_safe).trace(body, end)


class _Tracer:
    """Interprets statements; holds nothing but the lock's identity and what was met on the way."""

    def __init__(self, is_lock: _Predicate, is_safe: _Predicate) -> None:
        self._is_lock, self._is_safe = is_lock, is_safe
        self._is_foreign = False
        self._uses_finally = False
        self._in_function = False

    def trace(self, body: cst.BaseSuite | cst.Module, end: cst.CSTNode) -> Paths:
        self._in_function = not isinstance(body, cst.Module)
        outcome = self._run(body.body, _NOT_YET)
        exits = (*outcome.exits, *(Exit(Way.END, end, state) for state in outcome.states))
        releases = tuple(node for node in iter_own_nodes(body) if self._is_call(node, "release"))
        return Paths(tuple(dict.fromkeys(exits)), releases, self._uses_finally, self._is_foreign)  # type: ignore[arg-type]

    # Blocks

    def _run(self, body: Sequence[cst.CSTNode], states: States) -> Outcome:
        exits: list[Exit] = []
        for statement in body:
            if not states:
                break
            outcome = self._step(statement, states)
            exits += outcome.exits
            states = outcome.states
        return Outcome(states, tuple(exits))

    def _step(self, node: cst.CSTNode, states: States) -> Outcome:
        if isinstance(node, cst.SimpleStatementLine | cst.IndentedBlock | cst.SimpleStatementSuite):
            return self._run(node.body, states)
        if isinstance(node, cst.Else | cst.Finally):
            return self._step(node.body, states)
        if isinstance(node, cst.If):
            return self._run_if(node, states)
        if isinstance(node, cst.While):
            return self._run_while(node, states)
        if isinstance(node, cst.For):
            return self._run_for(node, states)
        if isinstance(node, cst.With):
            return self._run_with(node, states)
        if isinstance(node, cst.Try | cst.TryStar):
            return self._run_try(node, states)
        if isinstance(node, cst.Match):
            return self._run_match(node, states)
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            # What a module defines runs at other times; what a function defines may be what releases the lock.
            self._is_foreign |= self._in_function and self._mentions(node)
            return Outcome(states)
        return self._run_simple(node, states)

    def _run_if(self, node: cst.If, states: States) -> Outcome:
        failing = self._fail(node.test, states)
        taken, missed = self._decide(node.test, states)
        first = self._step(node.body, taken) if taken else Outcome(taken)
        second = Outcome(missed)
        if node.orelse is not None and missed:
            second = self._step(node.orelse, missed)
        return Outcome(first.states | second.states, (*failing, *first.exits, *second.exits))

    def _run_match(self, node: cst.Match, states: States) -> Outcome:
        outcomes = [self._step(case.body, states) for case in node.cases]
        wildcard = any(isinstance(case.pattern, cst.MatchAs) and case.pattern.pattern is None for case in node.cases)
        after = frozenset[State]() if wildcard else states
        exits = [one for outcome in outcomes for one in outcome.exits]
        return Outcome(
            after.union(*(outcome.states for outcome in outcomes)), (*self._fail(node.subject, states), *exits)
        )

    def _run_while(self, node: cst.While, states: States) -> Outcome:
        endless = isinstance(node.test, cst.Name) and node.test.value == "True"
        exits: dict[Exit, None] = {}
        after: States = frozenset()
        for _ in range(_MOST_ROUNDS):
            exits.update(dict.fromkeys(self._fail(node.test, states)))
            taken, missed = self._decide(node.test, states)
            after |= frozenset() if endless else missed
            body = self._step(node.body, taken) if taken else Outcome(taken)
            after |= self._leave_loop(body, exits)
            following = states | self._next_round(body)
            if following == states:
                break
            states = following
        return self._run_orelse(node.orelse, after, tuple(exits))

    def _run_for(self, node: cst.For, states: States) -> Outcome:
        exits = dict.fromkeys(self._fail(node.iter, states))
        after = states
        for _ in range(_MOST_ROUNDS):
            body = self._step(node.body, states)
            after |= self._leave_loop(body, exits) | self._next_round(body)
            following = states | self._next_round(body)
            if following == states:
                break
            states = following
        return self._run_orelse(node.orelse, after, tuple(exits))

    def _leave_loop(self, body: Outcome, exits: dict[Exit, None]) -> States:
        exits.update(dict.fromkeys(one for one in body.exits if one.way not in (Way.BREAK, Way.CONTINUE)))
        return frozenset(one.state for one in body.exits if one.way is Way.BREAK)

    def _next_round(self, body: Outcome) -> States:
        return body.states | {one.state for one in body.exits if one.way is Way.CONTINUE}

    def _run_orelse(self, orelse: cst.Else | None, states: States, exits: tuple[Exit, ...]) -> Outcome:
        if orelse is None or not states:
            return Outcome(states, exits)
        outcome = self._step(orelse, states)
        return Outcome(outcome.states | states, (*exits, *outcome.exits))

    def _run_with(self, node: cst.With, states: States) -> Outcome:
        if any(self._mentions(item.item) for item in node.items):
            # `with lock:` around a release and an acquire, `with releasing(lock):`: the manager has the last word.
            self._is_foreign = True
        failing = [one for item in node.items for one in self._fail(item.item, states)]
        body = self._step(node.body, states)
        return Outcome(body.states, (*failing, *body.exits))

    def _run_try(self, node: cst.Try | cst.TryStar, states: States) -> Outcome:
        body = self._step(node.body, states)
        exits = [one for one in body.exits if one.way is not Way.RAISE]
        raised = [one for one in body.exits if one.way is Way.RAISE]
        after = body.states
        if node.orelse is not None and after:
            orelse = self._step(node.orelse, after)
            after, exits = orelse.states, exits + list(orelse.exits)
        if not any(_catches_all(handler) for handler in node.handlers):
            exits += raised
        for handler in node.handlers:
            handled = self._step(handler.body, states | {one.state for one in raised})
            after |= handled.states
            exits += handled.exits
        if node.finalbody is None:
            return Outcome(after, tuple(exits))
        return self._run_finally(node.finalbody, after, exits)

    def _run_finally(self, node: cst.Finally, states: States, exits: Sequence[Exit]) -> Outcome:
        if any(self._is_call(part, "release") or self._is_loose(part) for part in iter_own_nodes(node)):
            # Whatever it is tested for there, the one who wrote it thought of it.
            self._uses_finally = True
            return Outcome(_release(states), tuple(Exit(one.way, one.node, Free.RELEASED) for one in exits))
        outcome = self._step(node, states) if states else Outcome(states)
        return Outcome(outcome.states, (*exits, *outcome.exits))

    # Simple statements and expressions

    def _run_simple(self, node: cst.CSTNode, states: States) -> Outcome:
        if any(self._is_loose(part) for part in iter_nodes(node)):
            # `stack.callback(lock.release)`, `Thread(args=(lock,))`: somebody else has it now.
            self._is_foreign = True
        way = _LEAVING.get(type(node))
        if way is not None:
            failing = self._fail(node, states) if way is Way.RETURN else ()
            return Outcome(frozenset(), (*failing, *(Exit(way, node, state) for state in states)))
        acquire = next((part for part in iter_own_nodes(node) if self._is_call(part, "acquire")), None)
        if isinstance(acquire, cst.Call):
            return Outcome(frozenset({Opened(acquire, _flag(node))}), self._fail(node, states))
        if any(self._is_call(part, "release") for part in iter_own_nodes(node)):
            self._is_foreign |= states == _NOT_YET
            return Outcome(_release(states))
        if isinstance(node, cst.Assign) and isinstance(node.value, cst.Name) and node.value.value == "True":
            # `if lock.acquire(False): got = True`.
            flag = _flag(node)
            states = frozenset(Opened(s.acquire, flag) if isinstance(s, Opened) and not s.flag else s for s in states)
        return Outcome(states, self._fail(node, states))

    def _decide(self, test: cst.BaseExpression, states: States) -> tuple[States, States]:
        """Return the states where `test` is true, and where it is false."""
        opened = self._opened_by(test)
        if opened is not None:
            held, negated = frozenset({opened[0]}), opened[1]
            return (states, held) if negated else (held, states)
        flag, negated = _tested_name(test)
        got = frozenset(state for state in states if isinstance(state, Opened) and state.flag == flag)
        if not flag or not got:
            return states, states
        missed = (states - got) | _NOT_YET
        return (missed, got) if negated else (got, missed)

    def _opened_by(self, test: cst.BaseExpression) -> tuple[Opened, bool] | None:
        """Return what a test acquires, and whether it is held where the test is false."""
        if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
            inner = self._opened_by(test.expression)
            return (inner[0], not inner[1]) if inner is not None else None
        if isinstance(test, cst.BooleanOperation):
            negated = isinstance(test.operator, cst.Or)
            sides = (self._opened_by(test.left), self._opened_by(test.right))
            return next((side for side in sides if side is not None and side[1] is negated), None)
        if isinstance(test, cst.NamedExpr):
            inner = self._opened_by(test.value)
            flag = test.target.value if isinstance(test.target, cst.Name) else ""
            return (Opened(inner[0].acquire, flag), inner[1]) if inner is not None else None
        call = test.expression if isinstance(test, cst.Await) else test
        return (Opened(call), False) if isinstance(call, cst.Call) and self._is_call(call, "acquire") else None

    def _fail(self, node: cst.CSTNode, states: States) -> tuple[Exit, ...]:
        return tuple(Exit(Way.RAISE, node, state) for state in states) if may_raise(node, self._is_safe) else ()

    # The lock in an expression

    def _is_call(self, node: cst.CSTNode, method: str) -> bool:
        if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute):
            return False
        return node.func.attr.value == method and self._is_lock(node.func.value)

    def _is_loose(self, node: cst.CSTNode) -> bool:
        """Whether `node` is an argument that hands the lock, or its `release`, to other code."""
        return isinstance(node, cst.Arg) and self._escapes(node.value)

    def _escapes(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Lambda):
            return self._mentions(node)
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and self._is_lock(node.func.value):
            return any(self._escapes(argument.value) for argument in node.args)
        if self._is_lock(node) or (isinstance(node, cst.Attribute) and self._is_lock(node.value)):
            return True
        return any(self._escapes(child) for child in iter_children(node))

    def _mentions(self, node: cst.CSTNode) -> bool:
        return any(self._is_lock(part) for part in iter_nodes(node) if isinstance(part, cst.Name | cst.Attribute))


def iter_own_nodes(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yield `node` and what is below it, without the bodies of nested functions and classes."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(child for child in reversed(tuple(iter_children(current))) if type(child) not in _OPAQUE)


def may_raise(node: cst.CSTNode, is_safe: _Predicate) -> bool:
    """Return whether running `node` may raise: anything but safe calls, and moving values between names."""
    return any(not isinstance(part, _TAME) and not is_safe(part) for part in iter_own_nodes(node))


_LEAVING = {
    cst.Return: Way.RETURN,
    cst.Raise: Way.RAISE,
    cst.Break: Way.BREAK,
    cst.Continue: Way.CONTINUE,
}

_TAME = (
    cst.Pass,
    cst.Global,
    cst.NameItem,
    cst.Nonlocal,
    cst.Return,
    cst.Assign,
    cst.AssignTarget,
    cst.AnnAssign,
    cst.Annotation,
    cst.Expr,
    cst.Name,
    cst.Attribute,
    cst.Integer,
    cst.Float,
    cst.SimpleString,
    cst.UnaryOperation,
    cst.Not,
    cst.BooleanOperation,
    cst.And,
    cst.Or,
    cst.Ellipsis,
    cst.Tuple,
    cst.List,
    cst.Dict,
    cst.Element,
    cst.Arg,
)


def _release(states: States) -> States:
    return _RELEASED if states else states


def _flag(node: cst.CSTNode) -> str:
    target = node.targets[0].target if isinstance(node, cst.Assign) else None
    return target.value if isinstance(target, cst.Name) else ""


def _tested_name(test: cst.BaseExpression) -> tuple[str, bool]:
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        name, negated = _tested_name(test.expression)
        return name, not negated
    return (test.value, False) if isinstance(test, cst.Name) else ("", False)


def _catches_all(handler: cst.ExceptHandler | cst.ExceptStarHandler) -> bool:
    if handler.type is None:
        return True
    types = [handler.type]
    if isinstance(handler.type, cst.Tuple):
        types = [element.value for element in handler.type.elements]
    return any(isinstance(one, cst.Name) and one.value in _CATCHES_ALL for one in types)
