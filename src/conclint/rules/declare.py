"""How a rule module declares its check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import libcst as cst

from conclint.analysis.editor import Editor
from conclint.analysis.scope import Scope
from conclint.model.alarm import Alarm
from conclint.model.fix import Anchor, Fix
from conclint.model.rule import Fixer, LocalCheck, ProjectCheck, Rule
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


def fixer(rule: Rule) -> Callable[[Callable[[Editor, Anchor], Fix | None]], Fixer[Editor]]:
    """Declare the decorated function as what fixes the alarms of `rule`, at one of their anchors after the other."""
    return lambda fix: Fixer(rule, fix)
