"""Fixing files from the command line: as a process of its own, on real files, with everything that may go wrong."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from pathlib import Path

import pytest

from conclint.cli import main

OLD = """\
import threading

lock = threading.Lock()


def add(items):
    with lock.acquire():
        items.append("Grüße")
"""
NEW = OLD.replace(".acquire()", "")
FLAGS = ("check", "--isolated", "--no-progress", "--output-format", "concise")


@pytest.fixture(autouse=True)
def _in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(
    *arguments: str, stdin: bytes = b"", environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "conclint", *FLAGS, *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, check=False, env={**os.environ, **(environ or {})})
    assert b"Traceback" not in done.stderr
    return done


def run_script(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run some lines of Python, then conclint, in one process."""
    code = f"import sys\n{script}\nfrom conclint.cli import main\nsys.exit(main(sys.argv[1:]))\n"
    return subprocess.run([sys.executable, "-c", code, *FLAGS, *arguments], capture_output=True, text=True, check=False)


def names() -> list[str]:
    return sorted(path.name for path in Path().iterdir() if not path.name.startswith(".conclint_cache"))


@pytest.mark.parametrize(
    ("newline", "encoding", "flags"),
    [
        pytest.param("\n", "utf-8", [], id="usual"),
        pytest.param("\r\n", "utf-8-sig", [], id="windows"),
        pytest.param("\r\n", "latin-1", ["--no-cache"], id="old"),
        pytest.param("\r", "utf-8", ["--no-cache"], id="older"),
    ],
)
def test_a_fixed_file_differs_in_nothing_but_the_fix(newline: str, encoding: str, flags: Sequence[str]) -> None:
    head = "# coding: latin-1\n" if encoding == "latin-1" else ""
    file, rest = Path("shop.py"), "\nlast = 1"
    file.write_bytes(f"{head}{OLD}{rest}".replace("\n", newline).encode(encoding))
    file.chmod(0o640)
    assert run("--fix", *flags, "shop.py").returncode == 0
    assert file.read_bytes() == f"{head}{NEW}{rest}".replace("\n", newline).encode(encoding)
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert names() == ["shop.py"]


def test_a_link_stays_a_link_and_a_file_with_two_names_is_fixed_once() -> None:
    Path("real").mkdir()
    target, link = Path("real", "shop.py"), Path("link.py")
    target.write_text(OLD, encoding="utf-8")
    link.symlink_to(target)
    done = run("--fix", "link.py", "real")
    assert done.returncode == 0, done.stderr
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == NEW


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only the superuser gives files away")
def test_a_file_keeps_its_owner() -> None:
    file = Path("shop.py")
    file.write_text(OLD, encoding="utf-8")
    os.chown(file, 1234, 2345)
    file.chmod(0o4750)
    assert run("--fix", "shop.py").returncode == 0
    status = file.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (1234, 2345, 0o4750)


def test_a_read_only_directory_is_told_and_left_alone() -> None:
    Path("shop.py").write_text(OLD, encoding="utf-8")
    # The superuser, who may run the tests, writes into any directory.
    script = (
        "import errno, os\nopen_file = os.open\n"
        "def refuse(path, flags, *rest, **named):\n"
        "    if flags & os.O_CREAT:\n        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))\n"
        "    return open_file(path, flags, *rest, **named)\n"
        "os.open = refuse\n"
    )
    done = run_script(script, "--fix", "--no-cache", "shop.py")
    assert done.returncode == 2
    assert "shop.py: not changed, since it cannot be written: Permission denied" in done.stderr
    assert Path("shop.py").read_text(encoding="utf-8") == OLD


def test_a_read_only_file_is_told_and_left_alone() -> None:
    Path("shop.py").write_text(OLD, encoding="utf-8")
    script = "import os\nos.access = lambda path, mode: False\n"
    done = run_script(script, "--fix", "--no-cache", "shop.py")
    assert done.returncode == 2
    assert "shop.py: not changed, since it cannot be written" in done.stderr
    assert names() == ["shop.py"]


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_a_full_disk_is_told_and_leaves_the_old_text() -> None:
    Path("shop.py").write_text(OLD, encoding="utf-8")
    Path("other.py").write_text("import threading\n", encoding="utf-8")
    script = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))\n"
    done = run_script(script, "--fix", "--no-cache", ".")
    assert done.returncode == 2
    assert "shop.py: not changed, since it cannot be written: File too large" in done.stderr
    assert Path("shop.py").read_text(encoding="utf-8") == OLD
    assert names() == ["other.py", "shop.py"]


class Meddler(Executor):
    """Runs what it is given, and appends to the file while conclint works on what it has read."""

    def submit(self, function, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        Path("shop.py").write_text(OLD + "# newer\n", encoding="utf-8")
        future: Future[object] = Future()
        future.set_result(function(*args, **kwargs))
        return future


def test_a_file_that_changes_meanwhile_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("shop.py").write_text(OLD, encoding="utf-8")
    Path("other.py").write_text(OLD, encoding="utf-8")
    monkeypatch.setattr("concurrent.futures.Meddler", Meddler, raising=False)
    assert main([*FLAGS, "--fix", "--no-cache", "--executor", "concurrent.futures:Meddler", "."]) == 2
    assert "shop.py: not changed, since it has changed in the meantime" in capsys.readouterr().err
    assert Path("shop.py").read_text(encoding="utf-8") == OLD + "# newer\n"
    assert Path("other.py").read_text(encoding="utf-8") == NEW


def test_fixing_on_another_executor_does_the_same(tmp_path: Path) -> None:
    for number in range(3):
        Path(f"shop{number}.py").write_text(OLD, encoding="utf-8")
    done = run("--fix", "--executor", "concurrent.futures:ThreadPoolExecutor", ".")
    assert (done.returncode, done.stderr) == (0, b"Fixed 3 problems in 3 files.\n")
    assert all(path.read_text(encoding="utf-8") == NEW for path in tmp_path.glob("shop*.py"))


def test_two_runs_at_once_do_not_disturb_each_other() -> None:
    for number in range(5):
        Path(f"shop{number}.py").write_text(OLD, encoding="utf-8")
    command = [sys.executable, "-m", "conclint", *FLAGS, "--fix", "."]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    for one in both:
        _, said = one.communicate()
        assert one.returncode == 0, said
    assert names() == [f"shop{number}.py" for number in range(5)]
    assert all(Path(name).read_text(encoding="utf-8") == NEW for name in names())


def test_the_cache_knows_what_was_fixed() -> None:
    file = Path("shop.py")
    file.write_text(OLD, encoding="utf-8")
    assert run("shop.py").returncode == 1
    assert run("--diff", "shop.py").returncode == 1
    assert run("shop.py").returncode == 1, "a diff has changed nothing"
    assert run("--fix", "shop.py").returncode == 0
    assert run("shop.py").returncode == 0
    file.write_text(OLD, encoding="utf-8")
    assert run("shop.py").returncode == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("number", "delay"),
    [*(("SIGKILL", delay) for delay in (0.0, 0.003, 0.01, 0.03)), ("SIGINT", 0.0), ("SIGINT", 0.01)],
)
def test_who_is_stopped_at_any_moment_leaves_the_old_or_the_new_text(number: str, delay: float) -> None:
    files = [Path(f"shop{index:02}.py") for index in range(30)]
    for file in files:
        file.write_text(OLD, encoding="utf-8")
    script = (
        "import sys\nimport conclint.cli.fix as fix\nfrom conclint.cli import main\n"
        "write = fix.write_change\n"
        "def begin(*change):\n    fix.write_change = write\n    print('begin', flush=True)\n    write(*change)\n"
        "fix.write_change = begin\nsys.exit(main(sys.argv[1:]))\n"
    )
    command = [sys.executable, "-c", script, *FLAGS, "--fix", "--no-cache", "-q", "."]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        process.send_signal(getattr(signal, number))
        process.wait()
    assert {file.read_text(encoding="utf-8") for file in files} <= {OLD, NEW}
    if number == "SIGINT":
        assert process.returncode in {0, 130, -signal.SIGINT}
        assert names() == [file.name for file in files]


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("bom", ["", "\ufeff"], ids=["no BOM", "BOM"])
def test_the_standard_input_comes_back_as_it_was_but_for_the_fix(newline: str, bom: str) -> None:
    old, new = (f"{bom}{text}".replace("\n", newline).encode() for text in (OLD, NEW))
    done = run("--fix", "--stdin-filename", "shop.py", "-", stdin=old)
    assert (done.returncode, done.stdout) == (0, new)
    assert done.stderr.startswith(b"Fixed 1 problem in 1 file.\n")
    again = run("--fix", "-", stdin=new)
    assert (again.returncode, again.stdout) == (0, new)
    assert names() == []


def test_the_standard_input_may_be_ignored_or_compared() -> None:
    done = run("--add-ignore=old", "-q", "-", stdin=OLD.encode())
    assert b"    with lock.acquire():  # conclint: ignore[CON240] old\n" in done.stdout
    assert done.returncode == 0
    done = run("--diff", "--stdin-filename", "shop.py", "-", stdin=OLD.encode())
    assert done.returncode == 1
    assert done.stdout.startswith(b"--- shop.py\n+++ shop.py\n")


@pytest.mark.skipif(shutil.which("patch") is None, reason="needs patch")
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_a_diff_is_what_fix_does(newline: str) -> None:
    text = f"{OLD}\n\ndef put(items):\n    with lock.acquire():\n        items.pop()".replace("\n", newline)
    Path("shop.py").write_bytes(text.encode())
    diff = run("--diff", "shop.py").stdout
    shutil.copy("shop.py", "patched.py")
    subprocess.run(["patch", "--binary", "-p0", "patched.py"], input=diff, check=True, capture_output=True)
    assert run("--fix", "shop.py").returncode == 0
    assert Path("patched.py").read_bytes() == Path("shop.py").read_bytes()
