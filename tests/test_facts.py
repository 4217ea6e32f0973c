"""Facts: what one module says is small, serialisable, deterministic, and right about names, locks and sequences."""

from __future__ import annotations

import ast
import inspect
import itertools
import os
import random
import re
import subprocess
import sys
import sysconfig
import textwrap
from pathlib import Path

import msgspec
import pytest

import conclint.model.facts as facts_module
import conclint.model.observations as observations_module
from conclint import __version__
from conclint.analysis.module import analyse
from conclint.catalog.tokens import is_relevant
from conclint.model.facts import ModuleFacts
from conclint.model.file import SourceFile
from conclint.model.observations import SequenceKind
from conclint.model.result import ModuleResult
from conclint.model.values import (
    Attribute,
    Choice,
    Collection,
    Constant,
    Item,
    Local,
    Name,
    Super,
    Unknown,
    Value,
)
from conclint.project.locks import find_lock_sites
from conclint.project.project import Project
from conclint.rules import load
from conclint.source import parse
from conclint.wire import pack, unpack
from conclint.worker import Request, check_batch, check_module
from runs import check, make_config

ROOT = Path(__file__).parent.parent
STANDARD_LIBRARY = Path(sysconfig.get_path("stdlib"))
LARGEST_SAMPLE = 60_000


def read(text: str, module: str = "shop.cart", *, is_package: bool = False) -> ModuleFacts:
    """Return the facts of a module that is given as text."""
    path = f"{module.replace('.', '/')}.py"
    return analyse(parse(text, path=path, module=module, is_package=is_package), {}).facts


def sample_library(size: int) -> list[Path]:
    """Return some files of the standard library, the same each time."""
    files = [
        path
        for path in sorted(STANDARD_LIBRARY.rglob("*.py"))
        if not {"site-packages", "test", "tests", "lib2to3"} & set(path.relative_to(STANDARD_LIBRARY).parts)
        and path.stat().st_size < LARGEST_SAMPLE
    ]
    return random.Random(2).sample(files, min(size, len(files)))


PACKAGES = ("logging", "urllib", "http", "xmlrpc", "wsgiref", "json", "concurrent")


def module_name(path: Path) -> str:
    """Return the dotted name of a file of the standard library."""
    parts = path.relative_to(STANDARD_LIBRARY).with_suffix("").parts
    return ".".join(parts[:-1] if path.stem == "__init__" else parts)


class TestSerialisation:
    def test_facts_survive_the_way_from_a_worker(self) -> None:
        for path in (*sorted((ROOT / "tests/fixtures").rglob("*.py")), *sample_library(20)):
            result = check_module(SourceFile(str(path), path.stem), triage=False)
            assert not result.failures, result.failures[0].traceback
            assert msgspec.msgpack.decode(msgspec.msgpack.encode(result), type=ModuleResult) == result

    def test_facts_are_the_same_bytes_whatever_the_hash_seed(self) -> None:
        paths = [*map(str, (ROOT / "tests/fixtures").rglob("*.py")), *map(str, sample_library(10))]
        first, second = (analyse_in_a_process(paths, seed) for seed in ("1", "2"))
        assert first == second

    def test_diagnostics_are_the_same_bytes_whatever_the_hash_seed(self) -> None:
        arguments = [
            "-m",
            "conclint",
            "check",
            "--isolated",
            "--select",
            "ALL",
            "--output-format",
            "json",
            "tests/fixtures",
        ]
        first, second = (run_python(arguments, seed) for seed in ("1", "2"))
        assert first.count("\n") > 10
        assert first == second


def analyse_in_a_process(paths: list[str], seed: str) -> str:
    """Return a digest of what a worker sends for some files, in a new process."""
    program = (
        "import hashlib, pathlib, sys; from conclint import __version__; from conclint.model.file import SourceFile\n"
        "from conclint.wire import pack; from conclint.worker import Request, check_batch\n"
        "files = [SourceFile(path, 'shop', content=pathlib.Path(path).read_bytes()) for path in sys.argv[1:]]\n"
        "answer = check_batch(pack(Request(__version__, False, tuple(files))))\n"
        "print(hashlib.sha256(answer).hexdigest())"
    )
    return run_python(["-c", program, *paths], seed)


def run_python(arguments: list[str], seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, env=environment)
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


class TestTriage:
    def test_a_dormant_file_has_nothing_to_say(self) -> None:
        dormant = [path for path in sample_library(150) if not is_relevant(path.read_bytes())][:40]
        assert dormant
        files = (
            SourceFile(str(path), f"module_{index}", content=path.read_bytes()) for index, path in enumerate(dormant)
        )
        answer = check_batch(pack(Request(__version__, False, tuple(files))))
        results = [unpack(one, ModuleResult) for one in msgspec.msgpack.decode(answer, type=list[bytes])]
        assert [result.path for result in results if result.alarms or result.failures] == []
        for result in results:
            if result.facts is not None:
                project = Project([result.facts])
                assert [alarm for check in load().project for alarm in check.run(project)] == []

    def test_it_changes_nothing_for_a_whole_project(self) -> None:
        paths = [path for name in PACKAGES for path in sorted((STANDARD_LIBRARY / name).glob("*.py"))]
        files = [SourceFile(str(path), module_name(path), path.stem == "__init__") for path in paths]
        found = [
            {
                (diagnostic.path, diagnostic.span, diagnostic.code, diagnostic.message)
                for diagnostic in check(files, make_config("CON101"), triage=triage)
            }
            for triage in (True, False)
        ]
        assert found[0] == found[1]

    def test_a_file_that_does_not_parse_is_never_dormant(self) -> None:
        result = check_module(SourceFile("odd.py", "odd", content=b"def f(:\n"))
        assert [alarm.code for alarm in result.alarms] == ["CON001"]

    def test_a_dormant_file_has_no_facts(self) -> None:
        result = check_module(SourceFile("plain.py", "plain", content=b"x = 1\n"))
        assert result.dormant
        assert result.facts is None


LOCKS = """\
import asyncio, threading
from contextlib import AsyncExitStack, ExitStack, contextmanager, nullcontext

a = threading.Lock()
b = threading.RLock()
c = asyncio.Lock()


"""

INNER = "@contextmanager\ndef inner():\n    with b:\n        yield\n"


def held_at_marks(body: str, *, more: str = "") -> list[str]:
    """Return which of the module's locks are held (must) at each call of `mark()` in a function with this body."""
    indented = "".join(f"    {line}\n" for line in body.splitlines())
    facts = read(f"{LOCKS}{more}\n\nasync def work(n):\n{indented}")
    project = Project([facts])
    names = {lock.identity: project.places.describe(0, entry.value) for _, _, entry, lock in find_lock_sites(project)}
    return [
        "".join(sorted(names[identity] for identity in project.locks.lockset(0, call.function, call.context)))
        for call in facts.calls
        if facts.values[call.callee] == Name("shop.cart.mark")
    ]


class TestLocksets:
    @pytest.mark.parametrize(
        ("body", "held"),
        [
            ("with a:\n    mark()\nmark()", ["a", ""]),
            ("with a, b:\n    mark()", ["ab"]),
            ("with a:\n    with b:\n        mark()\n    mark()", ["ab", "a"]),
            ("async with c:\n    mark()", ["c"]),
            ("with a as got:\n    mark()", ["a"]),
            ("with a:\n    def inner():\n        mark()\n    later = lambda: mark()", ["", ""]),
            ("with a:\n    return [mark() for _ in n]", ["a"]),
        ],
        ids=["with", "two items", "nested", "async with", "as", "nested functions", "comprehension"],
    )
    def test_a_with_statement_holds_for_its_body(self, body: str, held: list[str]) -> None:
        assert held_at_marks(body) == held

    @pytest.mark.parametrize(
        ("body", "held"),
        [
            ("a.acquire()\nmark()\na.release()\nmark()", ["a", ""]),
            ("a.acquire()\ntry:\n    mark()\nfinally:\n    a.release()\nmark()", ["a", ""]),
            ("a.acquire()\nb.acquire()\na.release()\nmark()", ["b"]),
            ("await c.acquire()\nmark()\nc.release()\nmark()", ["c", ""]),
            ("got = a.acquire()\nmark()", ["a"]),
            ("a.acquire(False)\nmark()", [""]),
            ("a.acquire(blocking=False)\nmark()", [""]),
            ("a.release()\nmark()", [""]),
            ("a.acquire()\nfor x in n:\n    mark()\nmark()\na.release()", ["a", "a"]),
            ("with b:\n    a.acquire()\nmark()", ["a"]),
            ("with a:\n    a.release()\n    mark()\n    a.acquire()\nmark()", ["", ""]),
            ("a.acquire()\nb.acquire()\nb.acquire()\nb.release()\nmark()", ["ab"]),
            ("try:\n    a.acquire()\n    mark()\nexcept OSError:\n    mark()\nmark()", ["a", "", ""]),
            (
                "a.acquire()\ntry:\n    mark()\nexcept OSError:\n    raise\nelse:\n    mark()\n    a.release()\nmark()",
                ["a", "a", ""],
            ),
        ],
    )
    def test_acquire_holds_up_to_release(self, body: str, held: list[str]) -> None:
        assert held_at_marks(body) == held

    @pytest.mark.parametrize(
        ("body", "held"),
        [
            ("if n:\n    a.acquire()\nelse:\n    a.acquire()\nmark()", ["a"]),
            ("if n:\n    a.acquire()\nmark()", [""]),
            ("if n:\n    a.acquire()\nelse:\n    return\nmark()", ["a"]),
            ("a.acquire()\nif n:\n    a.release()\n    return\nmark()", ["a"]),
            ("a.acquire()\nif n:\n    a.release()\nmark()", [""]),
            (
                "a.acquire()\nif n:\n    raise ValueError\nelif n.x:\n    mark()\nelse:\n    a.release()\nmark()",
                ["a", ""],
            ),
            ("a.acquire()\nwhile n:\n    mark()\nmark()", ["a", "a"]),
            ("for x in n:\n    a.acquire()\n    mark()\n    a.release()\nmark()", ["a", ""]),
            ("a.acquire()\nmatch n:\n    case 1:\n        mark()\nmark()", ["a", "a"]),
            ("a.acquire()\nmatch n:\n    case 1:\n        a.release()\nmark()", [""]),
            ("match n:\n    case 1:\n        a.acquire()\n    case _:\n        a.acquire()\nmark()", ["a"]),
            ("match n:\n    case 1:\n        a.acquire()\nmark()", [""]),
        ],
    )
    def test_ways_meet_by_intersection(self, body: str, held: list[str]) -> None:
        assert held_at_marks(body) == held

    @pytest.mark.parametrize(
        ("body", "held"),
        [
            ("if a.acquire(False):\n    mark()\nmark()", ["a", ""]),
            ("if a.acquire(timeout=1):\n    mark()\nelse:\n    mark()", ["a", ""]),
            ("if not a.acquire(False):\n    mark()\n    return\nmark()", ["", "a"]),
            ("if n and a.acquire(False):\n    mark()", ["a"]),
            ("if not (a.acquire(False) and n):\n    return\nmark()", ["a"]),
            ("if a.acquire(False) or n:\n    mark()", [""]),
            ("assert a.acquire(timeout=1)\nmark()", ["a"]),
            ("if (got := a.acquire(False)):\n    mark()", ["a"]),
            ("while not a.acquire(timeout=1):\n    mark()\nmark()", ["", "a"]),
        ],
    )
    def test_a_tested_acquire_holds_where_it_came_true(self, body: str, held: list[str]) -> None:
        assert held_at_marks(body) == held

    @pytest.mark.parametrize(
        ("body", "held"),
        [
            (
                "with ExitStack() as s:\n    s.enter_context(a)\n    mark()\n    s.enter_context(b)\n    mark()",
                ["a", "ab"],
            ),
            ("async with AsyncExitStack() as stack:\n    await stack.enter_async_context(c)\n    mark()", ["c"]),
            ("with nullcontext():\n    mark()", [""]),
            ("with open(n):\n    mark()", [""]),
        ],
    )
    def test_stacks_enter_what_they_are_given(self, body: str, held: list[str]) -> None:
        assert held_at_marks(body) == held

    @pytest.mark.parametrize(
        ("manager", "held"),
        [
            ("@contextmanager\ndef manager():\n    with a:\n        yield", "a"),
            (
                "@contextmanager\ndef manager():\n    a.acquire()\n    try: yield\n    finally: a.release()",
                "a",
            ),
            ("@contextmanager\ndef manager():\n    with a:\n        pass\n    yield", ""),
            ("@contextmanager\ndef manager():\n    with inner():\n        yield\n\n" + INNER, "b"),
            ("class manager:\n    def __enter__(self):\n        a.acquire()\n\n    def __exit__(self, *_): ...", "a"),
        ],
        ids=["with", "try", "released before", "nested", "class"],
    )
    def test_context_managers_of_the_project_hold_what_they_take(self, manager: str, held: str) -> None:
        assert held_at_marks("with manager():\n    mark()\nmark()", more=manager) == [held, ""]


def value_of_mark(text: str, module: str = "shop.cart", *, is_package: bool = False) -> Value:
    """Return what the argument of the only call of `mark()` is."""
    facts = read(text, module, is_package=is_package)
    (call,) = (call for call in facts.calls if facts.values[call.callee] in (Name("shop.cart.mark"), Name("shop.mark")))
    return facts.values[call.arguments[0].value]


class TestNames:
    @pytest.mark.parametrize(
        ("text", "symbol"),
        [
            ("import threading\nmark(threading.Lock)", "threading.Lock"),
            ("import threading as th\nmark(th.Lock)", "threading.Lock"),
            ("from threading import Lock\nmark(Lock)", "threading.Lock"),
            ("from threading import Lock as L\nmark(L)", "threading.Lock"),
            ("import concurrent.futures\nmark(concurrent.futures.wait)", "concurrent.futures.wait"),
            ("import concurrent.futures as cf\nmark(cf.wait)", "concurrent.futures.wait"),
            ("import a.b, a.c\nmark(a.c.d)", "a.c.d"),
            ("lazy import threading as th\nmark(th.Lock)", "threading.Lock"),
            ("lazy from threading import Lock\nmark(Lock)", "threading.Lock"),
            ("from . import till\nmark(till)", "shop.till"),
            ("from .till import Till\nmark(Till)", "shop.till.Till"),
            ("from .. import bank\nmark(bank)", "bank"),
            ("from threading import *\nmark(Lock)", "threading.Lock"),
            ("def f():\n    from threading import Lock\n    mark(Lock)", "threading.Lock"),
            ("try:\n    import ujson as json\nexcept ImportError:\n    import json\nmark(json.loads)", "ujson.loads"),
            ("mark(open)", "builtins.open"),
            ("def open(): ...\nmark(open)", "shop.cart.open"),
            ("mark(later)\ndef later(): ...", "shop.cart.later"),
            ("class A:\n    def m(self): ...\nmark(A.m)", "shop.cart.A.m"),
            ("def f():\n    def g(): ...\n    mark(g)", "shop.cart.f.<locals>.g"),
            ("mark(lambda: 1)", "shop.cart.<lambda:1:6>"),
        ],
    )
    def test_a_name_is_what_it_is_bound_to(self, text: str, symbol: str) -> None:
        assert value_of_mark(text) == Name(symbol)

    def test_a_package_is_its_own_parent_in_relative_imports(self) -> None:
        assert value_of_mark("from .till import Till\nmark(Till)", "shop", is_package=True) == Name("shop.till.Till")

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("x = 1\nmark(x)", Name("shop.cart.x")),
            ("def f(x):\n    mark(x)", Local("shop.cart.f", "x")),
            ("def f():\n    x = 1\n    mark(x)", Local("shop.cart.f", "x")),
            ("x = 1\ndef f():\n    global x\n    x = 2\n    mark(x)", Name("shop.cart.x")),
            ("def f():\n    global x\n    x = 2\n    mark(x)", Name("shop.cart.x")),
            ("x = 1\ndef f():\n    mark(x)", Name("shop.cart.x")),
            ("x = 1\ndef f():\n    x = 2\n    mark(x)", Local("shop.cart.f", "x")),
            ("def f():\n    x = 1\n    def g():\n        mark(x)", Local("shop.cart.f", "x")),
            (
                "def f():\n    x = 1\n    def g():\n        nonlocal x\n        x = 2\n        mark(x)",
                Local("shop.cart.f", "x"),
            ),
            ("def f():\n    x = 1\n    def g():\n        x = 2\n        mark(x)", Local("shop.cart.f.<locals>.g", "x")),
            ("def f():\n    if (x := g()):\n        mark(x)", Local("shop.cart.f", "x")),
            ("def f():\n    while chunk := g():\n        mark(chunk)", Local("shop.cart.f", "chunk")),
            ("def f():\n    [y := 1 for _ in g()]\n    mark(y)", Local("shop.cart.f", "y")),
            ("def f():\n    [mark(x) for x in g()]", Local("shop.cart.f", "x")),
            ("def f():\n    for i, (x, *_) in g():\n        mark(x)", Local("shop.cart.f", "x")),
            ("def f():\n    with g() as (x, y):\n        mark(x)", Local("shop.cart.f", "x")),
            ("def f():\n    try: ...\n    except OSError as x:\n        mark(x)", Local("shop.cart.f", "x")),
            ("def f():\n    match g():\n        case {'a': [x, *_]}:\n            mark(x)", Local("shop.cart.f", "x")),
            ("def f(*args, **kwargs):\n    mark(kwargs)", Local("shop.cart.f", "kwargs")),
            ("f = lambda x: mark(x)", Local("shop.cart.<lambda:1:5>", "x")),
            ("x = 1\nclass A:\n    x = 2\n    mark(x)", Name("shop.cart.A.x")),
            ("x = 1\nclass A:\n    x = 2\n    def m(self):\n        mark(x)", Name("shop.cart.x")),
            ("class A:\n    class B: ...\n    def m(self):\n        mark(B)", Name("shop.cart.B")),
            ("class A:\n    def m(self):\n        mark(super())", Super("shop.cart.A")),
            ("mark(missing)", Name("shop.cart.missing")),
            ("mark(None)", Constant(None)),
            ("mark(-1.5)", Constant(-1.5)),
            ("mark(2 ** 5)", Unknown()),
            ("mark('a' 'b')", Constant("ab")),
        ],
    )
    def test_a_name_belongs_to_the_scope_that_binds_it(self, text: str, value: Value) -> None:
        assert value_of_mark(text) == value

    def test_imports_of_one_name_within_a_function_are_alternatives(self) -> None:
        facts = read("def f(n):\n    if n:\n        from a import x\n    else:\n        from b import x\n    mark(x)")
        (call,) = facts.calls
        value = facts.values[call.arguments[0].value]
        assert isinstance(value, Choice)
        assert [facts.values[option] for option in value.options] == [Name("a.x"), Name("b.x")]

    def test_attributes_and_items_of_objects_are_unfolded(self) -> None:
        facts = read("def f(self):\n    mark(self.jobs[0].lock)")
        (call,) = facts.calls
        lock = facts.values[call.arguments[0].value]
        assert isinstance(lock, Attribute)
        item = facts.values[lock.base]
        assert isinstance(item, Item)
        assert facts.values[item.base] == Attribute(facts.values.index(Local("shop.cart.f", "self")), "jobs")

    @pytest.mark.parametrize(
        "text", ["x = {**d for d in mark()}", "x = [*d for d in mark()]", "x = {k: v for k, v in mark()}"]
    )
    def test_a_comprehension_holds_elements(self, text: str) -> None:
        facts = read(f"def f():\n    {text}")
        collections = [value for value in facts.values if isinstance(value, Collection)]
        assert [type(facts.values[item]) for found in collections for item in found.items] in ([Item], [Local])

    def test_what_is_bound_and_never_read_is_known(self) -> None:
        facts = read("def f():\n    a = g()\n    b = g()\n    c = g()\n    def h():\n        return b\n    print(c)")
        assert facts.functions[1].unread == ("a",)


class TestRounds:
    @pytest.mark.parametrize(
        ("body", "count"),
        [
            ("await get(k)", 1),
            ("n = k + 1\nd[k] = await get(n, k)", 1),
            ("found.append(await k.get())", 1),
            ("if k:\n    continue\nawait get(k)", 1),
            ("total += await get(k)", 1),
            ("await get()", 0),
            ("n = await get(k, n)", 0),
            ("self.n = await self.get(k)", 0),
            ("await get(k)\nbreak", 0),
            ("await get(k)\nawait sleep(1)", 0),
            ("try:\n    await get(k)\nexcept OSError:\n    pass", 0),
            ("async with get(k):\n    pass", 0),
            ("await k", 0),
            ("async def later():\n    await get(k)", 0),
        ],
    )
    def test_rounds_that_do_not_need_each_other_are_known(self, body: str, count: int) -> None:
        inner = textwrap.indent(body, "        ")
        facts = read(f"async def f(self, d, found, total, n):\n    for k in d:\n{inner}")
        assert len(facts.rounds) == count

    def test_only_loops_of_coroutines_over_what_is_there_count(self) -> None:
        assert read("async def f(d):\n    async for k in d:\n        await get(k)").rounds == ()
        assert read("async def f(d):\n    while d:\n        await get(d)").rounds == ()

    def test_await_points_of_nested_functions_do_not_count(self) -> None:
        facts = read("async def f():\n    async def g():\n        await h()\n    return g")
        assert [(one.name, one.has_await_point) for one in facts.functions[1:]] == [("f", False), ("g", True)]


def sequences_of(body: str) -> list[tuple[SequenceKind, int, int, bool]]:
    """Return kind, line of the check, line of the act, and whether it is rechecked; lines count from the body's."""
    indented = "".join(f"    {line}\n" for line in body.splitlines())
    facts = read(f"def work(self, k, d):\n{indented}")
    return [(one.kind, one.check.line - 1, one.act.line - 1, one.rechecked) for one in facts.sequences]


class TestSequences:
    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            ("if k not in self.d:\n    self.d[k] = 1", SequenceKind.MISSING_KEY),
            ("if not k in self.d:\n    self.d[k] = 1", SequenceKind.MISSING_KEY),
            ("if k and k not in self.d:\n    self.d[k] = 1", SequenceKind.MISSING_KEY),
            ("if k in self.d:\n    del self.d[k]", SequenceKind.PRESENT_KEY),
            ("if k in self.d:\n    self.d.pop(k)", SequenceKind.PRESENT_KEY),
            ("if self.x is None:\n    self.x = make()", SequenceKind.UNSET),
            ("if not self.x:\n    self.x = make()", SequenceKind.UNSET),
            ("if self.x is not None:\n    print()\nelif self.x is None:\n    self.x = make()", SequenceKind.UNSET),
            ("if not self.started:\n    self.started = True", SequenceKind.FLAG),
        ],
    )
    def test_a_check_and_its_act_are_one(self, body: str, kind: SequenceKind) -> None:
        last = body.count("\n") + 1
        assert sequences_of(body) == [(kind, last - 1, last, False)]

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ("if k in self.d:\n    return self.d[k]\nself.d[k] = 1", (SequenceKind.MISSING_KEY, 1, 3, False)),
            ("if self.x is not None:\n    return\nself.x = make()", (SequenceKind.UNSET, 1, 3, False)),
            ("if self.started:\n    raise ValueError\nself.started = True", (SequenceKind.FLAG, 1, 3, False)),
            (
                "for k in d:\n    if k in self.d:\n        continue\n    self.d[k] = 1",
                (SequenceKind.MISSING_KEY, 2, 4, False),
            ),
            ("x = self.d.get(k)\nif x is None:\n    self.d[k] = 1", (SequenceKind.MISSING_KEY, 2, 3, False)),
        ],
        ids=["missing key", "unset", "flag", "continue", "get"],
    )
    def test_an_early_return_is_a_check_of_the_rest(
        self, body: str, expected: tuple[SequenceKind, int, int, bool]
    ) -> None:
        assert sequences_of(body) == [expected]

    @pytest.mark.parametrize(
        ("body", "lines"),
        [
            ("if self.x:\n    self.x.use()", (1, 2)),
            ("if self.x is not None:\n    print()\n    self.x.y = 1", (1, 3)),
            ("if self.x is None:\n    return\nself.x()", (1, 3)),
            ("while self.x:\n    self.x[0] = 1", (1, 2)),
            ("return self.x and self.x.use()", (1, 1)),
            ("return self.x.use() if self.x else None", (1, 1)),
        ],
    )
    def test_a_test_of_what_is_then_used_is_one(self, body: str, lines: tuple[int, int]) -> None:
        assert sequences_of(body) == [(SequenceKind.SET, *lines, False)]

    @pytest.mark.parametrize(
        "body",
        [
            "if self.x is None:\n    self.x.use()",
            "x = self.x\nif x:\n    x.use()",
            "if self.x:\n    self.y.use()",
            "if self.x:\n    print(self.x)",
            "if self.x():\n    self.x().use()",
        ],
    )
    def test_what_is_read_once_or_not_used_is_none(self, body: str) -> None:
        assert sequences_of(body) == []

    def test_a_second_check_on_the_way_is_seen(self) -> None:
        body = "if self.x is None:\n    with self.lock:\n        if self.x is None:\n            self.x = make()"
        # The inner test is through first.
        assert sequences_of(body) == [(SequenceKind.UNSET, 3, 4, False), (SequenceKind.UNSET, 1, 4, True)]

    @pytest.mark.parametrize(
        "body",
        [
            "if k in self.d:\n    self.d[k] = 1",
            "if k not in self.d:\n    self.other[k] = 1",
            "if self.x is None:\n    self.y = 1",
            "if self.x is None:\n    return\nself.x = make()",
            "if self.x:\n    self.x = make()",
            "if k not in self.d or d:\n    print()\nself.d[k] = 1",
            "if k in self.d:\n    self.d.pop(k, None)",
            "if self.x is None:\n    def later():\n        self.x = make()",
        ],
    )
    def test_what_does_not_rely_on_the_check_is_none(self, body: str) -> None:
        assert sequences_of(body) == []


class TestExceptions:
    @pytest.mark.parametrize(
        ("text", "raised"),
        [
            ("raise SystemExit", [Name("builtins.SystemExit")]),
            ("raise errors.Closed from None", [Name("shop.cart.errors.Closed")]),
            ("assert x, y", [Name("builtins.AssertionError")]),
            ("try: ...\nexcept OSError:\n    raise", []),
        ],
    )
    def test_what_is_raised_is_known(self, text: str, raised: list[Value]) -> None:
        facts = read(text)
        assert [facts.values[one.value] for one in facts.raises] == raised

    @pytest.mark.parametrize(
        ("text", "caught"),
        [
            ("try:\n    raise x\nexcept (OSError, KeyError):\n    pass", ["OSError", "KeyError"]),
            ("try:\n    raise x\nexcept:\n    pass", ["BaseException"]),
            ("try:\n    try:\n        raise x\n    finally:\n        pass\nexcept OSError:\n    pass", ["OSError"]),
            ("try:\n    pass\nexcept OSError:\n    raise x", []),
            ("try:\n    pass\nexcept OSError:\n    pass\nelse:\n    raise x", []),
            ("try:\n    def f():\n        raise x\nexcept OSError:\n    pass", []),
        ],
    )
    def test_handlers_around_are_known(self, text: str, caught: list[str]) -> None:
        facts = read(text)
        raised = facts.raises[0]
        around = [
            value
            for one in facts.handlers
            if one.function == raised.function and one.guarded.line <= raised.span.line <= one.guarded.end_line
            for value in one.caught
        ]
        assert [facts.values[one] for one in around] == [Name(f"builtins.{name}") for name in caught]


def test_handlers_say_what_they_catch_and_whether_they_do_anything() -> None:
    text = """
        from contextlib import suppress

        def run(job):
            result = None
            try:
                job()
            except ValueError:
                pass
            except (OSError, Exception):
                ...
            with suppress(Exception):
                result = job()
            try:
                job()
            except:
                log()
            finally:
                with suppress(BaseException):
                    job.close()
            return result
    """
    facts = read(textwrap.dedent(text))
    found = [(len(one.caught), one.is_silent, one.is_cleanup) for one in facts.handlers]
    assert found == [
        (1, False, False),
        (2, True, False),
        (1, False, False),
        (1, False, False),
        (1, True, True),
    ]


class TestCaptures:
    @pytest.mark.parametrize(
        ("body", "rebound"),
        [
            ("for x in y:\n    call(lambda: x)", ("x",)),
            ("for x, (y, *z) in w:\n    call(lambda: (x, z, w))", ("x", "z")),
            ("for x in y:\n    call(lambda: x)\n    break", ()),
            ("while w:\n    x = next(w)\n    call(lambda: (x, y))\n    y = 1", ("x",)),
            ("call([lambda: (x, y) for x in w for y in x])", ("x", "y")),
            ("for x in y:\n    for z in x:\n        call(lambda: (x, z))\n        break", ("x", "z")),
            ("for x in y:\n    if x:\n        call(lambda: x)\n        return", ()),
            ("for x in y:\n    call(lambda x=x: x)", ()),
            ("for x in y:\n    pass\ncall(lambda: x)", ()),
            ("for x in y:\n    pass\nelse:\n    call(lambda: x)", ()),
        ],
    )
    def test_what_a_loop_binds_anew_is_known(self, body: str, rebound: tuple[str, ...]) -> None:
        indented = "".join(f"    {line}\n" for line in body.splitlines())
        facts = read(f"def work(w, y):\n{indented}")
        assert next(one.rebound for one in facts.functions if one.name == "<lambda>") == rebound


class TestDocumentation:
    """Facts are the contract between two packages that do not know each other."""

    @staticmethod
    def read_structs() -> list[ast.ClassDef]:
        trees = [ast.parse(inspect.getsource(module)) for module in (facts_module, observations_module)]
        nodes = [node for tree in trees for node in tree.body]
        return [node for node in nodes if isinstance(node, ast.ClassDef) and "Struct" in ast.unparse(node.bases[0])]

    def test_each_field_says_whether_it_must_or_may_hold(self) -> None:
        silent = []
        for struct in self.read_structs():
            if re.search(r"\((must|may)\b", ast.get_docstring(struct) or ""):
                continue
            for field, after in itertools.zip_longest(struct.body, struct.body[1:]):
                text = ast.unparse(after) if isinstance(after, ast.Expr) else ""
                if isinstance(field, ast.AnnAssign) and not re.search(r"\((must|may)\b", text):
                    silent.append(f"{struct.name}.{ast.unparse(field.target)}")
        assert silent == []

    def test_each_field_is_read_by_somebody(self) -> None:
        package = Path(facts_module.__file__).parents[1]
        readers = [*package.glob("project/**/*.py"), *package.glob("rules/*.py"), package / "pipeline.py"]
        text = "\n".join(path.read_text(encoding="utf-8") for path in readers)
        fields = {
            ast.unparse(field.target)
            for struct in self.read_structs()
            for field in struct.body
            if isinstance(field, ast.AnnAssign)
        }
        assert {name for name in fields if f".{name}" not in text} == set()
