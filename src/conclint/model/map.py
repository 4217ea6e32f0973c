"""The map: what conclint believes about the threads, tasks, processes, locks and shared state of a project.

Roots, locks and state have an `id`, a name that stays the same while the code around it changes; they refer to each
other by it. `MAIN_ID` stands for the main thread, which is no root of the map.
"""

from __future__ import annotations

import enum

import msgspec

from conclint.model.span import Span

MAIN_ID = "main"


class Where(msgspec.Struct, frozen=True, order=True):
    """A place in the program; `function` is the name of the function around it within its module, as in Python."""

    path: str
    span: Span
    function: str


class Concurrency(enum.Enum):
    """How a root runs beside the rest of the program."""

    THREAD = "thread"
    """In parallel with the main thread and with all other roots that are THREAD, in the same memory (may)."""
    PROCESS = "process"
    """In parallel with everything, in memory of its own."""
    TURNS = "turns"
    """In a thread that runs other code too: a task or callback of an event loop, a signal handler."""


class MapSpawn(msgspec.Struct, frozen=True):
    """A place that spawns a root."""

    where: Where
    many: bool
    """Whether several may run at once (may)."""
    same_object: bool
    """Whether those certainly work on the same object, or on none (must); false for what is no THREAD."""
    roots: tuple[str, ...]
    """Where the code that spawns runs (may): ids of roots, or `main`."""


class MapRoot(msgspec.Struct, frozen=True):
    """A function at which something new begins to run."""

    id: str
    kind: str
    """The value of `catalog.rows.RunsIn`: "thread", "task", "signal", …"""
    function: str
    """Its qualified name."""
    receiver: str
    """The class of the object that it is bound to, "" where that is the class around the function, or there is none."""
    concurrency: Concurrency
    many: bool
    """Whether several may run at once (may)."""
    where: Where | None
    """The definition of the function."""
    spawns: tuple[MapSpawn, ...]
    functions: int
    """How many functions of the project it may run, itself included."""
    state: tuple[str, ...]
    """The state of the map that it may access."""
    locks: tuple[str, ...]
    """The locks that it may acquire."""


class MapAccess(msgspec.Struct, frozen=True):
    """An access to state (may)."""

    kind: str
    """The value of `AccessKind`: "read", "write", "update", "check", "iterate" or "delete"."""
    method: str
    """The method that changes a collection: "append"; "" for other accesses."""
    where: Where
    locks: tuple[str, ...]
    """The locks that are held (must)."""
    maybe_locks: tuple[str, ...]
    """The context managers that are held and may be locks, as far as conclint knows: they keep it silent."""
    roots: tuple[str, ...]
    """Where the code runs (may): ids of roots, or `main`; empty where conclint does not know who calls it."""
    atomic: bool
    """Whether the GIL makes it one step."""
    building: bool
    """Whether it happens while the object is made, or goes: before it is shared, or after."""
    misses_guard: bool
    """Whether the guard of the state is not held here (must)."""


class Sharing(enum.Enum):
    """What makes conclint believe that threads share a piece of state."""

    THREADS = "threads"
    """Two threads that it knows use the same object, and at least one of them changes it."""
    LOCK = "lock"
    """It is not certain of such threads, but most accesses are under one lock: the author expects them."""
    POSSIBLE = "possible"
    """Two threads get there, but not certainly with the same object, or not certainly at the same time."""
    CONFINED = "confined"
    """None of these."""


class Guarding(enum.Enum):
    """What protects a piece of state."""

    INFERRED = "inferred"
    """The lock that most accesses hold; where it is not held, the access `misses_guard`."""
    COMMON = "common"
    """A lock that all accesses hold, but too few to say that it is meant for this state."""
    UNGUARDED = "unguarded"
    """No lock, although threads share the state."""
    NONE = "none"
    """No lock, and conclint does not know that there should be one."""


class MapState(msgspec.Struct, frozen=True):
    """A piece of state: an attribute, a global, or a variable of a function with nested functions."""

    id: str
    kind: str
    """The value of `PlaceKind`: "attribute", "global" or "closure"."""
    path: str
    """The file of the class, module or function whose state it is."""
    sharing: Sharing
    guarding: Guarding
    guard: str
    """The id of the lock that protects it, "" where there is none."""
    accesses: tuple[MapAccess, ...]
    roots: tuple[str, ...]
    """Where its accesses run, those while the object is made apart."""


class MapAcquisition(msgspec.Struct, frozen=True):
    """A place where a lock is acquired (may)."""

    where: Where
    how: str
    """The value of `How`, or "decorator"."""
    bounded: bool
    """Whether the wait may end without the lock."""
    held: tuple[str, ...]
    """The other locks that are held there (must)."""
    roots: tuple[str, ...]


class MapLock(msgspec.Struct, frozen=True):
    """A lock, by the place in the program that makes it: all objects of a class have, here, the same one."""

    id: str
    kind: str
    """The value of `catalog.rows.Kind`: "lock", "rlock", "condition" or "semaphore"."""
    domain: str
    """What it keeps apart: "thread", "task" or "process"."""
    aliases: tuple[str, ...]
    """Other state that holds it (may): one that several calls of a function make is, to conclint, one lock."""
    path: str
    made: tuple[Where, ...]
    acquisitions: tuple[MapAcquisition, ...]
    guards: tuple[str, ...]
    """The state that it guards."""


class Action(enum.Enum):
    """What happens at a step of a way."""

    TAKE = "take"
    CALL = "call"
    WAIT = "wait"


class MapStep(msgspec.Struct, frozen=True):
    """A step from holding a lock to waiting for another one; `name` is the lock, or the function that is called."""

    action: Action
    name: str
    where: Where


class MapEdge(msgspec.Struct, frozen=True):
    """The lock `taken` is waited for while `held` is held: along each of `ways` (may)."""

    held: str
    taken: str
    in_cycle: bool
    ways: tuple[tuple[MapStep, ...], ...]


class Map(msgspec.Struct, frozen=True):
    """All of it, sorted."""

    files: int = 0
    """How many files were asked for."""
    unread: tuple[str, ...] = ()
    """The files that could not be read or parsed."""
    roots: tuple[MapRoot, ...] = ()
    state: tuple[MapState, ...] = ()
    locks: tuple[MapLock, ...] = ()
    order: tuple[MapEdge, ...] = ()
    cycles: tuple[tuple[str, ...], ...] = ()
    """Locks, each of which is held while the next one, and the last while the first, is waited for."""
    asked: tuple[str, ...] = ()
    """The ids of the roots, state and locks that were asked for by name."""
