"""A root, a lock or a piece of state, looked at closely."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from conclint.model.map import (
    MAIN_ID,
    Concurrency,
    Map,
    MapAccess,
    MapAcquisition,
    MapEdge,
    MapLock,
    MapRoot,
    MapState,
    Sharing,
)
from conclint.report.columns import Row, lay_out
from conclint.report.map_words import (
    Names,
    count,
    say_access,
    say_concurrency,
    say_guard,
    say_locks,
    say_many,
    say_place,
    say_sharing,
    say_spawn,
    say_step,
)
from conclint.report.paint import Line, Piece, Role


def draw_closely(found: Map, names: Names, width: int, *, possible: bool) -> Iterator[Line]:
    """Yield all that the map knows of what was asked for; `possible` adds to a root the state that it may share."""
    drawn: list[Iterator[Line]] = []
    drawn += [
        _draw_root(root, found, names, width, possible=possible) for root in found.roots if root.id in found.asked
    ]
    drawn += [_draw_state(state, names, width) for state in found.state if state.id in found.asked]
    drawn += [_draw_lock(lock, found, names, width) for lock in found.locks if lock.id in found.asked]
    for number, lines in enumerate(drawn):
        if number:
            yield ()
        yield from lines


def _draw_title(kind: str, name: str) -> Line:
    return Piece(f"{kind} ", Role.PLAIN), Piece(name, Role.SUBJECT)


def _draw_heading(text: str) -> Line:
    return (Piece(f"  {text}", Role.NAME),)


def _draw_properties(properties: Sequence[tuple[str, str]], width: int) -> Iterator[Line]:
    rows = [(Piece(name, Role.NAME), Piece(text)) for name, text in properties if text]
    return lay_out(rows, indent=2, width=width)


def _draw_root(root: MapRoot, found: Map, names: Names, width: int, *, possible: bool) -> Iterator[Line]:
    yield _draw_title(root.kind, root.function)
    yield from _draw_properties(
        [
            ("defined", say_place(root.where) if root.where is not None else ""),
            ("bound to", root.receiver and f"an instance of {root.receiver}"),
            ("runs", say_concurrency(root)),
            ("", say_many(root)),
            ("beside", _say_beside(root, found, names)),
            ("reaches", count(root.functions, "function")),
            ("locks", names.join(root.locks)),
        ],
        width,
    )
    if root.spawns:
        yield _draw_heading("spawned")
        yield from lay_out(
            [(Piece(say_place(one.where), Role.PATH), Piece(say_spawn(one, names))) for one in root.spawns],
            indent=4,
            width=width,
        )
    if root.concurrency is not Concurrency.PROCESS:
        yield from _draw_touched(root, found, names, width, possible=possible)


def _draw_touched(root: MapRoot, found: Map, names: Names, width: int, *, possible: bool) -> Iterator[Line]:
    """Yield the state that a root uses, with its accesses."""
    touched = [state for state in found.state if state.id in root.state]
    shown = [state for state in touched if possible or state.sharing is not Sharing.POSSIBLE]
    if shown:
        yield _draw_heading("state that it shares")
    for state in shown:
        yield from lay_out(
            [(Piece(names[state.id], Role.SUBJECT), Piece(say_guard(state, names)))], indent=4, width=width
        )
        accesses = (one for one in state.accesses if root.id in one.roots and not one.building)
        rows = [(*_begin_access(one), Piece(f"{one.where.function}, {say_locks(one, names)}")) for one in accesses]
        yield from lay_out(rows, indent=8, width=width)
    if len(shown) < len(touched):
        rest = f"  {count(len(touched) - len(shown), 'piece')} of state that it may share: --possible"
        yield (Piece(rest, Role.NOTE),)


def _say_beside(root: MapRoot, found: Map, names: Names) -> str:
    """Name the threads that run in parallel with a root in the same memory."""
    if root.concurrency is not Concurrency.THREAD:
        return ""
    others = (one.id for one in found.roots if one.concurrency is Concurrency.THREAD and (one.many or one is not root))
    return ", ".join(names.root(name) for name in (MAIN_ID, *others))


def _draw_state(state: MapState, names: Names, width: int) -> Iterator[Line]:
    yield _draw_title(state.kind, state.id)
    yield from _draw_properties([(state.sharing.value, say_sharing(state)), ("guard", say_guard(state, names))], width)
    for where, group in itertools.groupby(state.accesses, key=lambda one: (one.where.path, one.where.function)):
        accesses = list(group)
        running = "before it is shared, or after" if accesses[0].building else names.running(accesses[0].roots)
        yield from lay_out([(Piece(where[1], Role.NAME), Piece(running))], indent=2, width=width)
        rows = [(*_begin_access(one), Piece(say_locks(one, names))) for one in accesses]
        yield from lay_out(rows, indent=4, width=width)


def _begin_access(access: MapAccess) -> Row:
    role = Role.ALARM if access.misses_guard else Role.PLAIN
    mark = "!" if access.misses_guard else " "
    return Piece(say_place(access.where), Role.PATH), Piece(f"{mark} {say_access(access)}", role)


def _draw_lock(lock: MapLock, found: Map, names: Names, width: int) -> Iterator[Line]:
    yield _draw_title(f"{lock.domain} {lock.kind}", lock.id)
    yield from _draw_properties(
        [
            ("made", ", ".join(map(say_place, lock.made))),
            ("also", names.join(lock.aliases)),
            ("guards", names.join(lock.guards)),
        ],
        width,
    )
    yield _draw_heading("acquired" if lock.acquisitions else "acquired nowhere")
    for where, group in itertools.groupby(lock.acquisitions, key=lambda one: (one.where.path, one.where.function)):
        acquisitions = list(group)
        running = names.running(acquisitions[0].roots)
        yield from lay_out([(Piece(where[1], Role.NAME), Piece(running))], indent=4, width=width)
        rows = [(Piece(say_place(one.where), Role.PATH), Piece(_say_acquisition(one, names))) for one in acquisitions]
        yield from lay_out(rows, indent=6, width=width)
    yield from _draw_edges(
        "waited for while it is held", [one for one in found.order if one.held == lock.id], names, width
    )
    yield from _draw_edges(
        "held while it is waited for", [one for one in found.order if one.taken == lock.id], names, width
    )


def _say_acquisition(acquisition: MapAcquisition, names: Names) -> str:
    bounded = ", which may end without it" if acquisition.bounded else ""
    held = f", under {names.join(acquisition.held)}" if acquisition.held else ""
    return f"{acquisition.how}{bounded}{held}"


def _draw_edges(heading: str, edges: Sequence[MapEdge], names: Names, width: int) -> Iterator[Line]:
    if edges:
        yield _draw_heading(heading)
    for edge in edges:
        other = edge.taken if heading.startswith("waited") else edge.held
        cycle = Piece("  (in a cycle)" if edge.in_cycle else "", Role.ALARM)
        yield Piece("    "), Piece(names[other], Role.SUBJECT), cycle
        for number, way in enumerate(edge.ways):
            if number:
                yield (Piece("        or", Role.NOTE),)
            rows = [(Piece(say_place(step.where), Role.PATH), Piece(say_step(step, names))) for step in way]
            yield from lay_out(rows, indent=8, width=width)
