"""Signals: what one thread does before it sends one comes before what another does after it has received it.

`set` → `wait` of an event, `put` → `get` and `task_done` → `join` of a queue, `release` → `acquire` of a semaphore, on
one object. Any `put` counts as that of the element that was got, which errs towards silence. What may be sent again and
again orders nothing: the second time, the sender's access may meet the receiver's first one.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import Kind
from conclint.model.span import Span
from conclint.project.objects import Object
from conclint.project.order import precedes

if TYPE_CHECKING:
    from conclint.project.project import CallPlace, Project


class Signal(NamedTuple):
    """One way to tell another thread: the object, and the method that sends."""

    found: Object
    name: str

    @property
    def is_lasting(self) -> bool:
        """Whether it orders what is done again and again: `join` waits for every task, an event is set for good."""
        return self.name in ("task_done", "set")


_SENDS = {
    (Kind.EVENT, "set"): "set",
    (Kind.QUEUE, "put"): "put",
    (Kind.QUEUE, "put_nowait"): "put",
    (Kind.QUEUE, "task_done"): "task_done",
    (Kind.SEMAPHORE, "release"): "release",
}
_RECEIVES = {
    (Kind.EVENT, "wait"): "set",
    (Kind.QUEUE, "get"): "put",
    (Kind.QUEUE, "get_nowait"): "put",
    (Kind.QUEUE, "join"): "task_done",
    (Kind.SEMAPHORE, "acquire"): "release",
}

_Points = dict[tuple[int, str], list[tuple[Signal, "CallPlace"]]]
"""By module and function: what is sent or received, and where."""


class Signals:
    """Answers what is sent after a place, and received before it, in the function around it."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def sent_after(self, module: int, symbol: str, span: Span) -> frozenset[Signal]:
        """Return what is sent below a place (may), once for each time that the place is passed."""
        points = self._sent.get((module, symbol), ())
        return frozenset(
            signal
            for signal, place in points
            if precedes(span, place.call.span) and (signal.name == "task_done" or not place.context.loops)
        )

    def received_before(self, module: int, symbol: str, span: Span) -> frozenset[Signal]:
        """Return what is waited for above a place (may)."""
        points = self._received.get((module, symbol), ())
        return frozenset(signal for signal, place in points if precedes(place.call.span, span))

    @cached_property
    def _sent(self) -> _Points:
        return self._collect(_SENDS)

    @cached_property
    def _received(self) -> _Points:
        points = self._collect(_RECEIVES)
        return {key: [one for one in found if _is_sure(*one)] for key, found in points.items()}

    def _collect(self, methods: dict[tuple[Kind, str], str]) -> _Points:
        points: _Points = {}
        for found, operations in self._project.links.operations.items():
            row = self._project.class_row(found)
            if row is None or row.kind not in (Kind.EVENT, Kind.QUEUE, Kind.SEMAPHORE):
                continue
            for operation in operations:
                sent, place = methods.get((row.kind, operation.name)), self._project.find_call(operation.site)
                # An event that is cleared again may have been set for something earlier.
                is_reused = row.kind is Kind.EVENT and any(one.name == "clear" for one in operations)
                if sent is not None and place is not None and not is_reused:
                    key = (operation.site.module, place.function.symbol)
                    points.setdefault(key, []).append((Signal(found, sent), place))
        return points


def _is_sure(signal: Signal, place: CallPlace) -> bool:
    # `get` raises where nothing came in time; the others go on.
    return signal.name == "put" or not place.call.arguments
