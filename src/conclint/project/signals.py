"""Signals: what one thread does before it sets an event or puts into a queue comes before what another does after it.

`set` → `wait`, `put` → `get`, `release` → `acquire` of a semaphore, on one object. A timed wait counts as one that has
seen the signal, and any `put` as that of the element that was got: both err towards silence.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from conclint.catalog.rows import Kind
from conclint.model.span import Span
from conclint.project.objects import Object
from conclint.project.order import precedes

if TYPE_CHECKING:
    from conclint.project.project import Project
    from conclint.project.shared import SharedAccess

_SENDS = {
    Kind.EVENT: frozenset({"set"}),
    Kind.QUEUE: frozenset({"put", "put_nowait"}),
    Kind.SEMAPHORE: frozenset({"release"}),
}
_RECEIVES = {
    Kind.EVENT: frozenset({"wait"}),
    Kind.QUEUE: frozenset({"get", "get_nowait", "join"}),
    Kind.SEMAPHORE: frozenset({"acquire", "__exit__"}),
}

_Points = dict[tuple[int, str], list[tuple[Object, Span]]]
"""By module and function: the object of a signal, and where it is sent or received."""


class Signals:
    """Answers whether a signal keeps two accesses apart."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def is_between(self, first: SharedAccess, second: SharedAccess) -> bool:
        """Return whether `first` comes before a signal for which `second` waits (may)."""
        sent = {
            found for found, span in self._sent.get((first.module, first.function), ()) if precedes(first.span, span)
        }
        received = self._received.get((second.module, second.function), ()) if sent else ()
        return any(found in sent and precedes(span, second.span) for found, span in received)

    @cached_property
    def _sent(self) -> _Points:
        return self._collect(_SENDS)

    @cached_property
    def _received(self) -> _Points:
        return self._collect(_RECEIVES)

    def _collect(self, methods: dict[Kind, frozenset[str]]) -> _Points:
        points: _Points = {}
        for found, operations in self._project.links.operations.items():
            row = self._project.class_row(found)
            names = methods.get(row.kind, frozenset()) if row is not None else frozenset()
            for operation in operations:
                if operation.name in names and operation.site.what == "call":
                    place = self._project.call(operation.site)
                    key = (operation.site.module, place.function.symbol)
                    points.setdefault(key, []).append((found, place.call.span))
        return points
