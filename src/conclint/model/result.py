"""What crosses from a worker to the main process: one small value per file."""

from __future__ import annotations

import enum

import msgspec

from conclint.model.alarm import Alarm
from conclint.model.facts import ModuleFacts
from conclint.model.span import Span


class SuppressionKind(enum.Enum):
    """How a suppression was written."""

    NOQA = "noqa"
    IGNORE = "ignore"
    FILE_IGNORE = "file-ignore"


class Suppression(msgspec.Struct, frozen=True, array_like=True):
    """A comment that suppresses alarms on the lines `first_line` to `last_line` (both included, from 1).

    `codes` are codes, prefixes or rule names as written; empty means all. `span` is the comment itself.
    """

    kind: SuppressionKind
    first_line: int
    last_line: int
    codes: tuple[str, ...]
    reason: str
    span: Span


class Failure(msgspec.Struct, frozen=True, array_like=True):
    """A bug of ours met while one file, or the project, was checked."""

    path: str
    rule: str
    """The code of the rule that failed, or the stage: `analysis`, `link`."""
    error: str
    traceback: str


class ModuleResult(msgspec.Struct, frozen=True, array_like=True):
    """Everything one file contributes. `facts` is None for a dormant file and for one that does not parse."""

    path: str
    module: str
    dormant: bool
    facts: ModuleFacts | None
    alarms: tuple[Alarm, ...]
    suppressions: tuple[Suppression, ...]
    failures: tuple[Failure, ...]
    imports: tuple[str, ...] = ()
    """What a dormant file imports, by qualified name (may), so that it is found when one of these matters."""


class Findings(msgspec.Struct, frozen=True, array_like=True):
    """What a whole project gave, whichever of it is selected and shown."""

    alarms: tuple[Alarm, ...]
    suppressions: dict[str, tuple[Suppression, ...]]
