"""CON242: see docs/rules/CON242.md."""

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
    code="CON242",
    name="release-without-acquire",
    summary="a `finally` releases a lock even if it was not acquired",
    help="acquire the lock before the `try`, and enter that only with the lock",
    category=Category.DEADLOCK,
    since="0.1.0",
    default=False,
)


@local_rule(RULE, on=cst.Try)
def check(node: cst.Try, scope: Scope) -> Iterator[Alarm]:
    """Report locks that are tried for within the `try` whose `finally` releases them."""
    for found in iter_failed_acquires(node, scope):
        if found.row.kind is not Kind.SEMAPHORE:
            yield report(found, scope)
