"""Failed acquires: `try` statements whose `finally` releases what the body may not have acquired."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import libcst as cst

from conclint.analysis.locksets import is_bounded, is_nonblocking
from conclint.analysis.release_paths import iter_own_nodes
from conclint.analysis.scope import Scope
from conclint.catalog.rows import LOCK_KINDS, ClassRow
from conclint.model.alarm import Alarm


class FailedAcquire(NamedTuple):
    """A release (must) of a lock that the acquire before it may not have got (may)."""

    release: cst.Call
    acquire: cst.Call
    lock: cst.BaseExpression
    row: ClassRow
    is_cancelled: bool
    """Whether a cancellation comes in between, not the end of a time."""


def iter_failed_acquires(node: cst.Try, scope: Scope) -> Iterator[FailedAcquire]:
    """Yield the releases that `finally` makes unconditionally, each with the acquire that stands in the body."""
    if node.finalbody is None:
        return
    for release in _iter_calls(node.finalbody.body.body, "release"):
        lock = release.func.value if isinstance(release.func, cst.Attribute) else release.func
        row = scope.class_of(lock)
        acquire = _find_acquire(node.body, lock, scope) if row is not None and row.kind in LOCK_KINDS else None
        if acquire is not None and row is not None:
            is_awaited = any(
                isinstance(one, cst.Await) and one.expression is acquire for one in iter_own_nodes(node.body)
            )
            if is_awaited or is_bounded(acquire) or is_nonblocking(acquire):
                yield FailedAcquire(release, acquire, lock, row, is_awaited)


def report(found: FailedAcquire, scope: Scope) -> Alarm:
    """Return the alarm at the release."""
    name = scope.code(found.lock)
    why = "this is cancelled" if found.is_cancelled else "this ends without it"
    related = scope.related(found.acquire, f"`{name}` is not held when {why}")
    return scope.alarm(found.release, f"`{name}` is released even if it was not acquired", related)


def _find_acquire(body: cst.BaseSuite, lock: cst.BaseExpression, scope: Scope) -> cst.Call | None:
    """Return the first acquire among the statements of a body itself, if nothing else is done with the lock before."""
    written = scope.code(lock)
    for statement in body.body:
        uses = [one for one in iter_own_nodes(statement) if isinstance(one, cst.Name | cst.Attribute)]
        if any(scope.code(one) == written for one in uses):
            return next((one for one in _iter_calls([statement], "acquire") if _is_of(one, written, scope)), None)
    return None


def _is_of(call: cst.Call, lock: str, scope: Scope) -> bool:
    return isinstance(call.func, cst.Attribute) and scope.code(call.func.value) == lock


def _iter_calls(body: Sequence[cst.CSTNode], method: str) -> Iterator[cst.Call]:
    """Yield the calls of a method in statements that are always run: in simple ones, and in the test of an `if`."""
    for statement in body:
        if isinstance(statement, cst.If):
            looked = iter_own_nodes(statement.test)
        elif isinstance(statement, cst.SimpleStatementLine):
            looked = iter_own_nodes(statement)
        else:
            continue
        for one in looked:
            if isinstance(one, cst.Call) and isinstance(one.func, cst.Attribute) and one.func.attr.value == method:
                yield one
