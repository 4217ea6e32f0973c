"""Bad input gets a clear message each; the other files are still checked, and there is never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ALARM = b"""\
import threading

lock = threading.Lock()


async def pay(send):
    with lock:
        await send()
"""
ALARM_LINE = 8


@pytest.fixture(autouse=True)
def _in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()


def check(*arguments: str) -> tuple[int, list[tuple[str, int, str, str]], str]:
    """Return exit code, (file name, line, code, message) of each alarm, and the standard error."""
    command = [sys.executable, "-m", "conclint", "check", "--jobs", "1", "--output-format", "json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stdout + done.stderr
    entries = json.loads(done.stdout) if done.stdout else []
    found = [(Path(e["filename"]).name, e["location"]["row"], e["code"], e["message"]) for e in entries]
    return done.returncode, found, done.stderr


def check_beside_an_alarm(content: bytes, name: str = "odd.py") -> list[tuple[int, str, str]]:
    """Check a file beside another one, whose alarm must come; return (line, code, message) for the odd one."""
    Path(name).write_bytes(content)
    Path("zebra.py").write_bytes(ALARM)
    code, found, error = check(".")
    assert code == 1
    assert error == ""
    assert [(each[0], each[2]) for each in found if each[0] == "zebra.py"] == [("zebra.py", "CON230")]
    return [each[1:] for each in found if each[0] != "zebra.py"]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"import threading\nx = '\xff'\n", 2),
        (b"# coding: utf-16\nimport threading\n", 1),
        (b"# coding: no-such-thing\nimport threading\n", 1),
        (b"\xef\xbb\xbf# coding: latin-1\nimport threading\n", 1),
        (b"import threading\ndef f(:\n", 2),
        (b"import threading\nx = (\n", None),
        (b"import threading\nif x:\ny = 1\n", None),
        (b"import threading\nif x:\n\ty = 1\n        z = 2\n", None),
        (b"import threading\nprint 'python 2'\n", 2),
        (b"import threading\n<<<<<<< HEAD\n", 2),
        (b"import threading\nx = '\x00'\n", None),
        (b"\x80\x04\x95binary\x00\x01", 1),
    ],
)
def test_a_file_that_cannot_be_read_is_an_alarm_with_its_place(content: bytes, line: int | None) -> None:
    (found,) = check_beside_an_alarm(content)
    assert found[1] == "CON001"
    assert found[2]
    assert line in {found[0], None}


@pytest.mark.parametrize("content", [b"", b"\n", b"# only a comment", b"\xef\xbb\xbf", b"\f\n", b"   \n\t\n"])
def test_a_file_with_nothing_in_it_is_clean(content: bytes) -> None:
    assert check_beside_an_alarm(content) == []


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"\xef\xbb\xbf" + ALARM, ALARM_LINE),
        (ALARM.replace(b"\n", b"\r\n"), ALARM_LINE),
        (b"\f" + ALARM.replace(b"\n\n\n", b"\n\f\n\n"), ALARM_LINE),
        (ALARM.replace(b"    ", b"\t"), ALARM_LINE),
        (ALARM.rstrip(b"\n"), ALARM_LINE),
        (b"# coding: latin-1\nname = '\xe9'\n" + ALARM, ALARM_LINE + 2),
        ("名前 = 'ü'\n".encode() + ALARM, ALARM_LINE + 1),
    ],
    ids=["BOM", "CRLF", "form feeds", "tabs", "no last newline", "latin-1", "unicode"],
)
def test_a_file_that_looks_odd_is_checked_as_any_other(content: bytes, line: int) -> None:
    ((found, code, _),) = check_beside_an_alarm(content)
    assert code == "CON230"
    assert found == line


def test_a_long_file_is_checked() -> None:
    ((line, code, _),) = check_beside_an_alarm(b"x = 1\n" * 100_000 + ALARM)
    assert code == "CON230"
    assert line > 100_000


@pytest.mark.parametrize(
    "content",
    [
        b"import threading\nx = " + b"(" * 5_000 + b")" * 5_000 + b"\n",
        b"import threading\nx = " + b"-" * 20_000 + b"1\n",
        b"import threading\nx = " + b"+".join([b"1"] * 10_000) + b"\n",
        b"import threading\nx = 1" + b".real" * 5_000 + b"\n",
        b"import threading\n" + b"".join(b" " * depth + b"if x:\n" for depth in range(150)) + b" " * 150 + b"x\n",
    ],
    ids=["parentheses", "signs", "sums", "attributes", "blocks"],
)
def test_deep_nesting_does_not_end_the_run(content: bytes) -> None:
    assert {code for _, code, _ in check_beside_an_alarm(content)} <= {"CON001"}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no file names that are not text")
def test_a_file_whose_name_is_not_utf_8_is_told_of() -> None:
    Path(os.fsdecode(b"caf\xe9.py")).write_bytes(ALARM)
    Path("zebra.py").write_bytes(ALARM)
    code, found, error = check(".")
    assert (code, [name for name, *_ in found]) == (1, ["zebra.py"])
    assert error == "conclint: warning: caf\\xe9.py: not checked, since its path is not UTF-8\n"


def test_a_loop_of_links_ends() -> None:
    Path("pkg").mkdir()
    Path("pkg/loop").symlink_to(Path.cwd())
    Path("pkg/self.py").symlink_to("self.py")
    assert check_beside_an_alarm(b"x = 1\n") == []


def test_a_folder_and_a_dangling_link_may_be_called_like_files() -> None:
    Path("folder.py").mkdir()
    Path("dangling.py").symlink_to("nowhere.py")
    assert check_beside_an_alarm(b"x = 1\n") == []


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that opens and cannot be read")
def test_a_file_that_cannot_be_opened_is_an_alarm() -> None:
    Path("zebra.py").write_bytes(ALARM)
    code, found, _ = check("/proc/self/mem", "zebra.py")
    assert code == 1
    assert [(each[0], each[2]) for each in found] == [("mem", "CON001"), ("zebra.py", "CON230")]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_an_alarm() -> None:
    Path("closed.py").write_bytes(ALARM)
    Path("closed.py").chmod(0)
    Path("zebra.py").write_bytes(ALARM)
    code, found, _ = check(".")
    assert code == 1
    assert [(each[0], each[2]) for each in found] == [("closed.py", "CON001"), ("zebra.py", "CON230")]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (b"selct = []\n", "conclint.toml: unknown setting `selct`; did you mean `select`?"),
        (b'jobs = "many"\n', "conclint.toml: `jobs`: expected `int`, got `str`"),
        (b"jobs = \n", "conclint.toml: not valid TOML"),
        (b"x = '\xff'\n", "conclint.toml: not valid TOML"),
    ],
)
def test_bad_settings_are_a_mistake_of_usage(settings: bytes, message: str) -> None:
    Path("conclint.toml").write_bytes(settings)
    Path("zebra.py").write_bytes(ALARM)
    code, found, error = check(".")
    assert (code, found) == (2, [])
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that opens and cannot be read")
def test_settings_that_cannot_be_read_are_named() -> None:
    Path("pyproject.toml").symlink_to("/proc/self/mem")
    Path("zebra.py").write_bytes(ALARM)
    assert check(".") == (2, [], "conclint: error: pyproject.toml: cannot be read: Input/output error\n")


def test_a_path_that_does_not_exist_is_a_mistake_of_usage() -> None:
    Path("zebra.py").write_bytes(ALARM)
    code, found, error = check("zebra.py", "nope.py")
    assert (code, found) == (2, [])
    assert error == "conclint: error: no such file or directory: nope.py\n"
