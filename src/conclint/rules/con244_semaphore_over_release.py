"""CON244: see docs/rules/CON244.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.failed_acquires import iter_failed_acquires, report
from conclint.analysis.scope import Scope
from conclint.catalog.rows import Kind
from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.rules.declare import local_rule

RULE = Rule(
    code="CON244",
    name="semaphore-over-release",
    summary="a `finally` releases a semaphore even if it was not acquired, so it lets in more and more",
    help="acquire the semaphore before the `try`, and make it a `BoundedSemaphore`, which notices",
    category=Category.DATA_RACE,
    since="0.1.0",
    default=False,
)


@local_rule(RULE, on=cst.Try)
def check(node: cst.Try, scope: Scope) -> Iterator[Alarm]:
    """Report semaphores that are tried for within the `try` whose `finally` releases them."""
    for found in iter_failed_acquires(node, scope):
        if found.row.kind is Kind.SEMAPHORE:
            yield report(found, scope)
