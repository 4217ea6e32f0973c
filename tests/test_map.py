"""The map: of whole projects, against what `tests/maps` says, and in its parts.

`python tests/test_map.py` writes what it says anew; look at the difference before you believe it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from textwrap import dedent

import pytest

from conclint.discover import discover
from conclint.model.file import SourceFile
from conclint.model.map import Concurrency, Guarding, Map, MapRoot, Sharing
from conclint.pipeline import map_files
from conclint.report.columns import lay_out
from conclint.report.map_json import render_map_json
from conclint.report.map_text import Section, render_map_text
from conclint.report.paint import Piece, paint
from conclint.resources import Resources
from runs import ROOT, make_config

MAPS = ROOT / "tests/maps"
CASES = sorted(path.name for path in MAPS.iterdir() if path.is_dir())
NAMES = {
    "bank": ("Teller.run", "Ledger.entries", "Ledger.lock"),
    "crawler": ("Store.save", "Store._lock", "Pages.found", "flush"),
}


def make_map(case: str, *, names: Sequence[str] = (), executor: Executor | None = None) -> Map:
    config = make_config("CON001", MAPS / case)
    files = discover([f"tests/maps/{case}"], config).files
    outcome = map_files(files, config, names=names, resources=Resources(executor))
    assert not outcome.failures, outcome.failures
    return outcome.map


def draw(case: str) -> dict[str, str]:
    """Return the texts of a case by the names of their files."""
    found = make_map(case)
    close = make_map(case, names=NAMES[case])
    return {
        "overview.txt": render_map_text(found, width=80),
        "sections.txt": render_map_text(found, sections=tuple(Section), possible=True, width=120),
        "close.txt": render_map_text(close, width=80),
        "map.json": render_map_json(found),
    }


@pytest.mark.parametrize("case", CASES)
def test_a_project_is_drawn_as_expected(case: str) -> None:
    for name, text in draw(case).items():
        assert text == (MAPS / case / name).read_text(encoding="utf-8"), f"{case}/{name}"


@pytest.mark.parametrize("case", CASES)
def test_other_processes_change_nothing(case: str, executor: Executor) -> None:
    assert make_map(case, executor=executor) == make_map(case)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_text_keeps_to_the_width(case: str, width: int) -> None:
    text = render_map_text(make_map(case, names=NAMES[case]), width=width)
    text += render_map_text(make_map(case), sections=tuple(Section), width=width)
    words = max(len(word) for word in text.split())
    assert max(map(len, text.splitlines())) <= max(width, words + 40)


def test_colour_changes_no_character() -> None:
    found = make_map("bank")
    coloured = render_map_text(found, color=True, width=80)
    assert coloured != render_map_text(found, width=80)
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == render_map_text(found, width=80)


def map_texts(texts: Mapping[str, str], *, names: Sequence[str] = (), shown: Sequence[str] = ()) -> Map:
    """Return the map of a project that is given as texts by path."""
    files = [
        SourceFile(
            path,
            path.removesuffix(".py").replace("/", "."),
            shown=not shown or path in shown,
            content=dedent(text).encode(),
        )
        for path, text in texts.items()
    ]
    outcome = map_files(files, make_config("CON001"), names=names)
    assert not outcome.failures, outcome.failures
    return outcome.map


JOBS = """
    import threading

    class Jobs:
        def __init__(self):
            self.lock = threading.Lock()
            self.done = 0
            self.last = None
            self.name = "jobs"

        def start(self):
            for _ in range(4):
                threading.Thread(target=self.work).start()

        def work(self):
            self.done += 1
            with self.lock:
                self.last = self.name
"""


class TestState:
    def test_shared_state_is_what_two_threads_use_and_one_changes(self) -> None:
        found = map_texts({"jobs.py": JOBS})
        assert [(state.id, state.sharing) for state in found.state] == [
            ("jobs.Jobs.done", Sharing.THREADS),
            ("jobs.Jobs.last", Sharing.THREADS),
        ]

    def test_what_protects_it(self) -> None:
        done, last = map_texts({"jobs.py": JOBS}).state
        assert (done.guarding, done.guard) == (Guarding.UNGUARDED, "")
        assert (last.guarding, last.guard) == (Guarding.COMMON, "jobs.Jobs.lock")

    def test_an_update_that_no_lock_protects_is_marked(self) -> None:
        text = render_map_text(map_texts({"jobs.py": JOBS}), width=100)
        assert "  !  Jobs.done  no lock\n        jobs.py:16  update  Jobs.work, in Jobs.work\n" in text

    def test_a_name_shows_state_that_nothing_shares(self) -> None:
        (name,) = (state for state in map_texts({"jobs.py": JOBS}, names=["Jobs.name"]).state if "name" in state.id)
        assert name.sharing is Sharing.CONFINED
        assert [(access.kind, access.building) for access in name.accesses] == [("write", True), ("read", False)]

    def test_a_pattern_shows_what_is_shared_only(self) -> None:
        found = map_texts({"jobs.py": JOBS}, names=["Jobs.*a*"])
        assert found.asked == ("jobs.Jobs.last",)

    def test_a_manager_of_unknown_kind_may_be_a_lock(self) -> None:
        text = JOBS.replace("threading.Lock()", "make_lock()").replace("import threading", "import threading, locks")
        found = map_texts({"jobs.py": text.replace("make_lock()", "locks.make_lock()")})
        (access,) = (one for one in found.state[1].accesses if not one.building)
        assert (access.locks, access.maybe_locks) == ((), ("jobs.Jobs.lock",))


class TestRoots:
    def roots(self, text: str) -> tuple[MapRoot, ...]:
        return map_texts(
            {"app.py": f"import asyncio, threading, multiprocessing, signal, atexit\n{dedent(text)}"}
        ).roots

    def test_how_roots_run(self) -> None:
        roots = self.roots("""
            def f(): ...
            def g(*args): ...
            async def h(): ...
            threading.Thread(target=f).start()
            multiprocessing.Process(target=f).start()
            signal.signal(15, g)
            atexit.register(f)
            async def main():
                asyncio.create_task(h())
        """)
        assert [(root.id, root.concurrency) for root in roots] == [
            ("atexit:app.f", Concurrency.TURNS),
            ("process:app.f", Concurrency.PROCESS),
            ("signal:app.g", Concurrency.TURNS),
            ("task:app.h", Concurrency.TURNS),
            ("thread:app.f", Concurrency.THREAD),
        ]

    def test_many_threads_may_have_an_object_each(self) -> None:
        (apart,) = self.roots("""
            class W(threading.Thread):
                def run(self): ...
            for _ in range(3):
                W().start()
        """)
        (together,) = self.roots("def f(): ...\nfor _ in range(3):\n    threading.Thread(target=f).start()")
        assert [(one.many, one.spawns[0].same_object) for one in (apart, together)] == [(True, False), (True, True)]

    def test_two_spawns_of_one_function_are_many(self) -> None:
        (root,) = self.roots("def f(): ...\nthreading.Thread(target=f).start()\nthreading.Thread(target=f).start()")
        assert root.many
        assert [spawn.where.span.line for spawn in root.spawns] == [3, 4]

    def test_a_process_shares_nothing(self) -> None:
        text = "import multiprocessing\ncount = 0\ndef f():\n    global count\n    count += 1\nf()\n"
        found = map_texts({"app.py": f"{text}multiprocessing.Process(target=f).start()\n"}, names=["f", "count"])
        (count,) = found.state
        assert (count.sharing, count.roots) == (Sharing.CONFINED, ("main", "process:app.f"))
        assert "state that" not in render_map_text(found)

    def test_a_signal_handler_is_never_many(self) -> None:
        (root,) = self.roots("def f(*args): ...\nfor number in (1, 15):\n    signal.signal(number, f)")
        assert not root.many

    def test_what_spawns_runs_in_a_root_itself(self) -> None:
        inner, outer = self.roots("""
            def inner(): ...
            def outer():
                threading.Thread(target=inner).start()
            threading.Thread(target=outer).start()
        """)
        assert (inner.spawns[0].roots, outer.spawns[0].roots) == (("thread:app.outer",), ("main",))

    def test_a_kind_that_text_knows_nothing_of_is_shown(self) -> None:
        (root,) = self.roots("def f(): ...\nthreading.Thread(target=f).start()")
        strange = Map(files=1, roots=(MapRoot(**{**_fields(root), "kind": "daemon-of-maxwell", "spawns": ()}),))
        assert render_map_text(strange, width=80).splitlines()[2:] == [
            "Roots: daemon-of-maxwell (1)",
            "  in parallel with the main thread and with all other threads",
            "  app.f  (many at once)" if root.many else "  app.f",
            "      app.py:2  its definition; it is run by name or decorator",
        ]


def _fields(root: MapRoot) -> dict[str, object]:
    return {name: getattr(root, name) for name in root.__struct_fields__}


class TestLocks:
    def test_a_lock_in_a_collection_and_one_in_a_variable_have_names(self) -> None:
        found = map_texts(
            {
                "app.py": """
                import threading
                locks = {}
                def f(key):
                    locks[key] = threading.Lock()
                    with locks[key]:
                        pass
                def g():
                    mine = threading.RLock()
                    with mine:
                        pass
                def h():
                    return threading.Semaphore()
            """
            }
        )
        assert [(lock.id, lock.kind, len(lock.acquisitions)) for lock in found.locks] == [
            ("app.g.<locals>.mine", "rlock", 1),
            ("app.h.<lock:13>", "semaphore", 0),
            ("app.locks[…]", "lock", 1),
        ]

    def test_a_condition_is_the_lock_that_it_is_made_from(self) -> None:
        found = map_texts(
            {
                "app.py": """
                import threading
                lock = threading.Lock()
                ready = threading.Condition(lock)
                def f():
                    with ready:
                        pass
            """
            }
        )
        assert [(lock.id, lock.aliases) for lock in found.locks] == [("app.lock", ("app.ready",))]
        assert len(found.locks[0].acquisitions) == 1


def test_only_what_concerns_the_files_that_are_asked_for_is_shown() -> None:
    texts = {"jobs.py": JOBS, "other.py": JOBS, "user.py": "from jobs import Jobs\n\njobs = Jobs()\njobs.start()\n"}
    assert {state.path for state in map_texts(texts, shown=["jobs.py"]).state} == {"jobs.py"}
    assert map_texts(texts, shown=["user.py"]).roots == ()


def test_nothing_concurrent_is_said_so() -> None:
    text = render_map_text(map_texts({"a.py": "x = 1\n", "b.py": "import threading\n"}))
    assert text == "Nothing runs concurrently here: no roots, no locks, no shared state in 2 files.\n"


def test_json_of_nothing_has_all_keys() -> None:
    assert json.loads(render_map_json(Map())) == {
        "version": 1,
        "files": 0,
        "unread": [],
        "roots": [],
        "state": [],
        "locks": [],
        "order": [],
        "cycles": [],
    }


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (80, ["  a   one", "  bb  two words"]),
        (40, ["  a   one", "  bb  two words"]),
    ],
)
def test_rows_are_aligned_where_there_is_room(width: int, lines: list[str]) -> None:
    rows = [(Piece("a"), Piece("one")), (Piece("bb"), Piece("two words"))]
    assert paint(lay_out(rows, indent=2, width=width), color=False).splitlines() == lines


def test_rows_without_room_stand_below_each_other() -> None:
    rows = [(Piece("a" * 30), Piece("one two three four")), (Piece("b"), Piece("short"))]
    assert paint(lay_out(rows, indent=2, width=44), color=False).splitlines() == [
        f"  {'a' * 30}",
        "      one two three four",
        "  b",
        "      short",
    ]


def _write() -> None:
    for case in CASES:
        for name, text in draw(case).items():
            (MAPS / case / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    _write()
