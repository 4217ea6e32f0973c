"""CON221: see docs/rules/CON221.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from conclint.analysis.blocks import find_line
from conclint.analysis.editor import Editor, Statement
from conclint.analysis.entering import enter, find_critical_section
from conclint.analysis.fields import iter_children, iter_nodes
from conclint.analysis.release_paths import Exit, Opened, Paths, Way, iter_own_nodes, trace_paths
from conclint.analysis.scope import Scope
from conclint.catalog.collections_ import NEVER_RAISING
from conclint.catalog.rows import LOCK_KINDS, Kind
from conclint.model.alarm import Alarm
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.naming import is_test_code
from conclint.model.rule import Category, Rule
from conclint.rules.declare import fixer, local_rule

RULE = Rule(
    code="CON221",
    name="lock-not-released",
    summary="a lock that is acquired is not released on every way out",
    help="use `with`, or release it in a `finally`",
    category=Category.DEADLOCK,
    since="0.1.0",
)

_LOCK_METHODS = frozenset({"acquire", "lock", "__enter__", "__aenter__", "__call__"})
"""Methods by which a class is a lock itself: somebody else calls its `release`."""
_HARMLESS = frozenset(
    {"threading.current_thread", "threading.get_ident", "os.getpid", "builtins.len", "builtins.max", "builtins.min"}
)
_FAILING = (cst.Call, cst.Await, cst.Yield, cst.Raise, cst.Assert, cst.Del, cst.Subscript)


@local_rule(RULE, on=cst.Call)
def check(node: cst.Call, scope: Scope) -> Iterator[Alarm]:
    """Report `acquire()` with a way out on which the lock is still held."""
    function = scope.table.node
    if not isinstance(node.func, cst.Attribute) or node.func.attr.value != "acquire":
        return
    if not isinstance(function, cst.FunctionDef | cst.Module) or _is_lock_method(function):
        return
    lock = node.func.value
    row = scope.class_of(lock)
    if row is None or row.kind not in LOCK_KINDS or is_test_code(scope.table.symbol):
        return
    name = scope.code(lock)
    body = function if isinstance(function, cst.Module) else function.body
    paths = trace_paths(body, function, lambda part: _is_written(part, name, scope), lambda part: _is_safe(part, scope))
    if not paths.releases:
        if row.kind is not Kind.SEMAPHORE and _is_never_released(node, lock, scope):
            yield scope.alarm(node, f"`{name}` is acquired and never released")
    elif not paths.is_foreign and not paths.hands_over and not _is_try_lock(paths):
        leaks = [leak for leak in paths.iter_leaks(node) if not _is_accepted(leak, paths, scope)]
        if row.kind is Kind.SEMAPHORE and _is_released_elsewhere(function, name, scope):
            # A place that is taken here is given back there: only exceptions are not meant to keep it.
            leaks = [leak for leak in leaks if leak.way is Way.RAISE]
        leaks.sort(key=lambda leak: (leak.way is Way.RAISE, scope.span(leak.node)))
        if leaks:
            yield _describe(node, name, leaks[0], paths, scope)


def _describe(node: cst.Call, name: str, leak: Exit, paths: Paths, scope: Scope) -> Alarm:
    if leak.way is Way.RAISE:
        release = max(paths.releases, key=scope.span)
        return scope.alarm(
            node,
            f"`{name}` stays locked when an exception comes before its `release()`",
            scope.related(leak.node, "this may raise"),
            scope.related(release, "this `release()` is then skipped"),
        )
    if leak.way is Way.RETURN:
        still = scope.related(leak.node, f"`{name}` is still held here")
        return scope.alarm(node, f"`{name}` is not released before a `return`", still)
    return scope.alarm(node, f"`{name}` is not released on every way to the end")


def _is_accepted(leak: Exit, paths: Paths, scope: Scope) -> bool:
    """Whether there is a `finally`, and before it only what hardly ever raises: `depth += 1`, `current_thread()`."""
    if leak.way is not Way.RAISE or not paths.uses_finally:
        return False
    return not any(isinstance(part, _FAILING) and not _is_harmless(part, scope) for part in iter_own_nodes(leak.node))


def _is_harmless(node: cst.CSTNode, scope: Scope) -> bool:
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value == "acquire":
        # Two locks in a row, and one `finally` for both.
        return True
    name = scope.resolve(node.func) if isinstance(node, cst.Call) else None
    return name is not None and (name in _HARMLESS or name.startswith("time."))


def _is_written(node: cst.CSTNode, name: str, scope: Scope) -> bool:
    return isinstance(node, cst.Name | cst.Attribute | cst.Subscript) and scope.code(node) == name


def _is_safe(node: cst.CSTNode, scope: Scope) -> bool:
    if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute):
        return False
    return (scope.type_of(node.func.value), node.func.attr.value) in NEVER_RAISING


def _is_lock_method(function: cst.CSTNode) -> bool:
    return isinstance(function, cst.FunctionDef) and function.name.value in _LOCK_METHODS


def _is_try_lock(paths: Paths) -> bool:
    """Whether the function tells its caller by True that it holds the lock, by anything else that it does not."""
    held, freed = set[str](), set[str]()
    for one in paths.exits:
        if one.way is Way.RETURN and isinstance(one.node, cst.Return):
            value = one.node.value
            told = value.value if isinstance(value, cst.Name) else ""
            (held if isinstance(one.state, Opened) else freed).add(told)
    return held == {"True"} and "True" not in freed


def _is_never_released(node: cst.Call, lock: cst.BaseExpression, scope: Scope) -> bool:
    """Whether nothing in the module but the constructor and `acquire()` ever touches a lock of this name."""
    statement = scope.parent(node)
    if isinstance(statement, cst.Await):
        statement = scope.parent(statement)
    name = _last_name(lock)
    return isinstance(statement, cst.Expr) and name != "" and not _is_touched(scope.view.source.tree, name)


def _is_touched(node: cst.CSTNode, name: str) -> bool:
    if isinstance(node, cst.Attribute) and node.attr.value == "acquire" and _last_name(node.value) == name:
        return False
    if isinstance(node, cst.Assign) and isinstance(node.value, cst.Call):
        targets = [target.target for target in node.targets if _last_name(target.target) != name]
        return any(_is_touched(part, name) for part in (*targets, node.value))
    return _last_name(node) == name or any(_is_touched(child, name) for child in iter_children(node))


def _is_released_elsewhere(function: cst.CSTNode, name: str, scope: Scope) -> bool:
    """Whether another function of the module releases what is written in the same way."""
    own = set(iter_own_nodes(function))
    return any(
        isinstance(part, cst.Call)
        and isinstance(part.func, cst.Attribute)
        and part.func.attr.value == "release"
        and part not in own
        and scope.code(part.func.value) == name
        for part in iter_nodes(scope.view.source.tree)
    )


def _last_name(node: cst.CSTNode) -> str:
    if isinstance(node, cst.Attribute):
        return node.attr.value
    return node.value if isinstance(node, cst.Name) else ""


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Make a `with` block of what stands between the two."""
    call = editor.find(anchor.span, cst.Call)
    line = find_line(editor, call) if call is not None else None
    lock = call.func.value if call is not None and isinstance(call.func, cst.Attribute) else None
    statement = line.body[0] if line is not None else None
    if call is None or line is None or lock is None or call.args or not isinstance(statement, cst.Expr):
        return None
    is_awaited = isinstance(statement.value, cst.Await)
    row = editor.scope(call).class_of(lock)
    section = find_critical_section(editor, line, lock)
    if row is None or section is None or row.names[0].partition(".")[0] not in _ENTERED[is_awaited]:
        return None
    header = f"{'async ' if is_awaited else ''}with {editor.code(lock)}:"
    edits = enter(editor, statement.value, section, header)
    # A `return` that leaves the lock locked may be meant so, and a semaphore may be given back elsewhere.
    is_safe = row.kind is not Kind.SEMAPHORE and not _leaves(section.statements)
    applicability = Applicability.SAFE if is_safe else Applicability.UNSAFE
    return Fix(f"Write `{header}`", applicability, edits) if edits is not None else None


def _leaves(statements: Sequence[Statement]) -> bool:
    leaving = (cst.Return, cst.Break, cst.Continue, cst.Yield)
    return any(isinstance(one, leaving) for part in statements for one in iter_own_nodes(part))


_ENTERED = {
    False: frozenset({"threading", "_thread", "multiprocessing"}),
    True: frozenset({"asyncio", "trio", "anyio"}),
}
"""The modules whose locks are entered by `with`, and those by `async with`."""
