"""How the nodes are made: with the fields that hold syntax, and no others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import libcst as cst

Node = TypeVar("Node", bound=cst.CSTNode)


def _write_maker(node_type: type[Node], *fields: str) -> Callable[..., Node]:
    """Return a function that makes a node with these fields.

    libcst's own constructors fill in whitespace and check what they get, which takes several times as long.
    """
    names: dict[str, Any] = {"node_type": node_type, "new": object.__new__}
    names |= {f"set_{field}": getattr(node_type, field).__set__ for field in fields}
    lines = ["node = new(node_type)", *(f"set_{field}(node, {field})" for field in fields), "return node"]
    exec(f"def make({', '.join(fields)}):\n  " + "\n  ".join(lines), names)  # noqa: S102
    made: Callable[..., Node] = names["make"]
    return made


module = _write_maker(cst.Module, "body")
line = _write_maker(cst.SimpleStatementLine, "body")
suite = _write_maker(cst.SimpleStatementSuite, "body")
block = _write_maker(cst.IndentedBlock, "body")

expression_statement = _write_maker(cst.Expr, "value")
assign = _write_maker(cst.Assign, "targets", "value")
assign_target = _write_maker(cst.AssignTarget, "target")
annotated_assign = _write_maker(cst.AnnAssign, "target", "annotation", "value")
augmented_assign = _write_maker(cst.AugAssign, "target", "operator", "value")
annotation = _write_maker(cst.Annotation, "annotation")
return_ = _write_maker(cst.Return, "value")
raise_ = _write_maker(cst.Raise, "exc", "cause")
from_ = _write_maker(cst.From, "item")
pass_ = _write_maker(cst.Pass)
break_ = _write_maker(cst.Break)
continue_ = _write_maker(cst.Continue)
del_ = _write_maker(cst.Del, "target")
assertion = _write_maker(cst.Assert, "test", "msg")
import_ = _write_maker(cst.Import, "names")
import_from = _write_maker(cst.ImportFrom, "module", "names", "relative")
import_alias = _write_maker(cst.ImportAlias, "name", "asname")
import_star = _write_maker(cst.ImportStar)
as_name = _write_maker(cst.AsName, "name")
global_ = _write_maker(cst.Global, "names")
nonlocal_ = _write_maker(cst.Nonlocal, "names")
name_item = _write_maker(cst.NameItem, "name")

if_ = _write_maker(cst.If, "test", "body", "orelse")
else_ = _write_maker(cst.Else, "body")
while_ = _write_maker(cst.While, "test", "body", "orelse")
for_ = _write_maker(cst.For, "target", "iter", "body", "orelse", "asynchronous")
with_ = _write_maker(cst.With, "items", "body", "asynchronous")
with_item = _write_maker(cst.WithItem, "item", "asname")
try_ = _write_maker(cst.Try, "body", "handlers", "orelse", "finalbody")
try_star = _write_maker(cst.TryStar, "body", "handlers", "orelse", "finalbody")
handler = _write_maker(cst.ExceptHandler, "body", "type", "name")
star_handler = _write_maker(cst.ExceptStarHandler, "body", "type", "name")
finally_ = _write_maker(cst.Finally, "body")
function = _write_maker(
    cst.FunctionDef, "name", "params", "body", "decorators", "returns", "asynchronous", "type_parameters"
)
class_ = _write_maker(cst.ClassDef, "name", "body", "bases", "keywords", "decorators", "type_parameters")
decorator = _write_maker(cst.Decorator, "decorator")
parameters = _write_maker(cst.Parameters, "params", "star_arg", "kwonly_params", "star_kwarg", "posonly_params")
parameter = _write_maker(cst.Param, "name", "annotation", "default", "star")
parameter_star = _write_maker(cst.ParamStar)

name = _write_maker(cst.Name, "value")
attribute = _write_maker(cst.Attribute, "value", "attr")
call = _write_maker(cst.Call, "func", "args")
argument = _write_maker(cst.Arg, "value", "keyword", "star")
subscript = _write_maker(cst.Subscript, "value", "slice")
subscript_element = _write_maker(cst.SubscriptElement, "slice")
index = _write_maker(cst.Index, "value", "star")
slice_ = _write_maker(cst.Slice, "lower", "upper", "step")
tuple_ = _write_maker(cst.Tuple, "elements")
list_ = _write_maker(cst.List, "elements")
set_ = _write_maker(cst.Set, "elements")
element = _write_maker(cst.Element, "value")
starred_element = _write_maker(cst.StarredElement, "value")
dict_ = _write_maker(cst.Dict, "elements")
dict_element = _write_maker(cst.DictElement, "key", "value")
starred_dict_element = _write_maker(cst.StarredDictElement, "value")
list_comprehension = _write_maker(cst.ListComp, "elt", "for_in")
set_comprehension = _write_maker(cst.SetComp, "elt", "for_in")
generator = _write_maker(cst.GeneratorExp, "elt", "for_in")
dict_comprehension = _write_maker(cst.DictComp, "key", "value", "for_in")
clause = _write_maker(cst.CompFor, "target", "iter", "ifs", "inner_for_in", "asynchronous")
condition = _write_maker(cst.CompIf, "test")
lambda_ = _write_maker(cst.Lambda, "params", "body")
if_expression = _write_maker(cst.IfExp, "test", "body", "orelse")
boolean = _write_maker(cst.BooleanOperation, "left", "operator", "right")
binary = _write_maker(cst.BinaryOperation, "left", "operator", "right")
unary = _write_maker(cst.UnaryOperation, "operator", "expression")
comparison = _write_maker(cst.Comparison, "left", "comparisons")
comparison_target = _write_maker(cst.ComparisonTarget, "operator", "comparator")
await_ = _write_maker(cst.Await, "expression")
yield_ = _write_maker(cst.Yield, "value")
named = _write_maker(cst.NamedExpr, "target", "value")
integer = _write_maker(cst.Integer, "value")
float_ = _write_maker(cst.Float, "value")
imaginary = _write_maker(cst.Imaginary, "value")
string = _write_maker(cst.SimpleString, "value")
ellipsis_ = _write_maker(cst.Ellipsis)

ASYNCHRONOUS = cst.Asynchronous()
DOT = cst.Dot()
