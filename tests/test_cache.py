"""The cache changes nothing but the time: what it cannot use is a miss, whoever wrote it."""

from __future__ import annotations

import ast
import os
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from conclint import cache as cache_module
from conclint.cache import DATABASE, FILES, Cache
from conclint.model.file import SourceFile
from conclint.resources import Resources
from conclint.rules import load, read
from runs import ROOT, check, make_config

ALARM = """\
import threading

lock = threading.Lock()


async def pay(send):
    with lock:
        await send()
"""
CLEAN = "import threading\n"
DORMANT = "def shrink(path):\n    return path\n"
CALLER = "import threading\nfrom pictures import shrink\n\nthreading.Thread(target=shrink, args=('a',)).start()\n"

FILES_OF_PROJECT = (SourceFile("pay.py", "pay"), SourceFile("pictures.py", "pictures"), SourceFile("main.py", "main"))


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a project of three files the working directory, and believe at once what times of files say."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cache_module, "_SETTLED", 0.0)
    for name, text in (("pay.py", ALARM), ("pictures.py", DORMANT), ("main.py", CALLER)):
        (tmp_path / name).write_text(text)
    time.sleep(0.01)  # the clock of the file system ticks a few times in that
    return tmp_path


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The Python files whose contents are read, below the working directory."""
    found: list[str] = []
    real = Path.read_bytes

    def note(path: Path) -> bytes:
        if path.suffix == ".py" and ROOT not in path.parents:
            found.append(path.name)
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", note)
    return found


def run(cache: Cache | None = None) -> list[tuple[str, str, int]]:
    """Check the project as a new process would."""
    cache = cache or Cache("kept")
    found = check(FILES_OF_PROJECT, make_config("CON101"), resources=Resources(cache=cache))
    assert cache.problem is None
    return [(each.path, each.code, each.span.line) for each in found]


EXPECTED = [("main.py", "CON101", 4), ("pay.py", "CON230", 8)]


def conclint(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "conclint", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_warm_run_reads_no_file(reads: list[str]) -> None:
    assert run() == EXPECTED
    assert reads
    reads.clear()
    assert run() == EXPECTED
    assert reads == []


def test_a_warm_run_links_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run() == EXPECTED
    monkeypatch.setattr("conclint.pipeline._find_alarms", None)
    assert run() == EXPECTED


def test_what_is_selected_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run() == EXPECTED
    analysed = note_analysed(monkeypatch)
    selected = replace(make_config("CON101"), selected=frozenset({"CON230"}))
    found = check(FILES_OF_PROJECT, selected, resources=Resources(cache=Cache("kept")))
    assert [each.code for each in found] == ["CON230"]
    assert analysed == []


def test_one_changed_file_is_the_only_one_that_is_analysed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run() == EXPECTED
    Path("pay.py").write_text("\n" + ALARM)
    analysed = note_analysed(monkeypatch)
    assert run() == [("main.py", "CON101", 4), ("pay.py", "CON230", 9)]
    # The dormant module that the thread runs was woken in the first run, and is remembered awake.
    assert analysed == ["pay.py"]


def note_analysed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    from conclint import worker

    found: list[str] = []
    real = worker.check_module

    def note(file: SourceFile, *, triage: bool = True) -> object:
        found.append(file.path)
        return real(file, triage=triage)

    monkeypatch.setattr(worker, "check_module", note)
    return found


def test_a_file_that_was_touched_is_read_and_not_analysed(monkeypatch: pytest.MonkeyPatch, reads: list[str]) -> None:
    run()
    reads.clear()
    os.utime("pay.py", (1, 1))
    analysed = note_analysed(monkeypatch)
    assert run() == EXPECTED
    assert (reads, analysed) == (["pay.py"], [])


def test_the_same_size_and_time_do_not_hide_a_change() -> None:
    before = Path("pay.py").stat()
    assert run() == EXPECTED
    Path("pay.py").write_text(ALARM.replace("threading.Lock()", "asyncio.Lock()  "))
    os.utime("pay.py", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert Path("pay.py").stat().st_size == before.st_size
    assert run() == EXPECTED[:1]


def test_a_file_that_changed_a_moment_ago_is_read_again(monkeypatch: pytest.MonkeyPatch, reads: list[str]) -> None:
    monkeypatch.setattr(cache_module, "_SETTLED", 3600.0)
    run()
    reads.clear()
    assert run() == EXPECTED
    assert sorted(reads) == ["main.py", "pay.py", "pictures.py"]


def test_a_file_that_changes_during_the_run_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Cache.load

    def change(cache: Cache, *arguments: object, **keywords: object) -> object:
        Path("pay.py").write_text(CLEAN)
        return real(cache, *arguments, **keywords)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(Cache, "load", change)
        assert run() == EXPECTED[:1]
    Path("pay.py").write_text(ALARM)
    assert run() == EXPECTED


def test_the_names_of_a_file_belong_to_its_key() -> None:
    cache = Cache("kept")
    run(cache)
    moved = SourceFile("moved.py", "moved")
    Path("pay.py").rename("moved.py")
    (found,) = check([moved], make_config("CON101"), resources=Resources(cache=Cache("kept")))
    assert found.path == "moved.py"


def test_another_fingerprint_is_a_miss(monkeypatch: pytest.MonkeyPatch) -> None:
    run()
    monkeypatch.setattr(cache_module, "_find_own_files", lambda: (ROOT / "README.md",))
    analysed = note_analysed(monkeypatch)
    assert run() == EXPECTED
    assert sorted(analysed) == ["main.py", "pay.py", "pictures.py", "pictures.py"]


def test_what_is_no_file_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    unsaved = SourceFile("pay.py", "pay", content=CLEAN.encode())
    cache = Cache("kept")
    assert check([unsaved], make_config("CON101"), resources=Resources(cache=cache)) == ()
    assert run(cache) == EXPECTED


def test_what_is_given_as_content_is_known_where_a_file_gave_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run() == EXPECTED
    analysed = note_analysed(monkeypatch)
    files = [replace(file, content=Path(file.path).read_bytes()) for file in FILES_OF_PROJECT]
    found = check(files, make_config("CON101"), resources=Resources(cache=Cache("kept")))
    assert [(each.path, each.code, each.span.line) for each in found] == EXPECTED
    assert analysed == []


def test_our_own_failures_are_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("conclint.worker._analyse", None)
        with pytest.raises(AssertionError, match="TypeError"):
            run()
    assert run() == EXPECTED


def kept() -> Path:
    return Path("kept", DATABASE)


def damage(name: str) -> None:
    data = kept().read_bytes()
    match name:
        case "no database":
            kept().write_bytes(b"# a comment\n" * 1000)
        case "empty":
            kept().write_bytes(b"")
        case "truncated":
            kept().write_bytes(data[: len(data) // 2])
        case "cut in a page":
            kept().write_bytes(data[:5_000])
        case "zeros in the middle":
            kept().write_bytes(data[:4096] + bytes(len(data) - 4096))
        case "other layout":
            with sqlite3.connect(kept()) as connection:
                connection.execute("PRAGMA user_version = 99")
        case "other values":
            with sqlite3.connect(kept()) as connection:
                connection.execute("UPDATE results SET value = ?", (b"cos\nsystem\n(S'false'\ntR.",))
        case "swapped bytes":
            with sqlite3.connect(kept()) as connection:
                rows = connection.execute("SELECT rowid, value FROM results").fetchall()
                for row, value in rows:
                    broken = value[:-9] + bytes([value[-9] ^ 1]) + value[-8:]
                    connection.execute("UPDATE results SET value = ? WHERE rowid = ?", (broken, row))


DAMAGES = (
    *("no database", "empty", "truncated", "cut in a page", "zeros in the middle", "other layout", "other values"),
    "swapped bytes",
)


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_cache_is_a_miss_and_is_made_anew(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run()
    damage(name)
    assert run() == EXPECTED
    monkeypatch.setattr("conclint.pipeline._find_alarms", None)
    assert run() == EXPECTED


def test_every_cut_is_a_miss() -> None:
    run()
    data = kept().read_bytes()
    for length in range(0, len(data), 1_777):
        kept().write_bytes(data[:length])
        assert run() == EXPECTED


@pytest.mark.parametrize("place", ["a file", "a folder in the place of the database"])
def test_a_cache_that_cannot_be_written_is_done_without_and_said_once(place: str) -> None:
    if place == "a file":
        Path("kept").write_text("here already")
    else:
        kept().mkdir(parents=True)
    done = conclint("check", "--cache-dir", "kept", "--output-format", "concise")
    assert done.stdout.count("CON230") == 1
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "kept: cannot keep results here" in done.stderr
    assert conclint("check", "--cache-dir", "kept", "--no-cache").stderr == ""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_cache_is_done_without() -> None:
    run()
    Path("kept").chmod(0o500)
    kept().chmod(0o400)
    cache = Cache("kept")
    found = check(FILES_OF_PROJECT, make_config("CON101"), resources=Resources(cache=cache))
    assert len(found) == len(EXPECTED)
    assert cache.problem
    Path("kept").chmod(0o700)


def test_a_cache_that_is_locked_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    run()
    monkeypatch.setattr(cache_module, "_PATIENCE", 0.01)
    Path("pay.py").write_text(CLEAN)
    other = sqlite3.connect(kept(), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    cache = Cache("kept")
    found = check(FILES_OF_PROJECT, make_config("CON101"), resources=Resources(cache=cache))
    other.close()
    assert len(found) == 1
    assert cache.problem == "database is locked"


@pytest.mark.parametrize("damaged", [False, True])
def test_eight_processes_share_a_cache(*, damaged: bool) -> None:
    if damaged:
        run()
        damage("no database")
    command = [sys.executable, "-m", "conclint", "check", "--cache-dir", "kept", "--output-format", "concise"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(8)]
    told = {process.communicate() for process in running}
    assert len(told) == 1
    ((output, errors),) = told
    assert output.count("CON230") == 1
    assert errors == ""
    with sqlite3.connect(kept()) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_the_oldest_results_go_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = 150_000
    for day in range(12):
        monkeypatch.setattr(cache_module, "_today", lambda day=day: 20_000 + day)
        Path("pay.py").write_text(ALARM + "".join(f"x{number}_{day} = {number}\n" for number in range(2_000)))
        assert run(Cache("kept", limit=limit)) == EXPECTED
    assert kept().stat().st_size < limit * 1.3
    with sqlite3.connect(kept()) as connection:
        days = [row[0] for row in connection.execute("SELECT DISTINCT day FROM results ORDER BY day")]
    assert days[0] > 20_000
    assert days[-1] == 20_011


def test_a_use_makes_results_young(monkeypatch: pytest.MonkeyPatch) -> None:
    run()
    monkeypatch.setattr(cache_module, "_today", lambda: 99_999)
    run()
    with sqlite3.connect(kept()) as connection:
        assert connection.execute("SELECT DISTINCT day FROM results").fetchall() == [(99_999,)]


def test_the_directory_says_what_it_is() -> None:
    run()
    assert Path("kept/CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55\n")
    assert Path("kept/.gitignore").read_text().endswith("\n*\n")
    assert {path.name for path in Path("kept").iterdir()} <= {"CACHEDIR.TAG", ".gitignore", *FILES}


@pytest.mark.parametrize("how", ["flag", "setting", "environment", "default"])
def test_the_directory_can_be_chosen(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("deep").mkdir()
    Path("deep/conclint.toml").write_text('cache-dir = "there"\n' if how == "setting" else "")
    if how == "environment":
        monkeypatch.setenv("CONCLINT_CACHE_DIR", "here")
    conclint("check", "deep", *(["--cache-dir", "here"] if how == "flag" else []))
    expected = {"flag": "here", "setting": "deep/there", "environment": "here", "default": "deep/.conclint_cache"}
    assert Path(expected[how], DATABASE).is_file()


def test_clean_removes_what_is_ours_and_nothing_else() -> None:
    conclint("check", "--cache-dir", "kept")
    Path("kept/notes.txt").write_text("mine")
    done = conclint("clean", "--cache-dir", "kept")
    assert (done.returncode, done.stdout, done.stderr) == (0, "removed kept\n", "")
    assert [path.name for path in Path("kept").iterdir()] == ["notes.txt"]
    Path("kept/notes.txt").unlink()
    conclint("check", "--cache-dir", "kept/deep")
    conclint("clean", "--cache-dir", "kept/deep")
    assert not Path("kept/deep").exists()
    done = conclint("clean", "--cache-dir", "kept/deep")
    assert (done.returncode, done.stdout) == (0, "there is nothing in kept/deep\n")


def test_clean_leaves_the_files_of_others() -> None:
    Path("mine").mkdir()
    Path("mine/.gitignore").write_text("*.log\n")
    conclint("check", "--cache-dir", "mine")
    conclint("clean", "--cache-dir", "mine")
    assert Path("mine/.gitignore").read_text() == "*.log\n"


def test_a_warm_run_loads_no_heavy_library() -> None:
    assert conclint("check").returncode == 1
    script = (
        "import sys; from conclint.cli import main; code = main(['check', '--output-format', 'concise'])\n"
        "print(code, sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)\n"
        "print([name for name in sys.modules if name.startswith('conclint.')], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "CON230" in done.stdout
    code, loaded = done.stderr.splitlines()[0].split(" ", 1)
    assert code == "1"
    heavy = {"libcst", "rich", "pathspec", "jinja2", "networkx", "multiprocessing", "yaml", "asyncio"}
    assert not heavy & set(ast.literal_eval(loaded))
    own = ast.literal_eval(done.stderr.splitlines()[1])
    assert [name for name in own if name.split(".")[1] in ("analysis", "project")] == []


def test_rules_are_read_as_they_are_imported() -> None:
    assert read() == load().rules


def test_no_rule_of_one_file_depends_on_the_project() -> None:
    # `_BEHIND` leaves `project` out of the fingerprint of what a single file gives.
    for each in load().local:
        module = sys.modules[each.run.__module__]
        assert module.__file__ is not None
        imported = {
            node.module
            for node in ast.walk(ast.parse(Path(module.__file__).read_bytes()))
            if isinstance(node, ast.ImportFrom)
        }
        assert not [name for name in imported if name and name.startswith("conclint.project")], module.__name__
