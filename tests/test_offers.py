"""Whoever takes one of the fixes that are offered gets rid of its alarm, and of nothing but that."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from conclint import cache as cache_module
from conclint import repair
from conclint.cache import Cache
from conclint.config import Config
from conclint.fixes import find_regrets
from conclint.model.alarm import Diagnostic
from conclint.model.file import SourceFile
from conclint.offers import apply_fixes, offer_fixes
from conclint.pipeline import Outcome, check_files
from conclint.resources import Resources
from conclint.rules import load
from fixture_language import FIXTURES, iter_cases
from runs import make_config, read_case

CASES = tuple(case for case in iter_cases() if case.parent.name in load().fixers and any(case.parent.rglob("*.fixed")))
HELD_UP = """\
import threading


def nap():
    thread = threading.Thread(target=print)
    thread.start()
"""
WAITING = """\
import shop


async def wait():
    shop.nap()
"""
LIBCST = "import sys; from conclint.cli import main; main(sys.argv[1:]); sys.exit('libcst' in sys.modules)"


def name(case: Path) -> str:
    return case.relative_to(FIXTURES).as_posix()


@pytest.mark.parametrize("case", CASES, ids=name)
def test_each_fix_that_is_offered_holds_on_its_own(case: Path) -> None:
    config = make_config(case.parent.name, case if case.is_dir() else None)
    files = read_case(case)
    outcome = offer_fixes(check_files(files, config), files, config)
    assert not outcome.failures
    for one in outcome.diagnostics:
        if one.fix is not None:
            changed = apply_fixes({file.path: file for file in files}, [one])
            for path in {edit.path for edit in one.fix.edits}:
                ast.parse(changed[path].content or b"")
            after = check_files(tuple(changed.values()), config).diagnostics
            assert find_regrets(outcome.diagnostics, after, [one]) == []
            assert count(after, one) < count(outcome.diagnostics, one)


def count(diagnostics: Sequence[Diagnostic], like: Diagnostic) -> int:
    return sum((one.path, one.code) == (like.path, like.code) for one in diagnostics)


def offer(**texts: str) -> Outcome:
    files = [SourceFile(f"{stem}.py", stem, content=text.encode()) for stem, text in texts.items()]
    config = make_config("CON101")
    return offer_fixes(check_files(files, config), files, config)


def test_what_would_do_harm_elsewhere_is_not_offered() -> None:
    assert [one.fix is not None for one in offer(shop=HELD_UP).diagnostics] == [True]
    (alone,) = offer(shop=HELD_UP, cafe=WAITING).diagnostics
    assert (alone.code, alone.fix) == ("CON101", None)


def test_what_goes_wrong_takes_no_other_offer_with_it() -> None:
    good = HELD_UP.replace("nap", "rest")
    found = offer(shop=HELD_UP, cafe=WAITING, bar=good).diagnostics
    assert [(one.path, one.fix is not None) for one in found] == [("bar.py", True), ("shop.py", False)]


def test_a_warm_run_remembers_what_it_may_offer(tmp_path: Path) -> None:
    for stem, text in (("shop", HELD_UP), ("cafe", WAITING), ("bar", HELD_UP.replace("nap", "rest"))):
        (tmp_path / f"{stem}.py").write_text(text, encoding="utf-8")
    arguments = ("check", "--isolated", "--no-progress", "--output-format", "json")
    cold, warm = (
        subprocess.run([sys.executable, "-c", LIBCST, *arguments], cwd=tmp_path, capture_output=True, check=False)
        for _ in range(2)
    )
    assert (cold.returncode, warm.returncode) == (1, 0), "libcst is loaded, then it is not"
    assert cold.stdout == warm.stdout
    assert [one["fix"] is not None for one in json.loads(warm.stdout)] == [True, False]
    (tmp_path / "bar.py").write_text("", encoding="utf-8")
    changed = subprocess.run([sys.executable, "-c", LIBCST, *arguments], cwd=tmp_path, capture_output=True, check=False)
    assert [one["fix"] for one in json.loads(changed.stdout)] == [None]


def test_only_files_that_have_changed_are_fixed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cache_module, "_SETTLED", 0.0)
    files = [SourceFile(f"{stem}.py", stem) for stem in ("bar", "shop")]
    for file in files:
        Path(file.path).write_text(HELD_UP.replace("nap", file.module), encoding="utf-8")
    parsed: list[str] = []
    real = repair._open

    def note(file: SourceFile, config: Config, cache: Cache | None) -> object:
        parsed.append(file.path)
        return real(file, config, cache)

    monkeypatch.setattr(repair, "_open", note)

    def run() -> list[bool]:
        resources, config = Resources(cache=Cache("kept")), make_config("CON101")
        outcome = offer_fixes(check_files(files, config, resources=resources), files, config, resources)
        return [one.fix is not None for one in outcome.diagnostics]

    assert run() == [True, True]
    assert parsed == ["bar.py", "shop.py"]
    Path("bar.py").write_text(HELD_UP.replace("nap", "rest"), encoding="utf-8")
    assert run() == [True, True]
    assert parsed == ["bar.py", "shop.py", "bar.py"]
    assert run() == [True, True]
    assert parsed == ["bar.py", "shop.py", "bar.py"]


def test_without_a_cache_the_offers_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("shop.py").write_text(HELD_UP, encoding="utf-8")
    arguments = (sys.executable, "-m", "conclint", "check", "--isolated", "--no-progress", "--output-format", "json")
    runs = [subprocess.run([*arguments, *more], capture_output=True, check=False) for more in ((), ("--no-cache",))]
    assert runs[0].stdout == runs[1].stdout
    assert b'"applicability"' in runs[0].stdout
