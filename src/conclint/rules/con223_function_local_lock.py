"""CON223: see docs/rules/CON223.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint import catalog
from conclint.analysis.fields import iter_children
from conclint.analysis.scope import Scope
from conclint.catalog.rows import LOCK_KINDS, Kind
from conclint.model.alarm import Alarm
from conclint.model.naming import is_test_code
from conclint.model.rule import Category, Rule
from conclint.rules.declare import local_rule

RULE = Rule(
    code="CON223",
    name="function-local-lock",
    summary="a lock is made and used within one call only, so it excludes nobody",
    help="make the lock once, as an attribute, at module level, or where the threads are started",
    category=Category.DATA_RACE,
    since="0.1.0",
)

_NESTED = (cst.FunctionDef, cst.Lambda, cst.ClassDef)
_OWN_METHODS = frozenset({"acquire", "release", "locked", "notify", "notify_all", "wait", "wait_for"})


@local_rule(RULE, on=(cst.Assign, cst.AnnAssign))
def check(node: cst.BaseSmallStatement, scope: Scope) -> Iterator[Alarm]:
    """Report a local lock that no other thread can reach, but that is acquired."""
    if not isinstance(node, cst.Assign | cst.AnnAssign) or not isinstance(node.value, cst.Call):
        return
    function = scope.table.node
    if not isinstance(function, cst.FunctionDef) or is_test_code(scope.table.symbol):
        return
    target = node.targets[0].target if isinstance(node, cst.Assign) else node.target
    # `lock = locks[name] = Lock()` is seen by others.
    is_single = isinstance(node, cst.AnnAssign) or len(node.targets) == 1
    if not isinstance(target, cst.Name) or not is_single:
        return
    name = target.value
    if name in scope.table.outer or len(scope.table.bindings[name]) != 1 or not _makes_lock(node.value, scope):
        return
    acquired: list[cst.CSTNode] = []
    if _is_confined(function.body, name, acquired) and acquired:
        where = scope.related(acquired[0], f"`{name}` is acquired here")
        yield scope.alarm(node.value, f"each call makes its own `{name}`, so it excludes nobody", where)


def _makes_lock(value: cst.Call, scope: Scope) -> bool:
    """Whether `value` makes a new lock that no argument ties to a name, a file or another lock."""
    row = catalog.find_class(scope.resolve(value.func) or "")
    if row is None or row.kind not in LOCK_KINDS:
        return False
    return len(value.args) <= (1 if row.kind is Kind.SEMAPHORE else 0)


def _is_confined(node: cst.CSTNode, name: str, acquired: list[cst.CSTNode]) -> bool:
    """Whether `name` is only entered and asked below `node`; collects the places that acquire it."""
    if isinstance(node, _NESTED):
        return not _mentions(node, name)
    if isinstance(node, cst.AssignTarget | cst.AnnAssign) and _is_name(node.target, name):
        return True
    if isinstance(node, cst.WithItem) and _is_name(node.item, name):
        acquired.append(node.item)
        return True
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and _is_name(node.func.value, name):
        if node.func.attr.value == "acquire":
            acquired.append(node)
        known = node.func.attr.value in _OWN_METHODS
        return known and all(_is_confined(argument, name, acquired) for argument in node.args)
    if isinstance(node, cst.Attribute):
        return _is_confined(node.value, name, acquired)
    return not _is_name(node, name) and all(_is_confined(child, name, acquired) for child in iter_children(node))


def _mentions(node: cst.CSTNode, name: str) -> bool:
    return _is_name(node, name) or any(_mentions(child, name) for child in iter_children(node))


def _is_name(node: cst.CSTNode, name: str) -> bool:
    return isinstance(node, cst.Name) and node.value == name
