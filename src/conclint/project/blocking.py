"""Blocking: whether a call may stop its thread, given its arguments and what the catalog says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import CallRow, Effect, Kind, Timeout, Wait
from conclint.model.values import Choice, Constant, Name, ValueId
from conclint.project.objects import Object

if TYPE_CHECKING:
    from conclint.project.link import ExternalTarget
    from conclint.project.project import CallPlace, Project

_SOCKET = "socket.socket"
_DATAGRAM = "socket.SOCK_DGRAM"
_AT_ONCE = frozenset(
    {
        "fcntl.LOCK_NB",
        "os.P_NOWAIT",
        "os.P_NOWAITO",
        "os.WNOHANG",
        "posix.WNOHANG",
        "socket.AI_NUMERICHOST",
        "socket.MSG_DONTWAIT",
        "socket.NI_NUMERICHOST",
        "zmq.DONTWAIT",
        "zmq.NOBLOCK",
    }
)
"""Flags that make a call return at once."""


_REASONS = (
    (Effect.SLEEP, "while it sleeps"),
    (Effect.NETWORK, "while it waits for the network"),
    (Effect.SUBPROCESS, "while it waits for another process"),
    (Effect.TERMINAL, "while it waits for the terminal"),
    (Effect.SLOW_FIRST_USE, "while it reads files"),
)
LOOP_STOPPERS = Effect.SLEEP | Effect.NETWORK | Effect.SUBPROCESS | Effect.TERMINAL | Effect.SLOW_FIRST_USE
"""What stops an event loop for long. Waiting for other threads is left to CON408, plain file access to CON422, long
computations to CON702."""


class Blocking(NamedTuple):
    """What a call waits for: the function outside the project that it runs, and what is known of that."""

    name: str
    row: CallRow
    receiver: Object | None

    @property
    def reason(self) -> str:
        """Why it blocks, as a clause: "while it sleeps"."""
        return next((text for effect, text in _REASONS if self.row.effects & effect), "while it waits")


def find_blocking(project: Project, place: CallPlace, effects: Effect) -> Blocking | None:
    """Return how a call may block its thread by one of `effects`; None where it may also do something else.

    All that the call may run must block: a receiver that is sometimes an asynchronous twin is no evidence.
    """
    targets = project.externals(place.site)
    if not targets or project.callees(place.site):
        return None
    if len(targets) == 1:
        return _find(project, place, targets[0], effects)
    found = [_find(project, place, target, effects) for target in sorted(targets, key=lambda target: target.name)]
    return found[0] if all(found) else None


def _find(project: Project, place: CallPlace, target: ExternalTarget, effects: Effect) -> Blocking | None:
    row = project.find_row(target)
    if row is None or row.coroutine or not row.effects & effects or _is_fork(row):
        return None
    if target.receiver is None and target.name.startswith(f"{_SOCKET}."):
        # `socket.recv(sock)`: which socket that is, is not followed.
        return None
    if returns_at_once(project, place, row) or is_nonblocking_socket(project, target.receiver):
        return None
    if target.name.endswith(".put") and not _may_be_full(project, place):
        return None
    if row.effects & Effect.SUBPROCESS and target.receiver is not None and _has_ended(project, place, target.receiver):
        return None
    return Blocking(target.name, row, target.receiver)


def _has_ended(project: Project, place: CallPlace, process: Object) -> bool:
    """Whether a loop above asks the process, or a helper that does, until it has ended: then nothing is waited for."""
    polls = [one.site for one in project.operations(process) if one.name == "poll" and one.site.what == "call"]
    asking = {project.call(site).function.symbol for site in polls}
    return bool(polls) and any(
        above.call.span < place.call.span
        and not set(above.context.loops) <= set(place.context.loops)
        and (above.site in polls or any(target.function in asking for target in project.callees(above.site)))
        for above in project.calls_in(place.function_place)
    )


def _is_fork(row: CallRow) -> bool:
    # Starting a program waits until it runs; `os.fork()` goes on at once, in both processes.
    return row.effects is Effect.SUBPROCESS and row.timeout is None and not row.twin


def returns_at_once(project: Project, place: CallPlace, row: CallRow) -> bool:
    """Return whether the arguments forbid the call to wait: `block=False`, a timeout of zero, `sleep(0)`."""
    if any(_is_flag(project, place.site.module, argument.value) for argument in place.call.arguments):
        return True
    timeout = row.timeout
    if timeout is None:
        return bool(row.effects & Effect.SLEEP) and _is_constant(project, place, "", 0, 0)
    if any(_is_constant(project, place, *nonblocking) for nonblocking in timeout.nonblocking):
        return True
    return _waits_for_nothing(project, place, timeout)


def _waits_for_nothing(project: Project, place: CallPlace, timeout: Timeout) -> bool:
    for keyword in (timeout.keyword, *timeout.aliases):
        argument = place.find_argument(keyword, timeout.position)
        if argument is not None:
            given = project.constant(place.site.module, argument.value)
            return given is not None and given.value == 0 and given.value not in timeout.infinite
    # By default such a call only looks: `Connection.poll()`.
    return timeout.default is Wait.NONE and bool(timeout.keyword)


def _is_flag(project: Project, module: int, value: ValueId, seen: frozenset[ValueId] = frozenset()) -> bool:
    """Whether a value is, or combines, a flag that forbids to wait; a constant of the module may stand for it."""
    found = project.value(module, value)
    if value in seen:
        return False
    following = seen | {value}
    if isinstance(found, Choice):
        return any(_is_flag(project, module, option, following) for option in found.options)
    if not isinstance(found, Name) or found.symbol in _AT_ONCE:
        return isinstance(found, Name)
    facts = project.modules[module]
    # `FLAGS |= …` adds to what it is.
    sources = [flow.source for flow in facts.flows if flow.target == value and flow.function == 0]
    return bool(sources) and _is_flag(project, module, sources[0], following)


def _is_constant(project: Project, place: CallPlace, keyword: str, position: int | None, expected: object) -> bool:
    argument = place.find_argument(keyword, position)
    if argument is None:
        return False
    given = project.constant(place.site.module, argument.value)
    # `0 == False` in Python, and callers do write `block=0`.
    return given is not None and given.value == expected


def _may_be_full(project: Project, place: CallPlace) -> bool:
    """Whether some queue of a `put` is made with a limit to its size; what else the catalog says to block, may."""
    receivers = {target.receiver for target in project.externals(place.site) if target.receiver is not None}
    queues = [found for found in receivers if _is_queue(project, found)]
    bounded = (found for found in queues if _is_bounded(project, found))
    return len(queues) < len(receivers) or not all(_is_made_here(project, found, place) for found in bounded)


def _is_made_here(project: Project, queue: Object, place: CallPlace) -> bool:
    """Whether the function that puts something into a queue has made it, or had it made: it knows how much goes in."""
    made = project.find_call(queue.site)
    if made is None:
        return False
    called = (one.function for above in project.calls_in(place.function_place) for one in project.callees(above.site))
    return made.function_place == place.function_place or made.function.symbol in called


def is_unbounded_queue(project: Project, found: Object | None) -> bool:
    """Return whether an object is a queue that is not known to have a limit to its size, so that `put` never waits."""
    return found is not None and _is_queue(project, found) and not _is_bounded(project, found)


def _is_queue(project: Project, found: Object) -> bool:
    row = project.class_row(found)
    return row is not None and row.kind is Kind.QUEUE


def _is_bounded(project: Project, queue: Object) -> bool:
    if queue.site is None or queue.site.what != "call":
        return False
    size = project.call(queue.site).find_argument("maxsize", 0)
    given = project.value(queue.site.module, size.value) if size is not None else Constant(0)
    return not isinstance(given, Constant) or (isinstance(given.value, int) and given.value > 0)


def is_socket(project: Project, found: Object | None) -> bool:
    """Return whether an object is a socket."""
    return found is not None and project.symbols.is_subclass(found.symbol, _SOCKET)


def is_nonblocking_socket(project: Project, found: Object | None) -> bool:
    """Return whether a socket never waits, or is not known to: `setblocking(False)`, datagrams, one from elsewhere."""
    if found is None or not is_socket(project, found):
        return False
    if found.site is None or found.site.what != "call":
        return True
    made = project.call(found.site)
    if any(project.value(made.site.module, one.value) == Name(_DATAGRAM) for one in made.call.arguments):
        return True
    return any(
        operation.name in ("setblocking", "settimeout")
        and operation.site.what == "call"
        and _is_constant(project, project.call(operation.site), "", 0, 0)
        for operation in project.operations(found)
    )
