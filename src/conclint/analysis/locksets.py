"""Locksets: what is entered or acquired, handed down the statements as part of their context.

A must-set: both arms of an `if` meet by intersection, an arm that leaves the block does not count. It is lenient
where a result decides (`got = lock.acquire(timeout=1)`): the lock counts as held from there on, since code that goes
on without it is the business of CON235, and a lockset that is too large keeps us silent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst
import msgspec

from conclint import catalog
from conclint.analysis.collector import Collector
from conclint.analysis.scope import Scope, View
from conclint.catalog.rows import LOCK_KINDS
from conclint.model.facts import Acquisition, How

_ENDS = frozenset({cst.Return, cst.Raise, cst.Break, cst.Continue})
_BODIES = frozenset({cst.IndentedBlock, cst.SimpleStatementSuite, cst.SimpleStatementLine})
_WRAPPERS = frozenset({cst.Else, cst.Finally, cst.With})
_ENTERING = frozenset({"enter_context", "enter_async_context"})
_EXITS = frozenset({"sys.exit", "os._exit", "builtins.exit", "builtins.quit"})


class Locksets:
    """Turns statements into the context after them; `after` holds it for those that change the lockset."""

    def __init__(self, view: View, collector: Collector) -> None:
        self._view, self._collector = view, collector
        self.after: dict[cst.CSTNode, int] = {}

    def acquire(
        self,
        subject: cst.BaseExpression,
        node: cst.CSTNode,
        how: How,
        scope: Scope,
        *,
        bounded: bool,
        last_line: int = 0,
    ) -> Scope:
        """Return the scope in which `subject` is held too; the same scope for what is certainly no lock."""
        row = scope.class_of(subject)
        if row is None and _is_harmless(subject, scope):
            return scope
        value = self._collector.evaluate(subject, scope.table)
        index = len(self._view.acquisitions)
        span = self._view.source.span(node)
        entry = Acquisition(scope.function, value, how, span, scope.context, bounded, last_line)
        self._view.acquisitions.append(entry)
        self._view.acquired.append((subject, scope.table))
        if row is not None and row.kind not in LOCK_KINDS:
            # Entering an executor or a process is part of its life, and leaves the lockset as it is.
            return scope
        context = self._view.contexts[scope.context]
        lockset = (*context.lockset, index)
        return self._with_lockset(scope, lockset)

    def apply_statement(self, node: cst.BaseExpression, scope: Scope, *, bounded: bool = False) -> int:
        """Return the context after an expression statement, or an assignment of `node`."""
        awaited = type(node) is cst.Await
        call = node.expression if isinstance(node, cst.Await) else node
        # Exact types: this is asked for every statement.
        if type(call) is not cst.Call or type(call.func) is not cst.Attribute:
            if type(call) is cst.Call and type(call.func) is cst.Name and call.func.value == "acquire":
                # `acquire, release = lock.acquire, lock.release`: whatever lock that is, it is held from here on.
                return self.acquire(call.func, call, How.ACQUIRE, scope, bounded=bounded).context
            return scope.context
        method, receiver = call.func.attr.value, call.func.value
        if method == "acquire" and not is_nonblocking(call):
            how = How.AWAITED_ACQUIRE if awaited else How.ACQUIRE
            return self.acquire(receiver, call, how, scope, bounded=bounded or is_bounded(call)).context
        if method == "release":
            return self._release(receiver, scope)
        if method in _ENTERING and call.args:
            return self.acquire(call.args[0].value, call, How.ENTER_CONTEXT, scope, bounded=False).context
        return scope.context

    def apply_test(self, test: cst.BaseExpression, scope: Scope) -> tuple[int, int]:
        """Return the contexts where `test` is true and where it is false: `if lock.acquire(timeout=1):`."""
        negated = False
        while isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
            test, negated = test.expression, not negated
        inner = scope
        for part in _iter_conjuncts(test):
            call = part.expression if isinstance(part, cst.Await) else part
            if (
                isinstance(call, cst.Call)
                and isinstance(call.func, cst.Attribute)
                and call.func.attr.value == "acquire"
            ):
                inner = self.acquire(call.func.value, call, How.ACQUIRE, inner, bounded=True)
        return (scope.context, inner.context) if negated else (inner.context, scope.context)

    def leave(self, end: int, inner: int, outer: int) -> tuple[int, ...]:
        """Return what is held after a `with`: what its body leaves (`end`), without what the `with` had entered.

        A lock that the body has released and acquired anew is released at the end all the same.
        """
        contexts, acquisitions = self._view.contexts, self._view.acquisitions
        left = list(contexts[end].lockset)
        for entered in contexts[inner].lockset[len(contexts[outer].lockset) :]:
            same = [index for index in left if acquisitions[index].value == acquisitions[entered].value]
            if same:
                left.remove(entered if entered in same else same[-1])
        return tuple(left)

    def intersect(self, contexts: Sequence[int]) -> tuple[int, ...]:
        """Return what is held after all of several ways."""
        first, *others = (self._view.contexts[context].lockset for context in contexts)
        values = [{self._view.acquisitions[index].value for index in lockset} for lockset in others]
        return tuple(index for index in first if all(self._view.acquisitions[index].value in held for held in values))

    def _release(self, receiver: cst.BaseExpression, scope: Scope) -> int:
        value = self._collector.evaluate(receiver, scope.table)
        lockset = self._view.contexts[scope.context].lockset
        held = [index for index in lockset if self._view.acquisitions[index].value == value]
        if not held:
            return scope.context
        return self._with_lockset(scope, tuple(index for index in lockset if index != held[-1])).context

    def _with_lockset(self, scope: Scope, lockset: tuple[int, ...]) -> Scope:
        context = msgspec.structs.replace(self._view.contexts[scope.context], lockset=lockset)
        return Scope(scope.view, scope.table, scope.function, self._collector.add_context(context))


def ends_block(node: cst.CSTNode) -> bool:
    """Return whether control never leaves `node` at its end: it returns, raises, breaks, continues or exits."""
    node_type = type(node)
    if node_type in _ENDS:
        return True
    if node_type in _BODIES:
        return bool(node.body) and ends_block(node.body[-1])  # type: ignore[attr-defined]
    if node_type in _WRAPPERS:
        return ends_block(node.body)  # type: ignore[attr-defined]
    if isinstance(node, cst.If):
        return node.orelse is not None and ends_block(node.body) and ends_block(node.orelse)
    if isinstance(node, cst.Try):
        if node.finalbody is not None and ends_block(node.finalbody):
            return True
        last = node.orelse if node.orelse is not None else node.body
        return ends_block(last) and all(ends_block(handler.body) for handler in node.handlers)
    if isinstance(node, cst.Expr) and isinstance(node.value, cst.Call):
        func = node.value.func
        return isinstance(func, cst.Attribute) and func.attr.value in ("exit", "_exit")
    return False


def _iter_conjuncts(test: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """Yield the parts of a test that all are true where it is, `x` for `(got := x)`."""
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And):
        yield from _iter_conjuncts(test.left)
        yield from _iter_conjuncts(test.right)
    else:
        yield test.value if isinstance(test, cst.NamedExpr) else test


def _is_harmless(node: cst.BaseExpression, scope: Scope) -> bool:
    """Whether entering `node` certainly takes no lock: `open(...)` and other calls of the catalog."""
    if not isinstance(node, cst.Call):
        return False
    name = scope.resolve(node.func)
    return name is not None and catalog.find_call(name) is not None


def is_nonblocking(call: cst.Call) -> bool:
    """Return whether an `acquire` ends at once, with the lock or without."""
    # `lock.acquire(False)` as a statement proves nothing.
    for position, argument in enumerate(call.args):
        name = argument.keyword.value if argument.keyword is not None else ("blocking" if position == 0 else "")
        if name in ("blocking", "block") and isinstance(argument.value, cst.Name) and argument.value.value == "False":
            return True
    return False


def is_bounded(call: cst.Call) -> bool:
    """Return whether an `acquire` ends after some time, with the lock or without."""
    return any(
        (argument.keyword is not None and argument.keyword.value == "timeout") or position == 1
        for position, argument in enumerate(call.args)
    )
