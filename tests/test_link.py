"""Linking: names, values, calls and roots are followed through modules, classes, collections and helpers."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent

import pytest

from conclint.analysis.module import analyse
from conclint.catalog.rows import RunsIn
from conclint.model.values import Name
from conclint.project.locks import find_lock_sites
from conclint.project.objects import Object
from conclint.project.project import CallPlace, Project
from conclint.source import parse


def link(texts: Mapping[str, str]) -> Project:
    """Link modules that are given as texts by dotted name; `shop/` is the package `shop`."""
    modules = []
    for name, text in texts.items():
        module = name.removesuffix("/")
        source = parse(text, path=f"{module}.py", module=module, is_package=name.endswith("/"))
        modules.append(analyse(source, {}).facts)
    return Project(modules)


def marks(project: Project) -> list[CallPlace]:
    """Return the calls of the builtin-like `mark()`, which no module defines."""
    return [
        place for place in project.calls if place.facts.values[place.call.callee] == Name(f"{place.facts.module}.mark")
    ]


def objects_at_mark(project: Project) -> list[str]:
    """Return what the argument of the only `mark(…)` may be, one word each."""
    (place,) = marks(project)
    return sorted(map(describe, project.objects(place.site.module, place.call.arguments[0].value)))


def describe(found: Object) -> str:
    """Return `instance threading.Lock`, `bound shop.A.run`."""
    return f"{found.kind.name.lower()} {found.symbol}"


def follow(text: str, **others: str) -> list[str]:
    """Return what the argument of `mark(…)` may be in the module `app`; the others are modules by name."""
    named = {name.replace("__", "."): each for name, each in others.items()}
    return objects_at_mark(link({"app": text, **named}))


LOCK = ["instance threading.Lock"]
THREAD = ["instance threading.Thread"]


class TestImports:
    @pytest.mark.parametrize(
        ("app", "texts"),
        [
            (
                "from shop.locks import lock\nmark(lock)",
                {"shop/": "", "shop.locks": "import threading\nlock = threading.Lock()"},
            ),
            (
                "from shop import lock\nmark(lock)",
                {"shop/": "from .locks import lock", "shop.locks": "import threading\nlock = threading.Lock()"},
            ),
            (
                "from shop import guard\nmark(guard)",
                {
                    "shop/": "from shop.locks import lock as guard",
                    "shop.locks": "import threading\nlock = threading.Lock()",
                },
            ),
            (
                "import shop\nmark(shop.locks.lock)",
                {"shop/": "from . import locks", "shop.locks": "import threading\nlock = threading.Lock()"},
            ),
            ("import shop.locks\nmark(shop.locks.lock)", {"shop.locks": "import threading\nlock = threading.Lock()"}),
            ("from shop import locks\nmark(locks.lock)", {"shop.locks": "import threading\nlock = threading.Lock()"}),
            (
                "from shop import *\nmark(lock)",
                {"shop/": "from .locks import *", "shop.locks": "import threading\nlock = threading.Lock()"},
            ),
            (
                "from shop import make\nmark(make())",
                {
                    "shop/": "from .locks import *",
                    "shop.locks": "import threading\ndef make():\n    return threading.Lock()",
                },
            ),
            (
                "from shop.a import lock\nmark(lock)",
                {
                    "shop/": "",
                    "shop.a": "from shop.b import lock",
                    "shop.b": "import threading\nfrom shop import a\nlock = threading.Lock()",
                },
            ),
            ("from compat import th\nmark(th.Lock())", {"compat": "import threading as th"}),
            ("from compat import Lock\nmark(Lock())", {"compat": "from threading import Lock"}),
            ("from compat import Lock\nmark(Lock())", {"compat": "import threading\nLock = threading.Lock"}),
            (
                "def f():\n    from shop import lock\n    mark(lock)",
                {"shop": "import threading\nlock = threading.Lock()"},
            ),
        ],
        ids=[
            "module",
            "re-export",
            "renamed",
            "submodule",
            "namespace package",
            "from namespace package",
            "star of star",
            "function through star",
            "cycle",
            "module alias",
            "class re-export",
            "class alias",
            "in a function",
        ],
    )
    def test_a_name_is_followed_to_its_module(self, app: str, texts: dict[str, str]) -> None:
        assert objects_at_mark(link({"app": app, **texts})) == LOCK


CLASSES = {
    "super": """
        class A:
            def make(self):
                return threading.Lock()
        class B(A):
            def f(self):
                mark(super().make())
    """,
    "attribute of a base": """
        class A:
            def __init__(self):
                self.lock = threading.Lock()
        class B(A):
            def f(self):
                mark(self.lock)
    """,
    "attribute of a subclass": """
        class A:
            def f(self):
                mark(self.lock)
        class B(A):
            def __init__(self):
                self.lock = threading.Lock()
    """,
    "class attribute": """
        class A:
            lock = threading.Lock()
            def f(self):
                mark(self.lock)
    """,
    "class attribute on the class": """
        class A:
            lock = threading.Lock()
        mark(A.lock)
    """,
    "property": """
        class A:
            @property
            def lock(self):
                return threading.Lock()
        mark(A().lock)
    """,
    "staticmethod": """
        class A:
            @staticmethod
            def make():
                return threading.Lock()
        mark(A().make())
    """,
    "__call__": """
        class A:
            def __call__(self):
                return threading.Lock()
        mark(A()())
    """,
    "__enter__": """
        class A:
            def __enter__(self):
                return threading.Lock()
        with A() as got:
            mark(got)
    """,
    "__getitem__": """
        class A:
            def __getitem__(self, key):
                return threading.Lock()
        mark(A()[1])
    """,
    "__iter__": """
        class A:
            def __iter__(self):
                yield threading.Lock()
        for x in A():
            mark(x)
    """,
    "argument of the constructor": """
        class A:
            def __init__(self, lock):
                self.lock = lock
        mark(A(threading.Lock()).lock)
    """,
    "field of a dataclass": """
        from dataclasses import dataclass
        @dataclass
        class A:
            lock: object
        mark(A(lock=threading.Lock()).lock)
    """,
    "annotation": """
        class A:
            lock: threading.Lock
        def f(a: A):
            mark(a.lock)
    """,
    "attribute of an attribute": """
        class A:
            def __init__(self):
                self.b = B()
        class B:
            def __init__(self):
                self.lock = threading.Lock()
        mark(A().b.lock)
    """,
    "set from outside": """
        class A: ...
        a = A()
        a.lock = threading.Lock()
        mark(a.lock)
    """,
}


class TestClasses:
    def test_a_method_is_found_along_the_linear_order(self) -> None:
        diamond = """
            class A:
                def f(self): ...
            class B(A): ...
            class C(A):
                def f(self): ...
            class D(B, C): ...
        """
        project = link({"app": dedent(diamond)})
        assert project.symbols.linearise("app.D") == ("app.D", "app.B", "app.C", "app.A")
        assert project.symbols.find_method("app.D", "f") == "app.C.f"
        assert project.symbols.find_method("app.D", "f", after="app.C") == "app.A.f"

    def test_bases_stand_in_other_modules(self) -> None:
        project = link(
            {
                "app": "from shop import Base\nclass Worker(Base):\n    def run(self): ...\n",
                "shop/": "from .base import Base",
                "shop.base": "from threading import Thread\nclass Base(Thread): ...\n",
            }
        )
        assert project.symbols.linearise("app.Worker")[:3] == ("app.Worker", "shop.base.Base", "threading.Thread")
        assert project.symbols.find_external_base("app.Worker") == "threading.Thread"
        assert project.symbols.is_subclass("app.Worker", "threading.Thread")

    @pytest.mark.parametrize("text", CLASSES.values(), ids=CLASSES)
    def test_attributes_and_methods_give_their_objects(self, text: str) -> None:
        assert follow(f"import threading\n{dedent(text)}") == LOCK

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            (
                "class A:\n    @classmethod\n    def make(cls):\n        return cls()\nmark(A.make())",
                ["instance app.A"],
            ),
            ("class A:\n    def run(self): ...\na = A()\nmark(a.run)", ["bound app.A.run"]),
            ("class A:\n    def run(self): ...\nmark(A.run)", ["function app.A.run"]),
            ("class A: ...\nmark(A().missing)", []),
        ],
        ids=["classmethod", "bound method", "plain function", "unknown attribute"],
    )
    def test_classes_and_methods_are_values_too(self, text: str, expected: list[str]) -> None:
        assert follow(text) == expected

    def test_an_attribute_is_set_in_another_module(self) -> None:
        found = follow(
            "from shop import Shop\nmark(Shop().lock)",
            shop="from locks import make\nclass Shop:\n    def __init__(self):\n        self.lock = make()",
            locks="import threading\ndef make() -> threading.Lock:\n    return threading.Lock()",
        )
        assert found == LOCK  # the one that is made; that it is promised says nothing more

    def test_a_factory_makes_another_lock_at_each_call(self) -> None:
        made = "import threading\ndef make():\n    return threading.Lock()\n"
        assert follow(f"{made}mark([make(), make()][0])") == [*LOCK, *LOCK]
        assert follow(f"{made}mark(make())\nmake()") == LOCK


class TestValues:
    @pytest.mark.parametrize(
        "text",
        [
            "x = [threading.Lock()]\nmark(x[0])",
            "x = []\nx.append(threading.Lock())\nmark(x[0])",
            "x = []\nx += [threading.Lock()]\nfor y in x:\n    mark(y)",
            "x = []\nx.extend([threading.Lock()])\nmark(x.pop())",
            "x = {}\nx['a'] = threading.Lock()\nmark(x['b'])",
            "x = {'a': threading.Lock()}\nmark(x.get('a'))",
            "x = {'a': threading.Lock()}\nfor k, y in x.items():\n    mark(y)",
            "x = {'a': threading.Lock()}\nfor y in x.values():\n    mark(y)",
            "x = {}\nmark(x.setdefault('a', threading.Lock()))",
            "import collections\nx = collections.defaultdict(threading.Lock)\nx[1] = threading.Lock()\nmark(x[1])",
            "import collections\nx = collections.deque()\nx.append(threading.Lock())\nmark(x.popleft())",
            "x = [threading.Lock() for _ in range(3)]\nfor y in x:\n    mark(y)",
            "x = [threading.Lock() for _ in range(3)]\n[mark(y) for y in x]",
            "x = {k: threading.Lock() for k in 'ab'}\nmark(x['a'])",
            "x = [threading.Lock()]\nfor i, y in enumerate(x):\n    mark(y)",
            "x = [threading.Lock()]\nfor y, _ in zip(x, 'a'):\n    mark(y)",
            "x = [threading.Lock()]\nfor y in list(reversed(sorted(x))):\n    mark(y)",
            "import queue\nq = queue.Queue()\nq.put(threading.Lock())\nmark(q.get())",
            "import weakref\nx = weakref.ref(threading.Lock())\nmark(x())",
            "import weakref\nx = threading.Lock()\ny = weakref.ref(x, print)()\nmark(y)",
            "import weakref\nmark(weakref.proxy(threading.Lock(), print))",
            "a, b = threading.Lock(), 1\nmark(a)",
            "(a, b), c = (threading.Lock(), 1), 2\nmark(a)",
            "a, *b = 1, threading.Lock()\nmark(b[0])",
            "x = y = threading.Lock()\nmark(x)",
            "mark(x := threading.Lock())",
            "x = threading.Lock() if True else None\nmark(x)",
            "x = None or threading.Lock()\nmark(x)",
            "def f(lock=threading.Lock()):\n    mark(lock)",
            "def f(lock):\n    mark(lock)\nf(threading.Lock())",
            "def f(*, lock):\n    mark(lock)\nf(lock=threading.Lock())",
            "def f(*locks):\n    mark(locks[0])\nf(threading.Lock())",
            "def f(a, lock):\n    mark(lock)\nf(*[threading.Lock()])",
            "def f():\n    return threading.Lock()\nmark(f())",
            "def f():\n    yield threading.Lock()\nfor x in f():\n    mark(x)",
            "def f():\n    yield from g()\ndef g():\n    yield threading.Lock()\nfor x in f():\n    mark(x)",
            "async def f():\n    return threading.Lock()\nasync def g():\n    mark(await f())",
            "def f():\n    lock = threading.Lock()\n    def g():\n        mark(lock)",
            "def f():\n    x = None\n    def g():\n        nonlocal x\n        x = threading.Lock()\n    mark(x)",
            "lock = None\ndef f():\n    global lock\n    lock = threading.Lock()\nmark(lock)",
            "f = lambda: threading.Lock()\nmark(f())",
            "from functools import partial\ndef f(lock):\n    mark(lock)\ng = partial(f, threading.Lock())\ng()",
            "from functools import partial\ndef f(a, lock):\n    mark(lock)\npartial(f, 1)(threading.Lock())",
            "from functools import partial\ndef f(a):\n    return threading.Lock()\nmark(partial(f, 1)())",
            "import contextlib as c\n@c.contextmanager\ndef f():\n    yield threading.Lock()\nwith f() as x: mark(x)",
            "def f(lock):\n    def g():\n        return lock\n    return g\nmark(f(threading.Lock())())",
            "table = {'a': threading.Lock}\nmark(table['a']())",
            "mark(getattr(threading, 'Lock')())",
            "from typing import cast\nmark(cast(object, threading.Lock()))",
            "match threading.Lock():\n    case _:\n        mark(threading.Lock())",
        ],
    )
    def test_a_lock_is_followed(self, text: str) -> None:
        assert follow(f"import threading\n{text}") == LOCK

    @pytest.mark.parametrize(
        "text",
        [
            "def f(x):\n    mark(x)",
            "import some\nmark(some.thing())",
            "@decorate\ndef f():\n    return threading.Lock()\nmark(f())",
            "mark(1)",
            "x = []\nmark(x[0])",
        ],
    )
    def test_what_is_not_known_is_nothing(self, text: str) -> None:
        assert follow(f"import threading\n{text}") == []

    def test_locks_made_at_different_places_are_told_apart(self) -> None:
        project = link({"app": "import threading\na = threading.Lock()\nb = threading.Lock()\nmark(a)\nmark(b)"})
        first, second = (project.objects(0, place.call.arguments[0].value) for place in marks(project))
        assert first != second

    def test_what_crowds_a_node_is_lost(self) -> None:
        text = "import threading\nx = []\n" + "x.append(threading.Lock())\n" * 40 + "mark(x[0])"
        project = link({"app": text})
        assert len(objects_at_mark(project)) < 40
        assert project.lost_objects


ROOTS = """\
import asyncio, atexit, concurrent.futures, functools, multiprocessing, signal, threading
class Job:
    def run(self): ...
    def __call__(self): ...
def job(*args): ...
async def coro(): ...
loop = asyncio.new_event_loop()
pool = concurrent.futures.ThreadPoolExecutor()
processes = concurrent.futures.ProcessPoolExecutor()
"""
OWN_TARGET = """\
class W(threading.Thread):
    def __init__(self):
        super().__init__(target=self.f)
    def f(self): ...
W()
"""


class TestRoots:
    @pytest.mark.parametrize(
        ("text", "function", "runs_in"),
        [
            ("threading.Thread(target=job)", "job", RunsIn.THREAD),
            ("threading.Thread(None, job)", "job", RunsIn.THREAD),
            ("threading.Thread(target=Job().run)", "Job.run", RunsIn.THREAD),
            ("threading.Thread(target=lambda: 1)", "<lambda:10:25>", RunsIn.THREAD),
            ("threading.Thread(target=functools.partial(job, 1))", "job", RunsIn.THREAD),
            ("class W(threading.Thread):\n    def run(self): ...\nW()", "W.run", RunsIn.THREAD),
            ("class W(threading.Thread): ...\nW(target=job)", "job", RunsIn.THREAD),
            (
                OWN_TARGET,
                "W.f",
                RunsIn.THREAD,
            ),
            ("threading.Timer(1, job)", "job", RunsIn.TIMER),
            ("pool.submit(job)", "job", RunsIn.EXECUTOR_THREAD),
            ("pool.map(job, [])", "job", RunsIn.EXECUTOR_THREAD),
            ("processes.submit(job)", "job", RunsIn.EXECUTOR_PROCESS),
            ("multiprocessing.Process(target=job)", "job", RunsIn.PROCESS),
            ("class W(multiprocessing.Process):\n    def run(self): ...\nW()", "W.run", RunsIn.PROCESS),
            ("asyncio.create_task(coro())", "coro", RunsIn.TASK),
            ("asyncio.ensure_future(coro())", "coro", RunsIn.TASK),
            ("loop.create_task(coro())", "coro", RunsIn.TASK),
            ("asyncio.gather(coro())", "coro", RunsIn.TASK),
            (
                "async def f():\n    async with asyncio.TaskGroup() as group:\n        group.create_task(coro())",
                "coro",
                RunsIn.TASK,
            ),
            ("loop.run_in_executor(None, job)", "job", RunsIn.EXECUTOR_THREAD),
            ("loop.run_in_executor(processes, job)", "job", RunsIn.EXECUTOR_PROCESS),
            ("asyncio.to_thread(job)", "job", RunsIn.EXECUTOR_THREAD),
            ("loop.call_soon(job)", "job", RunsIn.LOOP_CALLBACK),
            ("loop.call_soon_threadsafe(job)", "job", RunsIn.LOOP_CALLBACK),
            ("loop.call_later(1, job)", "job", RunsIn.LOOP_CALLBACK),
            ("signal.signal(signal.SIGINT, job)", "job", RunsIn.SIGNAL),
            ("atexit.register(job)", "job", RunsIn.ATEXIT),
            ("asyncio.create_task(later()).add_done_callback(job)", "job", RunsIn.LOOP_CALLBACK),
        ],
    )
    def test_what_is_handed_over_begins_there(self, text: str, function: str, runs_in: RunsIn) -> None:
        roots = link({"app": ROOTS + text}).roots
        assert [(root.function.removeprefix("app."), root.runs_in) for root in roots if "app.later" not in root] == [
            (function, runs_in)
        ]

    def test_a_root_is_followed_through_modules_and_helpers(self) -> None:
        project = link(
            {
                "app": "from spawn import start\nfrom jobs import work\nstart(work)",
                "spawn": "import threading\ndef start(target):\n    threading.Thread(target=target).start()",
                "jobs": "def work(): ...",
            }
        )
        (root,) = project.roots
        assert (root.function, root.runs_in, project.modules[root.site.module].module) == (
            "jobs.work",
            RunsIn.THREAD,
            "spawn",
        )

    def test_arguments_reach_the_function_that_is_spawned(self) -> None:
        text = (
            "import threading\ndef job(lock):\n    mark(lock)\nthreading.Thread(target=job, args=(threading.Lock(),))"
        )
        assert follow(text) == LOCK
        text = ROOTS + "def work(lock):\n    mark(lock)\npool.submit(work, threading.Lock())"
        assert follow(text) == LOCK


def held_on_entry(text: str) -> dict[str, list[str]]:
    """Return what is held on entry to the functions of a module, written as its code does."""
    project = link({"app": f"import threading\nlock = threading.Lock()\nother = threading.Lock()\n{text}"})
    names = {found.identity: project.places.describe(0, entry.value) for _, _, entry, found in find_lock_sites(project)}
    return {
        symbol.removeprefix("app."): sorted(names[identity] for identity in held)
        for symbol, held in project.locks.held_on_entry.items()
    }


class TestHeldOnEntry:
    def test_it_is_what_all_callers_hold(self) -> None:
        held = held_on_entry(
            "def a():\n    with lock, other:\n        f()\ndef b():\n    with lock:\n        f()\ndef f(): ..."
        )
        assert held["f"] == ["lock"]

    def test_one_caller_without_a_lock_is_enough(self) -> None:
        assert held_on_entry("def a():\n    with lock:\n        f()\n    f()\ndef f(): ...")["f"] == []

    def test_it_is_handed_on(self) -> None:
        held = held_on_entry("def a():\n    with lock:\n        f()\ndef f():\n    g()\ndef g(): ...")
        assert held["g"] == ["lock"]

    def test_a_cycle_adds_no_caller_of_its_own(self) -> None:
        held = held_on_entry(
            "def a():\n    with lock:\n        f(1)\ndef f(n):\n    g(n)\ndef g(n):\n    if n:\n        f(n - 1)"
        )
        assert (held["f"], held["g"]) == (["lock"], ["lock"])

    def test_nothing_is_held_where_a_thread_begins(self) -> None:
        text = "def a():\n    with lock:\n        threading.Thread(target=f).start()\n        f()\ndef f(): ..."
        assert "f" not in held_on_entry(text)


class TestParallel:
    def controls(self, text: str, function: str) -> list[str]:
        """Return `main`, or the function where a thread of control begins, with `*` for many of them."""
        project = link({"app": ROOTS + text})
        return sorted(
            "main" if control.root is None else control.root.function.removeprefix("app.") + "*" * control.many
            for control in project.parallel.controls(f"app.{function}")
        )

    @pytest.mark.parametrize(
        ("text", "function", "controls"),
        [
            ("def f(): ...\nf()", "f", ["main"]),
            ("def f(): ...\nthreading.Thread(target=f).start()", "f", ["f"]),
            ("def f(): ...\nthreading.Thread(target=f).start()\nf()", "f", ["f", "main"]),
            ("def f(): ...\ndef g():\n    f()\nthreading.Thread(target=g).start()", "f", ["g"]),
            ("def f(): ...\nfor _ in range(3):\n    threading.Thread(target=f).start()", "f", ["f*"]),
            ("def f(): ...\n[threading.Thread(target=f).start() for _ in range(3)]", "f", ["f*"]),
            ("def f(): ...\npool.submit(f)", "f", ["f*"]),
            ("def f(): ...\none = concurrent.futures.ThreadPoolExecutor(max_workers=1)\none.submit(f)", "f", ["f"]),
            ("def f(): ...\nprocesses.submit(f)", "f", []),
            ("def f(): ...\nmultiprocessing.Process(target=f).start()", "f", []),
            ("def f(): ...\nthreading.Thread(target=functools.partial(f, 1)).start()", "f", ["f"]),
            ("async def f(): ...\nasyncio.run(f())", "f", ["main"]),
            ("def f(n):\n    f(n - 1)", "f", ["main"]),
            ("def f(n):\n    f(n - 1)\nthreading.Thread(target=f).start()", "f", ["f"]),
        ],
    )
    def test_the_threads_of_control_that_reach_a_function(self, text: str, function: str, controls: list[str]) -> None:
        assert self.controls(text, function) == controls

    def test_a_method_that_many_classes_inherit_is_no_dispatch(self) -> None:
        text = "class W:\n    def run(self):\n        self._work()\n    def _work(self): ...\n"
        text += "".join(f"class W{number}(W): ...\nW{number}().run()\n" for number in range(12))
        assert self.controls(text, "W._work") == ["main"]

    def test_threads_of_one_class_are_many_though_each_has_an_object_of_its_own(self) -> None:
        text = "class W(threading.Thread):\n    def run(self): ...\nfor _ in range(3):\n    W().start()"
        assert self.controls(text, "W.run") == ["W.run*"]


def escapes(text: str) -> bool:
    """Return whether the thread that the text makes first gets out of sight."""
    project = link({"app": f"import threading\nimport library\n{text}"})
    made = next(
        found
        for place in project.calls
        for found in project.result(place.site)
        if found.symbol == "threading.Thread" and found.site == place.site
    )
    return project.escapes.has_escaped(made)


class TestEscapes:
    @pytest.mark.parametrize(
        "text",
        [
            "library.keep(threading.Thread())",
            "def f():\n    return threading.Thread()",
            "def f():\n    yield threading.Thread()",
            "def f():\n    threads = [threading.Thread()]\n    return threads",
            "library.threads = threading.Thread()",
            "def f(other):\n    other.thread = threading.Thread()",
            "def f(threads):\n    threads[0] = threading.Thread()",
            "def f():\n    g(threading.Thread())\ndef g(thread):\n    library.keep(thread)",
            "def f(g):\n    g(threading.Thread())",
        ],
    )
    def test_what_is_handed_to_the_unknown_escapes(self, text: str) -> None:
        assert escapes(text)

    @pytest.mark.parametrize(
        "text",
        [
            "def f():\n    thread = threading.Thread()\n    thread.start()\n    thread.join()",
            "def f():\n    all = []\n    all.append(threading.Thread())\n    for t in all:\n        t.join()",
            "class A:\n    def f(self):\n        self.thread = threading.Thread()",
            "class A:\n    def f(self):\n        self.threads = {}\n        self.threads['a'] = threading.Thread()",
            "def f():\n    print(threading.Thread())",
            "def f():\n    g(threading.Thread())\ndef g(thread):\n    thread.start()",
            "thread = threading.Thread()",
        ],
    )
    def test_what_stays_in_sight_does_not(self, text: str) -> None:
        assert not escapes(text)
