"""CON103: see docs/rules/CON103.md."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from conclint import catalog
from conclint.analysis.editor import Editor
from conclint.analysis.names import NameTable
from conclint.analysis.scope import Scope
from conclint.catalog.rows import CallRow
from conclint.model.alarm import Alarm
from conclint.model.fix import ANY_RULE, Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.rules.declare import fixer, local_rule

RULE = Rule(
    code="CON103",
    name="thread-args-not-tuple",
    summary="the arguments of a thread or job are not a tuple",
    help="add the comma that makes it a tuple: `args=(x,)`",
    category=Category.THREAD,
    since="0.1.0",
)

_LITERALS = (cst.BaseString, cst.BaseNumber)
_SINGLE_VALUES = (cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.Dict, cst.Lambda, cst.Comparison)
"""What is no sequence in redundant parentheses, unless its type or its name says so."""
_SEQUENCES = frozenset(
    {"builtins.list", "builtins.tuple", "builtins.set", "builtins.frozenset", "collections.deque", "builtins.dict"}
)
_NAMED_SO = re.compile(r"(?i:(?:.*_)?(?:args?|arguments|argv|params|parameters|tuple|list|sequence|items|split)\d*)")


@local_rule(RULE, on=cst.Call)
def check(node: cst.Call, scope: Scope) -> Iterator[Alarm]:
    """Report a single value where the arguments of a thread, timer, process or job are to be a sequence."""
    # Most calls have nothing that could be meant, which is quicker to see than what they call.
    row = _find_row(node, scope) if any(_is_suspicious(*pair, scope) for pair in enumerate(node.args)) else None
    if row is None or row.spawn is None:
        return
    argument = _find_argument(node, row.spawn.args_keyword, row.spawn.args_position)
    if argument is not None and _is_no_sequence(argument, scope):
        value, taker = scope.code(argument), scope.code(node.func)
        written = f"({value})" if scope.has_parentheses(argument) else value
        message = f"`{written}` is no tuple: `{taker}` takes its elements as the arguments, not the value itself"
        yield scope.alarm(argument, message, help=f"write `({value},)`")


def _is_suspicious(position: int, argument: cst.Arg, scope: Scope) -> bool:
    value = argument.value
    if isinstance(value, _LITERALS):
        return True
    # What comes first is what to run.
    may_be_meant = position > 0 or argument.keyword is not None
    return may_be_meant and type(value) in _SINGLE_VALUES and scope.has_parentheses(value)


def _find_row(node: cst.Call, scope: Scope) -> CallRow | None:
    symbol = scope.resolve(node.func)
    if symbol is not None and (row := catalog.find_call(symbol)) is not None:
        return row
    if isinstance(node.func, cst.Attribute):
        receiver = scope.class_of(node.func.value)
        return catalog.find_method(receiver.names[0], node.func.attr.value) if receiver is not None else None
    if symbol is None:
        return None
    made = scope.class_of(node)
    own = scope.view.types.find_class(symbol)
    inherits = made is not None and own is not None and scope.view.types.find_method(own, "__init__") is None
    return catalog.find_call(made.names[0]) if made is not None and inherits else None


def _find_argument(node: cst.Call, keyword: str, position: int | None) -> cst.BaseExpression | None:
    for index, argument in enumerate(node.args):
        if argument.keyword is not None:
            if argument.keyword.value == keyword:
                return argument.value
        elif argument.star:
            return None
        elif index == position:
            return argument.value
    return None


def _is_no_sequence(node: cst.BaseExpression, scope: Scope) -> bool:
    if isinstance(node, _LITERALS):
        return True
    # The parentheses show that a tuple was meant; without them the name may well hold one.
    if not isinstance(node, _SINGLE_VALUES) or not scope.has_parentheses(node):
        return False
    if isinstance(node, cst.Dict):
        return True
    if isinstance(node, cst.Name) and (node.value == "None" or _is_rest(node.value, scope.table)):
        return False
    return scope.type_of(node) not in _SEQUENCES and not _NAMED_SO.fullmatch(_last_name(node))


def _last_name(node: cst.BaseExpression) -> str:
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        return node.attr.value
    if isinstance(node, cst.Call):
        return _last_name(node.func)
    return _last_name(node.value) if isinstance(node, cst.Subscript) else ""


def _is_rest(name: str, table: NameTable) -> bool:
    """Whether the name is the rest of an argument list."""
    owner = table.find_owner(name)
    if owner is None:
        return False
    parameters = getattr(owner.node, "params", None)
    star = parameters.star_arg if isinstance(parameters, cst.Parameters) else None
    return isinstance(star, cst.Param) and star.name.value == name


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Add the comma, and the parentheses where there are none."""
    value = editor.find(anchor.span, cst.BaseExpression)
    if value is None:
        return None
    comma = editor.insert(editor.source.offsets[value][1], "," if value.lpar else ",)")
    edits = (comma,) if value.lpar else (editor.insert_before(value, "("), comma)
    return Fix("Make it a tuple", Applicability.SAFE, edits, reveals=ANY_RULE)
