"""How the parser's nodes are built, quickly.

libcst's nodes are frozen dataclasses: each attribute is set through a call, and each node checks itself. The parser
makes valid nodes and nobody changes them, so both are left out while it runs: a fifth of its time. The trees are the
same; `tests/test_source.py` compares them.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator

import libcst as cst

_FREQUENT = (
    cst.SimpleWhitespace,
    cst.Name,
    cst.Newline,
    cst.TrailingWhitespace,
    cst.Dot,
    cst.Attribute,
    cst.SimpleStatementLine,
    cst.Comma,
    cst.Arg,
    cst.Call,
    cst.ParenthesizedWhitespace,
    cst.EmptyLine,
    cst.SimpleString,
    cst.IndentedBlock,
    cst.AssignTarget,
    cst.Assign,
    cst.Param,
    cst.AssignEqual,
    cst.LeftSquareBracket,
    cst.RightSquareBracket,
    cst.SubscriptElement,
    cst.Expr,
    cst.Index,
    cst.Annotation,
    cst.Element,
    cst.Subscript,
    cst.Comment,
    cst.If,
    cst.ImportAlias,
    cst.Parameters,
    cst.FunctionDef,
    cst.ComparisonTarget,
    cst.Comparison,
    cst.Return,
    cst.Integer,
    cst.BinaryOperation,
    cst.DictElement,
    cst.Tuple,
    cst.LeftParen,
    cst.RightParen,
)
"""The classes of 96 of 100 nodes, by how many there are; the others are built as ever."""

_Replacement = tuple[type, str, object]
"""A class, the name of an attribute of its own, and what it is."""


def build_quickly() -> None:
    """Let all nodes of this process be built without checks, and not be frozen. For a process of our own."""
    for node_type, name, _ in _frozen_methods:
        if name in vars(node_type):
            delattr(node_type, name)
    _assign(_quick_methods)


@contextlib.contextmanager
def building_quickly() -> Iterator[None]:
    """Do what `build_quickly` does, for a while: other users of libcst in this process rely on the checks."""
    if cst.CSTNode.__post_init__ is _check_nothing:
        yield
        return
    build_quickly()
    try:
        yield
    finally:
        _assign(_usual_methods)
        _assign(_frozen_methods)


def _check_nothing(node: cst.CSTNode) -> None:
    """Take a node as the parser makes it."""


def _assign(replacements: tuple[_Replacement, ...]) -> None:
    for node_type, name, method in replacements:
        setattr(node_type, name, method)


def _write_init(node_type: type) -> Callable[..., None]:
    """Return an `__init__` of a dataclass that sets its attributes as one writes it by hand."""
    # Like `dataclasses` itself, which writes the same with a call for each attribute of a frozen class.
    names: dict[str, object] = {"_MISSING": dataclasses.MISSING}
    parameters, body = [], ["pass"]
    for field in dataclasses.fields(node_type):
        value = field.name
        if field.default_factory is not dataclasses.MISSING:
            names[f"_make_{field.name}"] = field.default_factory
            parameters.append(f"{field.name}=_MISSING")
            value = f"_make_{field.name}() if {field.name} is _MISSING else {field.name}"
        elif field.default is not dataclasses.MISSING:
            names[f"_default_{field.name}"] = field.default
            parameters.append(f"{field.name}=_default_{field.name}")
        else:
            parameters.append(field.name)
        body.append(f"self.{field.name} = {value}")
    exec(f"def __init__(self, {', '.join(parameters)}):\n  " + "\n  ".join(body), names)  # noqa: S102
    return names["__init__"]  # type: ignore[return-value]


def _iter_frozen(node_types: tuple[type, ...]) -> Iterator[type]:
    """Yield the classes that keep attributes of `node_types` from being set."""
    seen = dict.fromkeys(base for node_type in node_types for base in node_type.__mro__[:-1])
    return (base for base in seen if "__setattr__" in vars(base))


_frozen_methods: tuple[_Replacement, ...] = tuple(
    (base, "__setattr__", vars(base)["__setattr__"]) for base in _iter_frozen(_FREQUENT)
)
_usual_methods: tuple[_Replacement, ...] = (
    (cst.CSTNode, "__post_init__", cst.CSTNode.__post_init__),
    *((node_type, "__init__", vars(node_type)["__init__"]) for node_type in _FREQUENT),
)
_quick_methods: tuple[_Replacement, ...] = (
    (cst.CSTNode, "__post_init__", _check_nothing),
    *((node_type, "__init__", _write_init(node_type)) for node_type in _FREQUENT),
)
