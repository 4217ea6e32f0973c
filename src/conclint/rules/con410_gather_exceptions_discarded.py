"""CON410: see docs/rules/CON410.md."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from conclint.analysis.awaits import find_coroutine, is_used_again
from conclint.analysis.release_paths import iter_own_nodes
from conclint.analysis.scope import Scope
from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.rules.declare import local_rule

RULE = Rule(
    code="CON410",
    name="gather-exceptions-discarded",
    summary="`gather` returns the exceptions of its tasks to nobody",
    help="look through the results for exceptions, or let `gather` raise the first one",
    category=Category.ASYNC,
    since="0.1.0",
)

_ENDS = re.compile(
    "cancel|clean|close|destroy|disconnect|exit|finish|join|kill|leave|release|shut|stop|tear_?down|terminate",
    re.IGNORECASE,
)
_GATHER = frozenset({"asyncio.gather", "asyncio.tasks.gather"})


@local_rule(RULE, on=cst.Expr)
def check(node: cst.Expr, scope: Scope) -> Iterator[Alarm]:
    """Report `await gather(…, return_exceptions=True)` as a statement."""
    call = node.value.expression if isinstance(node.value, cst.Await) else None
    if not isinstance(call, cst.Call) or scope.resolve(call.func) not in _GATHER or not _returns_exceptions(call):
        return
    function = find_coroutine(scope)
    if function is None or _cancels(function) or _tears_down(call, function):
        return
    # Who has the tasks themselves may ask each of them.
    if not any(is_used_again(argument.value, function) for argument in call.args if argument.keyword is None):
        yield scope.alarm(call, f"`{scope.code(call.func)}` returns the exceptions, and nobody looks at them")


def _returns_exceptions(call: cst.Call) -> bool:
    return any(
        argument.keyword is not None
        and argument.keyword.value == "return_exceptions"
        and isinstance(argument.value, cst.Name)
        and argument.value.value == "True"
        for argument in call.args
    )


def _cancels(function: cst.FunctionDef) -> bool:
    """Whether the function cancels tasks, itself or by a helper that says so: their end is all it waits for."""
    return any(
        isinstance(part, cst.Call) and "cancel" in _last_name(part.func).lower()
        for part in iter_own_nodes(function.body)
    )


def _tears_down(call: cst.Call, function: cst.FunctionDef) -> bool:
    """Whether all that is gathered, or the function around, only ends things: that each gets its turn is the point."""
    if _ENDS.search(function.name.value):
        return True
    called = [_find_called(argument.value) for argument in call.args if argument.keyword is None]
    return bool(called) and all(one is not None and _ENDS.search(_last_name(one.func)) for one in called)


def _find_called(node: cst.BaseExpression) -> cst.Call | None:
    """Return the call that makes what is gathered: `f()`, or the one of `*[f(x) for x in items]`."""
    if isinstance(node, cst.ListComp | cst.GeneratorExp | cst.SetComp):
        node = node.elt
    return node if isinstance(node, cst.Call) else None


def _last_name(node: cst.BaseExpression) -> str:
    if isinstance(node, cst.Attribute):
        return node.attr.value
    return node.value if isinstance(node, cst.Name) else ""
