"""What a rule claims (alarm), and the claim as it is reported (diagnostic)."""

from __future__ import annotations

import msgspec

from conclint.model.fix import Anchor, Fix
from conclint.model.span import Span


class Related(msgspec.Struct, frozen=True, order=True, array_like=True):
    """Another end of an alarm, or one step of its trace, with the sentence that says what happens there.

    Where two threads or tasks meet, `way` counts from 1 whose step this is: the first one is that of the alarm itself.
    """

    path: str
    span: Span
    message: str
    way: int = 0


class Alarm(msgspec.Struct, frozen=True, order=True, array_like=True):
    """What one rule claims about one place.

    `path` is the file as it was given to the pipeline. `message` is lower case, without a final stop, with the
    user's names in backticks. `help` is empty where the rule's own `help` says it all. `anchors` are the places
    where the rule's fixer works; where there are none, that is the place of the alarm.
    """

    path: str
    span: Span
    code: str
    message: str
    related: tuple[Related, ...] = ()
    help: str = ""
    anchors: tuple[Anchor, ...] = ()


class Diagnostic(msgspec.Struct, frozen=True, order=True):
    """An alarm as it is reported: selected, not suppressed, joined with what is known of its rule.

    `fix` is None as well where nobody asked for fixes.
    """

    path: str
    span: Span
    code: str
    name: str
    category: str
    message: str
    help: str
    url: str
    related: tuple[Related, ...] = ()
    anchors: tuple[Anchor, ...] = ()
    fix: Fix | None = None
