"""CON421: see docs/rules/CON421.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.awaits import count_mentions, is_used_again
from conclint.analysis.scope import Scope
from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.rules.declare import local_rule

RULE = Rule(
    code="CON421",
    name="asyncio-wait-pending-ignored",
    summary="what `asyncio.wait` has not finished in time is forgotten, and runs on",
    help="cancel the pending tasks, or use `asyncio.timeout`, which does",
    category=Category.ASYNC,
    since="0.1.0",
)

_MAKERS = frozenset({"create_task", "ensure_future"})
_WAIT = frozenset({"asyncio.wait", "asyncio.tasks.wait"})


@local_rule(RULE, on=cst.Await)
def check(node: cst.Await, scope: Scope) -> Iterator[Alarm]:
    """Report `await asyncio.wait(…, timeout=…)` whose second result, and whose tasks, nobody reads."""
    call, function = node.expression, scope.table.node
    if not isinstance(call, cst.Call) or scope.resolve(call.func) not in _WAIT or not _is_limited(call):
        return
    fate = _find_fate(node, scope)
    if not fate or not isinstance(function, cst.FunctionDef):
        return
    tasks = (argument.value for argument in call.args if argument.keyword is None or _is_keyword(argument, "fs"))
    given = next(tasks, None)
    if given is None or _is_kept(given) or is_used_again(given, function):
        return
    yield scope.alarm(call, f"what is still pending when the timeout of `{scope.code(call.func)}` is over {fate}")


def _is_kept(given: cst.BaseExpression) -> bool:
    """Whether others may know of the tasks: `self._tasks`, `[self._task, new]`, `[partition.ready_future()]`."""
    if isinstance(given, cst.Call):
        made = isinstance(given.func, cst.Attribute) and given.func.attr.value in _MAKERS
        made |= isinstance(given.func, cst.Name) and given.func.value in _MAKERS
        method = isinstance(given.func, cst.Attribute) and not made
        return method or (not made and any(_is_kept(argument.value) for argument in given.args))
    if isinstance(given, cst.List | cst.Set | cst.Tuple):
        return any(_is_kept(one.value) for one in given.elements)
    return isinstance(given, cst.Attribute)


def _is_limited(call: cst.Call) -> bool:
    return any(
        _is_keyword(argument, "timeout")
        and not (isinstance(argument.value, cst.Name) and argument.value.value == "None")
        for argument in call.args
    )


def _is_keyword(argument: cst.Arg, name: str) -> bool:
    return argument.keyword is not None and argument.keyword.value == name


def _find_fate(node: cst.Await, scope: Scope) -> str:
    """Return what becomes of the pending set, "" where somebody may look at it."""
    parent = scope.parent(node)
    if isinstance(parent, cst.Expr):
        return "is dropped"
    if isinstance(parent, cst.Subscript):
        index = parent.slice[0].slice
        first = isinstance(index, cst.Index) and isinstance(index.value, cst.Integer) and index.value.value == "0"
        return "is dropped" if first else ""
    if not isinstance(parent, cst.Assign) or len(parent.targets) != 1:
        return ""
    target = parent.targets[0].target
    if not isinstance(target, cst.Tuple) or len(target.elements) != 2:
        return ""
    pending = target.elements[1].value
    if not isinstance(pending, cst.Name) or count_mentions(scope.table.node, pending.value) > 1:
        return ""
    return f"is bound to `{pending.value}`, which nobody reads"
