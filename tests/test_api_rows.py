"""`[[tool.conclint.api]]`: what is written, what becomes of it in the catalog, and what a mistake in it says."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from conclint import catalog
from conclint.catalog.rows import CallRow, ClassRow, Domain, Effect, Kind, Role, RunsIn, Spawn, Timeout, Wait
from conclint.catalog.tokens import is_relevant
from conclint.config import ConfigError, read_settings, resolve

MARKED = """\
import acme.jobs


def work():
    acme.jobs.pause(1)


async def main():
    acme.jobs.pause(1)
"""


@pytest.fixture(autouse=True)
def _in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)


def read(*rows: str) -> catalog.Amendments:
    Path("conclint.toml").write_text("".join(f"[[api]]\n{row}\n" for row in rows), encoding="utf-8")
    return resolve(read_settings(["."], environ={}), ()).amendments


def test_a_function_says_all_that_a_row_can_say() -> None:
    amendments = read(
        """
        name = "acme.run"
        aliases = ["acme.core.run"]
        blocks = ["network", "slow-first-use"]
        waits = true
        timeout = { keyword = "limit", position = 2, default = "socket-default", infinite = ["none", -1],
                    aliases = ["deadline"], nonblocking = [{ keyword = "block", position = 0, value = false }] }
        """.replace(",\n", ","),
        """
        name = "acme.start"
        spawns = { runs-in = "executor-thread", keyword = "job", position = 0, args-keyword = "args" }
        callbacks = [{ runs-in = "callback-thread", keyword = "done", passes = ["acme.Job"] }]
        role = "start"
        returns = "acme.Job"
        returns-items = ["queue.Queue", "requests.sessions.Session"]
        coroutine = true
        keeps = false
        twin = "acme.start_async"
        bounded = "acme.start_for"
        decorates = "request-thread"
        since = "3.11"
        until = "3.14"
        """,
        'name = "acme.Job"\nkind = "future"',
    )
    assert amendments.classes == (
        ClassRow(names=("acme.Job",), kind=Kind.FUTURE, bases=("concurrent.futures.Future",)),
    )
    assert amendments.calls == (
        CallRow(
            names=("acme.run", "acme.core.run"),
            effects=Effect.NETWORK | Effect.SLOW_FIRST_USE | Effect.WAIT,
            timeout=Timeout(
                keyword="limit",
                position=2,
                default=Wait.SOCKET_DEFAULT,
                infinite=(None, -1),
                aliases=("deadline",),
                nonblocking=(("block", 0, False),),
            ),
        ),
        CallRow(
            names=("acme.start",),
            spawn=Spawn(runs_in=RunsIn.EXECUTOR_THREAD, keyword="job", position=0, args_keyword="args"),
            callbacks=(Spawn(runs_in=RunsIn.CALLBACK_THREAD, keyword="done", passes=("acme.Job",)),),
            role=Role.START,
            returns="acme.Job",
            returns_items=("queue.Queue", "requests.Session"),
            coroutine=True,
            keeps=False,
            twin="acme.start_async",
            bounded="acme.start_for",
            decorates=RunsIn.REQUEST_THREAD,
            since=(3, 11),
            until=(3, 14),
        ),
    )


def test_methods_imply_their_class() -> None:
    amendments = read(
        'type = "acme.Client"\nmethod = ["get", "put"]', 'type = "requests.sessions.Session"\nmethod = "go"'
    )
    assert amendments.classes == (ClassRow(names=("acme.Client",), kind=Kind.OTHER),)
    assert [row.names for row in amendments.calls] == [
        ("acme.Client.get", "acme.Client.put"),
        ("requests.Session.go",),
    ]


@pytest.mark.parametrize(
    ("row", "domain", "method"),
    [
        ('kind = "lock"', Domain.THREAD, "acquire"),
        ('kind = "lock"\ndomain = "task"', Domain.TASK, "acquire"),
        ('kind = "process"', Domain.PROCESS, "join"),
        ('kind = "executor"', Domain.THREAD, "submit"),
        ('kind = "queue"\nbases = ["queue.SimpleQueue"]', Domain.THREAD, "get"),
    ],
)
def test_a_class_has_the_methods_that_its_kind_usually_has(row: str, domain: Domain, method: str) -> None:
    amendments = read(f'name = "acme.Thing"\naliases = ["acme.things.Thing"]\n{row}')
    with catalog.amend(amendments):
        found = catalog.find_class("acme.things.Thing")
        assert found is not None
        assert found.domain is domain
        assert catalog.find_method("acme.Thing", method) is catalog.find_method(found.bases[0], method)
        assert catalog.find_method("acme.Thing", method) is not None
    assert not amendments.calls


HANDLERS = """\
import acme

app = acme.App()
hits = 0


@app.page("/")
def page():
    global hits
    hits += 1


class Filter(acme.Filter):
    def __init__(self):
        self.count = 0

    def filter(self):
        self.count += 1
"""


def test_rows_say_what_a_framework_runs() -> None:
    Path("conclint.toml").write_text(
        """
        [[api]]
        name = "acme.App"
        kind = "other"
        [[api]]
        type = "acme.App"
        method = "page"
        decorates = "request-thread"
        [[api]]
        name = "acme.Filter"
        kind = "other"
        runs = ["filter"]
        runs-in = "request-thread"
        shared = true
        """,
        encoding="utf-8",
    )
    Path("app.py").write_text(HANDLERS, encoding="utf-8")
    done = run("conclint", "check", ".", "--output-format", "json")
    found = [(one["code"], one["location"]["row"]) for one in json.loads(done.stdout)]
    assert found == [("CON201", 10), ("CON201", 18)]


def test_every_usual_class_is_one_of_the_catalog() -> None:
    from conclint.config.amend import _USUAL_CLASSES

    for domain, classes in _USUAL_CLASSES.items():
        for kind, name in classes.items():
            row = catalog.find_class(name)
            assert row is not None, name
            assert (row.kind, row.domain) == (kind, domain), name


def test_workers_get_the_same_rows() -> None:
    amendments = read('name = "acme.run"\nblocks = "sleep"\ntimeout = {}', 'name = "acme.Lock"\nkind = "lock"')
    assert pickle.loads(pickle.dumps(amendments)) == amendments


def test_own_names_make_a_file_matter() -> None:
    amendments = read('name = "acme.pause"\nblocks = "sleep"', 'type = "acme.Client"\nmethod = "load"')
    texts = ["acme.pause(1)", "from acme import pause as p", "Client()", "client.load (url)"]
    assert not any(is_relevant(text.encode()) for text in texts)
    with catalog.amend(amendments):
        assert all(is_relevant(text.encode()) for text in texts)
        assert not is_relevant(b"paused = 1\nload(client)\nimport acme\n")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('nme = "a.b"', "`api[0]`: unknown key `nme`; did you mean `name`?"),
        ('name = "a.b"\nloop_only = true', "`api[0]`: unknown key `loop_only`; did you mean `loop-only`?"),
        ('name = "a.b"\nblocks = "netwrk"', "`api[0].blocks`: unknown word `netwrk`; did you mean `network`?"),
        ('name = "a.b"\nblocks = ["file", "disc"]', "`api[0].blocks[1]`: unknown word `disc`; allowed are "),
        (
            'name = "a.b"\ntimeout = { defualt = "none" }',
            "`api[0].timeout`: unknown key `defualt`; did you mean `default`?",
        ),
        ('name = "a.b"\ntimeout = { default = "for ever" }', "unknown word `for ever`; did you mean `forever`?"),
        (
            'name = "a.b"\nspawns = { runs-in = "treads" }',
            "`api[0].spawns.runs-in`: unknown word `treads`; did you mean ",
        ),
        ('name = "a.b"\nspawns = {}', "`api[0].spawns`: object missing required field `runs-in`"),
        ('name = "a.b"\nkind = "mutex"', "`api[0].kind`: unknown word `mutex`; allowed are "),
        ('name = "a.b"\nwaits = 1', "`api[0].waits`: expected `bool`, got `int`"),
        ('name = "a.b"\ntimeout = { position = -1 }', "`api[0].timeout.position`: expected `int` >= 0"),
        ('name = "b"', "`api[0]`: `name`: `b` is no qualified name such as"),
        ('name = "a.b"\naliases = ["a-b.c"]', "`api[0]`: `aliases`: `a-b.c` is no qualified name"),
        ('type = "a.B"\nmethod = "get it"', "`api[0]`: `method`: `get it` is no name of a method"),
        ('type = "a.B"', "`api[0]`: a row needs either `name`, or `type` and `method`"),
        ('name = "a.B"\ntype = "a.B"\nmethod = "c"', "`api[0]`: a row needs either `name`, or `type` and `method`"),
        ('type = "a.B"\nmethod = "c"\nkind = "lock"', "`api[0]`: `kind` is for classes, which have a `name`"),
        ('name = "a.b"\nruns-in = "thread"', "`api[0]`: `runs-in` is for classes, which have a `kind`"),
        ('name = "a.b"\nshared = true', "`api[0]`: `shared` is for classes, which have a `kind`"),
        ('name = "a.b"\ndecorates = "tread"', "`api[0].decorates`: unknown word `tread`; did you mean "),
        ('name = "a.b"\nbounded = "wait"', "`api[0]`: `bounded`: `wait` is no qualified name"),
        (
            'name = "a.b"\nreturns = "requests.Sesion"',
            "`returns`: unknown class `requests.Sesion`; did you mean `requests.S",
        ),
        ('name = "a.B"\nkind = "lock"\nbases = ["a.C"]', "`api[0]`: `bases`: unknown class `a.C`"),
        ('name = "a.b"\nsince = "py312"', '`api[0]`: `since`: `py312` is no version such as "3.12"'),
        ('name = "a.b"\n[[api]]\nname = "c.d"\naliases = ["a.b"]', "`api`: `a.b` stands in two rows"),
    ],
)
def test_a_mistake_is_told_in_one_line(row: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(row)
    assert str(error.value).startswith("conclint.toml: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_the_last_layer_that_gives_rows_is_taken() -> None:
    Path("conclint.toml").write_text('[[api]]\nname = "a.b"\n', encoding="utf-8")
    inline = read_settings(["."], config=('api = [{ name = "c.d" }]',), environ={})
    assert [row.names for row in resolve(inline, ()).amendments.calls] == [("c.d",)]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True, check=False)


def test_from_the_settings_to_the_alarm() -> None:
    Path("conclint.toml").write_text(
        'default-timeout = 8\n[[api]]\nname = "acme.jobs.pause"\nblocks = "network"\ntimeout = {}\n', encoding="utf-8"
    )
    Path("app.py").write_text(MARKED, encoding="utf-8")
    done = run("conclint", "check", ".", "--output-format", "json")
    found = [(one["code"], one["location"]["row"]) for one in json.loads(done.stdout)]
    assert found == [("CON301", 5), ("CON301", 9), ("CON401", 9)]
    assert "pass `timeout=8`" in run("conclint", "check", ".").stdout
    shown = json.loads(run("conclint", "check", ".", "--show-settings").stdout)
    assert (shown["api"], shown["default-timeout"]) == (["acme.jobs.pause"], 8)
    flake8 = run("flake8", "--select", "CON", "app.py").stdout
    assert flake8.count("CON301") == 2
