"""How the map is put into words: short names, and what is said of a root, an access, a guard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from conclint.model.map import (
    MAIN_ID,
    Action,
    Concurrency,
    Guarding,
    Map,
    MapAccess,
    MapRoot,
    MapSpawn,
    MapState,
    MapStep,
    Sharing,
    Where,
)

_LEAST_PARTS = 2
_NAMED_ROOTS = 2
"""More roots than these are counted, not named."""

_TURNS = {
    "task": "in turns with what else its event loop runs: at each await",
    "loop-callback": "in turns with what else its event loop runs",
    "signal": "in the main thread, between any two steps of it",
    "finalizer": "in whatever thread drops the last reference, between any two steps of it",
    "atexit": "in the main thread, when the program ends",
}
"""What is known of kinds of roots that share their thread. Other kinds need no entry."""


class Names:
    """The shortest names that tell the roots, the locks and the state of a map apart."""

    def __init__(self, found: Map) -> None:
        functions = _shorten({root.function for root in found.roots})
        self._roots = {MAIN_ID: "the main thread"}
        for root in found.roots:
            receiver = f" of {root.receiver.rpartition('.')[2]}" if root.receiver else ""
            self._roots[root.id] = f"{functions[root.function]}{receiver}"
        self._others = _shorten({state.id for state in found.state} | {lock.id for lock in found.locks})

    def root(self, name: str) -> str:
        """Return the short name of a root."""
        # A root of a file that is not shown still runs what is.
        return self._roots.get(name, name.partition(":")[2])

    def __getitem__(self, name: str) -> str:
        """Return the short name of a lock or a piece of state."""
        return self._others.get(name, name)

    def join(self, names: Iterable[str]) -> str:
        """Return the short names of locks or state, in one string."""
        return ", ".join(self[name] for name in names)

    def running(self, roots: Sequence[str]) -> str:
        """Say where code runs."""
        if not roots:
            return "callers unknown"
        named = [self.root(root) for root in roots[:_NAMED_ROOTS]]
        more = len(roots) - len(named)
        return f"in {', '.join(named)}{f' and {more} more' if more else ''}"


def _shorten(names: Iterable[str]) -> Mapping[str, str]:
    """Return for each dotted name its shortest end, of at least two parts, that no other one has."""
    split = {name: name.split(".") for name in names}
    ends = Counter(end for parts in split.values() for end in _iter_ends(parts))
    return {name: next((end for end in _iter_ends(parts) if ends[end] == 1), name) for name, parts in split.items()}


def _iter_ends(parts: Sequence[str]) -> Iterator[str]:
    """Yield the ends, from that on which has two parts before the first one like `<locals>`."""
    plain = next((index for index, part in enumerate(parts) if part.startswith("<")), len(parts))
    return (".".join(parts[start:]) for start in range(max(plain - _LEAST_PARTS, 0), -1, -1))


def say_place(where: Where) -> str:
    """Return a place as editors and terminals recognise it."""
    return f"{where.path}:{where.span.line}"


def count(number: int, noun: str) -> str:
    """Return "1 access", "2 accesses"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}{'es' if noun.endswith('s') else 's'}"


def say_concurrency(root: MapRoot) -> str:
    """Say how a root runs beside the rest of the program."""
    match root.concurrency:
        case Concurrency.THREAD:
            return "in parallel with the main thread and with all other threads"
        case Concurrency.PROCESS:
            return "in parallel, in memory of its own"
        case Concurrency.TURNS:
            return _TURNS.get(root.kind, "in a thread that runs other code too")


def say_many(root: MapRoot) -> str:
    """Say whether several threads of a root may run at once."""
    if not root.many:
        return ""
    several = [spawn for spawn in root.spawns if spawn.many]
    if root.concurrency is Concurrency.THREAD and several and not any(spawn.same_object for spawn in several):
        return "many at once, not certainly on the same object"
    return "many at once"


def say_spawn(spawn: MapSpawn, names: Names) -> str:
    """Say what spawns, and where that runs."""
    many = ", many" if spawn.many else ""
    return f"by {spawn.where.function}{many}, {names.running(spawn.roots)}"


def say_step(step: MapStep, names: Names) -> str:
    """Say what happens at a step from one lock to the next."""
    if step.action is Action.CALL:
        done = f"calls {'.'.join(step.name.split('.')[-_LEAST_PARTS:])}"
    else:
        done = f"{'takes' if step.action is Action.TAKE else 'waits for'} {names[step.name]}"
    return f"{step.where.function} {done}"


def say_access(access: MapAccess) -> str:
    """Say what an access does: "write (append)"."""
    return f"{access.kind} ({access.method})" if access.method else access.kind


def say_locks(access: MapAccess, names: Names) -> str:
    """Say which locks are held."""
    held = [names[lock] for lock in access.locks] + [f"{names[lock]} (if it is a lock)" for lock in access.maybe_locks]
    return f"under {', '.join(held)}" if held else "no lock"


def needs_attention(state: MapState) -> bool:
    """Whether an access that is more than a read misses the guard, or a change of many steps has no lock at all."""
    if any(access.misses_guard and access.kind != "read" for access in state.accesses):
        return True
    return state.guarding is Guarding.UNGUARDED and not all(access.atomic for access in iter_seen(state))


def iter_seen(state: MapState) -> Iterator[MapAccess]:
    """Yield the accesses that other threads may meet."""
    return (access for access in state.accesses if not access.building)


def say_guard(state: MapState, names: Names) -> str:
    """Say what protects a piece of state."""
    seen = list(iter_seen(state))
    match state.guarding:
        case Guarding.INFERRED:
            missing = sum(access.misses_guard for access in seen)
            guard = f"guarded by {names[state.guard]}"
            return f"{guard}, but not in {missing} of {count(len(seen), 'access')}" if missing else guard
        case Guarding.COMMON:
            return f"always under {names[state.guard]}"
        case Guarding.UNGUARDED | Guarding.NONE:
            return "no lock, but each change is one step" if all(access.atomic for access in seen) else "no lock"


def say_sharing(state: MapState) -> str:
    """Say why conclint believes that a piece of state is shared, or not."""
    match state.sharing:
        case Sharing.THREADS:
            return "two threads use the same object, and one of them changes it"
        case Sharing.LOCK:
            return "most accesses are under one lock, so threads must share it"
        case Sharing.POSSIBLE:
            return "two threads get there, but not certainly with the same object at the same time"
        case Sharing.CONFINED:
            return "no two threads that conclint knows of get there, one of them with a change"
