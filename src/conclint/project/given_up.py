"""Given up: waits that end by a timeout, and what the function around does then as if they had not.

What is kept in plain variables of that function is not followed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, NamedTuple

from conclint.model.alarm import Related
from conclint.model.facts import Access, AccessKind, Use
from conclint.model.span import Span
from conclint.model.values import Constant
from conclint.project.order import precedes
from conclint.project.shared import SharedAccess
from conclint.project.testing import is_test
from conclint.project.timeouts import find_timeout

if TYPE_CHECKING:
    from conclint.project.project import CallPlace, Project

_SAYING = ("logging.", "builtins.print", "warnings.")
_READS = (AccessKind.READ, AccessKind.ITERATE)


class Sequel(NamedTuple):
    """What follows a wait in its function: a read of what the other side writes (may), or just the next call."""

    span: Span
    written: SharedAccess | None
    """The write that may come later than the read, None where the sequel is a call."""

    def relate(self, project: Project, place: CallPlace) -> Iterator[Related]:
        """Yield both ends, for the trace of an alarm about the wait at `place`."""
        module, written = place.site.module, self.written
        if written is None:
            yield project.related(module, self.span, "the code goes on here")
        else:
            name = written.place.name
            yield project.related(module, self.span, f"`{name}` is read here all the same")
            yield project.related(written.module, written.span, f"`{name}` may be written here only later")


def is_ignored(project: Project, place: CallPlace) -> bool:
    """Return whether a wait has a timeout, nobody looks at what it returns, and no loop waits again (must)."""
    if place.call.use is not Use.DROPPED and place.site not in project.unread_results:
        return False
    rows = [row.timeout for _, row in project.rows(place.site)]
    timeout = rows[0] if rows and len(rows) == len(project.externals(place.site)) else None
    given = find_timeout(place, timeout) if timeout is not None else None
    if given is None or project.callees(place.site) or is_test(place):
        return False
    found = project.value(place.site.module, given.value)
    # A timeout of 0 is a question, or a pause.
    is_time = not isinstance(found, Constant) or found.value not in (None, 0)
    return is_time and not place.function.is_generator and not _is_repeated(project, place)


def _is_repeated(project: Project, place: CallPlace) -> bool:
    """Whether the wait, or a call of the function around it, stands in a loop: the next round waits again."""
    callers = project.call_graph.callers.get(place.function.symbol, ())
    contexts = (project.modules[module].contexts[context] for _, module, context in callers)
    return bool(place.context.loops) or any(context.loops for context in contexts)


def find_sequel(project: Project, place: CallPlace, writers: Collection[str]) -> Sequel | None:
    """Return what relies on the wait: a read of what `writers` write, else the next call; None where they are asked.

    A function asks by a test of such state below the wait: `if self._error is not None:`. One that uses it under any
    condition may.
    """
    below = [(access, _find_write(project, place, access, writers)) for access in _iter_below(place)]
    touched = [(access, written) for access, written in below if written is not None]
    if _are_asked(place, [access for access, _ in touched]):
        return None
    reads = (Sequel(access.span, written) for access, written in touched if access.kind in _READS)
    return next(reads, None) or _find_next_call(project, place)


def _are_asked(place: CallPlace, touched: list[Access]) -> bool:
    """Whether any of the accesses is, or may be, a test, or depends on one."""
    # `x.close() if x else None` reads twice in one line. Longer conditional expressions err towards an alarm.
    lines = [(access.target, access.span.line) for access in touched]
    asserted = [one.span for one in place.facts.raises if one.function == place.call.function]
    return len(set(lines)) < len(lines) or any(
        access.kind is AccessKind.CHECK
        or len(place.facts.contexts[access.context].branches) > len(place.context.branches)
        or any(not precedes(access.span, span) and not precedes(span, access.span) for span in asserted)
        for access in touched
    )


def _iter_below(place: CallPlace) -> Iterator[Access]:
    for access in place.facts.accesses:
        if access.function == place.call.function and precedes(place.call.span, access.span):
            yield access


def _find_write(project: Project, place: CallPlace, access: Access, writers: Collection[str]) -> SharedAccess | None:
    """Return where one of `writers` writes the state that is accessed, or changes its elements (may)."""
    where = project.places.find(place.site.module, access.target)
    accesses = project.shared.by_place.get(where._replace(element=False), ()) if where is not None else ()
    return next((one for one in accesses if one.is_write and one.function in writers), None)


def _find_next_call(project: Project, place: CallPlace) -> Sequel | None:
    """Return the first call that certainly follows the wait, those apart that only write messages."""
    for other in project.calls_in(place.function_place):
        is_below = precedes(place.call.span, other.call.span)
        is_sure = is_below and set(place.context.branches) <= set(other.context.branches)
        if is_sure and not any(target.name.startswith(_SAYING) for target in project.externals(other.site)):
            return Sequel(other.call.span, None)
    return None
