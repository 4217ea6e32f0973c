"""Each setting and each option does something, from the file or command line to what is printed."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import msgspec
import pytest

from conclint.cli import command
from conclint.config import Options

STARTS = """\
import threading


def work():
    pass


def start():
    threading.Thread(target=work).start()
"""
COUNTS = """\
from vendor import app, make_lock

lock = make_lock()
count = 0


@app.task
def work():
    global count
    count += 1


def show():
    with lock:
        print(count)
"""
TALLIES = """\
import threading

from vendor import Tally


class Service:
    def __init__(self):
        self.tally = Tally()

    def work(self):
        self.tally.total += 1

    def start(self):
        for _ in range(4):
            threading.Thread(target=self.work, daemon=True).start()
"""
TALLY = "class Tally:\n    def __init__(self):\n        self.total = 0\n"
JOBS = """\
import threading


class Job:
    def __init__(self):
        self.rounds = 0

    def run(self):
        self.rounds += 1


def start():
    for job in [Job(), Job()]:
        threading.Thread(target=job.run).start()
"""
IGNORES = "x = 1  # noqa: CON101\n"
LOCKS = """\
import threading

lock = threading.Lock()


def add(items):
    with lock.acquire():
        items.append(1)
"""
FETCHES = "import acme\nimport requests\n\n\ndef fetch(url):\n    return acme.fetch(url), requests.get(url)\n"
WARNS = """\
import threading
import warnings


def work():
    with warnings.catch_warnings():
        pass


def start():
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
"""


class Case(NamedTuple):
    """What a setting changes: whether `shown` is part of the output."""

    setting: str
    shown: str
    is_shown: bool
    """Whether it is with the setting; without it is the opposite."""
    arguments: tuple[str, ...] = (".",)
    files: tuple[tuple[str, str], ...] = (("shop/cart.py", STARTS),)
    others: str = ""
    """Settings that hold in both runs."""


CASES = {
    "select": Case('select = ["CON301"]', "CON101", False),
    "ignore": Case('ignore = ["CON101"]', "CON101", False),
    "extend-select": Case(
        'extend-select = ["CON002"]', "CON002", True, files=(("cart.py", "x = 1  # noqa: CON101\n"),)
    ),
    "extend-ignore": Case('extend-ignore = ["CON101"]', "CON101", False),
    "per-file-ignores": Case('per-file-ignores = { "shop/*" = ["CON101"] }', "CON101", False),
    "exclude": Case('exclude = ["shop"]', "CON101", False),
    "extend-exclude": Case('extend-exclude = ["shop"]', "CON101", False),
    "force-exclude": Case(
        "force-exclude = true", "CON101", False, ("shop/cart.py",), others='extend-exclude = ["shop"]\n'
    ),
    "respect-gitignore": Case(
        "respect-gitignore = false", "CON101", True, files=(("shop/cart.py", STARTS), (".gitignore", "shop\n"))
    ),
    "src": Case(
        'src = ["lib"]', '"shop.cart.work"', True, ("map", ".", "--output-format=json"), (("lib/shop/cart.py", STARTS),)
    ),
    "target-version": Case(
        'target-version = "3.14"', "CON113", False, files=(("cart.py", WARNS),), others="gil = false\n"
    ),
    "gil": Case("gil = false", "CON113", False, files=(("cart.py", WARNS),), others='target-version = "3.14"\n'),
    "default-timeout": Case("default-timeout = 7.5", "timeout=7.5", True, files=(("cart.py", FETCHES),)),
    "root-decorators": Case('root-decorators = ["vendor.app.task"]', "CON201", True, files=(("cart.py", COUNTS),)),
    "thread-safe-types": Case(
        'thread-safe-types = ["vendor.Tally"]', "CON201", False, files=(("cart.py", TALLIES), ("vendor.py", TALLY))
    ),
    "lock-factories": Case(
        'lock-factories = ["vendor.make_lock"]', "1 lock", True, ("map", "."), (("cart.py", COUNTS),)
    ),
    "fixable": Case('fixable = ["CON101"]', "-    with lock", False, ("--diff", "."), (("cart.py", LOCKS),)),
    "unfixable": Case(
        'unfixable = ["CON240"]', "-    with lock.acquire():", False, ("--diff", "."), (("cart.py", LOCKS),)
    ),
    "api": Case(
        '[[api]]\nname = "acme.fetch"\nblocks = "network"\ntimeout = { default = "forever" }',
        "`acme.fetch`",
        True,
        files=(("cart.py", FETCHES),),
    ),
    "jobs": Case("jobs = 3", '"jobs": 3', True, ("--show-settings",)),
    "cache-dir": Case('cache-dir = "kept"', "/kept", True, ("--show-settings",)),
    "flake8": Case("flake8 = false", "CON101", False, ("flake8",)),
}


def check(folder: Path, *arguments: str) -> str:
    """Run conclint, or flake8 with it as a plugin, in a folder."""
    module = "flake8" if arguments[0] == "flake8" else "conclint"
    given = arguments if module == "conclint" else ("shop",)
    done = subprocess.run(
        [sys.executable, "-m", module, *given], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


@pytest.mark.parametrize("key", CASES)
def test_a_setting_changes_what_is_printed(key: str, tmp_path: Path) -> None:
    case = CASES[key]
    (tmp_path / ".git").mkdir()
    for name, text in case.files:
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    shown = []
    for setting in ("", case.setting):
        (tmp_path / "conclint.toml").write_text(f"{case.others}{setting}\n", encoding="utf-8")
        shown.append(case.shown in check(tmp_path, *case.arguments))
    assert shown == [not case.is_shown, case.is_shown]


def test_each_setting_is_tried() -> None:
    assert [*CASES] == [field.encode_name for field in msgspec.structs.fields(Options)]


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["--exclude", "shop"], False),
        (["--exclude", "market"], True),
        (["--extend-ignore", "CON101"], False),
        (["--extend-select", "CON002", "--extend-ignore", "thread-not-joined"], False),
    ],
)
def test_an_option_changes_what_is_printed(arguments: list[str], shown: bool, tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/cart.py").write_text(STARTS, encoding="utf-8")
    assert ("CON101" in check(tmp_path, "--isolated", *arguments, ".")) == shown


def test_the_map_shows_possible_state_and_goes_into_a_file(tmp_path: Path) -> None:
    (tmp_path / "cart.py").write_text(JOBS, encoding="utf-8")
    assert check(tmp_path, "map", ".", "--output-file=map.txt") == ""
    assert "Job.rounds" not in (tmp_path / "map.txt").read_text(encoding="utf-8")
    assert "Job.rounds" in check(tmp_path, "map", "--possible", ".")


def test_a_report_goes_into_a_file(tmp_path: Path) -> None:
    (tmp_path / "cart.py").write_text(STARTS, encoding="utf-8")
    shown = check(tmp_path, "--isolated", ".")
    assert "CON101" not in check(tmp_path, "--isolated", "--output-file", "report.txt", ".")
    assert (tmp_path / "report.txt").read_text(encoding="utf-8") in shown


def iter_options() -> Iterator[tuple[str, list[str]]]:
    """Yield the options of all commands, with all names of each."""
    for name, one in command.commands.items():
        yield from ((f"{name} {each.opts[0]}", each.opts) for each in one.params if isinstance(each, click.Option))


def test_each_option_is_tried(root: Path) -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in (root / "tests").glob("test_*.py"))
    untried = [
        label for label, names in iter_options() if not any(re.search(rf'"{re.escape(one)}["=]', text) for one in names)
    ]
    assert untried == []
