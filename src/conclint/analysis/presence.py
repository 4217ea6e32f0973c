"""Presence: whether a variable always holds an object, and never None, as far as its module tells."""

from __future__ import annotations

import libcst as cst

from conclint import catalog
from conclint.analysis.names import Binding, BindingKind, NameTable, iter_parameters
from conclint.analysis.types import Types

_DEEPEST = 6


def is_present(types: Types, node: cst.BaseExpression, table: NameTable, depth: int = 0) -> bool:
    """Return whether the value of `node` is certainly made by a constructor, or annotated as never None (must)."""
    if depth > _DEEPEST:
        return False
    if isinstance(node, cst.Call):
        callee = types.resolve(node.func, table)
        return callee is not None and catalog.canonical_class(callee) is not None
    if isinstance(node, cst.IfExp):
        return all(is_present(types, part, table, depth + 1) for part in (node.body, node.orelse))
    if not isinstance(node, cst.Name | cst.Attribute):
        return False
    bindings = types.find_bindings(node, table)
    if isinstance(node, cst.Attribute) and bindings:
        bindings = [*bindings, *types.iter_attribute_bindings(node.attr.value)]
    return bool(bindings) and all(_is_bound(types, binding, owner, node, depth) for binding, owner in bindings)


def _is_bound(types: Types, binding: Binding, table: NameTable, node: cst.Name | cst.Attribute, depth: int) -> bool:
    if binding.annotation is not None and not _says_class(types, binding.annotation, table):
        return False
    if binding.kind is BindingKind.PARAMETER:
        return binding.annotation is not None and not _has_default(node, table)
    if binding.node is None:
        return binding.kind is BindingKind.ANNOTATION
    is_value = binding.kind in (BindingKind.VALUE, BindingKind.ANNOTATION)
    return is_value and is_present(types, binding.node, table, depth + 1)


def _says_class(types: Types, annotation: cst.BaseExpression, table: NameTable) -> bool:
    """Whether an annotation is a class by itself, not `Optional[Event]` or `Event | None`."""
    while isinstance(annotation, cst.Subscript):
        # `Queue[int]` is a queue; `Optional[Queue]` is not found in the catalog.
        annotation = annotation.value
    name = types.resolve(annotation, table)
    return name is not None and catalog.canonical_class(name) is not None


def _has_default(node: cst.Name | cst.Attribute, table: NameTable) -> bool:
    # `event: Event = None` is seen too often to believe the annotation.
    if not isinstance(node, cst.Name) or not isinstance(table.node, cst.FunctionDef):
        return True
    return any(
        parameter.default is not None
        for parameter in iter_parameters(table.node.params)
        if parameter.name.value == node.value
    )
