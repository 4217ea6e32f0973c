"""The map as JSON, for tools; docs/map.md says what every key means."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from conclint.model.map import Map, MapAccess, MapAcquisition, MapEdge, MapLock, MapRoot, MapState, MapStep, Where

VERSION = 1
"""Of the format: new keys do not change it."""

_Value = None | str | int | Sequence["_Value"] | Mapping[str, "_Value"]


def render_map_json(found: Map) -> str:
    """Write one object. What was asked for by name is all that there is in it, with the edges of such locks."""
    document: Mapping[str, _Value] = {
        "version": VERSION,
        "files": found.files,
        "unread": found.unread,
        "roots": [_root(root) for root in found.roots if _is_asked(found, root.id)],
        "state": [_state(state) for state in found.state if _is_asked(found, state.id)],
        "locks": [_lock(lock) for lock in found.locks if _is_asked(found, lock.id)],
        "order": [_edge(edge) for edge in found.order if _is_asked(found, edge.held, edge.taken)],
        "cycles": [cycle for cycle in found.cycles if _is_asked(found, *cycle)],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _is_asked(found: Map, *names: str) -> bool:
    return not found.asked or any(name in found.asked for name in names)


def _root(root: MapRoot) -> dict[str, _Value]:
    return {
        "id": root.id,
        "kind": root.kind,
        "function": root.function,
        "receiver": root.receiver or None,
        "concurrency": root.concurrency.value,
        "many": root.many,
        "location": _place(root.where) if root.where is not None else None,
        "spawns": [
            {**_place(one.where), "many": one.many, "same_object": one.same_object, "roots": one.roots}
            for one in root.spawns
        ],
        "functions": root.functions,
        "state": root.state,
        "locks": root.locks,
    }


def _state(state: MapState) -> dict[str, _Value]:
    return {
        "id": state.id,
        "kind": state.kind,
        "filename": state.path,
        "sharing": state.sharing.value,
        "guarding": state.guarding.value,
        "guard": state.guard or None,
        "roots": state.roots,
        "accesses": [_access(access) for access in state.accesses],
    }


def _access(access: MapAccess) -> dict[str, _Value]:
    return {
        **_place(access.where),
        "kind": access.kind,
        "method": access.method or None,
        "locks": access.locks,
        "maybe_locks": access.maybe_locks,
        "roots": access.roots,
        "atomic": access.atomic,
        "building": access.building,
        "misses_guard": access.misses_guard,
    }


def _lock(lock: MapLock) -> dict[str, _Value]:
    return {
        "id": lock.id,
        "kind": lock.kind,
        "domain": lock.domain,
        "aliases": lock.aliases,
        "filename": lock.path,
        "made": _places(lock.made),
        "acquisitions": [_acquisition(one) for one in lock.acquisitions],
        "guards": lock.guards,
    }


def _acquisition(one: MapAcquisition) -> dict[str, _Value]:
    return {**_place(one.where), "how": one.how, "bounded": one.bounded, "held": one.held, "roots": one.roots}


def _edge(edge: MapEdge) -> dict[str, _Value]:
    return {
        "held": edge.held,
        "taken": edge.taken,
        "in_cycle": edge.in_cycle,
        "ways": [[_step(step) for step in way] for way in edge.ways],
    }


def _step(step: MapStep) -> dict[str, _Value]:
    return {**_place(step.where), "action": step.action.value, "name": step.name}


def _places(places: Iterable[Where]) -> list[Mapping[str, _Value]]:
    return [_place(place) for place in places]


def _place(where: Where) -> dict[str, _Value]:
    span = where.span
    return {
        "filename": where.path,
        "location": {"row": span.line, "column": span.column},
        "end_location": {"row": span.end_line, "column": span.end_column},
        "in": where.function,
    }
