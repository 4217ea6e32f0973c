"""Races: pairs of accesses to one place by threads of control that may run in parallel, without a common lock."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint.model.facts import AccessKind, Use
from conclint.model.values import Attribute, ValueId
from conclint.project.handles import Handles
from conclint.project.happens_before import HappensBefore
from conclint.project.objects import ObjectKind
from conclint.project.parallel import Control
from conclint.project.places import Place, PlaceKind
from conclint.project.roots import Root
from conclint.project.shared import SharedAccess

if TYPE_CHECKING:
    from conclint.project.project import CallPlace, Project

_CONFINED = frozenset({"threading.local", "_thread._local"})


class Race(NamedTuple):
    """An update, by a thread of control, and other writes of the same place that it may interleave with (may).

    Of two updates, the one in a thread that the program spawns stands for both, else the first.
    """

    place: Place
    access: SharedAccess
    control: Control
    others: tuple[tuple[SharedAccess, Control], ...]
    """The first one is the update itself where several threads make it at once."""


class Races:
    """Finds lost updates, and what else may meet."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._handled: dict[tuple[str, str], set[str]] = {}

    @cached_property
    def lost_updates(self) -> tuple[Race, ...]:
        """The UPDATEs that other writes in parallel threads of control may overwrite, each pair once."""
        return tuple(self._iter_lost_updates())

    def _iter_lost_updates(self) -> Iterator[Race]:
        for place, accesses in self._project.shared.by_place.items():
            if not self._project.declarations.is_settled(place):
                writes = [access for access in accesses if access.is_write and not self._is_confined(access)]
                yield from self._find_races(place, writes).values()

    def _find_races(self, place: Place, writes: list[SharedAccess]) -> dict[SharedAccess, Race]:
        """Return the races for a place, by the update that stands for them."""
        found: dict[SharedAccess, Race] = {}
        pairs: set[frozenset[SharedAccess]] = set()
        for access in writes:
            race = self._find_rival(place, access, writes) if access.kind is AccessKind.UPDATE else None
            if race is None or (pair := frozenset({access, race.others[0][0]})) in pairs:
                continue
            pairs.add(pair)
            race = _turn(race)
            known = found.get(race.access)
            found[race.access] = race if known is None else known._replace(others=(*known.others, *race.others))
        return found

    def _find_rival(self, place: Place, access: SharedAccess, writes: list[SharedAccess]) -> Race | None:
        # The update itself, run by two threads at once, is the clearest rival of all.
        rivals = [access, *(other for other in writes if other is not access)]
        for other in rivals:
            if other.sets_up:
                continue
            if access.lockset & other.lockset or other.place.element != access.place.element:
                continue
            pair = self.find_pair(place, access, other)
            if pair is not None:
                return Race(place, access, pair[0], ((other, pair[1]),))
        return None

    def find_pair(self, place: Place, access: SharedAccess, other: SharedAccess) -> tuple[Control, Control] | None:
        """Return two threads of control that make the two accesses, may run in parallel and share the place."""
        for first in self._project.parallel.controls(access.function):
            for second in self._project.parallel.controls(other.function):
                if not self._meet(place, first, access, second, other):
                    continue
                if not self.happens_before.are_ordered(first, access, second, other):
                    return first, second
        return None

    def _meet(self, place: Place, first: Control, access: SharedAccess, second: Control, other: SharedAccess) -> bool:
        if self.are_parallel(first, second) and self.is_shared(place, first, access.function, second, other.function):
            return True
        accesses = (access, other)
        return first == second and all(self.is_common(first, place, one.module, one.target) for one in accesses)

    def is_common(self, control: Control, place: Place, module: int, target: ValueId) -> bool:
        """Return whether the threads of a root certainly share the object whose attribute `target` is."""
        if control.root is None or place.kind is not PlaceKind.ATTRIBUTE or self._is_awaited(control.root):
            return False
        if self._project.symbols.find_external_base(place.owner) in _CONFINED:
            return False
        return self.handles.is_common(control.root, module, target)

    @cached_property
    def handles(self) -> Handles:
        """Which variables lead to the same object in several threads or tasks."""
        return Handles(self._project)

    @cached_property
    def happens_before(self) -> HappensBefore:
        """Which accesses come one after the other."""
        return HappensBefore(self._project)

    @staticmethod
    def are_parallel(first: Control, second: Control) -> bool:
        """Return whether two threads of control may run at once; one with itself if it has many threads."""
        return first.many if first == second else True

    def is_shared(self, place: Place, first: Control, symbol: str, second: Control, other: str) -> bool:
        """Return whether two functions, each in its thread, certainly use the same object.

        They do for globals, for the variables of a function around a root, and for the attributes of the object that
        a root is bound to: then both functions must be methods of its class, or nested in one.
        """
        if place.kind is PlaceKind.GLOBAL:
            return True
        roots = [control.root for control in (first, second) if control.root is not None]
        if place.kind is PlaceKind.CLOSURE:
            return any(root.function.startswith(f"{place.owner}.<locals>.") for root in roots)
        # An object that is its own thread is that of the thread that made it too, but not that of another such thread.
        if not all(
            self._project.parallel.has_shared_receiver(root)
            for root in roots
            if first == second or not self._is_own_thread(root)
        ):
            return False
        if any(self._is_awaited(root) for root in roots) or self._exclude_each_other(roots):
            return False
        if len(roots) == 1 and not self._is_handled(roots[0], symbol if first.root is None else other):
            return False
        owners = {self._find_class(symbol), self._find_class(other), place.owner}
        classes = [self._receiver_class(root) for root in roots]
        lines = [self._project.symbols.linearise(one) for one in classes]
        # No object is of two classes of which none derives from the other.
        if not lines or not (classes[0] in lines[-1] or classes[-1] in lines[0]):
            return False
        return all(owner in line for line in lines for owner in owners)

    def _is_handled(self, root: Root, symbol: str) -> bool:
        """Whether the main thread gets to the object of `target=self.helper.run` by that attribute, or owns it anyway.

        What it does with other objects of the class, it does not do with this one.
        """
        spawn = self._project.find_call(root.site)
        handle = self._project.parallel.find_handle(root) if spawn is not None and spawn.function.owner else ""
        return not handle or spawn is None or symbol in self._reach_by(spawn.function.owner, handle)

    def _reach_by(self, owner: str, handle: str) -> set[str]:
        """Return the functions that calls on an attribute of a class lead to: `self.helper.add(1)`."""
        if (owner, handle) not in self._handled:
            symbols = self._project.symbols
            family = {owner, *symbols.linearise(owner), *symbols.subclasses.get(owner, ())}
            called = {
                target.function
                for place, holder in self._calls_by_attribute.get(handle, ())
                if family & {found.symbol for found in self._project.objects(place.site.module, holder)}
                for target in self._project.callees(place.site)
            }
            self._handled[owner, handle] = self._project.call_graph.reach(called)
        return self._handled[owner, handle]

    @cached_property
    def _calls_by_attribute(self) -> dict[str, list[tuple[CallPlace, ValueId]]]:
        """The calls of methods of attributes, with the objects that have these: `app.helper.add(1)` by "helper"."""
        found: dict[str, list[tuple[CallPlace, ValueId]]] = {}
        for place in self._project.calls:
            values = place.facts.values
            callee = values[place.call.callee]
            base = values[callee.base] if isinstance(callee, Attribute) else None
            if isinstance(base, Attribute):
                found.setdefault(base.name, []).append((place, base.base))
        return found

    def _exclude_each_other(self, roots: list[Root]) -> bool:
        """Whether one method overrides the other: `target=self.work` runs only one of them on any object."""
        methods = {root.function for root in roots if self._find_class(root.function)}
        return len(methods) > 1 and len({method.rpartition(".")[2] for method in methods}) == 1

    @staticmethod
    def _is_own_thread(root: Root) -> bool:
        """Whether the receiver is the thread itself: the attributes of a subclass of `Thread`."""
        return root.receiver is not None and root.receiver.site == root.site

    def _is_awaited(self, root: Root) -> bool:
        """Whether whoever spawns waits at once: `await loop.run_in_executor(None, self.read)` hands the object over."""
        spawn = self._project.find_call(root.site)
        return spawn is not None and spawn.call.use is Use.AWAITED

    def _receiver_class(self, root: Root) -> str:
        """Return the class whose instance a root works on: its receiver, or `self` of the method around it."""
        if root.receiver is not None and root.receiver.kind is ObjectKind.INSTANCE:
            return root.receiver.symbol
        return self._find_class(root.function)

    def _find_class(self, symbol: str) -> str:
        """Return the class of the method that a function is, or is nested in; "" where there is none."""
        owner = symbol.partition(".<locals>.")[0].rpartition(".")[0]
        return owner if owner in self._project.symbols.classes else ""

    def _is_confined(self, access: SharedAccess) -> bool:
        return self._project.shared.is_quiet(access.function)


def _turn(race: Race) -> Race:
    """Return the race as its other end tells it, where that is the one to report."""
    ((other, control),) = race.others
    if other.kind is not AccessKind.UPDATE:
        return race
    turned = Race(race.place, other, control, ((race.access, race.control),))
    return min(race, turned, key=lambda one: (one.control.root is None, one.access.module, one.access.span))
