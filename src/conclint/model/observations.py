"""Observations: facts about what may go wrong: between threads or tasks, in waiting, and with errors.

As all facts (see `facts`), they are told from one module alone, and say whether they *must* or *may* happen.
"""

from __future__ import annotations

import enum

import msgspec

from conclint.model.ids import ContextId, FunctionId
from conclint.model.span import Span
from conclint.model.values import ValueId


class Raise(msgspec.Struct, frozen=True, array_like=True):
    """A `raise` (may), or an `assert`, which raises AssertionError; `value` is the exception or its class.

    A bare `raise` is none: it passes on what somebody else has raised.
    """

    function: FunctionId
    value: ValueId
    span: Span
    context: ContextId


class SequenceKind(enum.Enum):
    """What a check-then-act tests."""

    MISSING_KEY = "missing-key"
    PRESENT_KEY = "present-key"
    UNSET = "unset"
    FLAG = "flag"
    FILLED = "filled"
    """`not q.empty()` or `q.qsize()`, followed by `q.get()`, whatever `q` is."""
    ROOM = "room"
    """`not q.full()`, followed by `q.put()`."""
    SET = "set"
    """`if self.conn is not None`, followed by `self.conn.send()`: state is read once to be tested, once to be used."""


class Sequence(msgspec.Struct, frozen=True, array_like=True):
    """A check of some state, followed by an action on it that is right only while the check still holds (may).

    `if k not in d: d[k] = …` (MISSING_KEY), `if k in d: del d[k]` (PRESENT_KEY), `if x is None: x = make()` (UNSET),
    `if not started: started = True` (FLAG), `if x: x.use()` (SET), each also with an early return. `rechecked` says
    that the same test is made again on the way to the act; of a SET it says nothing.
    """

    function: FunctionId
    kind: SequenceKind
    target: ValueId
    check: Span
    check_context: ContextId
    act: Span
    act_context: ContextId
    source: ValueId
    """What the act assigns."""
    rechecked: bool = False


class StaleWrite(msgspec.Struct, frozen=True, array_like=True):
    """A coroutine's write of state by what it read of it before an await point, without a second look (may).

    `tested` tells the test that decided to write from the value that is written. The contexts are those of the read
    and of the write.
    """

    function: FunctionId
    target: ValueId
    tested: bool
    read: Span
    suspension: Span
    """The first await point since the read."""
    write: Span
    read_context: ContextId
    write_context: ContextId


class DeclarationKind(enum.Enum):
    """What an author declares, in the words of the comment."""

    GUARDED_BY = "guarded-by"
    """The state is only accessed with the lock held; also said by `Annotated[T, GuardedBy("_lock")]`."""
    REQUIRES_LOCK = "requires-lock"
    """Whoever calls the function holds the lock."""
    THREAD_SAFE = "thread-safe"
    """Threads share it, and that is taken care of in a way that is not seen."""
    SINGLE_THREADED = "single-threaded"
    """No two threads use it."""


class Declaration(msgspec.Struct, frozen=True, array_like=True):
    """What the author says of some state, a function or a class (must: it is believed, and held to)."""

    kind: DeclarationKind
    function: FunctionId
    """The function around the declaration."""
    subject: ValueId | None
    """What it is said of; None for a comment that stands at nothing of which it could be said."""
    lock: str
    """The name of the lock as it is written, "" where there is none."""
    span: Span


class Ending(enum.Enum):
    """Where control goes at the end of a handler."""

    ON = "on"
    """To what follows the `try` (may): a handler that raises again under a condition is such."""
    NEXT_ROUND = "next-round"
    """To the next round of the loop around (must)."""
    OUT = "out"
    """Out of the loop or the function around (must), by `return`, `break`, `raise` or an exit."""


class Handler(msgspec.Struct, frozen=True, array_like=True):
    """An `except` clause, or what `with suppress(...):` suppresses (must)."""

    function: FunctionId
    guarded: Span
    """The body of the `try` or `with`."""
    span: Span
    """What is caught; the whole clause where it is a bare one."""
    context: ContextId
    """The surroundings of the `try` or `with`."""
    caught: tuple[ValueId, ...]
    """The exceptions that it names, `BaseException` for a bare `except` (must)."""
    is_silent: bool = False
    """Whether one for every `Exception` does nothing, and no value that is missing then tells of the error (must)."""
    is_cleanup: bool = False
    """Whether a silent one stands in another handler or in a `finally` block (must)."""
    ending: Ending = Ending.ON


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """A part of the test of a loop (must): it goes on only while `value` is `goes_on`; None where it is compared."""

    value: ValueId
    goes_on: bool | None


class Poll(msgspec.Struct, frozen=True, array_like=True):
    """A loop that asks again and again, and does nothing but to sleep, or not even that (must).

    `while not e.is_set(): pass`, `while True: if e.is_set(): break` with a call of `sleep` before or after that.
    """

    function: FunctionId
    asked: tuple[Asked, ...]
    pause: ValueId | None
    """The result of the only call in the body, awaited or not: a sleep, or anything else. None where there is none."""
    span: Span
    """The test."""
