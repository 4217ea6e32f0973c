"""CON308: see docs/rules/CON308.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.awaits import is_timeout_scope, iter_await_points
from conclint.analysis.scope import Scope
from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.rules.declare import local_rule

RULE = Rule(
    code="CON308",
    name="timeout-scope-without-await",
    summary="a timeout surrounds code that never awaits, so it ends nothing",
    help="put what is to be limited, an `await`, into the scope, or give the blocking call a timeout of its own",
    category=Category.TIMEOUT,
    since="0.1.0",
)


@local_rule(RULE, on=cst.With)
def check(node: cst.With, scope: Scope) -> Iterator[Alarm]:
    """Report timeout scopes whose body has no await point."""
    scopes = [item.item for item in node.items if is_timeout_scope(item.item, scope)]
    if not scopes or next(iter_await_points(node.body), None) is not None:
        return
    # What is entered with `async with` beside or below the timeout awaits; a timeout itself does not wait.
    if node.asynchronous is not None and len(scopes) < len(node.items):
        return
    callee = scope.code(scopes[0].func) if isinstance(scopes[0], cst.Call) else "the timeout"
    yield scope.alarm(scopes[0], f"nothing is awaited within `{callee}`, so it never ends anything")
