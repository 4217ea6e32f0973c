"""Mistakes put into real code: their fixes do away with them, bring no others, and leave the real code as it is."""

from __future__ import annotations

import ast
import functools
import re
import sysconfig
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from conclint.config import Config
from conclint.model.file import SourceFile
from conclint.pipeline import add_fixes, check_files
from conclint.rounds import fix_files
from fixture_language import FIXTURES
from runs import BROUGHT_BY_FIXES, make_config

PATH = "shop.py"
HOSTS = (
    *("queue", "sched", "shelve", "cmd", "code", "csv", "getpass", "selectors", "contextlib", "poplib", "copyreg"),
    *("asyncio/locks", "asyncio/queues", "asyncio/runners", "multiprocessing/queues", "http/cookies", "json/decoder"),
    *("zipapp", "timeit", "textwrap"),
)
"""Modules of the standard library, which is the real code that every machine has."""
SEEDS = tuple(sorted(path for path in FIXTURES.glob("*/*.py.fixed")))
SMALL_SEEDS = (
    ("CON240", "import threading\nlock = threading.Lock()\nwith lock.acquire():  # why\n    print()"),
    (
        "CON103",
        "import threading\nthreading.Thread(\n    target=print,\n    args=('Grüße'),  # why\n    daemon=True,\n)",
    ),
    ("CON101", "from threading import Thread as T\nthread = T(target=print)\nthread.start()"),
    ("CON108", "import threading as th\nth.Thread(print, daemon=True).start()"),
    ("CON115", "import threading\nprint(threading.currentThread().name, threading.activeCount())"),
    ("CON225", "import threading\nlocks = [threading.Lock()] * 3\nfor lock in locks:\n    print(lock)"),
    ("CON301", "import requests\nprint(requests.get('https://shop.example', headers={}))"),
    ("CON401", "import time\nasync def nap():\n    time.sleep(\n        0.1,\n    )  # why\n"),
    ("CON402", "import time\ndef wait():\n    time.sleep(1)\nasync def nap():\n    wait()\n"),
    ("CON404", "import asyncio\nasync def nap():\n    asyncio.create_task(asyncio.sleep(1))  # why\n"),
)
"""Mistakes that may stand in any function."""
_FUTURE = re.compile(r"^from __future__ .*\n", re.MULTILINE)


@dataclass(frozen=True)
class Seeded:
    """Real code with a mistake of the rule `code` in it."""

    code: str
    name: str
    line: int
    """Where the mistake is put."""
    host: str = field(repr=False)
    text: str = field(repr=False)
    bom: bytes = b""

    @property
    def file(self) -> SourceFile:
        return SourceFile(PATH, "shop", content=self.bom + self.text.encode())


@functools.cache
def read_host(name: str) -> str:
    path = Path(sysconfig.get_path("stdlib"), f"{name}.py")
    text = path.read_bytes().decode().replace("\r\n", "\n")
    return text if is_clean(text) else ""


def is_clean(text: str) -> bool:
    """Whether nothing in the text is to be fixed before anything is put into it."""
    files = [SourceFile(PATH, "shop", content=text.encode())]
    config = make_config("CON101")
    return all(one.fix is None for one in add_fixes(check_files(files, config), files, config).diagnostics)


def iter_gaps(text: str) -> Iterator[int]:
    """Yield the numbers of the lines of a module before which other definitions may stand."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.decorator_list:
            yield node.lineno


def iter_bodies(text: str) -> Iterator[tuple[int, str]]:
    """Yield the numbers of the lines with which functions begin, behind their docstrings, and the whitespace there."""
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        first = node.body[-1] if isinstance(node, ast.FunctionDef) else None
        if first is not None and first.lineno > node.lineno and not getattr(first, "decorator_list", None):
            line = lines[first.lineno - 1]
            if not line[: first.col_offset].strip():
                yield first.lineno, line[: first.col_offset]


@st.composite
def seeded(draw: st.DrawFn) -> Seeded:
    """Draw a host, a mistake and its place."""
    name = draw(st.sampled_from(HOSTS))
    host = read_host(name)
    assume(host)
    if draw(st.booleans()):
        golden = draw(st.sampled_from(SEEDS))
        code, seed = golden.parent.name, _FUTURE.sub("", golden.with_suffix("").read_text(encoding="utf-8"))
        places = [(number, "") for number in iter_gaps(host)]
    else:
        code, seed = draw(st.sampled_from(SMALL_SEEDS))
        places = [*iter_bodies(host), *((number, "") for number in iter_gaps(host))]
    assume(places)
    number, indent = draw(st.sampled_from(places))
    lines = host.splitlines(keepends=True)
    put = "".join(f"{indent}{line}\n" if line else "\n" for line in seed.splitlines())
    text = "".join([*lines[: number - 1], put, *lines[number - 1 :]])
    text = text if draw(st.booleans()) else text.rstrip("\n")
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    bom = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    return Seeded(code, name, number, host, text.replace("\n", newline), bom)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(seeded())
def test_mistakes_in_real_code_are_fixed_and_nothing_else_is_touched(given: Seeded) -> None:
    compile(given.text, PATH, "exec", dont_inherit=True)
    config = make_config(given.code)
    before = add_fixes(check_files([given.file], config), [given.file], config).diagnostics
    fixed = fix_files([given.file], config, unsafe=True)
    assert not fixed.outcome.failures
    assert fixed.is_stable
    content = fixed.files[0].content or b""
    assert content.startswith(given.bom)
    text = content.removeprefix(given.bom).decode()
    compile(text, PATH, "exec", dont_inherit=True)
    assert all(one.fix is None for one in fixed.outcome.diagnostics)
    assert bool(fixed.changes or fixed.refused) == any(one.fix is not None for one in before)
    more = Counter(one.code for one in fixed.outcome.diagnostics) - Counter(one.code for one in before)
    assert more.keys() <= BROUGHT_BY_FIXES.get(given.code, set())
    check_host(given, text)
    check_again(text, config)


def check_host(given: Seeded, text: str) -> None:
    """Every line of the real code is there, in its order and with its line ending, but for the last one's."""
    left = iter(text.splitlines(keepends=True))
    newline = "\r\n" if "\r\n" in given.text else "\n"
    for line in given.host.rstrip("\n").splitlines():
        assert any(found in {f"{line}{newline}", line} for found in left), line
    assert text.endswith(newline) or not given.text.endswith(newline)
    assert "\r" not in text.replace(newline, "")


def check_again(text: str, config: Config) -> None:
    again = fix_files([SourceFile(PATH, "shop", content=text.encode())], config, unsafe=True)
    assert again.changes == {}
