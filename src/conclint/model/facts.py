"""Facts: what one module does, told from this module alone.

A name from elsewhere stays a qualified name; `project` resolves it. So facts never depend on another file. Facts
that belong to a function name it by its index in `ModuleFacts.functions`; index 0 is the module's own body. Every
fact says in its docstring whether it *must* or *may* happen.
"""

from __future__ import annotations

import enum

import msgspec

from conclint.model.span import Span
from conclint.model.values import Value, ValueId

FunctionId = int
ContextId = int
AcquisitionId = int
CallId = int


class Context(msgspec.Struct, frozen=True, array_like=True):
    """The surroundings of a statement within its function. Equal contexts share an index in `ModuleFacts.contexts`."""

    lockset: tuple[AcquisitionId, ...] = ()
    """What was entered or acquired on every way here and is still held (must), outermost first. It holds every
    context manager that is not known to be something else than a lock; `project` keeps the locks."""
    loops: tuple[int, ...] = ()
    """The `for`, `while` and comprehension loops of the function around this place (must), outermost first."""
    branches: tuple[int, ...] = ()
    """The arms of `if`, `match`, `except`, `else` and conditional expressions around this place (must)."""
    main_guard: bool = False
    """Whether this runs under `if __name__ == "__main__":` (must)."""
    finally_body: bool = False
    """Whether this stands in a `finally` block (must)."""
    protected: bool = False
    """Whether this stands in the body of a `try` with a handler or `finally` (must)."""
    after_return: bool = False
    """Whether a `return` stands above in the function, so that some ways never get here (may)."""


class ParameterKind(enum.Enum):
    """How a parameter takes its argument."""

    POSITIONAL = "positional"
    KEYWORD = "keyword"
    STAR = "star"
    STAR_STAR = "star-star"


class Parameter(msgspec.Struct, frozen=True, array_like=True):
    """A parameter, as it is written (must)."""

    name: str
    kind: ParameterKind
    annotation: ValueId | None = None
    """What is promised (may): an `Instance`, or a `Collection` of them; None when the annotation is not understood."""
    default: ValueId | None = None


class Cost(msgspec.Struct, frozen=True, array_like=True):
    """How much pure Python computation a function does by itself, calls apart (see `analysis.cost`)."""

    span: Span | None = None
    """The loop, or the recursive call, that makes the function CPU-bound (must, once the function is called with
    inputs of usual size); None where nothing says so."""
    reason: str = ""
    """What the work is, for the message: "two nested loops of arithmetic" (must)."""
    certain: bool = False
    """Whether it takes long whatever the function is called with (must, once the loop is reached): the number of
    rounds is a large constant. A coroutine function has no other cost."""


class Function(msgspec.Struct, frozen=True, array_like=True):
    """A function, method, lambda, or a module's body (index 0, symbol `module.<module>`).

    What its definition says is so (must); fields that tell of its body say themselves what they mean.
    """

    symbol: str
    name: str
    span: Span
    """The name in `def name`; the whole expression for a lambda."""
    owner: str = ""
    """The class whose body the definition stands in."""
    parent: FunctionId | None = None
    """The function around it."""
    is_async: bool = False
    is_generator: bool = False
    is_stub: bool = False
    """Whether the body is only a docstring, `...`, `pass` or `raise NotImplementedError` (must)."""
    parameters: tuple[Parameter, ...] = ()
    decorators: tuple[ValueId, ...] = ()
    returns: tuple[ValueId, ...] = ()
    """What it returns (may), None apart."""
    returns_annotation: ValueId | None = None
    unread: tuple[str, ...] = ()
    """Local variables that are bound and never read, by nested functions neither (must)."""
    cost: Cost = Cost()
    context: ContextId = 0
    """The surroundings of the definition, in the function around it."""
    rebound: tuple[str, ...] = ()
    """Variables of the function around that it reads, and that a loop around the definition binds anew (may): they may
    have another value when it runs."""
    has_await_point: bool = False
    """Whether an await point stands in the body of a coroutine function, nested functions apart (must)."""


class Class(msgspec.Struct, frozen=True, array_like=True):
    """A class, as it is defined (must). Its class-level names are `Name("module.Class.name")`, assigned by flows."""

    symbol: str
    name: str
    span: Span
    bases: tuple[ValueId, ...] = ()
    decorators: tuple[ValueId, ...] = ()
    parent: FunctionId = 0
    metaclass: ValueId | None = None


class Argument(msgspec.Struct, frozen=True, array_like=True):
    """An argument of a call (must): `keyword` is "" for a positional one, "*" and "**" for the starred forms."""

    keyword: str
    value: ValueId
    span: Span


class Use(enum.Enum):
    """What becomes of the result of a call."""

    DROPPED = "dropped"
    """The call is a statement of its own."""
    AWAITED = "awaited"
    TESTED = "tested"
    """It is the whole test of an `if`, `while`, `not`, conditional expression or `assert`."""
    USED = "used"
    """It is bound, passed on, returned, or an attribute of it is read."""


class Call(msgspec.Struct, frozen=True, array_like=True):
    """A call in the body of `function` (may)."""

    function: FunctionId
    callee: ValueId
    arguments: tuple[Argument, ...]
    span: Span
    use: Use
    context: ContextId


class Flow(msgspec.Struct, frozen=True, array_like=True):
    """`target` becomes `source` (may): assignment, `for` target, `with … as`, unpacking, default, nested definition."""

    function: FunctionId
    target: ValueId
    source: ValueId
    span: Span
    context: ContextId


class AccessKind(enum.Enum):
    """How state is accessed. An UPDATE is a write that depends on a read of the same state."""

    READ = "read"
    WRITE = "write"
    UPDATE = "update"
    CHECK = "check"
    ITERATE = "iterate"
    DELETE = "delete"


class Access(msgspec.Struct, frozen=True, array_like=True):
    """An access (may) to an attribute, a global, a closure variable, or an element of one (`Item`).

    Method calls on state (`self.jobs.append(x)`) are a READ here and a `Call`; `project` knows which methods change
    their object.
    """

    function: FunctionId
    target: ValueId
    kind: AccessKind
    span: Span
    context: ContextId
    suspends: bool = False
    """For ITERATE: whether something is awaited between one element and the next, so that other tasks run (may)."""


class How(enum.Enum):
    """How a lock, or any context manager, is entered."""

    WITH = "with"
    ASYNC_WITH = "async-with"
    ACQUIRE = "acquire"
    AWAITED_ACQUIRE = "awaited-acquire"
    ENTER_CONTEXT = "enter-context"


class Acquisition(msgspec.Struct, frozen=True, array_like=True):
    """`with value:`, `value.acquire()` or `stack.enter_context(value)` (may).

    `context` is what surrounds it, so its lockset is what is held while this one is waited for. `bounded` says that
    the wait may end without the lock (`blocking=False`, a timeout).
    """

    function: FunctionId
    value: ValueId
    how: How
    span: Span
    context: ContextId
    bounded: bool = False
    last_line: int = 0
    """Where the body of the `with` ends; 0 for what is no `with`."""


class Yield(msgspec.Struct, frozen=True, array_like=True):
    """A `yield` (may) with the locks held across it."""

    function: FunctionId
    value: ValueId
    span: Span
    context: ContextId


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
    """The result of the only call in the body: a sleep, or anything else. None where there is none."""
    span: Span
    """The test."""


class ModuleFacts(msgspec.Struct, frozen=True, array_like=True):
    """All facts of one module: what stands in its text (must). What that text does is said by each kind of fact."""

    path: str
    module: str
    is_package: bool
    values: tuple[Value, ...]
    contexts: tuple[Context, ...]
    functions: tuple[Function, ...]
    classes: tuple[Class, ...]
    calls: tuple[Call, ...]
    flows: tuple[Flow, ...]
    accesses: tuple[Access, ...]
    acquisitions: tuple[Acquisition, ...]
    yields: tuple[Yield, ...]
    sequences: tuple[Sequence, ...]
    aliases: tuple[tuple[str, str], ...]
    """Module-level imports: the name here and the qualified name that it stands for."""
    star_imports: tuple[str, ...]
    main_guard: bool
    """Whether the module has an `if __name__ == "__main__":`."""
    raises: tuple[Raise, ...] = ()
    declarations: tuple[Declaration, ...] = ()
    stale_writes: tuple[StaleWrite, ...] = ()
    handlers: tuple[Handler, ...] = ()
    polls: tuple[Poll, ...] = ()
    rounds: tuple[CallId, ...] = ()
    """The calls that the rounds of a `for` loop await one after the other, though no round needs another one (must, by
    what is seen of the loop): there is one in each round, it is given the variable of the loop, and nothing leaves."""


def make_empty_facts(path: str, module: str) -> ModuleFacts:
    """Return the facts of a module of which nothing is known, as of one that does not parse."""
    return ModuleFacts(
        path=path,
        module=module,
        is_package=False,
        values=(),
        contexts=(),
        functions=(),
        classes=(),
        calls=(),
        flows=(),
        accesses=(),
        acquisitions=(),
        yields=(),
        sequences=(),
        aliases=(),
        star_imports=(),
        main_guard=False,
    )
