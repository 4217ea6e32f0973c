"""The places that a diagnostic talks about, and which of them stand in one frame."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from conclint.model.alarm import Diagnostic, Related
from conclint.model.span import Span

_NEAR = 3
"""Places of one file with at most so many lines between them share a frame."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A span to underline and what is said beside it; `is_alarm` where the alarm itself stands."""

    path: str
    span: Span
    label: str
    is_alarm: bool


def collect_marks(diagnostic: Diagnostic) -> tuple[Mark, ...]:
    """Return the alarm and its related spans in the order of the trace, numbered where there are several.

    A related span at the alarm's own place labels it; without one, the alarm has no label and comes first.
    """
    marks = tuple(_iter_related_marks(diagnostic))
    if any(mark.is_alarm for mark in marks):
        return marks
    return Mark(diagnostic.path, diagnostic.span, "", is_alarm=True), *marks


def group_marks(marks: Sequence[Mark]) -> tuple[tuple[Mark, ...], ...]:
    """Return the marks of each frame: the one of the alarm first, then as the trace meets them."""
    by_line = sorted(marks, key=lambda mark: (mark.path, mark.span.line))
    starts = [0, *(index for index in range(1, len(by_line)) if not _are_near(by_line[index - 1], by_line[index]))]
    groups = [by_line[start:end] for start, end in itertools.zip_longest(starts, starts[1:])]
    in_order = (tuple(sorted(group, key=marks.index)) for group in groups)
    return tuple(sorted(in_order, key=lambda group: (not any(mark.is_alarm for mark in group), marks.index(group[0]))))


def label_steps(diagnostic: Diagnostic) -> tuple[tuple[Related, str], ...]:
    """Return the steps of the trace in their order, each with what is said of it: numbered where there are several."""
    numbered = len(diagnostic.related) > 1
    return tuple(
        (related, f"{number}. {related.message}" if numbered else related.message)
        for number, related in enumerate(diagnostic.related, 1)
    )


def _iter_related_marks(diagnostic: Diagnostic) -> Iterator[Mark]:
    for related, label in label_steps(diagnostic):
        is_alarm = (related.path, related.span) == (diagnostic.path, diagnostic.span)
        yield Mark(related.path, related.span, label, is_alarm)


def _are_near(above: Mark, below: Mark) -> bool:
    return above.path == below.path and below.span.line - above.span.end_line <= _NEAR + 1
