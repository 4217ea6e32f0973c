"""Captures: which variables of a loop a nested function reads that the loop may have bound anew when it runs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import libcst as cst

from conclint.analysis.fields import iter_children

_Comprehension = cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp | cst.StarredDictComp
_DEFINITIONS = (cst.FunctionDef, cst.Lambda, cst.ClassDef)
_BLOCKS = (cst.IndentedBlock, cst.SimpleStatementSuite)


def find_rebound(
    node: cst.FunctionDef | cst.Lambda, names: Collection[str], parents: Mapping[cst.CSTNode, cst.CSTNode]
) -> tuple[str, ...]:
    """Return those of `names` that a loop around a definition binds: as its target, or in its body further up.

    A loop that the block of the definition leaves for good, by `return` or `break`, binds nothing anew.
    """
    bound: set[str] = set()
    child: cst.CSTNode = node
    current, leaves = parents.get(node), False
    while current is not None and not isinstance(current, (*_DEFINITIONS, cst.Return, cst.Raise)):
        if isinstance(current, _BLOCKS):
            last = _find_last(current)
            if isinstance(last, cst.Return | cst.Raise):
                break
            leaves = leaves or isinstance(last, cst.Break)
        elif isinstance(current, cst.For | cst.While) and child is current.body:
            if not leaves:
                bound.update(_iter_loop_names(current, node))
            leaves = False
        elif isinstance(current, _Comprehension) and child is not current.for_in:
            bound.update(_iter_clause_names(current.for_in))
        child, current = current, parents.get(current)
    return tuple(sorted(bound.intersection(names)))


def _find_last(block: cst.IndentedBlock | cst.SimpleStatementSuite) -> cst.CSTNode | None:
    last: cst.CSTNode | None = block.body[-1] if block.body else None
    return last.body[-1] if isinstance(last, cst.SimpleStatementLine) else last


def _iter_clause_names(clause: cst.CompFor | None) -> Iterator[str]:
    while clause is not None:
        yield from _iter_target_names(clause.target)
        clause = clause.inner_for_in


def _iter_loop_names(loop: cst.For | cst.While, definition: cst.CSTNode) -> Iterator[str]:
    if isinstance(loop, cst.For):
        yield from _iter_target_names(loop.target)
    for node in _iter_above(loop.body, definition):
        if isinstance(node, cst.AssignTarget | cst.AnnAssign | cst.For | cst.NamedExpr):
            yield from _iter_target_names(node.target)
        elif isinstance(node, cst.WithItem) and node.asname is not None:
            yield from _iter_target_names(node.asname.name)


def _iter_above(body: cst.CSTNode, definition: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yield the nodes of a loop's body, in order, up to the definition; nested functions apart."""
    stack = [body]
    while stack and (node := stack.pop()) is not definition:
        yield node
        if not isinstance(node, _DEFINITIONS):
            stack.extend(reversed(tuple(iter_children(node))))


def _iter_target_names(target: cst.CSTNode) -> Iterator[str]:
    if isinstance(target, cst.Name):
        yield target.value
    elif isinstance(target, cst.Tuple | cst.List):
        for element in target.elements:
            yield from _iter_target_names(element.value)
