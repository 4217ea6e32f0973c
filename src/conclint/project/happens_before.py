"""Happens-before: which accesses of two threads of control come one after the other, without a lock."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeVar

from conclint.catalog.rows import Kind, RunsIn
from conclint.model.span import Span
from conclint.model.values import ValueId
from conclint.project.exceptions import last_name
from conclint.project.objects import Site
from conclint.project.parallel import MAIN, Control
from conclint.project.roots import Root
from conclint.project.signals import Signal, Signals

if TYPE_CHECKING:
    from conclint.project.project import Project

_WAITS = frozenset({"join", "result", "shutdown"})
_WAITING = frozenset({"concurrent.futures.as_completed", "concurrent.futures.wait"})
_T = TypeVar("_T")
_At = Callable[[int, str, Span], frozenset[_T]]
"""What holds at a place in a function, by module, function and place."""


class Event(Protocol):
    """What happens somewhere in a function: an access, or a test."""

    @property
    def module(self) -> int:
        """The number of its module."""

    @property
    def function(self) -> str:
        """The symbol of the function."""

    @property
    def span(self) -> Span:
        """Where it stands."""


class HappensBefore:
    """Answers whether the start of a thread, waiting for its end, or a signal keeps two accesses apart."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._signals = Signals(project)

    def are_ordered(self, first: Control, access: Event, second: Control, other: Event) -> bool:
        """Return whether two accesses, each by its thread of control, never run at once (may)."""
        if self._is_outside(first, other, second) or self._is_outside(second, access, first):
            return True
        return first != second and (
            self._is_signalled(first, access, second, other) or self._is_signalled(second, other, first, access)
        )

    def _is_outside(self, thread: Control, access: Event, control: Control) -> bool:
        """Whether an access of the main thread comes before the start, or after the join, of the other thread."""
        root = thread.root
        if root is None or control != MAIN:
            return False

        def find(module: int, symbol: str, span: Span) -> frozenset[Root]:
            is_joined = any(wait < span for wait in self._joins.get((module, symbol), ()))
            return frozenset({root} if is_joined or self._is_before_start(root, module, symbol, span) else ())

        return bool(self._collect(find, control, access.module, access.function, access.span))

    def _is_before_start(self, root: Root, module: int, symbol: str, span: Span) -> bool:
        spawn = self._project.find_call(root.site)
        if spawn is None:
            return False
        if self._builds(root, symbol) and spawn.function.symbol not in self._project.call_graph.reach({symbol}):
            return True
        if spawn.context.loops:
            return False
        return spawn.function.symbol == symbol and root.site.module == module and span < spawn.call.span

    def _builds(self, root: Root, symbol: str) -> bool:
        """Whether a constructor makes the object that a thread is, or is bound to, and starts nothing."""
        owner, _, name = symbol.rpartition(".")
        place = self._project.place(symbol) if name == "__init__" and root.receiver is not None else None
        if place is None or root.receiver is None or owner not in self._project.symbols.linearise(root.receiver.symbol):
            return False
        return all(last_name(call) != "start" for call in self._project.calls_in(place))

    def _is_signalled(self, first: Control, access: Event, second: Control, other: Event) -> bool:
        """Whether `first` sends a signal after its access for which `second` waits before its own."""

        def find_sent(module: int, symbol: str, span: Span) -> frozenset[Signal]:
            sent = self._signals.sent_after(module, symbol, span)
            return sent if self._runs_once(first, symbol, second) else frozenset(one for one in sent if one.is_lasting)

        received = self._collect(self._signals.received_before, second, other.module, other.function, other.span)
        sent = self._collect(find_sent, first, access.module, access.function, access.span) if received else frozenset()
        return not received.isdisjoint(sent)

    def _runs_once(self, control: Control, symbol: str, other: Control) -> bool:
        """Whether a function runs just once for every thread of `other`, or of its own."""
        if control.root is not None:
            begins = control.root.runs_in in (RunsIn.THREAD, RunsIn.TIMER) and symbol == control.root.function
            return begins and not control.many
        spawn = self._project.find_call(other.root.site) if other.root is not None else None
        return symbol.endswith(".<module>") or (spawn is not None and spawn.function.symbol == symbol)

    def _collect(self, at: _At[_T], control: Control, module: int, symbol: str, span: Span) -> frozenset[_T]:
        """Return what holds at a place, or at all calls by which a thread of control gets into the function around."""
        return at(module, symbol, span) | self._collect_on_entry(at, control, symbol, {})

    def _collect_on_entry(
        self, at: _At[_T], control: Control, symbol: str, known: dict[str, frozenset[_T]]
    ) -> frozenset[_T]:
        """Return what holds at all calls of a function. Nothing does on entry to a cycle of calls, as far as is known.

        Each function is looked at once: there are too many ways to follow each.
        """
        if symbol in known:
            return known[symbol]
        known[symbol] = frozenset()
        if control.root is not None and control.root.function == symbol:
            return known[symbol]
        graph = self._project.call_graph
        outer: list[frozenset[_T]] = []
        for site in graph.sites(symbol):
            if self._runs(control, site):
                caller = graph.function_at(site).symbol
                around = self._collect_on_entry(at, control, caller, known)
                outer.append(around | at(site.module, caller, graph.place_at(site).span))
        known[symbol] = frozenset.intersection(*outer) if outer else frozenset()
        return known[symbol]

    def _runs(self, control: Control, site: Site) -> bool:
        return control in self._project.parallel.controls(self._project.call_graph.function_at(site).symbol)

    @cached_property
    def _joins(self) -> dict[tuple[int, str], list[Span]]:
        """Where each function, by module and symbol, waits for the end of something."""
        found: dict[tuple[int, str], list[Span]] = {}
        waits = [
            operation.site
            for operations in self._project.links.operations.values()
            for operation in operations
            if operation.name in _WAITS
        ]
        waits += [
            site
            for site, targets in self._project.links.externals.items()
            if any(target.name in _WAITING for target in targets)
        ]
        for site in waits:
            place = self._project.find_call(site)
            if place is not None:
                found.setdefault((site.module, place.function.symbol), []).append(place.call.span)
        for module, facts in enumerate(self._project.modules):
            for entry in facts.acquisitions:
                if entry.last_line and self._waits_at_end(module, entry.value):
                    end = Span(entry.last_line + 1, 0, entry.last_line + 1, 0)
                    found.setdefault((module, facts.functions[entry.function].symbol), []).append(end)
        return found

    def _waits_at_end(self, module: int, value: ValueId) -> bool:
        """Whether leaving a `with` waits for the jobs: that of an executor."""
        rows = [self._project.class_row(found) for found in self._project.objects(module, value)]
        return any(row is not None and row.kind is Kind.EXECUTOR for row in rows)
