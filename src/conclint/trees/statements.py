"""Statements of Python's tree → libcst's nodes."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from typing import Any

import libcst as cst

from conclint.trees import nodes
from conclint.trees.expressions import Expressions, Places, UnknownSyntaxError
from conclint.trees.text import Text

_BLANK = re.compile(r"[ \t\f]*")
_FROM = re.compile(r"from[\s\\.]*")
_DECLARED = re.compile(r"(?:global|nonlocal)[\s\\]+")
_COMMA = re.compile(r"[\s\\]*,?[\s\\]*")
_BOUND = re.compile(r"(?:[\s\\)]|#[^\r\n]*)*as[\s\\]+")
_DEFINED = re.compile(r"(?:async[\s\\]+)?(?:def|class)[\s\\]+")

_AUGMENTED: dict[type[ast.operator], cst.BaseAugOp] = {
    ast.Add: cst.AddAssign(),
    ast.Sub: cst.SubtractAssign(),
    ast.Mult: cst.MultiplyAssign(),
    ast.Div: cst.DivideAssign(),
    ast.FloorDiv: cst.FloorDivideAssign(),
    ast.Mod: cst.ModuloAssign(),
    ast.Pow: cst.PowerAssign(),
    ast.MatMult: cst.MatrixMultiplyAssign(),
    ast.LShift: cst.LeftShiftAssign(),
    ast.RShift: cst.RightShiftAssign(),
    ast.BitAnd: cst.BitAndAssign(),
    ast.BitOr: cst.BitOrAssign(),
    ast.BitXor: cst.BitXorAssign(),
}

Statement = cst.SimpleStatementLine | cst.BaseCompoundStatement


def build_tree(text: Text) -> tuple[cst.Module, Places]:
    """Return the tree of a file, and where its nodes stand.

    Raises what `ast.parse` does, and UnknownSyntaxError for what is not built here.
    """
    parsed = ast.parse(text.content)
    builder = Statements(text)
    tree = nodes.module(builder.build_lines(parsed.body))
    builder.places[tree] = (0, len(text.content))
    return tree, builder.places


class Statements(Expressions):
    """Builds the nodes of statements as well."""

    def build_lines(self, statements: Sequence[ast.stmt]) -> list[Statement]:
        """Return the statements of a block, those that stand on one line together."""
        built: list[Statement] = []
        line: list[cst.BaseSmallStatement] = []
        last_line = 0
        for statement in statements:
            small = _SMALL.get(type(statement))
            if small is None:
                built.append(self.build_compound(statement))
                last_line = 0
                continue
            part = small(self, statement)
            self.places[part] = statement
            if statement.lineno == last_line:
                line.append(part)
                first = self.places[line[0]]
                self.places[built[-1]] = (first, statement)  # type: ignore[assignment]  # small statements are nodes
            else:
                line = [part]
                whole = nodes.line(line)
                self.places[whole] = statement
                built.append(whole)
            last_line = statement.end_lineno or 0
        return built

    def build_compound(self, statement: ast.stmt) -> cst.BaseCompoundStatement:
        """Return the node of a statement that has blocks."""
        build = _COMPOUND.get(type(statement))
        if build is None:
            raise UnknownSyntaxError(type(statement).__name__)
        built: cst.BaseCompoundStatement = build(self, statement)
        self.places[built] = statement
        return built

    def build_block(self, statements: Sequence[ast.stmt]) -> cst.BaseSuite:
        """Return the block of a compound statement."""
        first, last = statements[0], statements[-1]
        lines = self.build_lines(statements)
        built: cst.BaseSuite
        if isinstance(lines[0], cst.SimpleStatementLine) and not self._begins_line(first):
            built = nodes.suite(lines[0].body)
        else:
            built = nodes.block(lines)
        self.places[built] = (first, last)
        return built

    def _begins_line(self, statement: ast.stmt) -> bool:
        start = self.text.start(statement)
        found = _BLANK.match(self.text.content, self.text.line_starts[statement.lineno - 1])
        return found is not None and found.end() >= start

    def build_else(self, statements: Sequence[ast.stmt], before: ast.stmt) -> cst.Else | None:
        """Return the `else` clause that comes after the statement `before`."""
        if not statements:
            return None
        built = nodes.else_(self.build_block(statements))
        self._place_clause(built, before, statements[-1])
        return built

    def _place_clause(self, built: cst.CSTNode, before: ast.stmt, last: ast.stmt) -> None:
        self.places[built] = lambda: (self._find_keyword(before), self.text.end(last))

    def _find_keyword(self, before: ast.stmt) -> int:
        start = self.text.skip_trivia(self.text.end(before))
        while self.text.content[start] == ";":
            start = self.text.skip_trivia(start + 1)
        return start

    def build_definition_name(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> cst.Name:
        """Return the node of the name that a statement defines."""
        return self.place_name(node.name, self.find_behind(_DEFINED, self.text.start(node)))

    def find_behind(self, pattern: re.Pattern[str], start: int) -> int:
        """Return the offset behind what the pattern matches at `start`."""
        found = pattern.match(self.text.content, start)
        if found is None:
            raise UnknownSyntaxError(pattern.pattern)
        return found.end()

    def build_decorators(self, decorators: Sequence[ast.expr]) -> list[cst.Decorator]:
        """Return the decorators of a definition."""
        return [nodes.decorator(self.build(one)) for one in decorators]


def _assign(self: Statements, node: ast.Assign) -> cst.Assign:
    targets = [nodes.assign_target(self.build(target)) for target in node.targets]
    return nodes.assign(targets, self.build(node.value))


def _annotated(self: Statements, node: ast.AnnAssign) -> cst.AnnAssign:
    target = self.build(node.target)
    return nodes.annotated_assign(target, self.build_annotation(node.annotation), self.build_optional(node.value))


def _augmented(self: Statements, node: ast.AugAssign) -> cst.AugAssign:
    return nodes.augmented_assign(self.build(node.target), _AUGMENTED[type(node.op)], self.build(node.value))


def _raise(self: Statements, node: ast.Raise) -> cst.Raise:
    raised = self.build_optional(node.exc)
    return nodes.raise_(raised, None if node.cause is None else nodes.from_(self.build(node.cause)))


def _del(self: Statements, node: ast.Delete) -> cst.Del:
    if len(node.targets) == 1:
        return nodes.del_(self.build(node.targets[0]))
    several = nodes.tuple_([self.build_element(one) for one in node.targets])
    self.places[several] = (node.targets[0], node.targets[-1])
    return nodes.del_(several)


def _import(self: Statements, node: ast.Import) -> cst.Import:
    return nodes.import_([_alias(self, one) for one in node.names])


def _import_from(self: Statements, node: ast.ImportFrom) -> cst.ImportFrom:
    module = None if node.module is None else _dotted(self, node.module, self.find_behind(_FROM, self.text.start(node)))
    is_star = node.names[0].name == "*"
    names = nodes.import_star() if is_star else [_alias(self, one) for one in node.names]
    return nodes.import_from(module, names, (nodes.DOT,) * node.level)


def _alias(self: Statements, node: ast.alias) -> cst.ImportAlias:
    written = _dotted(self, node.name, self.text.start(node))
    renamed = None
    if node.asname is not None:
        renamed = nodes.as_name(self.place_name(node.asname, self.text.end(node) - len(node.asname)))
    built = nodes.import_alias(written, renamed)
    self.places[built] = node
    return built


def _dotted(self: Statements, written: str, start: int) -> cst.Name | cst.Attribute:
    first, *others = written.split(".")
    built: cst.Name | cst.Attribute = self.place_name(first, start)
    end = start + len(first)
    for other in others:
        name = self.place_name(other, end + 1)
        end += 1 + len(other)
        built = nodes.attribute(built, name)
        self.places[built] = (start, end)
    return built


def _names(self: Statements, node: ast.Global | ast.Nonlocal) -> list[cst.NameItem]:
    items = []
    start = self.find_behind(_DECLARED, self.text.start(node))
    for name in node.names:
        items.append(nodes.name_item(self.place_name(name, start)))
        start = self.find_behind(_COMMA, start + len(name))
    return items


def _if(self: Statements, node: ast.If) -> cst.If:
    test, body = self.build(node.test), self.build_block(node.body)
    is_chain = bool(node.orelse) and isinstance(node.orelse[0], ast.If) and _is_elif(self, node.orelse[0])
    orelse = self.build_compound(node.orelse[0]) if is_chain else self.build_else(node.orelse, node.body[-1])
    return nodes.if_(test, body, orelse)


def _is_elif(self: Statements, node: ast.If) -> bool:
    return self.text.content.startswith("elif", self.text.start(node))


def _while(self: Statements, node: ast.While) -> cst.While:
    test, body = self.build(node.test), self.build_block(node.body)
    return nodes.while_(test, body, self.build_else(node.orelse, node.body[-1]))


def _for(self: Statements, node: ast.For | ast.AsyncFor) -> cst.For:
    target, iterable, body = self.build(node.target), self.build(node.iter), self.build_block(node.body)
    orelse = self.build_else(node.orelse, node.body[-1])
    return nodes.for_(target, iterable, body, orelse, _asynchronous(node, ast.AsyncFor))


def _asynchronous(node: ast.stmt, kind: type[ast.stmt]) -> cst.Asynchronous | None:
    return nodes.ASYNCHRONOUS if isinstance(node, kind) else None


def _with(self: Statements, node: ast.With | ast.AsyncWith) -> cst.With:
    items = [_with_item(self, item) for item in node.items]
    return nodes.with_(items, self.build_block(node.body), _asynchronous(node, ast.AsyncWith))


def _with_item(self: Statements, item: ast.withitem) -> cst.WithItem:
    entered = self.build(item.context_expr)
    bound = None if item.optional_vars is None else nodes.as_name(self.build(item.optional_vars))
    return nodes.with_item(entered, bound)


def _try(self: Statements, node: ast.Try) -> cst.Try | cst.TryStar:
    is_star = type(node) is not ast.Try
    body = self.build_block(node.body)
    handlers = [_handler(self, one, is_star=is_star) for one in node.handlers]
    before = node.handlers[-1].body[-1] if node.handlers else node.body[-1]
    orelse = self.build_else(node.orelse, before)
    final = None
    if node.finalbody:
        final = nodes.finally_(self.build_block(node.finalbody))
        self._place_clause(final, node.orelse[-1] if node.orelse else before, node.finalbody[-1])
    make = nodes.try_star if is_star else nodes.try_
    return make(body, handlers, orelse, final)


def _handler(self: Statements, node: ast.ExceptHandler, *, is_star: bool) -> cst.CSTNode:
    caught = self.build_optional(node.type)
    bound = None
    if node.name is not None and node.type is not None:
        bound = nodes.as_name(self.place_name(node.name, self.find_behind(_BOUND, self.text.end(node.type))))
    built: cst.CSTNode = (nodes.star_handler if is_star else nodes.handler)(self.build_block(node.body), caught, bound)
    self.places[built] = node
    return built


def _function(self: Statements, node: ast.FunctionDef | ast.AsyncFunctionDef) -> cst.FunctionDef:
    _refuse_type_parameters(node)
    decorators = self.build_decorators(node.decorator_list)
    name, parameters = self.build_definition_name(node), self.build_parameters(node.args)
    returns = self.build_annotation(node.returns)
    asynchronous = _asynchronous(node, ast.AsyncFunctionDef)
    return nodes.function(name, parameters, self.build_block(node.body), decorators, returns, asynchronous, None)


def _class(self: Statements, node: ast.ClassDef) -> cst.ClassDef:
    _refuse_type_parameters(node)
    decorators = self.build_decorators(node.decorator_list)
    name = self.build_definition_name(node)
    arguments = self.build_arguments(node.bases, node.keywords)
    bases = [one for one in arguments if one.keyword is None and one.star != "**"]
    keywords = [one for one in arguments if one.keyword is not None or one.star == "**"]
    return nodes.class_(name, self.build_block(node.body), bases, keywords, decorators, None)


def _refuse_type_parameters(node: ast.stmt) -> None:
    if getattr(node, "type_params", None):
        raise UnknownSyntaxError("type parameters")


_Build = Callable[[Statements, Any], Any]
_SMALL: dict[type[ast.stmt], _Build] = {
    ast.Expr: lambda self, node: nodes.expression_statement(self.build(node.value)),
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.Return: lambda self, node: nodes.return_(self.build_optional(node.value)),
    ast.Raise: _raise,
    ast.Pass: lambda self, node: nodes.pass_(),
    ast.Break: lambda self, node: nodes.break_(),
    ast.Continue: lambda self, node: nodes.continue_(),
    ast.Delete: _del,
    ast.Assert: lambda self, node: nodes.assertion(self.build(node.test), self.build_optional(node.msg)),
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.Global: lambda self, node: nodes.global_(_names(self, node)),
    ast.Nonlocal: lambda self, node: nodes.nonlocal_(_names(self, node)),
}
_COMPOUND: dict[type[ast.stmt], _Build] = {
    ast.If: _if,
    ast.While: _while,
    ast.For: _for,
    ast.AsyncFor: _for,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Try: _try,
    ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function,
    ast.ClassDef: _class,
}
if hasattr(ast, "TryStar"):
    _COMPOUND[ast.TryStar] = _try
