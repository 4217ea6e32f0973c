"""The rows against the running Python, the lookups, and the triage tokens."""

from __future__ import annotations

import importlib
import inspect
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from conclint import catalog
from conclint.catalog import derive_tokens, token_pattern
from conclint.catalog.rows import LOCK_KINDS, CallRow, ClassRow, Domain, Effect, Kind, Role, RunsIn, Wait
from conclint.catalog.tokens import is_relevant

INDEX = catalog.load()
CLASSES = tuple({id(row): row for row in INDEX.classes.values()}.values())
CALLS = tuple({id(row): row for row in INDEX.calls.values()}.values())

SET_ON_INSTANCES = {
    *(f"{module}.Condition.{name}" for module in ("asyncio", "threading") for name in ("acquire", "release", "locked")),
    "multiprocessing.Lock.acquire",
    "multiprocessing.Lock.release",
    "multiprocessing.managers.BaseManager.shutdown",
}
"""Methods that the class itself does not have: its constructor makes them."""

OTHER_PLATFORMS = {
    "selectors.KqueueSelector",
    "selectors.DevpollSelector",
    "selectors.EpollSelector",
    "select.devpoll",
    "select.devpoll.poll",
    "select.epoll",
    "select.epoll.poll",
    "select.kqueue",
    "select.kqueue.control",
    "select.poll",
    "select.poll.poll",
}

KEYWORD_ONLY_BY_VERSION = {"http.client.HTTPSConnection"}
"""Where `timeout` moved when other parameters went, without becoming positional again."""


def is_standard(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names


def exists_here(row: CallRow | ClassRow) -> bool:
    now = sys.version_info[:2]
    return (row.since is None or row.since <= now) and (row.until is None or now < row.until)


def owner_exists_here(name: str) -> bool:
    """Whether this Python has the class of a method, or of a constructor."""
    owner = INDEX.classes.get(name) or INDEX.classes.get(name.rpartition(".")[0])
    return owner is None or exists_here(owner)


def resolve(name: str) -> object:
    """Import the longest module in a qualified name and follow the rest."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                value: object = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        for attribute in parts[length:]:
            value = getattr(value, attribute)
        return value
    raise ImportError(name)


def find_row_value(name: str) -> object | None:
    """Resolve a name; a method through whichever name of its class, or of its class's bases, is a real class."""
    owner, _, attribute = name.rpartition(".")
    row = INDEX.classes.get(owner)
    if row is None:
        return find_value(name)
    owners = (*row.names, *catalog.resolve_mro(owner)[1:])
    return next((found for each in owners if (found := find_value(f"{each}.{attribute}")) is not None), None)


def find_value(name: str) -> object | None:
    try:
        return resolve(name)
    except (AttributeError, ImportError):
        return None


def iter_standard_names() -> Iterator[tuple[CallRow | ClassRow, str]]:
    rows: list[CallRow | ClassRow] = [*CLASSES, *CALLS]
    for row in rows:
        for name in row.names:
            if is_standard(name) and name not in SET_ON_INSTANCES | OTHER_PLATFORMS:
                yield row, name


@pytest.mark.skipif(sys.platform != "linux", reason="the rows hold the names of all platforms")
def test_standard_library_names_exist_in_the_versions_they_claim() -> None:
    missing = [
        name
        for row, name in iter_standard_names()
        if exists_here(row) and owner_exists_here(name) and find_row_value(name) is None
    ]
    assert missing == []


def find_signature(name: str) -> inspect.Signature | None:
    value = find_row_value(name)
    try:
        return inspect.signature(value) if callable(value) else None
    except (TypeError, ValueError):
        return None


def positional_parameters(name: str, signature: inspect.Signature) -> list[inspect.Parameter]:
    """Return the parameters before any keyword-only one, `self` of a method left out."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    found = [parameter for parameter in signature.parameters.values() if parameter.kind in kinds]
    return found[1:] if found and found[0].name == "self" else found


STANDARD_CALLS = [row for row in CALLS if is_standard(row.names[0]) and exists_here(row)]
WITH_TIMEOUT = [row for row in STANDARD_CALLS if row.timeout and find_signature(row.names[0])]
WITH_SPAWN = [row for row in STANDARD_CALLS if row.spawn and row.spawn.keyword and find_signature(row.names[0])]


@pytest.mark.parametrize("row", WITH_TIMEOUT, ids=lambda row: row.names[0])
def test_timeout_agrees_with_the_signature(row: CallRow) -> None:
    assert row.timeout is not None
    name, timeout = row.names[0], row.timeout
    signature = find_signature(name)
    assert signature is not None
    parameters = signature.parameters
    has_kwargs = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values())
    if not timeout.keyword:
        # `__enter__` may be the method that has one, but a `with` statement passes nothing.
        assert "timeout" not in parameters or name.endswith("__")
        return
    assert timeout.keyword in parameters or has_kwargs
    parameter = parameters.get(timeout.keyword)
    if parameter is None or parameter.kind is inspect.Parameter.KEYWORD_ONLY:
        # By position only in older versions, where the row says so.
        assert timeout.position is None or sys.version_info >= (3, 12)
    elif name not in KEYWORD_ONLY_BY_VERSION or sys.version_info < (3, 12):
        names = [positional.name for positional in positional_parameters(name, signature)]
        assert timeout.position == names.index(timeout.keyword)


@pytest.mark.parametrize("row", WITH_TIMEOUT, ids=lambda row: row.names[0])
def test_default_agrees_with_the_signature(row: CallRow) -> None:
    assert row.timeout is not None
    signature = find_signature(row.names[0])
    parameter = signature.parameters.get(row.timeout.keyword) if signature else None
    if parameter is None:
        return
    match row.timeout.default:
        case Wait.FOREVER:
            assert parameter.default in row.timeout.infinite
        case Wait.SOCKET_DEFAULT:
            assert not isinstance(parameter.default, int | float | None)
        case Wait.FINITE:
            assert parameter.default is inspect.Parameter.empty or parameter.default is not None
        case Wait.NONE:
            pass


@pytest.mark.parametrize("row", WITH_SPAWN, ids=lambda row: row.names[0])
def test_spawned_callable_stands_where_the_signature_has_it(row: CallRow) -> None:
    assert row.spawn is not None
    signature = find_signature(row.names[0])
    if signature is None or row.spawn.keyword not in signature.parameters:
        return
    names = [parameter.name for parameter in positional_parameters(row.names[0], signature)]
    if row.spawn.position is not None:
        assert names.index(row.spawn.keyword) == row.spawn.position
    if row.spawn.args_position is not None:
        assert names.index(row.spawn.args_keyword) == row.spawn.args_position


def test_coroutine_functions_are_marked() -> None:
    values = {row: find_row_value(row.names[0]) for row in STANDARD_CALLS}
    wrong = [
        row.names[0]
        for row, value in values.items()
        if value is not None and row.coroutine != inspect.iscoroutinefunction(value)
    ]
    assert wrong == []


def test_references_between_rows_lead_somewhere() -> None:
    for call in CALLS:
        passes = call.spawn.passes if call.spawn is not None else ()
        for name in (call.returns, call.returns_item, *call.returns_items, *passes):
            assert not name or catalog.canonical_class(name) == name, call.names
        assert not call.twin or catalog.find_call(call.twin) or catalog.find_class(call.twin), call.names
        assert not call.bounded or has_timeout(call.bounded), call.names
    for cls in CLASSES:
        for base in (*cls.bases, *filter(None, [cls.attributes])):
            assert catalog.canonical_class(base) == base, cls.names


def has_timeout(name: str) -> bool:
    """Whether a call takes a timeout, or what it returns has a method that does: `Pool.map_async`."""
    row = catalog.find_call(name)
    rows = (row, catalog.find_method(row.returns, "get") if row is not None and row.returns else None)
    return any(one is not None and one.timeout is not None and one.timeout.keyword for one in rows)


def test_bases_are_bases_in_python() -> None:
    for row in CLASSES:
        value = find_value(row.names[0]) if is_standard(row.names[0]) else None
        if isinstance(value, type):
            bases = [find_value(base) for base in catalog.resolve_mro(row.names[0])[1:]]
            assert all(issubclass(value, base) for base in bases if isinstance(base, type)), row.names


@pytest.mark.parametrize(
    ("name", "canonical", "kind", "domain"),
    [
        ("_thread.allocate_lock", "threading.Lock", Kind.LOCK, Domain.THREAD),
        ("multiprocessing.context.SpawnProcess", "multiprocessing.Process", Kind.PROCESS, Domain.PROCESS),
        ("multiprocessing.process.BaseProcess", "multiprocessing.Process", Kind.PROCESS, Domain.PROCESS),
        ("multiprocessing.queues.Queue", "multiprocessing.Queue", Kind.QUEUE, Domain.PROCESS),
        (
            "concurrent.futures.thread.ThreadPoolExecutor",
            "concurrent.futures.ThreadPoolExecutor",
            Kind.EXECUTOR,
            Domain.THREAD,
        ),
        ("asyncio.queues.Queue", "asyncio.Queue", Kind.QUEUE, Domain.TASK),
        ("requests.sessions.Session", "requests.Session", Kind.SESSION, Domain.THREAD),
    ],
)
def test_class_is_found_by_each_name(name: str, canonical: str, kind: Kind, domain: Domain) -> None:
    row = catalog.find_class(name)
    assert row is not None
    assert (row.kind, row.domain) == (kind, domain)
    assert catalog.canonical_class(name) == canonical


def test_methods_are_found_through_bases_and_aliases() -> None:
    cancel = catalog.find_method("threading.Timer", "cancel")
    join = catalog.find_method("threading.Timer", "join")
    assert cancel is not None
    assert cancel.role is Role.CANCEL
    assert join is not None
    assert join.role is Role.JOIN
    assert join is catalog.find_call("threading.Timer.join")
    assert catalog.find_call("multiprocessing.context.SpawnProcess.join") is catalog.find_method(
        "multiprocessing.Process", "join"
    )
    assert catalog.find_method("threading.Timer", "nothing") is None
    assert catalog.find_method("shop.Cart", "join") is None


def test_executors_tell_where_their_jobs_run() -> None:
    where = {
        name: catalog.find_method(name, "submit").spawn.runs_in  # type: ignore[union-attr]
        for name in (
            "concurrent.futures.Executor",
            "concurrent.futures.ThreadPoolExecutor",
            "concurrent.futures.ProcessPoolExecutor",
        )
    }
    assert list(where.values()) == [RunsIn.EXECUTOR, RunsIn.EXECUTOR_THREAD, RunsIn.EXECUTOR_PROCESS]


def test_context_makes_what_multiprocessing_makes() -> None:
    context = catalog.find_call("multiprocessing.get_context")
    assert context is not None
    for name in ("Process", "Pool", "Queue", "Lock", "Event"):
        made = catalog.find_method(context.returns, name)
        assert made is not None
        assert made.returns == f"multiprocessing.{name}"


def test_subclasses() -> None:
    assert catalog.is_subclass("multiprocessing.pool.ThreadPool", "multiprocessing.pool.Pool")
    assert catalog.is_subclass("queue.LifoQueue", "queue.Queue")
    assert not catalog.is_subclass("queue.Queue", "queue.LifoQueue")
    assert not catalog.is_subclass("shop.Cart", "shop.Cart")


def test_constructor_is_found_by_each_name_of_its_class() -> None:
    assert catalog.find_call("multiprocessing.context.ForkProcess") is catalog.find_call("multiprocessing.Process")


def test_name_in_two_rows_is_an_error() -> None:
    row = ClassRow(names=("shop.Lock",), kind=Kind.LOCK)
    with pytest.raises(RuntimeError, match=r"shop\.Lock"):
        catalog.build_index([row, row], [])


def test_plain_file_access_can_be_told_apart() -> None:
    for name in ("builtins.open", "pathlib.Path.read_text", "os.listdir", "sqlite3.Cursor.execute"):
        row = catalog.find_call(name)
        assert row is not None
        assert row.effects is Effect.FILE


def test_token_pattern_is_up_to_date() -> None:
    path = Path(token_pattern.__file__)
    expected = derive_tokens.render_module(derive_tokens.derive_pattern(INDEX))
    assert path.read_text(encoding="utf-8") == expected, f"run python -m conclint.catalog.derive_tokens {path}"


@pytest.mark.parametrize(
    "text",
    [
        "import threading",
        "from threading import *",
        "import os, socket",
        "    import requests",
        "if x: import requests",
        "from requests.sessions import Session",
        "from six.moves import queue",
        "from six.moves.urllib.request import urlopen",
        "import urllib.request as r",
        "from urllib import parse, request",
        "from urllib import (\n    parse,\n    request,\n)",
        "from http import client",
        "from concurrent import futures",
        "mod = importlib.import_module('multiprocessing')",
        "async def f(): pass",
        "lock = Lock()",
        "with self._lock:\n    pass",
        "with self.lock_for(key), self.other_lock: pass",
        "class Poller(WorkerThread): pass",
        "def run(self): pass",
        "def __del__(self): pass",
        "worker.join()",
        "worker.join(timeout=3)",
        "worker.join(5.0)",
        "worker.join(self.stop_timeout)",
        "pool.shutdown()",
        "self.pool.close()",
        "job.get()",
        "future.exception()",
        "os.fork()",
        "x = 1  # noqa: CON201",
        "x = 1  # conclint: ignore[CON201]",
        "x = {}  # guarded-by: _guard",
        '"""This class is thread-safe."""',
    ],
)
def test_relevant(text: str) -> None:
    assert is_relevant(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "import os, io, logging, pathlib, time\n",
        "from urllib.parse import urlsplit\nimport urllib.error\n",
        "from http import HTTPStatus\nfrom xml.etree import ElementTree\n",
        "text = ', '.join(names)\n",
        "value = table.get(key, None)\n",
        "log.exception('it failed')\n",
        "def runner(self): pass\n",
        "requests = []  # the select few\n",
        "with open(path) as file:\n    block = file.read()\n",
        "time.sleep(1)\n",
        "# the blockage, and a signal\n",
    ],
)
def test_dormant(text: str) -> None:
    assert not is_relevant(text.encode())


def test_versions_choose_the_rows() -> None:
    with catalog.amend(catalog.Amendments(versions=((3, 10),))):
        assert catalog.find_class("asyncio.TaskGroup") is None
        assert catalog.find_class("telnetlib.Telnet") is not None
    with catalog.amend(catalog.Amendments(versions=((3, 12), (3, 13)))):
        assert catalog.find_class("telnetlib.Telnet") is not None
    with catalog.amend(catalog.Amendments(versions=((3, 13), (3, 14)))):
        assert catalog.find_class("asyncio.TaskGroup") is not None
        assert catalog.find_call("telnetlib.Telnet") is None
        assert catalog.find_call("http.server.HTTPSServer") is not None
    with catalog.amend(catalog.Amendments(versions=((3, 13),))):
        # The row of the constructor has other names, of servers that are older.
        assert catalog.find_call("http.server.HTTPSServer") is None
        assert catalog.find_call("http.server.HTTPServer") is not None
    assert catalog.load() is INDEX


def test_own_rows_go_before_those_of_libraries_until_the_block_ends() -> None:
    known = catalog.find_call("requests.get")
    own = CallRow(names=("requests.get",), effects=Effect.SLEEP)
    waiter = ClassRow(names=("shop.Waiter",), kind=Kind.THREAD, bases=("threading.Thread",))
    with catalog.amend(catalog.Amendments((waiter,), (own,))):
        assert catalog.find_call("requests.get") is own
        assert catalog.find_call("requests.api.get") is known
        assert catalog.find_method("shop.Waiter", "join") is catalog.find_method("threading.Thread", "join")
    assert catalog.find_call("requests.get") is known
    assert catalog.find_method("shop.Waiter", "join") is None


@pytest.mark.parametrize("row", CALLS, ids=lambda row: row.names[0])
def test_a_call_fits_together(row: CallRow) -> None:
    assert all(name.count(".") >= 1 and not name.startswith(".") for name in row.names)
    if row.timeout is not None:
        assert not row.timeout.keyword or row.timeout.keyword.isidentifier()
        # What has no parameter has no place for it either.
        assert row.timeout.keyword or (row.timeout.position is None and not row.timeout.aliases)
        assert all(keyword or position is not None for keyword, position, _ in row.timeout.nonblocking)
    for spawn in (*([row.spawn] if row.spawn is not None else []), *row.callbacks):
        assert spawn.keyword or spawn.position is not None or spawn.of_class
        passed = (spawn.arguments_from, spawn.position)
        assert None in passed or spawn.arguments_from > spawn.position  # type: ignore[operator]
    assert not (row.coroutine and row.twin), "a coroutine needs no asynchronous twin"
    assert not row.bounded or (row.timeout is not None and not row.timeout.keyword), "it has a timeout of its own"
    assert row.since is None or row.until is None or row.since < row.until


@pytest.mark.parametrize("row", CALLS, ids=lambda row: row.names[0])
def test_a_call_is_found_by_each_of_its_names(row: CallRow) -> None:
    for name in row.names:
        assert catalog.find_call(name) is row
        owner, _, method = name.rpartition(".")
        if owner in INDEX.classes:
            assert catalog.find_method(owner, method) is row


@pytest.mark.parametrize("row", CLASSES, ids=lambda row: row.names[0])
def test_a_class_fits_together(row: ClassRow) -> None:
    assert bool(row.runs) == (row.runs_in is not None)
    assert row.runs or not row.shared
    assert row.names[0] not in catalog.resolve_mro(row.names[0])[1:]
    # What is acquired can be released, and `with` knows of it.
    methods = ("acquire", "release") if row.kind in LOCK_KINDS else ()
    assert all(catalog.find_method(row.names[0], method) for method in methods)
