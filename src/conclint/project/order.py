"""The order of the text, which is the order of running where nothing jumps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conclint.model.span import Span

if TYPE_CHECKING:
    from conclint.project.project import CallPlace, Project


def precedes(first: Span, second: Span) -> bool:
    """Return whether, in one file, `first` ends before `second` begins."""
    return (first.end_line, first.end_column) <= (second.line, second.column)


def contains(outer: Span, inner: Span) -> bool:
    """Return whether one span lies within another of the same file."""
    begins = (outer.line, outer.column) <= (inner.line, inner.column)
    return begins and (inner.end_line, inner.end_column) <= (outer.end_line, outer.end_column)


def find_leading(project: Project, function: str, goal: CallPlace) -> list[CallPlace]:
    """Return the calls in a function that lead to another one in the same thread (may), or that very call."""
    if goal.function.symbol == function:
        return [goal]
    where = project.place(function)
    found = []
    for place in project.calls_in(where) if where is not None else ():
        callees = {target.function for target in project.callees(place.site)}
        if callees and goal.function.symbol in project.call_graph.reach(callees):
            found.append(place)
    return found
