"""The map as text: an overview, its sections in full, or what was asked for by name."""

from __future__ import annotations

import enum
import itertools
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from conclint.model.map import Concurrency, Guarding, Map, MapAccess, MapEdge, MapLock, MapRoot, MapState, Sharing
from conclint.report.columns import Row, lay_out, wrap
from conclint.report.map_close import draw_closely
from conclint.report.map_words import (
    Names,
    count,
    iter_seen,
    needs_attention,
    say_access,
    say_concurrency,
    say_guard,
    say_many,
    say_place,
    say_spawn,
    say_step,
)
from conclint.report.paint import Line, Piece, Role, paint

_FEW = 8
"""So many entries of each section stand in the overview."""
_FEW_ROOTS = 3
"""Of each kind."""
_FEW_ACCESSES = 4
_CONCURRENCY = tuple(Concurrency)


class Section(str, enum.Enum):
    """A part of the map; the values are those of the flags of `conclint map`."""

    ROOTS = "roots"
    STATE = "state"
    LOCKS = "locks"


def render_map_text(
    found: Map, *, sections: Collection[Section] = (), possible: bool = False, color: bool = False, width: int = 100
) -> str:
    """Write the map: its `sections` in full, or all of them in short where none is named.

    `possible` adds the state that threads may share. What was asked for by name is written instead of the sections.
    """
    names = Names(found)
    if found.asked:
        return paint(draw_closely(found, names, width, possible=possible), color=color)
    if not (found.roots or found.locks or found.state):
        return f"Nothing runs concurrently here: no roots, no locks, no shared state in {count(found.files, 'file')}.\n"
    return paint(_iter_lines(found, names, sections, width, possible=possible), color=color)


def _iter_lines(
    found: Map, names: Names, sections: Collection[Section], width: int, *, possible: bool
) -> Iterator[Line]:
    yield from wrap(_summarise(found), indent=0, width=width)
    most = None if sections else _FEW
    if Section.ROOTS in sections or not sections:
        yield from _draw_roots(found.roots, names, width, most and _FEW_ROOTS)
    if Section.STATE in sections or not sections:
        yield from _draw_state(found.state, names, width, most, possible=possible)
    if Section.LOCKS in sections or not sections:
        yield from _draw_locks(found.locks, names, width, most)
        yield from _draw_order(found.order, names, width, most)


def _summarise(found: Map) -> str:
    shared = sum(state.sharing is not Sharing.POSSIBLE for state in found.state)
    parts = [
        count(len(found.roots), "root"),
        f"{count(shared, 'piece')} of shared state",
        count(len(found.locks), "lock"),
    ]
    if found.cycles:
        parts.append(f"{count(len(found.cycles), 'cycle')} in their order")
    return f"{count(found.files, 'file')}: {', '.join(parts)}"


def _draw_heading(text: str) -> Iterator[Line]:
    yield ()
    yield (Piece(text, Role.NAME),)


def _draw_more(number: int, most: int | None, section: Section) -> Iterator[Line]:
    if most is not None and number > most:
        yield (Piece(f"  {number - most} more: conclint map --{section.value}", Role.NOTE),)


def _draw_roots(roots: Sequence[MapRoot], names: Names, width: int, most: int | None) -> Iterator[Line]:
    by_kind = sorted(roots, key=lambda root: (_CONCURRENCY.index(root.concurrency), root.kind, root.id))
    for kind, group in itertools.groupby(by_kind, key=lambda root: root.kind):
        alike = list(group)
        yield from _draw_heading(f"Roots: {kind} ({len(alike)})")
        yield from wrap(say_concurrency(alike[0]), indent=2, width=width)
        for root in alike[:most]:
            yield from _draw_root(root, names, width, most)
        yield from _draw_more(len(alike), most, Section.ROOTS)


def _draw_root(root: MapRoot, names: Names, width: int, most: int | None) -> Iterator[Line]:
    many = say_many(root)
    yield Piece("  "), Piece(names.root(root.id), Role.SUBJECT), Piece(f"  ({many})" if many else "", Role.STEP)
    rows = [(Piece(say_place(one.where), Role.PATH), Piece(say_spawn(one, names))) for one in root.spawns[:most]]
    if not rows and root.where is not None:
        rows = [(Piece(say_place(root.where), Role.PATH), Piece("its definition; it is run by name or decorator"))]
    yield from lay_out(rows, indent=6, width=width)
    if len(root.spawns) > len(rows):
        yield (Piece(f"      and at {count(len(root.spawns) - len(rows), 'other place')}", Role.NOTE),)


def _draw_state(
    state: Sequence[MapState], names: Names, width: int, most: int | None, *, possible: bool
) -> Iterator[Line]:
    shown = sorted(
        (one for one in state if possible or one.sharing is not Sharing.POSSIBLE), key=lambda one: (one.path, one.id)
    )
    if shown:
        yield from _draw_heading(f"Shared state ({len(shown)})")
    listed = shown if most is None else [one for one in shown if needs_attention(one)][:most]
    for path, group in itertools.groupby(listed, key=lambda one: one.path):
        yield (Piece(f"  {path}", Role.PATH),)
        for one in group:
            yield from _draw_one_state(one, names, width)
    if len(shown) > len(listed):
        others = [one for one in shown if one not in listed]
        yield from wrap(f"{_count_guards(others)} (conclint map --state)", indent=2, width=width)


def _draw_one_state(state: MapState, names: Names, width: int) -> Iterator[Line]:
    warned = needs_attention(state)
    doubt = " (not certainly shared)" if state.sharing is Sharing.POSSIBLE else ""
    row: Row = (
        Piece("!" if warned else " ", Role.ALARM),
        Piece(names[state.id], Role.SUBJECT),
        Piece(f"{say_guard(state, names)}{doubt}"),
    )
    yield from lay_out([row], indent=2, width=width)
    accesses = [one for one in iter_seen(state) if warned and _is_worth_showing(one, state)]
    rows = [
        (
            Piece(say_place(one.where), Role.PATH),
            Piece(say_access(one)),
            Piece(f"{one.where.function}, {names.running(one.roots)}"),
        )
        for one in accesses[:_FEW_ACCESSES]
    ]
    yield from lay_out(rows, indent=8, width=width)
    if len(accesses) > _FEW_ACCESSES:
        more = f"{len(accesses) - _FEW_ACCESSES} more: conclint map --name {names[state.id]}"
        yield (Piece(f"        {more}", Role.NOTE),)


def _is_worth_showing(access: MapAccess, state: MapState) -> bool:
    return state.guarding is Guarding.UNGUARDED or (access.misses_guard and access.kind != "read")


def _count_guards(state: Sequence[MapState]) -> str:
    kinds = Counter(map(_say_kind_of_guard, state))
    return ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))


def _say_kind_of_guard(state: MapState) -> str:
    if needs_attention(state):
        return "like these"
    if not state.guard:
        return "without a lock and changed in single steps"
    return "read without the lock" if any(one.misses_guard for one in state.accesses) else "always under a lock"


def _draw_locks(locks: Sequence[MapLock], names: Names, width: int, most: int | None) -> Iterator[Line]:
    shown = sorted(locks, key=lambda lock: (lock.path, lock.id))
    if shown:
        yield from _draw_heading(f"Locks ({len(shown)})")
    for path, group in itertools.groupby(shown[:most], key=lambda lock: lock.path):
        yield (Piece(f"  {path}", Role.PATH),)
        rows = [(Piece(names[lock.id], Role.SUBJECT), Piece(_say_lock(lock))) for lock in group]
        yield from lay_out(rows, indent=4, width=width)
    yield from _draw_more(len(shown), most, Section.LOCKS)


def _say_lock(lock: MapLock) -> str:
    kind = lock.kind if lock.domain == "thread" else f"{lock.domain} {lock.kind}"
    acquired = f"acquired in {count(len(lock.acquisitions), 'place')}" if lock.acquisitions else "acquired nowhere"
    guards = f", guards {count(len(lock.guards), 'piece')} of state" if lock.guards else ""
    aliases = f", also in {count(len(lock.aliases), 'other place')}" if lock.aliases else ""
    return f"{kind}, {acquired}{guards}{aliases}"


def _draw_order(order: Sequence[MapEdge], names: Names, width: int, most: int | None) -> Iterator[Line]:
    shown = sorted(order, key=lambda edge: (not edge.in_cycle, edge.held, edge.taken))
    if shown:
        yield from _draw_heading(f"Lock order: held -> taken ({len(shown)})")
    for edge in shown[:most]:
        yield (
            Piece("! " if edge.in_cycle else "  ", Role.ALARM),
            Piece(f"{names[edge.held]} -> {names[edge.taken]}", Role.SUBJECT),
            Piece("  (in a cycle)" if edge.in_cycle else "", Role.ALARM),
        )
        way = edge.ways[0]
        steps = way if edge.in_cycle else way[-1:]
        rows = [(Piece(say_place(step.where), Role.PATH), Piece(say_step(step, names))) for step in steps]
        yield from lay_out(rows, indent=6, width=width)
    yield from _draw_more(len(shown), most, Section.LOCKS)
