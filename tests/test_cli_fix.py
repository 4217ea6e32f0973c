"""`conclint check --fix` and its relatives, as people call them."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from conclint.cli import main
from conclint.fixes import UnwritableError

CODE = """\
import threading
import time

lock = threading.Lock()


def add(items):
    with lock.acquire():
        items.append(1)


def begin(worker):
    thread = threading.Thread(target=worker)
    thread.start()


async def wait():
    time.sleep(1)
"""
SAFE = CODE.replace(".acquire()", "")
UNSAFE = SAFE.replace("    thread.start()\n", "    thread.start()\n    thread.join()\n")
UNSAFE = "import asyncio\n" + UNSAFE.replace("time.sleep", "await asyncio.sleep")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "shop.py"
    file.write_text(CODE, encoding="utf-8")
    return file


def run(*arguments: str) -> int:
    return main(["check", "--isolated", "--no-progress", "--output-format", "concise", *arguments, "shop.py"])


def test_safe_fixes_are_written_and_the_rest_is_reported(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--fix") == 1
    assert shop.read_text(encoding="utf-8") == SAFE
    told = capsys.readouterr()
    assert "CON101" in told.out
    assert "CON240" not in told.out
    assert told.err == ("Fixed 1 problem in 1 file.\n2 more problems can be fixed with `--unsafe-fixes`.\n")


def test_unsafe_fixes_are_written_when_they_are_asked_for(shop: Path) -> None:
    assert run("--fix", "--unsafe-fixes") == 0
    assert shop.read_text(encoding="utf-8") == UNSAFE


def test_a_diff_changes_nothing(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--diff") == 1
    assert shop.read_text(encoding="utf-8") == CODE
    told = capsys.readouterr()
    assert told.out.startswith("--- shop.py\n+++ shop.py\n@@ ")
    assert "\n-    with lock.acquire():\n+    with lock:\n" in told.out
    assert told.err == "1 problem would be fixed.\n2 more problems can be fixed with `--unsafe-fixes`.\n"


def test_a_diff_may_be_no_failure(shop: Path) -> None:
    assert run("--diff", "--exit-zero") == 0


def test_hints_are_no_part_of_a_quiet_run(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--fix", "-q") == 1
    assert capsys.readouterr().err == ""


def test_with_unsafe_fixes_nothing_more_is_hinted_at(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--diff", "--unsafe-fixes") == 1
    assert capsys.readouterr().err == "3 problems would be fixed.\n"
    assert shop.read_text(encoding="utf-8") == CODE


def test_a_diff_of_nothing_is_no_failure(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shop.write_text("import threading\n", encoding="utf-8")
    assert run("--diff") == 0
    assert capsys.readouterr().out == ""


def test_fix_only_is_silent_about_the_rest(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--fix-only") == 0
    assert shop.read_text(encoding="utf-8") == SAFE
    assert "CON101" not in capsys.readouterr().out


def test_having_fixed_something_may_be_a_failure(shop: Path) -> None:
    assert run("--fix-only", "--exit-non-zero-on-fix") == 1
    assert run("--fix-only", "--exit-non-zero-on-fix") == 0


@pytest.mark.parametrize("arguments", [("--unfixable", "CON401,CON101"), ("--fixable", "with-acquire")])
def test_only_fixable_rules_are_fixed(shop: Path, arguments: tuple[str, str]) -> None:
    assert run("--fix", "--unsafe-fixes", *arguments) == 1
    assert shop.read_text(encoding="utf-8") == CODE.replace(".acquire()", "")


def test_json_tells_of_fixes(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--isolated", "--output-format", "json", "shop.py"]) == 1
    found = {one["code"]: one["fix"] for one in json.loads(capsys.readouterr().out)}
    assert found["CON101"]["applicability"] == "unsafe"
    assert found["CON240"] == {
        "message": "Enter `lock` itself",
        "applicability": "safe",
        "edits": [
            {
                "content": "",
                "filename": "shop.py",
                "location": {"row": 8, "column": 14},
                "end_location": {"row": 8, "column": 24},
            }
        ],
    }


def test_what_would_bring_other_problems_is_told_and_left(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "import threading\n\n\ndef nap():\n    thread = threading.Thread(target=print)\n    thread.start()\n"
    shop.write_text(f"{text}\n\nasync def wait():\n    nap()\n", encoding="utf-8")
    assert run("--fix", "--unsafe-fixes") == 1
    assert shop.read_text(encoding="utf-8").startswith(text)
    told = capsys.readouterr()
    assert "CON101" in told.out
    assert told.err == "1 problem cannot be fixed without bringing others.\n"


def test_json_tells_of_no_fix_that_is_not_wanted(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--isolated", "--output-format", "json", "--unfixable", "CON240", "shop.py"]) == 1
    fixes = {one["code"]: one["fix"] for one in json.loads(capsys.readouterr().out)}
    assert fixes["CON240"] is None
    assert fixes["CON401"] is not None


def test_what_is_left_may_be_reported_in_any_format(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--fix", "--output-format", "json") == 1
    left, _ = json.loads(capsys.readouterr().out)
    assert (left["code"], left["fix"]["applicability"]) == ("CON101", "unsafe")
    assert left["location"]["row"] == 1 + SAFE[: SAFE.index("threading.Thread(")].count("\n")


def test_fixes_in_files_that_are_not_named_are_left(shop: Path) -> None:
    other = shop.with_name("other.py")
    other.write_text(CODE, encoding="utf-8")
    assert run("--fix") == 1
    assert other.read_text(encoding="utf-8") == CODE


def test_files_with_mistakes_of_all_kinds_are_fixed_around(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shop.with_name("broken.py").write_text("def f(:\n", encoding="utf-8")
    shop.with_name("binary.py").write_bytes(b"\xff\xfe")
    assert run("--fix", "broken.py", "binary.py") == 1
    assert shop.read_text(encoding="utf-8") == SAFE
    assert capsys.readouterr().out.count("CON001") == 2


def test_the_default_timeout_is_a_setting(shop: Path) -> None:
    shop.write_text("import requests\n\nrequests.get('https://shop.example')\n", encoding="utf-8")
    assert run("--fix", "--unsafe-fixes", "--config", "default-timeout = 2.5") == 0
    assert "requests.get('https://shop.example', timeout=2.5)" in shop.read_text(encoding="utf-8")


def test_ignores_are_written_with_a_reason(shop: Path) -> None:
    assert run("--add-ignore=known since 2019") == 0
    text = shop.read_text(encoding="utf-8")
    assert "    with lock.acquire():  # conclint: ignore[CON240] known since 2019\n" in text
    assert run() == 0


def test_ignores_need_no_reason_and_do_not_swallow_a_path(shop: Path) -> None:
    assert main(["check", "--isolated", "--add-ignore", "shop.py"]) == 0
    assert "# conclint: ignore[CON401]\n" in shop.read_text(encoding="utf-8")


def test_ignores_may_be_looked_at_first(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--add-ignore", "--diff") == 1
    assert shop.read_text(encoding="utf-8") == CODE
    told = capsys.readouterr()
    assert "\n+    with lock.acquire():  # conclint: ignore[CON240]\n" in told.out
    assert told.err == "3 problems would be ignored.\n"


def test_ignores_go_to_the_end_of_what_is_written_over_lines(shop: Path) -> None:
    text = CODE.replace("target=worker", "\n        target=worker,  # why\n    ").replace(
        "time.sleep(1)", "return (\n        time.sleep(1)\n    )"
    )
    shop.write_text(text, encoding="utf-8")
    assert run("--add-ignore") == 0
    assert run() == 0
    assert "\n    )  # conclint: ignore[CON101]\n" in shop.read_text(encoding="utf-8")


def test_a_decorated_function_may_be_ignored(shop: Path) -> None:
    text = (
        "import threading\n\n\ndef keep(*names):\n    return print\n\n\n"
        "@keep(threading.currentThread())\n@keep()\ndef work(thread=threading.currentThread()):\n    print(thread)\n"
    )
    shop.write_text(text, encoding="utf-8")
    assert run() == 1
    assert run(f"--add-ignore={'long ' * 24}") == 0
    assert run() == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--add-ignore=a\nb"], "--add-ignore: a reason is one line of text"),
        (["--add-ignore", "--fix"], "--add-ignore: ignores what --fix would fix: use one after the other"),
        (["--fix", "--unfixable", "CON999"], "--unfixable: unknown rule `CON999`"),
    ],
)
def test_a_mistake_is_told_and_changes_nothing(
    shop: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert run(*arguments) == 2
    assert message in capsys.readouterr().err
    assert shop.read_text(encoding="utf-8") == CODE


def test_comments_that_are_of_no_use_get_no_comment(shop: Path) -> None:
    shop.write_text("x = 1  # conclint: ignore\n", encoding="utf-8")
    assert run("--extend-select", "CON002", "--add-ignore") == 1
    assert shop.read_text(encoding="utf-8") == "x = 1  # conclint: ignore\n"


def test_what_is_left_is_reported_where_it_stands_in_the_end(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shop.write_text(f"{CODE}\n\nx = 1  # conclint: ignore\n", encoding="utf-8")
    assert run("--extend-select", "CON002", f"--add-ignore={'a long reason ' * 8}") == 1
    text = shop.read_text(encoding="utf-8")
    line = 1 + text[: text.index("x = 1")].count("\n")
    assert line > 1 + CODE.count("\n") + 2
    assert f"shop.py:{line}:8: CON002" in capsys.readouterr().out


def test_the_standard_input_comes_back_fixed(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(CODE.encode())))
    assert main(["check", "--isolated", "--fix", "-q", "-"]) == 1
    assert capfdbinary.readouterr().out.replace(b"\r\n", b"\n") == SAFE.encode()


def test_a_file_that_cannot_be_written_is_named(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(path: str, old: bytes, new: bytes) -> None:
        raise UnwritableError("it has changed in the meantime")

    monkeypatch.setattr("conclint.cli.fix.write_change", refuse)
    assert run("--fix") == 2
    assert "shop.py: not changed, since it has changed in the meantime" in capsys.readouterr().err
    assert shop.read_text(encoding="utf-8") == CODE
