"""What roots, locks and state are called in the map, and where they stand."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from conclint.catalog.rows import LOCK_KINDS
from conclint.model.facts import Acquisition, Call, Flow
from conclint.model.map import Where
from conclint.model.span import FILE_START, Span
from conclint.project.locks import Lock, find_lock_sites
from conclint.project.objects import Object, ObjectKind, Site
from conclint.project.places import Place, PlaceKind

if TYPE_CHECKING:
    from conclint.project.project import Project
    from conclint.project.roots import Root

Identity = Object | Place
_MODULE_BODY = "<module>"


class Names:
    """Gives the ids."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def where(self, module: int, span: Span, function: str) -> Where:
        """Return a place in the body of a function, given by its symbol."""
        facts = self._project.modules[module]
        return Where(facts.path, span, function.removeprefix(f"{facts.module}."))

    def definition(self, symbol: str) -> Where | None:
        """Return where a function is defined."""
        place, function = self._project.place(symbol), self._project.function(symbol)
        return self.where(place.module, function.span, symbol) if place is not None and function is not None else None

    def site(self, site: Site) -> tuple[str, Where] | None:
        """Return the function, by its symbol, around a fact, and its place; None for sites of other kinds."""
        facts = self._project.modules[site.module]
        kinds: dict[str, tuple[Call | Acquisition | Flow, ...]] = {
            "call": facts.calls,
            "acquisition": facts.acquisitions,
            "flow": facts.flows,
        }
        if site.what not in kinds:
            return None
        fact = kinds[site.what][site.index]
        symbol = facts.functions[fact.function].symbol
        return symbol, self.where(site.module, fact.span, symbol)

    def root(self, root: Root) -> str:
        """Return the id of a root. Those that differ by the place of their spawn only share it."""
        receiver = self.receiver(root)
        return f"{root.runs_in.value}:{root.function}{f'@{receiver}' if receiver else ''}"

    def receiver(self, root: Root) -> str:
        """Return the class of the object that a root is bound to, "" where its function says so already."""
        receiver = root.receiver
        if receiver is None or receiver.kind not in (ObjectKind.INSTANCE, ObjectKind.CLASS):
            return ""
        function = self._project.function(root.function)
        return "" if function is not None and function.owner == receiver.symbol else receiver.symbol

    @staticmethod
    def state(place: Place) -> str:
        """Return the id of a piece of state."""
        nested = ".<locals>" if place.kind is PlaceKind.CLOSURE else ""
        return f"{place.owner}{nested}.{place.name}{'[…]' if place.element else ''}"

    def path(self, place: Place) -> str:
        """Return the file of the class, module or function whose state a place is."""
        owner = place.owner
        while owner and owner not in self._paths:
            owner = owner.rpartition(".")[0]
        return self._paths.get(owner, "")

    @cached_property
    def _paths(self) -> dict[str, str]:
        return {facts.module: facts.path for facts in self._project.modules}

    @cached_property
    def locks(self) -> dict[Identity, Lock]:
        """All that certainly is a lock, acquired or not, sorted by the ids."""
        found = {lock.identity: lock for _, _, _, lock in find_lock_sites(self._project)}
        for symbol in self._project.symbols.functions:
            for wrapped in self._project.locks.wrappers.find(symbol):
                if wrapped.lock.is_known:
                    found.setdefault(wrapped.lock.identity, wrapped.lock)
        alike = {one for held in found if isinstance(held, Place) for one in self._objects(held)}
        for made, lock in self._iter_made():
            if made not in alike:
                found.setdefault(lock.identity, lock)
        return found

    def _iter_made(self) -> Iterator[tuple[Object, Lock]]:
        """Yield the locks that calls make, apart from a Condition that is another lock."""
        # What a factory makes is that of its callers.
        inner = set(self._project.links.factories.values())
        for place in self._project.calls:
            for made in self._project.result(place.site) if place.site not in inner else ():
                row = self._project.class_row(made) if made.site == place.site else None
                if row is not None and row.kind in LOCK_KINDS and self._project.locks.identify(made) == made:
                    yield made, Lock(made, row.kind, row.domain)

    def made(self, identity: Identity) -> tuple[Where, ...]:
        """Return where a lock is made."""
        objects = self._objects(identity) if isinstance(identity, Place) else {identity}
        sites = (self.site(found.site) for found in objects if found.site is not None and self._is_lock(found))
        return tuple(sorted(site[1] for site in sites if site is not None))

    def _objects(self, place: Place) -> set[Object]:
        found = set(self._project.place_objects(place))
        return {one for each in found for one in self._project.elements(each)} if place.element else found

    def _is_lock(self, found: Object) -> bool:
        row = self._project.class_row(found)
        return row is not None and row.kind in LOCK_KINDS

    def lock(self, identity: Identity) -> str:
        """Return the id of a lock."""
        return self._lock_ids[identity]

    @cached_property
    def _lock_ids(self) -> dict[Identity, str]:
        named = {identity: self._name_lock(identity) for identity in self.locks}
        ids: dict[Identity, str] = {}
        taken: dict[str, int] = {}
        for identity in sorted(named, key=lambda one: (named[one], self.made(one), repr(one))):
            name = named[identity]
            taken[name] = taken.get(name, 0) + 1
            ids[identity] = name if taken[name] == 1 else f"{name}#{taken[name]}"
        return ids

    def _name_lock(self, identity: Identity) -> str:
        places = (identity,) if isinstance(identity, Place) else self._lock_places.get(identity, ())
        if places:
            return self.state(places[0])
        made = self.site(identity.site) if isinstance(identity, Object) and identity.site is not None else None
        line = (made[1].span if made is not None else FILE_START).line
        return f"{made[0] if made is not None else identity}.<lock:{line}>".replace(f".{_MODULE_BODY}", "")

    def aliases(self, identity: Identity) -> tuple[str, ...]:
        """Return the other attributes and globals that may hold a lock."""
        places = self._lock_places.get(identity, ()) if isinstance(identity, Object) else ()
        return tuple(self.state(place) for place in places[1:] if place.kind is not PlaceKind.CLOSURE)

    @cached_property
    def _lock_places(self) -> dict[Identity, tuple[Place, ...]]:
        """The places that hold each lock: attributes and globals before variables."""
        found: dict[Identity, set[Place]] = {}
        for place in self._project.shared.by_place:
            for held in self._project.place_objects(place):
                if held in self.locks:
                    found.setdefault(held, set()).add(place)
        for module, _, entry, lock in find_lock_sites(self._project):
            named = self._project.places.find(module, entry.value)
            if named is not None:
                found.setdefault(lock.identity, set()).add(named)
        return {identity: tuple(sorted(places, key=_lasting_first)) for identity, places in found.items()}


def _lasting_first(place: Place) -> tuple[bool, bool, str, str]:
    return place.kind is PlaceKind.CLOSURE, place.element, place.owner, place.name
