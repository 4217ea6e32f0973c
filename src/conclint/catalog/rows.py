"""The row types of the catalog: what a class or a call of a library means for concurrency. Data, no behaviour."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Domain(enum.Enum):
    """What a primitive keeps apart."""

    THREAD = "thread"
    TASK = "task"
    PROCESS = "process"


class Kind(enum.Enum):
    """What the objects of a class are."""

    LOCK = "lock"
    RLOCK = "rlock"
    SEMAPHORE = "semaphore"
    CONDITION = "condition"
    EVENT = "event"
    BARRIER = "barrier"
    QUEUE = "queue"
    THREAD = "thread"
    TIMER = "timer"
    PROCESS = "process"
    POPEN = "popen"
    POOL = "pool"
    EXECUTOR = "executor"
    FUTURE = "future"
    TASK = "task"
    TASK_GROUP = "task-group"
    CANCEL_SCOPE = "cancel-scope"
    """A context that cancels its body, now or after some time."""
    LOOP = "loop"
    THREAD_LOCAL = "thread-local"
    SESSION = "session"
    """A network client that keeps connections or settings."""
    COLLECTION = "collection"
    OTHER = "other"


LOCK_KINDS = frozenset({Kind.LOCK, Kind.RLOCK, Kind.SEMAPHORE, Kind.CONDITION})


class RunsIn(enum.Enum):
    """Where a callable that is handed over runs."""

    THREAD = "thread"
    EXECUTOR_THREAD = "executor-thread"
    TIMER = "timer"
    PROCESS = "process"
    EXECUTOR_PROCESS = "executor-process"
    EXECUTOR = "executor"
    """A thread or a process: the executor's class tells."""
    TASK = "task"
    LOOP_CALLBACK = "loop-callback"
    REQUEST = "request"
    """In the thread that serves, one request after the other."""
    REQUEST_THREAD = "request-thread"
    """In one of several threads of a server or framework, which run at once."""
    CALLBACK_THREAD = "callback-thread"
    """In the thread of a library that serves one callback after the other."""
    SIGNAL = "signal"
    """In the main thread, between any two of its steps."""
    ATEXIT = "atexit"
    """In the main thread, after all others that are not daemons."""
    FINALIZER = "finalizer"
    """In whatever thread drops the last reference or collects garbage, between any two of its steps."""
    HOOK = "hook"
    """In whatever thread raises, or runs the code that is traced."""
    GREENLET = "greenlet"
    """In a greenlet of this thread, which changes over to others only where it waits."""
    HERE = "here"
    """In the calling thread, before the call returns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRow:
    """A class of a library. `names` are all its qualified names, the canonical one first."""

    names: tuple[str, ...]
    kind: Kind
    domain: Domain = Domain.THREAD
    bases: tuple[str, ...] = ()
    """Canonical names of the catalog's classes that it derives from: their method rows hold for it too."""
    attributes: str = ""
    """Canonical name of the class of attributes and items of any name, where they all are alike: `database.users`."""
    runs: tuple[str, ...] = ()
    """The methods of subclasses that the library runs by itself; `do_*` are all that begin so."""
    runs_in: RunsIn | None = None
    """Where it runs these."""
    shared: bool = False
    """Whether it runs them on one object again and again, not on a new one each time."""
    serial: bool = False
    """Whether an object does one thing at a time only, as a connection in a transaction: two tasks may not share it."""
    factory: bool = False
    """Whether the name is a function that returns the object (`threading.Lock` before 3.13, `multiprocessing.Lock`)."""
    pickles_code: bool = False
    """Whether it pickles functions by what they do, lambdas and nested ones too, as cloudpickle can."""
    since: tuple[int, int] | None = None
    """The first Python version that has it."""
    until: tuple[int, int] | None = None
    """The first Python version that has it no more."""


class Effect(enum.Flag):
    """What a call does. A call may do several of these."""

    NONE = 0
    SLEEP = enum.auto()
    NETWORK = enum.auto()
    FILE = enum.auto()
    SUBPROCESS = enum.auto()
    WAIT = enum.auto()
    """Waits for another thread, process or task: lock, queue, event, join, result."""
    TERMINAL = enum.auto()
    CPU = enum.auto()
    """Computes for long, holding its thread."""
    RELEASES_GIL = enum.auto()
    """Computes outside the GIL, so threads do run it in parallel."""
    SLOW_FIRST_USE = enum.auto()
    """Reads files or the network once (TLS context, netrc, zone data)."""
    HEAVY = enum.auto()
    """Computes for tens of milliseconds and more, whatever it is given: key derivation, models, images, tables."""
    GROWS = enum.auto()
    """Computes for as long as its first argument is large: compression, checksums of it."""


class Wait(enum.Enum):
    """How long a call waits when its timeout is not given."""

    FOREVER = "forever"
    SOCKET_DEFAULT = "socket-default"
    """`socket.getdefaulttimeout()`, which is None unless the program sets it."""
    FINITE = "finite"
    NONE = "none"
    """It does not wait; in a constructor, the parameter is the default of the methods (`Barrier`, `PoolManager`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeout:
    """The timeout parameter of a call."""

    keyword: str = "timeout"
    """"" where the call has no such parameter."""
    position: int | None = None
    """Index among the positional arguments (self not counted); None for keyword-only."""
    default: Wait = Wait.FOREVER
    infinite: tuple[object, ...] = (None,)
    """Constants that mean "for ever" when given."""
    nonblocking: tuple[tuple[str, int | None, object], ...] = ()
    """(keyword, position, constant) of arguments that make the call return at once: ("block", 0, False)."""
    aliases: tuple[str, ...] = ()
    """Other keywords that set it too."""


class Role(enum.Enum):
    """What a method does to the life of its object, and a function (`futures.wait`) to that of its arguments."""

    START = "start"
    JOIN = "join"
    """Waits for the end."""
    CANCEL = "cancel"
    """Asks it to end: cancel, terminate, kill, close."""
    CLOSE = "close"
    """Ends it for good and frees its resources: shutdown, `__exit__`."""
    RESULT = "result"
    """Hands out the result or the exception."""
    CALLBACK = "callback"
    """Registers a function that is told of the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spawn:
    """The call takes a callable (or a coroutine, for tasks) and has it run elsewhere."""

    runs_in: RunsIn
    keyword: str = ""
    position: int | None = None
    """Where the callable or coroutine stands; self not counted."""
    arguments_from: int | None = None
    """First positional argument that is passed on to the callable (`submit(f, *args)`)."""
    args_keyword: str = ""
    args_position: int | None = None
    """Where a tuple of arguments stands (`Thread(args=…)`)."""
    kwargs_keyword: str = ""
    maps: bool = False
    """Whether the callable gets the elements of the further arguments (`Executor.map`)."""
    passes: tuple[str, ...] = ()
    """Canonical names of the classes of what the library itself calls it with, by position."""
    variadic: bool = False
    """Whether all positional arguments from `position` on are such callables (`asyncio.gather`)."""
    of_class: bool = False
    """Whether it takes a class, and runs what its `ClassRow.runs` names on a new object each time."""
    awaits: bool = False
    """Whether a coroutine function will do as well: the library runs the coroutine that it gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """A function, constructor or method, by qualified name: `time.sleep`, `threading.Thread.join`.

    Methods stand under the canonical name of their class in the catalog.
    """

    names: tuple[str, ...]
    effects: Effect = Effect.NONE
    timeout: Timeout | None = None
    role: Role | None = None
    spawn: Spawn | None = None
    callbacks: tuple[Spawn, ...] = ()
    """Further callables that it takes: to be told of the end, or of an error."""
    returns: str = ""
    """Canonical name of the class of the result ("" where that is not known or does not matter); the class itself
    for constructors need not be said."""
    returns_item: str = ""
    """Class of the elements of the result, where it is a collection or an iterator."""
    returns_items: tuple[str, ...] = ()
    """Classes of the elements, by position, where the result is a tuple."""
    coroutine: bool = False
    """Whether it is a coroutine function: its effects come when it is awaited, and hold up its task, not the thread."""
    keeps: bool = True
    """Whether it may keep its arguments beyond the call: False for `print`, `len`, `isinstance`."""
    decorates: RunsIn | None = None
    """Where plain functions below the decorator run that it gives; coroutine functions are tasks of a loop then."""
    loop_only: bool = False
    """Whether it may be called in the thread of its event loop only: it wakes no loop and takes no lock."""
    twin: str = ""
    """The async twin that a fix should use: `asyncio.sleep`."""
    bounded: str = ""
    """What takes a timeout, where the call itself takes none: `subprocess.run` for `os.system`."""
    exits: bool = False
    """Whether it raises SystemExit, which ends the program in the main thread only."""
    changes: str = ""
    """What of the whole process it changes, under all threads: "the working directory"; "" for nothing."""
    since: tuple[int, int] | None = None
    """The first Python version that has it."""
    until: tuple[int, int] | None = None
    """The first Python version that has it no more."""
