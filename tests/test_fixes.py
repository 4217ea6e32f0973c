"""Edits become text, and text becomes files: nothing else changes, and no file is ever half written."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conclint.fixes import (
    UnwritableError,
    apply_edits,
    choose_fixes,
    decode,
    find_regrets,
    render_diff,
    write_change,
)
from conclint.model.alarm import Diagnostic
from conclint.model.file import SourceFile
from conclint.model.fix import Anchor, Applicability, Edit, Fix
from conclint.model.rule import Fixer
from conclint.model.span import Span
from conclint.rounds import fix_files, ignore_alarms
from conclint.rules import load
from runs import make_config

WITH_ACQUIRE = "import threading\n\nlock = threading.Lock()\n\n\ndef add():\n    with lock.acquire():\n        pass\n"


def edit(start: int, end: int, content: str, *, line: int = 1, path: str = "a.py") -> Edit:
    return Edit(path, Span(line, start, line, end), content)


def diagnose(*edits: Edit, applicability: Applicability = Applicability.SAFE) -> Diagnostic:
    fix = Fix("Mend it", applicability, edits)
    return Diagnostic("a.py", edits[0].span, "CON900", "tea", "thread", "cold", "", "", fix=fix)


def fix_text(text: bytes, *, unsafe: bool = False) -> bytes:
    fixed = fix_files([SourceFile("a.py", "a", content=text)], make_config("CON240"), unsafe=unsafe)
    assert fixed.is_stable
    return fixed.changes["a.py"].new if fixed.changes else text


def test_edits_are_applied_from_left_to_right() -> None:
    edits = [edit(3, 4, "C"), edit(1, 1, "<"), edit(1, 2, "A"), edit(1, 3, "", line=2)]
    assert apply_edits("abc\ndef\n", edits) == "<AbC\nf\n"


def test_edits_that_overlap_are_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        apply_edits("abc", [edit(1, 3, ""), edit(2, 4, "")])


def test_of_fixes_that_meet_the_first_is_chosen() -> None:
    first, second, third = diagnose(edit(1, 3, "x")), diagnose(edit(3, 3, "y")), diagnose(edit(5, 6, "z"))
    assert choose_fixes([first, second, third], ["a.py"], unsafe=False) == [first, third]


def test_fixes_may_share_an_edit() -> None:
    shared = edit(1, 1, "import asyncio\n")
    both = [diagnose(shared, edit(5, 6, "x")), diagnose(shared, edit(9, 9, "y"))]
    assert choose_fixes(both, ["a.py"], unsafe=False) == both


def test_fixes_that_indent_one_line_are_not_applied_together() -> None:
    outer = diagnose(Edit("a.py", Span(1, 1, 1, 1), "with a:\n    "), Edit("a.py", Span(2, 1, 2, 1), "    "))
    inner = diagnose(Edit("a.py", Span(2, 9, 2, 9), "with b:\n            "))
    same = diagnose(Edit("a.py", Span(2, 1, 2, 1), "    "), Edit("a.py", Span(3, 1, 3, 1), "    "))
    assert choose_fixes([outer, inner, same], ["a.py"], unsafe=False) == [outer]


def test_a_fix_is_applied_as_a_whole_or_not_at_all() -> None:
    assert choose_fixes([diagnose(edit(1, 1, "x"), edit(1, 1, "y", path="b.py"))], ["a.py"], unsafe=True) == []


def test_unsafe_fixes_are_only_applied_when_they_are_asked_for() -> None:
    unsafe = diagnose(edit(1, 1, "x"), applicability=Applicability.UNSAFE)
    assert choose_fixes([unsafe], ["a.py"], unsafe=False) == []
    assert choose_fixes([unsafe], ["a.py"], unsafe=True) == [unsafe]


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_encoding_and_line_endings_stay(newline: str, encoding: str) -> None:
    head = "# coding: latin-1\n" if encoding == "latin-1" else ""
    text = f"{head}# Grüße\n{WITH_ACQUIRE}".replace("\n", newline)
    assert fix_text(text.encode(encoding)) == text.replace(".acquire()", "").encode(encoding)


def test_a_text_without_a_last_newline_is_left_without_one() -> None:
    text = WITH_ACQUIRE.rstrip("\n").encode()
    assert fix_text(text) == text.replace(b".acquire()", b"")


def test_what_would_not_be_encoded_to_the_same_bytes_is_not_decoded() -> None:
    assert decode(b"# coding: no-such-thing\n") is None
    assert decode(b"\xff") is None


def test_a_diff_is_one_that_patch_understands() -> None:
    diff = render_diff({"a.py": ("one\x0c\ntwo", "one\x0c\nthree")})
    assert diff == (
        "--- a.py\n+++ a.py\n@@ -1,2 +1,2 @@\n one\x0c\n"
        "-two\n\\ No newline at end of file\n+three\n\\ No newline at end of file\n"
    )


def test_writing_keeps_the_mode_and_the_link(tmp_path: Path) -> None:
    target, link = tmp_path / "real.py", tmp_path / "link.py"
    target.write_bytes(b"old")
    target.chmod(0o750)
    link.symlink_to(target)
    write_change(str(link), b"old", b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o750
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.py", "real.py"]


def test_a_file_that_has_changed_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(b"newer")
    with pytest.raises(UnwritableError, match="changed"):
        write_change(str(file), b"old", b"new")
    assert file.read_bytes() == b"newer"
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_is_gone_is_not_made_again(tmp_path: Path) -> None:
    with pytest.raises(UnwritableError):
        write_change(str(tmp_path / "a.py"), b"old", b"new")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", ["SIGINT", "SIGKILL"])
def test_who_is_stopped_leaves_the_old_or_the_new_text(tmp_path: Path, number: str) -> None:
    file = tmp_path / "a.py"
    old, new = b"o" * 100_000, b"n" * 200_000
    file.write_bytes(old)
    code = (
        "import sys\nfrom conclint.fixes import write_change\n"
        f"old, new = b'o' * {len(old)}, b'n' * {len(new)}\nprint(flush=True)\n"
        "while True:\n    write_change(sys.argv[1], old, new)\n    write_change(sys.argv[1], new, old)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(file)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as run:
        assert run.stdout is not None
        run.stdout.readline()
        for _ in range(50):
            assert file.read_bytes() in {old, new}
        os.kill(run.pid, getattr(signal, number))
    assert file.read_bytes() in {old, new}
    if number == "SIGINT":
        assert list(tmp_path.iterdir()) == [file]


def test_ignores_go_to_the_end_of_the_statement_or_above_it() -> None:
    long = "with lock.acquire():  # " + "why " * 25
    text = WITH_ACQUIRE + f"\n\ndef put():\n    {long}\n        pass\n"
    fixed = ignore_alarms([SourceFile("a.py", "a", content=text.encode())], make_config("CON240"), "see 12")
    lines = fixed.changes["a.py"].new.decode().splitlines()
    assert "    with lock.acquire():  # conclint: ignore[CON240] see 12" in lines
    assert lines[lines.index(f"    {long.rstrip()}".rstrip() + " ") - 1] == "    # conclint: ignore[CON240] see 12"
    again = ignore_alarms([SourceFile("a.py", "a", content=fixed.changes["a.py"].new)], make_config("CON240"), "")
    assert again.changes == {}


def test_a_list_of_ignored_rules_grows() -> None:
    text = WITH_ACQUIRE.replace("acquire():", "acquire():  # conclint: ignore[CON101] old reason")
    fixed = ignore_alarms([SourceFile("a.py", "a", content=text.encode())], make_config("CON240"), "")
    assert b"# conclint: ignore[CON101, CON240] old reason\n" in fixed.changes["a.py"].new


def test_fixes_that_break_the_syntax_are_taken_back_and_told_as_our_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    replace_fixer(monkeypatch, ")(")
    fixed = fix_files([SourceFile("a.py", "a", content=WITH_ACQUIRE.encode())], make_config("CON240"))
    assert not fixed.changes
    assert not fixed.diagnostics
    assert [one.code for one in fixed.outcome.diagnostics] == ["CON240"]
    assert [(one.path, one.error) for one in fixed.outcome.failures] == [
        ("a.py", "the fixes of CON240 break the syntax")
    ]


def test_a_fix_that_leaves_its_alarm_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    replace_fixer(monkeypatch, " ")
    fixed = fix_files([SourceFile("a.py", "a", content=WITH_ACQUIRE.encode())], make_config("CON240"))
    assert fixed.is_stable
    assert not fixed.changes
    assert not fixed.outcome.failures
    assert fixed.refused == 1
    assert [one.code for one in fixed.outcome.diagnostics] == ["CON240"]


STALE = """\
import asyncio
import time


class Shop:
    def __init__(self):
        self.count = 0

    async def sell(self):
        time.sleep(1)
        count = self.count
        time.sleep(0.1)
        self.count = count + 1


async def main():
    shop = Shop()
    await asyncio.gather(shop.sell(), shop.sell())


asyncio.run(main())
"""


def test_a_fix_that_brings_another_alarm_is_refused_and_the_others_are_kept() -> None:
    fixed = fix_files([SourceFile("a.py", "a", content=STALE.encode())], make_config("CON401"), unsafe=True)
    assert fixed.changes["a.py"].new.decode() == STALE.replace("time.sleep(1)", "await asyncio.sleep(1)")
    assert fixed.is_stable
    assert fixed.refused == 1
    (left,) = fixed.outcome.diagnostics
    assert (left.code, left.span.line, left.fix) == ("CON401", 12, None)


def test_fixes_are_blamed_for_what_touches_the_lines_that_they_write() -> None:
    first, second = diagnose(edit(1, 1, "import x\n")), diagnose(edit(5, 9, "y", line=2))
    there, elsewhere = (Diagnostic("a.py", Span(line, 1, line, 9), "CON901", *[""] * 5) for line in (3, 4))
    assert find_regrets([], [there], [first, second]) == [second]
    assert find_regrets([], [there, elsewhere], [first, second]) == [first, second]
    assert find_regrets([elsewhere], [there, elsewhere], [first, second]) == [second]
    assert find_regrets([there], [elsewhere], [first, second]) == []


def test_nobody_is_blamed_for_what_a_fix_brings_to_light() -> None:
    fix = Fix("Mend it", Applicability.SAFE, (edit(1, 2, ""),), reveals=("CON9",))
    done = Diagnostic("a.py", Span(1, 1, 1, 2), "CON900", *[""] * 5, fix=fix)
    brought = [Diagnostic("a.py", Span(1, 1, 1, 2), code, *[""] * 5) for code in ("CON901", "CON101", "CON002")]
    assert find_regrets([], brought[:1], [done]) == []
    assert find_regrets([], brought[1:2], [done]) == [done]
    assert find_regrets([], brought[2:], [done]) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import time\n", "import asyncio\nimport time\n"),
        ("import abc\nimport time\n", "import abc\nimport asyncio\nimport time\n"),
        ("import abc  # why\n# next\nimport time\n", "import abc  # why\nimport asyncio\n# next\nimport time\n"),
        ("import abc\n\nimport time\n", "import abc\nimport asyncio\n\nimport time\n"),
        ("import time\nfrom abc import ABC\n", "import asyncio\nimport time\nfrom abc import ABC\n"),
        ("from abc import ABC\nimport time\n", "import asyncio\nfrom abc import ABC\nimport time\n"),
        ("import abc\nprint()\nimport time\n", "import abc\nimport asyncio\nprint()\nimport time\n"),
    ],
)
def test_an_import_goes_among_those_that_are_there(before: str, after: str) -> None:
    text = "{}\n\nasync def nap():\n    {}(1)\n"
    file = SourceFile("a.py", "a", content=text.format(before, "time.sleep").encode())
    fixed = fix_files([file], make_config("CON401"), unsafe=True)
    assert fixed.changes["a.py"].new.decode() == text.format(after, "await asyncio.sleep")


@pytest.mark.parametrize(
    "block",
    [
        "with self._lock:\n            {}",
        "self._lock.acquire()\n        try:\n            {}\n        finally:\n            self._lock.release()",
    ],
)
@pytest.mark.parametrize("call", ["time.sleep(1)", "requests.get(url, timeout=3)", "self.work()"])
def test_nothing_is_awaited_under_a_thread_lock(block: str, call: str) -> None:
    text = (
        "import threading\nimport time\n\nimport requests\n\n\nclass Shop:\n    def __init__(self):\n"
        "        self._lock = threading.Lock()\n\n    async def work(self):\n        pass\n\n"
        f"    async def sell(self, url):\n        {block.format(call)}\n"
    )
    fixed = fix_files([SourceFile("a.py", "a", content=text.encode())], make_config("CON401"), unsafe=True)
    assert not fixed.changes
    assert {one.code for one in fixed.outcome.diagnostics} & {"CON401", "CON403"}


@pytest.mark.parametrize(
    "line", ["import trio", "from trio import run", "import trio.abc as abc", "from .. import run"]
)
@pytest.mark.parametrize("indent", ["", "    "])
def test_no_asyncio_comes_into_files_of_other_loops(line: str, indent: str) -> None:
    text = f"import time\n\nif True:\n    print()\n{indent}{line}\n\n\nasync def nap():\n    time.sleep(1)\n"
    file = SourceFile("a.py", "trio.shop.a", content=text.encode())
    assert not fix_files([file], make_config("CON401"), unsafe=True).changes


def test_a_bug_in_a_fixer_costs_nothing_but_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(editor: object, anchor: Anchor) -> Fix | None:
        raise ZeroDivisionError

    set_fixer(monkeypatch, fail)
    fixed = fix_files([SourceFile("a.py", "a", content=WITH_ACQUIRE.encode())], make_config("CON240"))
    assert [one.code for one in fixed.outcome.diagnostics] == ["CON240"]
    assert {(one.path, one.rule) for one in fixed.outcome.failures} == {("a.py", "CON240")}


def replace_fixer(monkeypatch: pytest.MonkeyPatch, inserted: str) -> None:
    """Have alarms of CON240 "fixed" by inserting something behind them."""

    def insert(editor: object, anchor: Anchor) -> Fix | None:
        line, column = anchor.span.end_line, anchor.span.end_column
        place = Span(line, column, line, column)
        return Fix("Insert", Applicability.SAFE, (Edit(anchor.path, place, inserted),))

    set_fixer(monkeypatch, insert)


def set_fixer(monkeypatch: pytest.MonkeyPatch, fix: Callable[[object, Anchor], Fix | None]) -> None:
    rule = next(one for one in load().rules if one.code == "CON240")
    monkeypatch.setattr("conclint.rules.load_fixers", lambda codes: {"CON240": Fixer(rule, fix)})
