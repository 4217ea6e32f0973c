"""Interrupts: finalizers and signal handlers that wait for a lock which the thread that they interrupt may hold."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import Kind, RunsIn
from conclint.model.facts import Function, How
from conclint.model.span import Span
from conclint.model.values import Attribute, Local, ValueId
from conclint.project.locks import Lock
from conclint.project.objects import Object, ObjectKind
from conclint.project.parallel import MAIN
from conclint.project.paths import LockPath, Path
from conclint.project.places import Place
from conclint.project.roots import INTERRUPTING_KINDS, Root
from conclint.project.symbols import FunctionPlace

if TYPE_CHECKING:
    from conclint.project.project import CallPlace, Project

_LONGEST_TRACE = 6
_QUEUE = "queue.Queue"
_MUTEX_METHODS = frozenset({"put", "get", "put_nowait", "get_nowait", "qsize", "empty", "full", "task_done", "join"})
"""The methods of `queue.Queue` that hold its mutex, a plain lock, for a while."""


class Step(NamedTuple):
    """One step of a trace: a call, or what takes the lock at its end, in `function`."""

    module: int
    span: Span
    function: str


class Taking(NamedTuple):
    """A place where a lock is waited for: an acquisition of a plain lock, or a method of a queue."""

    lock: LockPath
    name: str
    """The lock, or the queue, as the code there writes it."""
    step: Step


class Interrupt(NamedTuple):
    """A root that interrupts a thread while it holds the lock at `holder` may wait for that lock, along `trace`."""

    root: Root
    taking: Taking
    trace: tuple[Step, ...]
    holder: Taking


class Interrupts:
    """Finds the locks that interrupting roots wait for while ordinary code holds them."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._paths = project.locks.paths
        self._reached: dict[str, set[str]] = {}
        self._found: dict[str, dict[LockPath, tuple[Taking, tuple[Step, ...]]]] = {}

    def iter_all(self) -> Iterator[Interrupt]:
        """Yield one interrupt for each function where a root begins, and lock."""
        seen: set[tuple[str, object]] = set()
        for root in self._project.roots:
            if root.runs_in not in INTERRUPTING_KINDS:
                continue
            for lock, (taking, trace) in self._taken_by(root.function).items():
                holder = self._find_holder(root, lock)
                if holder is not None and (root.function, lock.identity) not in seen:
                    seen.add((root.function, lock.identity))
                    yield Interrupt(root, taking, trace, holder)

    def _taken_by(
        self, symbol: str, seen: frozenset[str] = frozenset()
    ) -> dict[LockPath, tuple[Taking, tuple[Step, ...]]]:
        """Return the locks that a function may wait for, in its own words, with the way there."""
        place = self._project.place(symbol)
        if symbol in self._found or place is None or symbol in seen or len(seen) >= _LONGEST_TRACE:
            return self._found.get(symbol, {})
        found: dict[LockPath, tuple[Taking, tuple[Step, ...]]] = {}
        for taken in self._takings.get(place, ()):
            found.setdefault(taken.lock, (taken, (taken.step,)))
        for one in self._paths.invocations(place.module, place.index):
            step = Step(place.module, one.span, symbol)
            for lock, (taking, trace) in self._taken_by(one.callee, seen | {symbol}).items():
                for translated in self._paths.translate(lock, one.callee, one.given):
                    found.setdefault(translated, (taking, (step, *trace)))
        if not seen:
            self._found[symbol] = found
        return found

    @cached_property
    def _takings(self) -> dict[FunctionPlace, list[Taking]]:
        found: dict[FunctionPlace, list[Taking]] = {}
        for place, taking in (*self._iter_acquired(), *self._iter_wrapping(), *self._iter_queues()):
            found.setdefault(place, []).append(taking)
        return found

    def _iter_acquired(self) -> Iterator[tuple[FunctionPlace, Taking]]:
        for module, facts in enumerate(self._project.modules):
            for entry in facts.acquisitions:
                lock = self._project.locks.find(module, entry.value)
                if lock is None or lock.kind is not Kind.LOCK or entry.bounded or entry.how is How.ENTER_CONTEXT:
                    continue
                path = self._paths.find_lock(module, entry.value, lock)
                if path is not None:
                    yield self._make(module, entry.function, entry.value, entry.span, path)

    def _iter_wrapping(self) -> Iterator[tuple[FunctionPlace, Taking]]:
        """Yield the plain locks that decorators wait for whenever a function is called."""
        for symbol in self._project.symbols.functions:
            place = self._project.place(symbol)
            for path, one in self._paths.iter_wrapping(symbol) if place is not None else ():
                if path.path is not None and place is not None:
                    yield place, Taking(path, f"self.{one.name}", Step(one.module, one.span, symbol))

    def _iter_queues(self) -> Iterator[tuple[FunctionPlace, Taking]]:
        for place in self._project.calls:
            module = place.site.module
            base, method = self._project.places.split(module, place.call.callee) or (0, "")
            queue = self._find_queue(module, base) if method in _MUTEX_METHODS else None
            made = self._project.find_call(queue.site) if queue is not None else None
            if queue is None or (made is not None and made.function_place == place.function_place):
                # Nobody else has a queue yet that is made here.
                continue
            path = self._paths.find_lock(module, base, Lock(queue, None, None))
            if path is not None:
                yield self._make(module, place.call.function, base, place.call.span, path)

    def _find_queue(self, module: int, value: ValueId) -> Object | None:
        """Return the queue that a value certainly is; what an annotation says of it is the same one."""
        # An attribute of a class with a base outside the project may also be a method of that base.
        objects = [one for one in self._project.objects(module, value) if one.kind is not ObjectKind.METHOD]
        made = [found for found in objects if found.site is not None and found.site.what == "call"]
        are_queues = all(self._project.symbols.is_subclass(found.symbol, _QUEUE) for found in objects)
        return made[0] if len(made) == 1 and are_queues else None

    def _make(
        self, module: int, function: int, value: ValueId, span: Span, path: LockPath
    ) -> tuple[FunctionPlace, Taking]:
        symbol = self._project.modules[module].functions[function].symbol
        name = self._project.places.describe(module, value)
        return FunctionPlace(module, function), Taking(path, name, Step(module, span, symbol))

    def _find_holder(self, root: Root, lock: LockPath) -> Taking | None:
        """Return where ordinary code, which the root may interrupt, certainly holds the same lock."""
        if not self._outlives(root, lock):
            return None
        candidates = [one for one in self._by_identity.get(lock.identity, ()) if self._may_hold(root, lock, one)]
        return min(candidates, key=self._rank, default=None)

    def _rank(self, holder: Taking) -> tuple[bool, bool, bool, Step]:
        # Constructors and exit handlers run rarely, and what the root runs too makes a poor example.
        symbol = holder.step.function
        is_rare = not self._project.parallel.controls(symbol)
        return symbol in self._interrupting, is_rare, symbol.endswith("__init__"), holder.step

    def _may_hold(self, root: Root, lock: LockPath, holder: Taking) -> bool:
        symbol = holder.step.function
        controls = self._project.parallel.controls(symbol)
        if root.runs_in is RunsIn.SIGNAL:
            # Any other thread goes on and gives the lock back.
            return MAIN in controls
        is_ordinary = bool(controls) or self._project.call_graph.is_open(symbol)
        if symbol in self._interrupting and (not is_ordinary or symbol in self._starts):
            return False
        # What the finalizer runs too, and methods of what dies, are about other objects when ordinary code runs them.
        elsewhere = symbol not in self._reach(root.function) and not self._keeps_alive(root, holder)
        return lock.path is None or elsewhere

    def _outlives(self, root: Root, lock: LockPath) -> bool:
        """Whether others may use the lock when a finalizer runs: not if it is, or is kept by, a part of the object.

        Nobody holds the lock of an object that nobody can reach.
        """
        if lock.path is None or lock.path.function == "" or root.runs_in is RunsIn.SIGNAL:
            return True
        registered = self._project.find_call(root.site)
        if registered is not None:
            return self._has_outside_receiver(root, registered)
        function = self._project.function(root.function)
        names = lock.path.names
        if function is None or not names or not _is_own(lock.path, function):
            return False
        if len(names) == 1:
            return not self._is_maker(root, lock.identity)
        return self._is_given(function, names[0])

    def _has_outside_receiver(self, root: Root, place: CallPlace) -> bool:
        """Whether a callback is not a method of a part of the dying object: `finalize(self, self.connection.close)`."""
        for argument in place.call.arguments:
            value = place.facts.values[argument.value]
            path = self._paths.find(root.site.module, value.base) if isinstance(value, Attribute) else None
            if path is not None and len(path.names) == 1 and _is_own(path, place.function):
                dies = place.function.owner in self._dying(root)
                return not dies or self._is_given(place.function, path.names[0])
        return True

    def _is_maker(self, root: Root, identity: Object | Place) -> bool:
        """Whether the class of the dying object has made the lock, or it is not known who has."""
        if not isinstance(identity, Object):
            return True
        made = self._project.find_call(identity.site)
        owner = made.function.owner if made is not None else ""
        return not owner or any(self._are_related(owner, dying) for dying in self._dying(root))

    def _is_given(self, method: Function, name: str) -> bool:
        """Whether an attribute of a method's object is only ever given to it, not made by it (must)."""
        owners = self._project.variable(method.symbol, method.parameters[0].name)
        values = [value for found in owners for value in self._project.assigned(found, name)]
        return bool(values) and all(isinstance(value, Local) for value in values)

    def _keeps_alive(self, root: Root, holder: Taking) -> bool:
        """Whether the holder reaches the lock from the dying object: as long as it runs, the object lives."""
        path = holder.lock.path
        function = self._project.function(path.function) if path is not None else None
        if path is None or function is None or not _is_own(path, function):
            return False
        return any(self._are_related(function.owner, dying) for dying in self._dying(root))

    def _dying(self, root: Root) -> set[str]:
        """Return the classes of the object whose end starts a finalizer, as far as they are known."""
        place = self._project.find_call(root.site)
        if place is None:
            return {root.function.rpartition(".")[0]}
        dying = place.call.arguments[0].value if place.call.arguments else None
        objects = self._project.objects(root.site.module, dying) if dying is not None else frozenset()
        return {found.symbol for found in objects}

    def _are_related(self, first: str, second: str) -> bool:
        symbols = self._project.symbols
        known = first in symbols.classes and second in symbols.classes
        return known and (first in symbols.linearise(second) or second in symbols.linearise(first))

    @cached_property
    def _by_identity(self) -> dict[Object | Place, list[Taking]]:
        found: dict[Object | Place, list[Taking]] = {}
        for takings in self._takings.values():
            for taking in takings:
                found.setdefault(taking.lock.identity, []).append(taking)
        return found

    @cached_property
    def _starts(self) -> frozenset[str]:
        return frozenset(root.function for root in self._project.roots if root.runs_in in INTERRUPTING_KINDS)

    def _reach(self, start: str) -> set[str]:
        if start not in self._reached:
            self._reached[start] = self._project.call_graph.reach({start})
        return self._reached[start]

    @cached_property
    def _interrupting(self) -> frozenset[str]:
        """All that interrupting roots run."""
        return frozenset(self._project.call_graph.reach(self._starts))


def _is_own(path: Path, method: Function) -> bool:
    """Whether a path begins at the object of a method."""
    return bool(method.owner and method.parameters) and (path.function, path.variable) == (
        method.symbol,
        method.parameters[0].name,
    )
