"""Rounds: `for` loops of coroutines whose rounds await one call each, and know nothing of each other.

The walk errs on the silent side: whatever could make one round matter to the next one ends it.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.awaits import find_coroutine, iter_await_points
from conclint.analysis.collector import Collector
from conclint.analysis.release_paths import iter_own_nodes
from conclint.analysis.scope import Scope
from conclint.model.ids import CallId
from conclint.model.values import Result

_ORDERED = (cst.Break, cst.Return, cst.Raise, cst.Yield, cst.Try, cst.TryStar, cst.While, cst.For, cst.With, cst.Del)
"""What ends a loop early, tries again, or keeps something open."""


def find_round(node: cst.For, scope: Scope, collector: Collector) -> Iterator[CallId]:
    """Yield the call that is awaited in each round, if nothing else is; `scope` is that around the loop."""
    if node.asynchronous is not None or node.orelse is not None or find_coroutine(scope) is None:
        return
    parts = list(iter_own_nodes(node.body))
    points = list(iter_await_points(node.body))
    if len(points) != 1 or any(isinstance(part, _ORDERED) for part in parts):
        return
    (awaited,) = points
    if not isinstance(awaited, cst.Await) or not isinstance(awaited.expression, cst.Call):
        return
    used = {part.value for part in iter_own_nodes(awaited) if isinstance(part, cst.Name)}
    own = {part.value for part in iter_own_nodes(node.target) if isinstance(part, cst.Name)}
    if own.isdisjoint(used) or not used.isdisjoint(_iter_carried(parts, awaited, scope)):
        return
    found = collector.values[collector.evaluate(awaited.expression, scope.table)]
    if isinstance(found, Result):
        yield found.call


def _iter_carried(parts: list[cst.CSTNode], awaited: cst.Await, scope: Scope) -> Iterator[str]:
    """Yield the names that a round binds, or may change, for the next one: all but what it binds before it awaits."""
    start = scope.span(awaited)
    targets: list[cst.BaseExpression]
    for part in parts:
        if isinstance(part, cst.AugAssign):
            targets = [part.target]
        elif isinstance(part, cst.Assign | cst.AnnAssign | cst.NamedExpr):
            end = scope.span(part)
            if (end.end_line, end.end_column) <= (start.line, start.column):
                continue
            targets = [one.target for one in part.targets] if isinstance(part, cst.Assign) else [part.target]
        else:
            continue
        for target in targets:
            yield from _iter_changed(target)


def _iter_changed(target: cst.BaseExpression) -> Iterator[str]:
    """Yield the variables that an assignment binds, or whose attributes and elements it changes."""
    while isinstance(target, cst.Attribute | cst.Subscript):
        target = target.value
    if isinstance(target, cst.Tuple | cst.List):
        for element in target.elements:
            yield from _iter_changed(element.value)
    elif isinstance(target, cst.Name):
        yield target.value
