"""Tests whose outcome stands in the module itself: the arms that never run say nothing about the program."""

from __future__ import annotations

import libcst as cst

from conclint.analysis.names import BindingKind, NameTable

_TRUTH = {"True": True, "False": False}


def find_truth(test: cst.BaseExpression, table: NameTable) -> bool | None:
    """Return what `test` always is, None where that is open.

    Known are literals, and flags such as `_IS_SYNC = False` that the module binds once: sources that are generated
    for synchronous and asynchronous use differ in nothing else. Somebody may still set the flag from outside; his
    arm is missed then.
    """
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        inner = find_truth(test.expression, table)
        return None if inner is None else not inner
    if isinstance(test, cst.BooleanOperation):
        deciding = isinstance(test.operator, cst.Or)
        sides = [find_truth(side, table) for side in (test.left, test.right)]
        return deciding if deciding in sides else None if None in sides else not deciding
    if not isinstance(test, cst.Name):
        return None
    if test.value in _TRUTH:
        return _TRUTH[test.value]
    owner = table.find_owner(test.value)
    if owner is None or owner.kind is not cst.Module or not test.value.isupper():
        return None
    bindings = owner.bindings[test.value]
    value = bindings[0].node if len(bindings) == 1 and bindings[0].kind is BindingKind.VALUE else None
    if not isinstance(value, cst.Name) or value.value not in _TRUTH or _is_rebound(test.value, owner):
        return None
    return _TRUTH[value.value]


def _is_rebound(name: str, table: NameTable) -> bool:
    """Whether some function says `global name`."""
    return any(inner.outer.get(name) == "global" or _is_rebound(name, inner) for inner in table.tables.values())
