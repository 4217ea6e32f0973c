"""CON230: see docs/rules/CON230.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.scope import Scope
from conclint.catalog.rows import Domain
from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.rules.declare import local_rule

RULE = Rule(
    code="CON230",
    name="await-under-thread-lock",
    summary="a thread lock is held across an await point",
    help="release the lock before awaiting, or use an `asyncio.Lock`",
    category=Category.DEADLOCK,
    since="0.1.0",
)


@local_rule(RULE, on=(cst.Await, cst.With, cst.For, cst.CompFor))
def check(node: cst.CSTNode, scope: Scope) -> Iterator[Alarm]:
    """Report thread locks held where a task may be suspended."""
    if isinstance(node, cst.With | cst.For | cst.CompFor) and node.asynchronous is None:
        return
    for held in scope.lockset:
        # While this task waits, a second one that wants the lock blocks the event
        # loop itself, and with it the only task that could release it.
        if held.domain is Domain.THREAD:
            acquired = scope.related(held.span, f"`{held.name}` is acquired here")
            place = _find_head(node)
            yield scope.alarm(place, f"`{held.name}` is held across this `{_WORDS[type(node)]}`", acquired)


def _find_head(node: cst.CSTNode) -> cst.CSTNode:
    """Return what to underline: of a compound statement, what is awaited and not the whole body."""
    if isinstance(node, cst.With):
        return node.items[0].item
    return node.iter if isinstance(node, cst.For) else node


_WORDS: dict[type[cst.CSTNode], str] = {
    cst.Await: "await",
    cst.With: "async with",
    cst.For: "async for",
    cst.CompFor: "async for",
}
