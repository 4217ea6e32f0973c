"""Narrowing: of which class a value is behind `isinstance`, `assert isinstance` and `case T():`.

The value then counts as what it was before, or an object of that class: that errs towards silence. Understood is a
test of one class on a local variable or an attribute of one, for the methods that are called on it and the
assignments that hand it on, where nothing in the same arm rebinds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import libcst as cst

from conclint.analysis.fields import iter_children
from conclint.analysis.locksets import ends_block
from conclint.analysis.names import dotted_name
from conclint.analysis.scope import Scope
from conclint.model.values import Attribute, Choice, Local, Value, ValueId

if TYPE_CHECKING:
    from conclint.analysis.traverse import Traversal

_APART = (cst.FunctionDef, cst.ClassDef, cst.Lambda)
"""What runs at another time, when the test may no longer hold."""


def narrow(walk: Traversal, test: cst.BaseExpression, arms: Sequence[cst.CSTNode], scope: Scope) -> None:
    """Let the subjects of the `isinstance` tests that hold in `arms` be of these classes there."""
    for subject, of in _iter_tests(test):
        _narrow_subject(walk, subject, of, arms, scope)


def narrow_following(walk: Traversal, body: Sequence[cst.CSTNode], index: int, scope: Scope) -> None:
    """Do so for what follows `assert isinstance(x, T)`, or `if not isinstance(x, T): return`, at `index` of a block."""
    statement = body[index]
    if type(statement) is cst.SimpleStatementLine:
        first = statement.body[0]
        if type(first) is cst.Assert:
            narrow(walk, first.test, body[index + 1 :], scope)
    elif isinstance(statement, cst.If) and statement.orelse is None:
        test = statement.test
        if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not) and ends_block(statement.body):
            narrow(walk, test.expression, body[index + 1 :], scope)


def narrow_case(walk: Traversal, subject: cst.BaseExpression, case: cst.MatchCase, scope: Scope) -> None:
    """Let the subject, and the name in `case T() as name`, be of the class of a pattern."""
    whole = case.pattern
    name = whole.name if isinstance(whole, cst.MatchAs) else None
    pattern = whole.pattern if isinstance(whole, cst.MatchAs) else whole
    if not isinstance(pattern, cst.MatchClass):
        return
    _narrow_subject(walk, subject, pattern.cls, [case.body], scope)
    promised = _promise(walk, pattern.cls, scope)
    if name is not None and promised is not None:
        target = walk.collector.name_value(name.value, scope.table)
        walk.collector.add_flow(target, promised, name, scope.function, scope.context)


def _iter_tests(test: cst.BaseExpression) -> Iterator[tuple[cst.BaseExpression, cst.BaseExpression]]:
    """Yield subject and class of each `isinstance` that holds where `test` is true."""
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And):
        yield from _iter_tests(test.left)
        yield from _iter_tests(test.right)
    elif isinstance(test, cst.Call) and dotted_name(test.func) == "isinstance" and len(test.args) == 2:
        yield test.args[0].value, test.args[1].value


def _narrow_subject(
    walk: Traversal, subject: cst.BaseExpression, of: cst.BaseExpression, arms: Sequence[cst.CSTNode], scope: Scope
) -> None:
    path = dotted_name(subject)
    promised = _promise(walk, of, scope) if path is not None else None
    if path is None or promised is None:
        return
    base = walk.collector.evaluate(subject, scope.table)
    if not _is_local(walk, base):
        return
    nodes = [node for arm in arms for node in _iter_here(arm)]
    if any(isinstance(node, cst.AssignTarget) and dotted_name(node.target) == path for node in nodes):
        return
    narrowed = walk.collector.intern(Choice((base, promised)))
    for node in nodes:
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and dotted_name(node.func.value) == path:
            walk.collector.define(node.func, walk.collector.intern(Attribute(narrowed, node.func.attr.value)))
        elif isinstance(node, cst.Assign) and dotted_name(node.value) == path:
            walk.collector.define(node.value, narrowed)


def _promise(walk: Traversal, of: cst.BaseExpression, scope: Scope) -> ValueId | None:
    """Return an object of the class `of`; None for what is built in, whose methods neither block nor start anything."""
    name = walk.view.types.resolve(of, scope.table)
    if name is None or name.startswith(("builtins.", "collections.", "typing.")):
        return None
    return walk.collector.annotation_value(of, scope.table)


def _is_local(walk: Traversal, value: ValueId) -> bool:
    found: Value = walk.collector.values[value]
    while isinstance(found, Attribute):
        found = walk.collector.values[found.base]
    return isinstance(found, Local)


def _iter_here(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yield `node` and what is below it in the same function."""
    pending = [node]
    while pending:
        current = pending.pop()
        if not isinstance(current, _APART):
            yield current
            pending.extend(iter_children(current))
