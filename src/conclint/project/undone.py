"""Undone: items of a queue of which nobody says `task_done()` where the work on them fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import Kind
from conclint.model.observations import Ending, Handler
from conclint.project.exceptions import Exceptions
from conclint.project.order import contains, precedes
from conclint.project.symbols import FunctionPlace

if TYPE_CHECKING:
    from conclint.project.project import CallPlace, Project

_GETS = frozenset({"get", "get_nowait"})
_DEEPEST = 3


class Undone(NamedTuple):
    """A `task_done()` that is skipped (may), and how the worker goes on."""

    done: CallPlace
    failing: CallPlace
    """The work, whose exception skips it."""
    through: tuple[CallPlace, ...]
    """The calls that let the exception out, up to the loop."""
    handler: Handler
    """What catches it within that loop, and lets the loop go on."""
    get: CallPlace
    """What takes the item."""
    join: CallPlace
    """The wait that never ends."""


class _Turn(NamedTuple):
    """What a function does with one item of a queue: the calls of `get` and `task_done`, in the order of the text."""

    get: CallPlace
    dones: tuple[CallPlace, ...]


class UndoneTasks:
    """Finds them. A worker that ends with the error is left out: then more is lost than one `task_done()`."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._exceptions = Exceptions(project)

    def iter_all(self) -> Iterator[Undone]:
        """Yield the first such item of each function, for each queue that somebody joins."""
        for queue, operations in self._project.links.operations.items():
            names = {one.name for one in operations}
            if not {"join", "task_done"} <= names or names.isdisjoint(_GETS):
                continue
            row = self._project.class_row(queue)
            # One that is only annotated stands for many queues.
            if row is None or row.kind is not Kind.QUEUE or queue.site is None or queue.site.what != "call":
                continue
            calls = {one.site: one.name for one in operations if one.site.what == "call"}
            joins = [site for site, name in calls.items() if name == "join"]
            for turn in self._iter_turns({self._project.call(site): name for site, name in calls.items()}):
                found = self._judge(turn)
                if found is not None and joins:
                    yield Undone(*found, turn.get, self._project.call(min(joins)))

    def _iter_turns(self, calls: dict[CallPlace, str]) -> Iterator[_Turn]:
        functions: dict[FunctionPlace, list[CallPlace]] = {}
        for place in sorted(calls, key=lambda one: one.site):
            functions.setdefault(place.function_place, []).append(place)
        done_in = {place.function.symbol for place, name in calls.items() if name == "task_done"}
        for own in functions.values():
            get = next((place for place in own if calls[place] in _GETS), None)
            dones = tuple(place for place in own if calls[place] == "task_done")
            if get is None or not dones or any(done.context.finally_body for done in dones):
                continue
            others = done_in - {get.function.symbol}
            # A helper that says it too may be the one that handles the error.
            if not others or others.isdisjoint(self._project.call_graph.reach([get.function.symbol])):
                yield _Turn(get, dones)

    def _judge(self, turn: _Turn) -> tuple[CallPlace, CallPlace, tuple[CallPlace, ...], Handler] | None:
        done = turn.dones[-1]
        for work in self._project.calls_in(done.function_place):
            between = precedes(turn.get.call.span, work.call.span) and precedes(work.call.span, done.call.span)
            if not between or work in turn.dones or not self._may_fail(work) or _is_done_before(turn, work):
                continue
            handler = self._project.handlers.find_broad(work)
            if handler is None:
                caught = self._find_above(work, ())
                if caught is not None:
                    return done, work, *caught
            elif _skips(handler, work, turn):
                return done, work, (), handler
        return None

    def _may_fail(self, place: CallPlace) -> bool:
        return self._exceptions.may_fail(place) or self._exceptions.is_handed_in(place)

    def _find_above(
        self, place: CallPlace, through: tuple[CallPlace, ...]
    ) -> tuple[tuple[CallPlace, ...], Handler] | None:
        """Return the calls by which the exception leaves, and the handler in the loop around the last of them."""
        if place.context.loops or len(through) == _DEEPEST:
            return None
        for call in self._iter_callers(place.function.symbol):
            handler = self._project.handlers.find_broad(call)
            if handler is None:
                found = self._find_above(call, (*through, call))
                if found is not None:
                    return found
            elif handler.ending is not Ending.OUT and _is_in_loop(handler, call):
                return (*through, call), handler
        return None

    def _iter_callers(self, symbol: str) -> Iterator[CallPlace]:
        graph = self._project.call_graph
        for site in graph.sites(symbol):
            if site.what == "call" and graph.runs_at_once(site, symbol):
                yield self._project.call(site)


def _is_done_before(turn: _Turn, work: CallPlace) -> bool:
    """Whether the item is done already; a branch of its own, such as that of a sentinel, does not count."""
    return any(
        precedes(done.call.span, work.call.span)
        and done.context.branches == work.context.branches[: len(done.context.branches)]
        for done in turn.dones
    )


def _skips(handler: Handler, work: CallPlace, turn: _Turn) -> bool:
    """Whether the loop that takes the items goes on behind a handler, without `task_done()`."""
    if handler.ending is Ending.OUT or not _is_in_loop(handler, turn.get):
        return False
    after = [done for done in turn.dones if precedes(work.call.span, done.call.span)]
    if all(contains(handler.guarded, done.call.span) for done in after):
        return True
    branches = work.facts.contexts[handler.context].branches
    # One in a branch may be that of the handler itself.
    return handler.ending is Ending.NEXT_ROUND and all(done.context.branches == branches for done in after)


def _is_in_loop(handler: Handler, place: CallPlace) -> bool:
    """Whether a handler stands within the loop around a call of its function."""
    loops = place.context.loops
    return bool(loops) and loops[-1] in place.facts.contexts[handler.context].loops
