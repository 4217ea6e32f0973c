"""How a rule module declares its check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import libcst as cst

from conclint.analysis.scope import Scope
from conclint.model.alarm import Alarm
from conclint.model.rule import LocalCheck, ProjectCheck, Rule
from conclint.project.project import Project

Node = TypeVar("Node", bound=cst.CSTNode)


def local_rule(
    rule: Rule, *, on: type[Node] | tuple[type[Node], ...]
) -> Callable[[Callable[[Node, Scope], Iterable[Alarm]]], LocalCheck[Node, Scope]]:
    """Declare the decorated function as the check of `rule`, run on every node of the types `on`."""
    types = on if isinstance(on, tuple) else (on,)
    return lambda check: LocalCheck(rule, types, check)


def project_rule(rule: Rule) -> Callable[[Callable[[Project], Iterator[Alarm]]], ProjectCheck[Project]]:
    """Declare the decorated function as the check of `rule`, run once over the linked project."""
    return lambda check: ProjectCheck(rule, check)
