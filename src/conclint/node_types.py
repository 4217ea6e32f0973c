"""What libcst writes out in Python for each of its nodes, and Python does itself in a fraction of the time.

Nodes are hashed and compared by identity, which costs more than the rest of every dictionary with nodes as keys, and
their classes are abstract ones, which makes each `isinstance` half as long again. All else is as before for other
users of libcst in this process.
"""

from __future__ import annotations

from abc import ABCMeta

import libcst as cst


class _NodeType(ABCMeta):
    """The class of the classes of nodes: of these, none is registered as an instance of another."""

    __instancecheck__ = type.__instancecheck__
    __subclasscheck__ = type.__subclasscheck__


def make_quick() -> None:
    """Let all nodes be hashed, compared and told apart by Python itself."""
    pending: list[type] = [cst.CSTNode]
    while pending:
        node_type = pending.pop()
        pending += node_type.__subclasses__()
        node_type.__hash__ = object.__hash__  # type: ignore[method-assign, assignment]
        node_type.__eq__ = object.__eq__  # type: ignore[method-assign,assignment]
        if type(node_type) is ABCMeta:
            node_type.__class__ = _NodeType
