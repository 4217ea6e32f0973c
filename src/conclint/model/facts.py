"""Facts: what one module does, told from this module alone.

A name from elsewhere stays a qualified name; `project` resolves it. So facts never depend on another file. Facts
that belong to a function name it by its index in `ModuleFacts.functions`; index 0 is the module's own body. Every
fact says in its docstring whether it *must* or *may* happen.

Here stands what a module is made of, and what calls, enters and touches what; what follows from several such places, or
from comments, stands in `observations`.
"""

from __future__ import annotations

import enum

import msgspec

from conclint.model.ids import AcquisitionId, CallId, ContextId, FunctionId
from conclint.model.observations import Declaration, Handler, Poll, Raise, Sequence, StaleWrite
from conclint.model.span import Span
from conclint.model.values import Value, ValueId


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
