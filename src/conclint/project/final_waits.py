"""Final waits: what finalizers, exit handlers and signal handlers wait for without a limit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import Kind, RunsIn
from conclint.model.facts import AccessKind
from conclint.project.callables import is_transparent
from conclint.project.endless import SIGNALLED, Blocked, EndlessWait
from conclint.project.interrupts import Interrupts
from conclint.project.order import precedes
from conclint.project.roots import Root
from conclint.project.testing import is_test

if TYPE_CHECKING:
    from conclint.project.project import CallPlace, Project

_FINAL = frozenset({RunsIn.FINALIZER, RunsIn.ATEXIT, RunsIn.SIGNAL})
_LONGEST = 4
"""Calls on the way to a wait: further away, it is no part of the handler's work any more."""
_TELLS = frozenset(
    """
    abort add_callback cancel call_soon_threadsafe close kill notify notify_all notifyAll put put_nowait release send
    set shutdown stop terminate write
    """.split()
)
"""Methods by which another thread may learn that it should come to an end."""
_WRITES = (AccessKind.WRITE, AccessKind.UPDATE, AccessKind.DELETE)


class FinalWait(NamedTuple):
    """A wait without a limit (must) that a root comes to (may), where nobody has told the other side to end."""

    root: Root
    calls: tuple[CallPlace, ...]
    wait: EndlessWait
    blocked: Blocked | None
    """Why the thread that is waited for does not end; None where it is no thread."""


def collect_final_waits(project: Project) -> tuple[FinalWait, ...]:
    """Return the waits of finalizers, exit handlers and signal handlers, each once."""
    roots = [root for root in project.roots if root.runs_in in _FINAL]
    reached = project.call_graph.reach(root.function for root in roots)
    by_function: dict[str, list[EndlessWait]] = {}
    for wait in project.stalls.endless.iter_in(reached) if reached else ():
        if not is_test(wait.place):
            by_function.setdefault(wait.place.function.symbol, []).append(wait)
    found: dict[EndlessWait, FinalWait] = {}
    for root in roots if by_function else ():
        for final in _iter_below(project, root, by_function):
            found.setdefault(final.wait, final)
    interrupted = _collect_interrupted(project, found)
    kept = (one for one in found.values() if one.wait not in interrupted)
    return tuple(sorted(kept, key=lambda one: one.wait.place.site))


def _collect_interrupted(project: Project, waits: Iterable[EndlessWait]) -> set[EndlessWait]:
    """Return the waits for queues whose own lock the interrupted thread may hold: that is CON241."""
    queues = {(one.place.site.module, one.place.call.span): one for one in waits if one.kind is Kind.QUEUE}
    takings = (found.trace[-1] for found in Interrupts(project).iter_all()) if queues else ()
    return {queues[key] for one in takings if (key := (one.module, one.span)) in queues}


def _iter_below(project: Project, root: Root, by_function: dict[str, list[EndlessWait]]) -> Iterator[FinalWait]:
    chains = project.call_graph.collect_chains([root.function], lambda place, callee: is_transparent(project, callee))
    for symbol, calls in chains.items():
        for wait in by_function.get(symbol, ()) if len(calls) <= _LONGEST else ():
            blocked = project.stalls.endless.find_blocked(wait)
            if blocked is None and (wait.kind not in SIGNALLED or _has_ended(root, wait)):
                continue
            way = (*calls, wait.place)
            if not _depends_on_arguments(way) and (blocked is not None or not _is_told(project, way)):
                yield FinalWait(root, calls, wait, blocked)


def _has_ended(root: Root, wait: EndlessWait) -> bool:
    # Before exit handlers run, the interpreter waits for all executors.
    return root.runs_in is RunsIn.ATEXIT and wait.kind is Kind.FUTURE


def _depends_on_arguments(way: tuple[CallPlace, ...]) -> bool:
    """Whether a function on the way, but the first one, decides by what it may be given: `close(wait=False)`."""
    return any(
        bool(place.context.branches) and len(place.function.parameters) > bool(place.function.owner)
        for place in way[1:]
    )


def _is_told(project: Project, way: tuple[CallPlace, ...]) -> bool:
    """Whether anything that is done on the way may tell the other side to come to an end (may)."""
    return any(_tells(project, earlier) for place in way for earlier in _iter_earlier(project, place)) or any(
        access.kind in _WRITES and access.function == place.call.function and precedes(access.span, place.call.span)
        for place in way
        for access in place.facts.accesses
    )


def _iter_earlier(project: Project, place: CallPlace) -> Iterator[CallPlace]:
    return (one for one in project.calls_in(place.function_place) if precedes(one.call.span, place.call.span))


def _tells(project: Project, place: CallPlace) -> bool:
    split = project.places.split(place.site.module, place.call.callee)
    return (split is not None and split[1] in _TELLS) or bool(project.callees(place.site))
