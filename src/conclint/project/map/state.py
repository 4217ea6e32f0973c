"""The state of the map: who accesses it, under which locks, and what makes conclint believe that it is shared."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from conclint.catalog.rows import LOCK_KINDS
from conclint.model.map import Guarding, MapAccess, MapState, Sharing
from conclint.project.parallel import Control
from conclint.project.places import Place
from conclint.project.races import Races
from conclint.project.shared import SharedAccess

if TYPE_CHECKING:
    from conclint.project.guards import Guard
    from conclint.project.map.names import Names
    from conclint.project.map.roots import MapRoots
    from conclint.project.project import Project


class MapStates:
    """Collects the state."""

    def __init__(self, project: Project, names: Names, roots: MapRoots) -> None:
        self._project, self._names, self._roots = project, names, roots

    def collect(self, is_asked: Callable[[str], bool]) -> tuple[MapState, ...]:
        """Return the state that threads share, or may share, and that whose id is asked for whether or not they do."""
        found = (
            self._describe(place, accesses, is_asked=is_asked(self._names.state(place)))
            for place, accesses in self._project.shared.by_place.items()
            if not self._is_lock(place)
        )
        return tuple(sorted((state for state in found if state is not None), key=lambda state: state.id))

    def _is_lock(self, place: Place) -> bool:
        rows = (self._project.class_row(found) for found in self._project.place_objects(place))
        return any(row is not None and row.kind in LOCK_KINDS for row in rows)

    def _describe(self, place: Place, accesses: tuple[SharedAccess, ...], *, is_asked: bool) -> MapState | None:
        guard = self._project.guards.find(place)
        seen = tuple(access for access in accesses if not self._project.shared.is_quiet(access.function))
        sharing = self._find_sharing(place, seen)
        if sharing is not Sharing.THREADS and guard is not None:
            sharing = Sharing.LOCK
        # What nobody assigns is a method, or a name from elsewhere.
        if sharing is Sharing.CONFINED and not (is_asked and any(access.is_write for access in accesses)):
            return None
        guarding, lock = self._find_guarding(guard, seen, sharing)
        running = sorted({name for access in seen for name in self._roots.running(access.function)})
        return MapState(
            self._names.state(place),
            place.kind.value,
            self._names.path(place),
            sharing,
            guarding,
            lock,
            tuple(self._describe_access(access, guard) for access in accesses),
            tuple(running),
        )

    def _find_guarding(
        self, guard: Guard | None, seen: tuple[SharedAccess, ...], sharing: Sharing
    ) -> tuple[Guarding, str]:
        # What a comment names may be no lock at all.
        if guard is not None and guard.identity in self._names.locks:
            return Guarding.INFERRED, self._names.lock(guard.identity)
        common = frozenset.intersection(*(access.lockset for access in seen)) if seen else frozenset()
        locks = sorted(self._names.lock(one) for one in common if one in self._names.locks)
        if locks:
            return Guarding.COMMON, locks[0]
        return (Guarding.UNGUARDED if sharing is Sharing.THREADS else Guarding.NONE), ""

    def _describe_access(self, access: SharedAccess, guard: Guard | None) -> MapAccess:
        known = {one for one in access.lockset if one in self._names.locks}
        maybe = (one for one in access.lockset if one not in known and isinstance(one, Place))
        return MapAccess(
            access.kind.value,
            access.method,
            self._names.where(access.module, access.span, access.function),
            tuple(sorted(map(self._names.lock, known))),
            tuple(sorted(map(self._names.state, maybe))),
            self._roots.running(access.function),
            access.atomic,
            self._project.shared.is_quiet(access.function),
            guard is not None and access in guard.unguarded,
        )

    def _find_sharing(self, place: Place, seen: tuple[SharedAccess, ...]) -> Sharing:
        writes = [access for access in seen if access.is_write]
        controls = {access.function: self._project.parallel.controls(access.function) for access in seen}
        if not any(
            _meet(controls[one], controls[other]) for one in {each.function for each in writes} for other in controls
        ):
            return Sharing.CONFINED
        races = self._project.races
        found = any(races.find_pair(place, write, other) is not None for write in writes for other in seen)
        return Sharing.THREADS if found else Sharing.POSSIBLE


def _meet(first: tuple[Control, ...], second: tuple[Control, ...]) -> bool:
    return any(Races.are_parallel(one, other) for one in first for other in second)
