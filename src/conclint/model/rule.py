"""A rule, and the two shapes of its check."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from conclint.model.alarm import Alarm
from conclint.model.fix import Anchor, Fix

DOCS_URL = "https://conclint.readthedocs.io/rules"

SYNTAX_ERROR = "CON001"
"""The rule about files that cannot be read."""
UNUSED_SUPPRESSION = "CON002"
"""The rule about suppressions that suppress nothing."""


class Category(enum.Enum):
    """What kind of harm a rule prevents; reports sort and colour by it."""

    SYNTAX = "syntax"
    THREAD = "thread"
    DATA_RACE = "data-race"
    DEADLOCK = "deadlock"
    TIMEOUT = "timeout"
    ASYNC = "async"
    PROCESS = "process"
    ERROR = "error"
    MODEL = "model"
    FREE_THREADING = "free-threading"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One concern with one code. README, index, `conclint rule`, SARIF and flake8's defaults derive from it."""

    code: str
    name: str
    summary: str
    """What is wrong, as a clause: "a thread lock is held across an await point"."""
    help: str
    """The remedy, as one imperative line."""
    category: Category
    since: str
    default: bool = True

    @property
    def url(self) -> str:
        """Return the address of the rule's page."""
        return f"{DOCS_URL}/{self.code}/"


Node = TypeVar("Node", contravariant=True)
ScopeT = TypeVar("ScopeT")
ProjectT = TypeVar("ProjectT")
EditorT = TypeVar("EditorT")


@dataclass(frozen=True, slots=True)
class LocalCheck(Generic[Node, ScopeT]):
    """A rule whose check looks at one syntax node within its scope."""

    rule: Rule
    on: tuple[type, ...]
    run: Callable[[Node, ScopeT], Iterable[Alarm]]


@dataclass(frozen=True, slots=True)
class ProjectCheck(Generic[ProjectT]):
    """A rule whose check looks at the linked project; it never sees a syntax tree."""

    rule: Rule
    run: Callable[[ProjectT], Iterator[Alarm]]


@dataclass(frozen=True, slots=True)
class Fixer(Generic[EditorT]):
    """What makes the fixes of a rule's alarms: at each anchor of an alarm, None where it cannot be fixed there.

    It runs after all rules have, and only where fixes are asked for, on the files that have such alarms.
    """

    rule: Rule
    run: Callable[[EditorT, Anchor], Fix | None]
