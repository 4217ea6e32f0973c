"""Expressions of Python's tree → libcst's nodes."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from typing import Any

import libcst as cst

from conclint.positions import count_expression
from conclint.trees import nodes
from conclint.trees.text import Place, Placed, Text

Mark = Placed | tuple[Placed, Placed] | Place | Callable[[], Place]
Places = dict[cst.CSTNode, Mark]
"""Where nodes stand: like a node of Python's tree, from one to another, or by offsets, which may be found later."""


class UnknownSyntaxError(Exception):
    """Syntax that is left to libcst's parser."""


_STRING = re.compile(
    r"""[rRbBuU]{0,2}(?:'''(?:[^'\\]|\\.|'(?!''))*'''|\"""(?:[^"\\]|\\.|"(?!""))*\"""
    |'(?!'')(?:[^'\\]|\\.)*'|"(?!"")(?:[^"\\]|\\.)*")""",
    re.DOTALL | re.VERBOSE,
)
"""One string literal; several that stand side by side are more than that."""

_IDENTIFIER = re.compile(r"\w+")

_BINARY: dict[type[ast.operator], cst.BaseBinaryOp] = {
    ast.Add: cst.Add(),
    ast.Sub: cst.Subtract(),
    ast.Mult: cst.Multiply(),
    ast.Div: cst.Divide(),
    ast.FloorDiv: cst.FloorDivide(),
    ast.Mod: cst.Modulo(),
    ast.Pow: cst.Power(),
    ast.MatMult: cst.MatrixMultiply(),
    ast.LShift: cst.LeftShift(),
    ast.RShift: cst.RightShift(),
    ast.BitAnd: cst.BitAnd(),
    ast.BitOr: cst.BitOr(),
    ast.BitXor: cst.BitXor(),
}
_UNARY: dict[type[ast.unaryop], cst.BaseUnaryOp] = {
    ast.Not: cst.Not(),
    ast.USub: cst.Minus(),
    ast.UAdd: cst.Plus(),
    ast.Invert: cst.BitInvert(),
}
_BOOLEAN: dict[type[ast.boolop], cst.BaseBooleanOp] = {ast.And: cst.And(), ast.Or: cst.Or()}
_COMPARISON: dict[type[ast.cmpop], cst.BaseCompOp] = {
    ast.Eq: cst.Equal(),
    ast.NotEq: cst.NotEqual(),
    ast.Lt: cst.LessThan(),
    ast.LtE: cst.LessThanEqual(),
    ast.Gt: cst.GreaterThan(),
    ast.GtE: cst.GreaterThanEqual(),
    ast.Is: cst.Is(),
    ast.IsNot: cst.IsNot(),
    ast.In: cst.In(),
    ast.NotIn: cst.NotIn(),
}


class Expressions:
    """Builds the nodes of expressions, and notes where they stand."""

    def __init__(self, text: Text) -> None:
        self.text = text
        self.places: Places = {}

    def build(self, node: ast.expr) -> cst.BaseExpression:
        """Return the node of an expression."""
        build = _BUILDERS.get(type(node))
        if build is None:
            raise UnknownSyntaxError(type(node).__name__)
        built: cst.BaseExpression = build(self, node)
        # Tuples and generators, and what was cut out of strings, know better.
        self.places.setdefault(built, node)
        return built

    def build_optional(self, node: ast.expr | None) -> cst.BaseExpression | None:
        """Return the node of an expression that need not be there."""
        return None if node is None else self.build(node)

    def place_name(self, identifier: str, start: int) -> cst.Name:
        """Return the node of a name that starts there."""
        if not self.text.is_ascii:
            # Python's tree has its normal form, which may be another one.
            written = _IDENTIFIER.match(self.text.content, start)
            identifier = written[0] if written is not None else identifier
        built = nodes.name(identifier)
        self.places[built] = (start, start + len(identifier))
        return built

    def build_arguments(self, args: Sequence[ast.expr], keywords: Sequence[ast.keyword]) -> list[cst.Arg]:
        """Return the arguments of a call in the order in which they are written."""
        written: list[ast.expr | ast.keyword] = [*args, *keywords]
        if keywords and any(isinstance(one, ast.Starred) for one in args):
            written.sort(key=lambda one: (one.lineno, one.col_offset))
        return [self._build_argument(one) for one in written]

    def _build_argument(self, node: ast.expr | ast.keyword) -> cst.Arg:
        if isinstance(node, ast.keyword):
            keyword = None if node.arg is None else self.place_name(node.arg, self.text.start(node))
            return nodes.argument(self.build(node.value), keyword, "**" if keyword is None else "")
        if isinstance(node, ast.Starred):
            return nodes.argument(self.build(node.value), None, "*")
        return nodes.argument(self.build(node), None, "")

    def build_parameters(self, arguments: ast.arguments) -> cst.Parameters:
        """Return the parameters of a function or lambda."""
        plain = [*arguments.posonlyargs, *arguments.args]
        defaults = [*[None] * (len(plain) - len(arguments.defaults)), *arguments.defaults]
        built = [self._build_parameter(*pair, "") for pair in zip(plain, defaults, strict=True)]
        count = len(arguments.posonlyargs)
        star: cst.Param | cst.ParamStar | cst.MaybeSentinel = cst.MaybeSentinel.DEFAULT
        if arguments.vararg is not None:
            star = self._build_parameter(arguments.vararg, None, "*")
        elif arguments.kwonlyargs:
            star = nodes.parameter_star()
        keyword_only = [
            self._build_parameter(one, default, "")
            for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        ]
        rest = None if arguments.kwarg is None else self._build_parameter(arguments.kwarg, None, "**")
        return nodes.parameters(built[count:], star, keyword_only, rest, built[:count])

    def _build_parameter(self, node: ast.arg, default: ast.expr | None, star: str) -> cst.Param:
        written = self.place_name(node.arg, self.text.start(node))
        return nodes.parameter(written, self.build_annotation(node.annotation), self.build_optional(default), star)

    def build_annotation(self, node: ast.expr | None) -> cst.Annotation | None:
        """Return the node of an annotation."""
        return None if node is None else nodes.annotation(self.build(node))

    def build_element(self, node: ast.expr) -> cst.BaseElement:
        """Return the node of an element of a tuple, list or set."""
        if isinstance(node, ast.Starred):
            starred = nodes.starred_element(self.build(node.value))
            self.places[starred] = node
            return starred
        return nodes.element(self.build(node))

    def find_content(self, node: ast.expr, first: ast.expr | None, last: ast.expr | None) -> Place:
        """Return the place of what stands in the parentheses of a node; `last` ends last in it."""
        content, stop = self.text.content, self.text.end(node) - 1
        start = self.text.skip_trivia(self.text.start(node) + 1)
        if first is None or last is None:
            return start, start
        end = self.text.end(last)
        following = self.text.skip_trivia(end)
        while following < stop and content[following] in "),":
            end = following + 1
            following = self.text.skip_trivia(end)
        return start, end

    def has_parentheses(self, node: ast.Tuple) -> bool:
        """Return whether a tuple stands in parentheses of its own: `(1), 2` and `(1, 2)` begin alike."""
        content, start = self.text.content, self.text.start(node)
        if not node.elts:
            return True
        first = self.text.start(node.elts[0])
        if content[start] != "(" or first == start:
            return False
        depth = self._count_opening(start, first)
        end = self.text.skip_trivia(self.text.end(node.elts[0]))
        while depth and content[end] == ")":
            depth -= 1
            end = self.text.skip_trivia(end + 1)
        return depth > 0

    def find_outer(self, start: int, node: ast.expr) -> int:
        """Return where an operand ends, the parentheses around it included, which open after `start`."""
        end = self.text.end(node)
        for _ in range(self._count_opening(self.text.skip_trivia(start), self.text.start(node))):
            end = self.text.skip_trivia(end) + 1
        return end

    def _count_opening(self, start: int, first: int) -> int:
        """Return how many parentheses open from `start` on, before the token at `first`."""
        depth = 0
        while start < first:
            depth += 1
            start = self.text.skip_trivia(start + 1)
        return depth


def _name(self: Expressions, node: ast.Name) -> cst.Name:
    if self.text.is_ascii:
        return nodes.name(node.id)
    return self.place_name(node.id, self.text.start(node))


def _attribute(self: Expressions, node: ast.Attribute) -> cst.Attribute:
    value = self.build(node.value)
    written = node.attr
    end = self.text.end(node)
    if not self.text.is_ascii:
        written = self.text.content[self.text.end(node.value) : end].rpartition(".")[2].strip()
    name = nodes.name(written)
    self.places[name] = (end - len(written), end)
    return nodes.attribute(value, name)


def _call(self: Expressions, node: ast.Call) -> cst.Call:
    return nodes.call(self.build(node.func), self.build_arguments(node.args, node.keywords))


def _constant(self: Expressions, node: ast.Constant) -> cst.BaseExpression:
    value = node.value
    if value is None or value is True or value is False:
        return nodes.name(str(value))
    if isinstance(value, str | bytes):
        return _string(self, node)
    if value is ...:
        return nodes.ellipsis_()
    make = {int: nodes.integer, float: nodes.float_, complex: nodes.imaginary}[type(value)]
    return make(self.text.cut(node))


def _string(self: Expressions, node: ast.Constant) -> cst.BaseExpression:
    written = self.text.cut(node)
    return nodes.string(written) if _STRING.fullmatch(written) else _cut_out(self, node)


def _cut_out(self: Expressions, node: ast.expr) -> cst.BaseExpression:
    """Have libcst parse strings side by side, or with expressions in them: older Pythons misplace these."""
    written = f"({self.text.cut(node)})"
    try:
        built = cst.parse_expression(written)
    except cst.ParserSyntaxError as error:
        raise UnknownSyntaxError(written) from error
    self.places.update(count_expression(built, self.text.start(node) - 1))
    return built


def _subscript(self: Expressions, node: ast.Subscript) -> cst.Subscript:
    found = node.slice
    parts = found.elts if isinstance(found, ast.Tuple) and not self.has_parentheses(found) else [found]
    value = self.build(node.value)
    return nodes.subscript(value, [nodes.subscript_element(_index(self, part)) for part in parts])


def _index(self: Expressions, node: ast.expr) -> cst.BaseSlice:
    if isinstance(node, ast.Slice):
        parts = (self.build_optional(one) for one in (node.lower, node.upper, node.step))
        return nodes.slice_(*parts)
    if isinstance(node, ast.Starred):
        return nodes.index(self.build(node.value), "*")
    return nodes.index(self.build(node), None)


def _tuple(self: Expressions, node: ast.Tuple) -> cst.Tuple:
    built = nodes.tuple_([self.build_element(one) for one in node.elts])
    if self.has_parentheses(node):
        ends = (node.elts[0], node.elts[-1]) if node.elts else (None, None)
        self.places[built] = lambda: self.find_content(node, *ends)
    return built


def _dict(self: Expressions, node: ast.Dict) -> cst.Dict:
    return nodes.dict_(
        [
            nodes.starred_dict_element(self.build(value))
            if key is None
            else nodes.dict_element(self.build(key), self.build(value))
            for key, value in zip(node.keys, node.values, strict=True)
        ]
    )


def _clauses(self: Expressions, generators: Sequence[ast.comprehension]) -> cst.CompFor:
    first, *others = generators
    target, iterable = self.build(first.target), self.build(first.iter)
    conditions = [nodes.condition(self.build(test)) for test in first.ifs]
    inner = _clauses(self, others) if others else None
    asynchronous = nodes.ASYNCHRONOUS if first.is_async else None
    built = nodes.clause(target, iterable, conditions, inner, asynchronous)
    self.places[built] = lambda: (_find_for(self, first), _end_of_clause(self, generators[-1]))
    return built


def _find_for(self: Expressions, clause: ast.comprehension) -> int:
    content = self.text.content
    start = content.rindex("for", 0, self.text.start(clause.target))
    return content.rindex("async", 0, start) if clause.is_async else start


def _end_of_clause(self: Expressions, clause: ast.comprehension) -> int:
    end = self.text.skip_trivia(self.text.end(clause.target))
    while self.text.content[end] == ")":
        end = self.text.skip_trivia(end + 1)
    end = self.find_outer(end + len("in"), clause.iter)
    for test in clause.ifs:
        end = self.find_outer(self.text.skip_trivia(end) + len("if"), test)
    return end


def _generator(self: Expressions, node: ast.GeneratorExp) -> cst.GeneratorExp:
    built = nodes.generator(self.build(node.elt), _clauses(self, node.generators))
    clause = node.generators[-1]
    last = clause.ifs[-1] if clause.ifs else clause.iter
    self.places[built] = lambda: self.find_content(node, node.elt, last)
    return built


def _boolean(self: Expressions, node: ast.BoolOp) -> cst.BaseExpression:
    operator = _BOOLEAN[type(node.op)]
    built = self.build(node.values[0])
    start, last = self.text.start(node), len(node.values) - 1
    for number, value in enumerate(node.values[1:], 1):
        built = nodes.boolean(built, operator, self.build(value))
        if number < last:
            self.places[built] = lambda number=number: (start, _end_of_operand(self, node, number))  # type: ignore[misc]
    return built


def _end_of_operand(self: Expressions, node: ast.BoolOp, number: int) -> int:
    end = self.text.start(node)
    operator = len("or") if isinstance(node.op, ast.Or) else len("and")
    for value in node.values[:number]:
        end = self.text.skip_trivia(self.find_outer(end, value)) + operator
    return self.find_outer(end, node.values[number])


def _comparison(self: Expressions, node: ast.Compare) -> cst.Comparison:
    left = self.build(node.left)
    return nodes.comparison(
        left,
        [
            nodes.comparison_target(_COMPARISON[type(operator)], self.build(value))
            for operator, value in zip(node.ops, node.comparators, strict=True)
        ],
    )


def _yield_from(self: Expressions, node: ast.YieldFrom) -> cst.Yield:
    return nodes.yield_(nodes.from_(self.build(node.value)))


def _elements(self: Expressions, elements: Sequence[ast.expr]) -> list[cst.BaseElement]:
    return [self.build_element(one) for one in elements]


_BUILDERS: dict[type[ast.expr], Callable[[Expressions, Any], Any]] = {
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Call: _call,
    ast.Constant: _constant,
    ast.JoinedStr: _cut_out,
    ast.Subscript: _subscript,
    ast.Tuple: _tuple,
    ast.List: lambda self, node: nodes.list_(_elements(self, node.elts)),
    ast.Set: lambda self, node: nodes.set_(_elements(self, node.elts)),
    ast.Dict: _dict,
    ast.ListComp: lambda self, node: nodes.list_comprehension(self.build(node.elt), _clauses(self, node.generators)),
    ast.SetComp: lambda self, node: nodes.set_comprehension(self.build(node.elt), _clauses(self, node.generators)),
    ast.GeneratorExp: _generator,
    ast.DictComp: lambda self, node: nodes.dict_comprehension(
        self.build(node.key), self.build(node.value), _clauses(self, node.generators)
    ),
    ast.Lambda: lambda self, node: nodes.lambda_(self.build_parameters(node.args), self.build(node.body)),
    ast.IfExp: lambda self, node: nodes.if_expression(
        self.build(node.test), self.build(node.body), self.build(node.orelse)
    ),
    ast.BoolOp: _boolean,
    ast.BinOp: lambda self, node: nodes.binary(self.build(node.left), _BINARY[type(node.op)], self.build(node.right)),
    ast.UnaryOp: lambda self, node: nodes.unary(_UNARY[type(node.op)], self.build(node.operand)),
    ast.Compare: _comparison,
    ast.Await: lambda self, node: nodes.await_(self.build(node.value)),
    ast.Yield: lambda self, node: nodes.yield_(self.build_optional(node.value)),
    ast.YieldFrom: _yield_from,
    ast.NamedExpr: lambda self, node: nodes.named(self.build(node.target), self.build(node.value)),
}
