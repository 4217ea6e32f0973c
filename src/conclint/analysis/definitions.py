"""Definitions: functions, lambdas and classes, and what functions return and yield."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst
import msgspec

from conclint.analysis.accesses import mark_iterated
from conclint.analysis.awaits import iter_await_points
from conclint.analysis.captures import find_rebound
from conclint.analysis.cost import estimate_cost
from conclint.analysis.declarations import declare_definition
from conclint.analysis.fields import iter_children
from conclint.analysis.names import Binding, BindingKind, NameTable, bind_parameters, has_decorator, nested_symbol
from conclint.analysis.scope import Scope
from conclint.analysis.stale import find_stale_writes
from conclint.model.facts import Class, Function, Yield
from conclint.model.span import FILE_START
from conclint.model.values import Constant, Item, Local, Name, ValueId

if TYPE_CHECKING:
    from conclint.analysis.traverse import Handler, Traversal

_PLACEHOLDER = Function("", "", FILE_START)
"""Keeps a function's index until its body has been traversed."""


def _visit_function(walk: Traversal, node: cst.FunctionDef, scope: Scope) -> None:
    for decorator in node.decorators:
        walk.view.parents[decorator] = node
        walk.visit(decorator.decorator, decorator, scope)
    _visit_defaults(walk, node.params, scope)
    walk.view.parents[node.params] = node
    table = scope.table.tables[node]
    inner = _open_function(walk, table, scope)
    first = len(walk.collector.accesses)
    walk.visit(node.body, node, inner)
    if node.asynchronous is not None:
        find_stale_writes(walk, node, inner, walk.collector.accesses[first:])
    walk.locksets.after.pop(node.body, None)
    built = _build_function(walk, node, table, inner.function, scope)
    rebound = _find_rebound(walk, node, first, scope)
    walk.collector.functions[inner.function] = msgspec.structs.replace(built, rebound=rebound) if rebound else built
    declare_definition(walk, node, built.symbol, scope.function)


def _build_function(walk: Traversal, node: cst.FunctionDef, table: NameTable, function: int, scope: Scope) -> Function:
    suffix = next((f".{name}" for name in ("setter", "deleter") if has_decorator(node, name)), "")
    outer = scope.table
    returns = node.returns.annotation if node.returns is not None else None
    unread = (
        name
        for name, bindings in table.bindings.items()
        if name not in table.loads and any(_is_assigned(binding) for binding in bindings)
    )
    return Function(
        symbol=table.symbol + suffix,
        name=node.name.value,
        span=walk.view.source.span(node.name),
        owner=outer.symbol if outer.kind is cst.ClassDef else "",
        parent=scope.function,
        is_async=node.asynchronous is not None,
        is_generator=function in walk.generators,
        is_stub=_is_stub(node),
        parameters=walk.collector.build_parameters(node.params, table, outer),
        decorators=tuple(walk.collector.evaluate(item.decorator, outer) for item in node.decorators),
        returns=tuple(dict.fromkeys(walk.returns.get(function, ()))),
        returns_annotation=walk.collector.annotation_value(returns, outer),
        unread=tuple(sorted(unread)),
        cost=estimate_cost(node, walk.loops.get(function, ()), Scope(walk.view, table, function, 0)),
        context=scope.context,
        has_await_point=node.asynchronous is not None and next(iter_await_points(node.body), None) is not None,
    )


def _visit_lambda(walk: Traversal, node: cst.Lambda, scope: Scope) -> None:
    span = walk.view.source.span(node)
    symbol = nested_symbol(scope.table, f"<lambda:{span.line}:{span.column}>")
    table = NameTable(cst.Lambda, symbol, scope.table, node)
    bind_parameters(node.params, table)
    _visit_defaults(walk, node.params, scope)
    inner = _open_function(walk, table, scope)
    accesses = len(walk.collector.accesses)
    walk.visit(node.body, node, inner)
    value = walk.collector.evaluate(node.body, table)
    parameters = walk.collector.build_parameters(node.params, table, scope.table)
    walk.collector.functions[inner.function] = Function(
        symbol,
        "<lambda>",
        span,
        parent=scope.function,
        parameters=parameters,
        returns=(value,),
        cost=estimate_cost(node, walk.loops.get(inner.function, ()), inner),
        context=scope.context,
        rebound=_find_rebound(walk, node, accesses, scope),
    )
    walk.collector.define(node, walk.collector.intern(Name(symbol)))


def _find_rebound(walk: Traversal, node: cst.FunctionDef | cst.Lambda, accesses: int, scope: Scope) -> tuple[str, ...]:
    """Return what the function, whose accesses are those from number `accesses` on, reads of a loop around it."""
    if not scope.surroundings.loops:
        return ()
    around = scope.table
    names: set[str] = set()
    for access in walk.collector.accesses[accesses:]:
        read = walk.collector.values[access.target]
        if isinstance(read, Local) and read.function == around.symbol:
            names.add(read.name)
        elif isinstance(read, Name) and around.parent is None:
            names.add(read.symbol.removeprefix(f"{around.symbol}."))
    return find_rebound(node, names, walk.view.parents) if names else ()


def _visit_class(walk: Traversal, node: cst.ClassDef, scope: Scope) -> None:
    for decorator in node.decorators:
        walk.view.parents[decorator] = node
        walk.visit(decorator.decorator, decorator, scope)
    for argument in (*node.bases, *node.keywords):
        walk.view.parents[argument] = node
        walk.visit(argument.value, argument, scope)
    table = scope.table.tables[node]
    walk.collector.classes.append(
        Class(
            table.symbol,
            node.name.value,
            walk.view.source.span(node.name),
            tuple(walk.collector.evaluate(base, scope.table) for base in table.bases),
            tuple(walk.collector.evaluate(item.decorator, scope.table) for item in node.decorators),
            scope.function,
            _find_metaclass(walk, node, scope),
        )
    )
    declare_definition(walk, node, table.symbol, scope.function)
    walk.visit(node.body, node, Scope(walk.view, table, scope.function, scope.context))
    walk.locksets.after.pop(node.body, None)


def _find_metaclass(walk: Traversal, node: cst.ClassDef, scope: Scope) -> ValueId | None:
    for argument in node.keywords:
        if argument.keyword is not None and argument.keyword.value == "metaclass":
            return walk.collector.evaluate(argument.value, scope.table)
    return None


def _visit_return(walk: Traversal, node: cst.Return, scope: Scope) -> None:
    walk.returned.add(scope.function)
    if node.value is None:
        return
    walk.visit(node.value, node, scope)
    value = walk.collector.evaluate(node.value, scope.table)
    if walk.collector.values[value] != Constant(None):
        walk.returns.setdefault(scope.function, []).append(value)


def _visit_yield(walk: Traversal, node: cst.Yield, scope: Scope) -> None:
    walk.generators.add(scope.function)
    value = walk.collector.unknown
    if node.value is not None:
        if isinstance(node.value, cst.From):
            mark_iterated(walk, node.value.item)
        walk.visit(node.value, node, scope)
        inner = node.value.item if isinstance(node.value, cst.From) else node.value
        value = walk.collector.evaluate(inner, scope.table)
        if isinstance(node.value, cst.From):
            value = walk.collector.intern(Item(value))
    span = walk.view.source.span(node)
    walk.collector.yields.append(Yield(scope.function, value, span, scope.context))


def _open_function(walk: Traversal, table: NameTable, scope: Scope) -> Scope:
    function = len(walk.collector.functions)
    walk.collector.functions.append(_PLACEHOLDER)
    return Scope(walk.view, table, function, 0)


def _visit_defaults(walk: Traversal, parameters: cst.Parameters, scope: Scope) -> None:
    walk.view.parents[parameters] = parameters
    for child in iter_children(parameters):
        default = getattr(child, "default", None)
        walk.view.parents[child] = parameters
        if default is not None:
            walk.visit(default, child, scope)


def _is_assigned(binding: Binding) -> bool:
    annotated = binding.kind is BindingKind.ANNOTATION and binding.node is not None
    return annotated or binding.kind is BindingKind.VALUE


def _is_stub(node: cst.FunctionDef) -> bool:
    if isinstance(node.body, cst.SimpleStatementSuite):
        return all(_does_nothing(statement) for statement in node.body.body)
    lines = node.body.body
    return all(isinstance(line, cst.SimpleStatementLine) and all(map(_does_nothing, line.body)) for line in lines)


def _does_nothing(statement: cst.CSTNode) -> bool:
    if isinstance(statement, cst.Raise):
        raised = statement.exc.func if isinstance(statement.exc, cst.Call) else statement.exc
        return isinstance(raised, cst.Name) and raised.value == "NotImplementedError"
    if isinstance(statement, cst.Expr):
        return isinstance(statement.value, cst.SimpleString | cst.ConcatenatedString | cst.Ellipsis)
    return isinstance(statement, cst.Pass)


HANDLERS: dict[type[cst.CSTNode], Handler] = {
    cst.FunctionDef: _visit_function,
    cst.Lambda: _visit_lambda,
    cst.ClassDef: _visit_class,
    cst.Yield: _visit_yield,
    cst.Return: _visit_return,
}
