"""The command line: what it prints, where, and with which exit code."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace

import msgspec
import pytest

from conclint import __version__
from conclint.cli import main
from conclint.config import Options
from conclint.model.result import Failure

BROKEN = "def f(:\n"
CLEAN = "x = 1\n"


@pytest.fixture(autouse=True)
def _in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / "bad.py").write_text(BROKEN)
    (tmp_path / "good.py").write_text(CLEAN)


def run(
    *arguments: str, stdin: str | bytes = b"", environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run conclint as a process of its own."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run(
        [sys.executable, "-m", "conclint", *arguments],
        input=data,
        capture_output=True,
        check=False,
        env={**os.environ, **(environ or {})},
    )
    assert b"Traceback" not in done.stderr
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def run_on_terminal(*arguments: str, environ: dict[str, str] | None = None) -> str:
    """Run conclint with a terminal for its standard output; return what it shows."""
    parent, child = os.openpty()
    command = [sys.executable, "-m", "conclint", *arguments]
    with subprocess.Popen(command, stdout=child, env={**os.environ, "TERM": "xterm", **(environ or {})}):
        os.close(child)
        shown = b""
        with contextlib.suppress(OSError):  # Linux says EIO at the end
            while data := os.read(parent, 100_000):
                shown += data
    os.close(parent)
    return shown.decode().replace("\r\n", "\n")


@pytest.fixture
def replace_pipeline(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., object]], None]:
    """Give a function that puts another `check_files` in the place of the real one."""

    def replace(check_files: Callable[..., object]) -> None:
        module = ModuleType("conclint.pipeline")
        module.check_files = check_files  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "conclint.pipeline", module)

    return replace


def test_alarms_go_to_standard_output_with_exit_code_1() -> None:
    done = run("bad.py", "good.py", "--output-format", "concise")
    assert done.returncode == 1
    assert done.stdout.startswith("bad.py:1:")
    assert "CON001" in done.stdout
    assert "Found 1 problem in 1 of 2 files." in done.stdout
    assert done.stderr == ""


def test_a_clean_run_says_so_with_exit_code_0() -> None:
    done = run("good.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert "All checks passed!" in done.stdout


@pytest.mark.parametrize("arguments", [[], ["check"], ["."], ["check", "."], ["--quiet"], ["--select", "ALL", "."]])
def test_check_is_meant_without_saying_so(arguments: Sequence[str]) -> None:
    assert run(*arguments).returncode == 1


def test_a_folder_called_like_a_command_can_be_checked() -> None:
    Path("rule").mkdir()
    Path("rule", "bad.py").write_text(BROKEN)
    assert "rule/bad.py" in run("check", "rule").stdout
    assert "rule/bad.py" in run("./rule").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope.py", "good.py"], "no such file or directory: nope.py"),
        (["--selct", "CON1"], "No such option '--selct'"),
        (["--select", "CON00X"], "--select: unknown rule `CON00X`; did you mean `CON001`?"),
        (["--ignore", "syntax-eror"], "--ignore: unknown rule `syntax-eror`; did you mean `syntax-error`?"),
        (["--config", "jbs=2"], "--config jbs=2: unknown setting `jbs`; did you mean `jobs`?"),
        (["--config", "nope.toml"], "neither a settings file nor KEY=VALUE"),
        (["--output-format", "xml"], "'xml' is not one of"),
        (["--per-file-ignores", "CON101"], "--per-file-ignores: `CON101` is not PATTERN:RULES"),
        (["--jobs", "-1"], "-1"),
        (["-o", "no/such/dir/report.txt"], "cannot write no/such/dir/report.txt"),
        (["--stdin-filename", "good.py", "bad.py"], "--stdin-filename: is for the standard input"),
        (["no\nsuch.py"], "no such file or directory: no such.py"),
        (["rule", "CON00l"], "unknown rule `CON00l`; did you mean `CON001`?"),
    ],
)
def test_a_mistake_is_one_line_with_exit_code_2(arguments: Sequence[str], message: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_exit_zero_is_for_alarms_not_for_mistakes() -> None:
    assert run("--exit-zero", "bad.py").returncode == 0
    assert run("--exit-zero", "nope.py").returncode == 2


def test_no_files_are_a_warning() -> None:
    Path("empty").mkdir()
    done = run("empty")
    assert done.returncode == 0
    assert "warning: no Python files found" in done.stderr
    assert "passed" not in done.stdout
    assert json.loads(run("empty", "--output-format", "json").stdout) == []


def test_json_is_nothing_but_json() -> None:
    done = run("--output-format", "json", environ={"FORCE_COLOR": "1"})
    (entry,) = json.loads(done.stdout)
    assert (entry["code"], Path(entry["filename"]).name) == ("CON001", "bad.py")
    variable = run(environ={"CONCLINT_OUTPUT_FORMAT": "json"})
    assert variable.stdout == done.stdout


def test_github_gets_its_annotations() -> None:
    assert run("--output-format", "github").stdout.startswith("::error ")


def test_a_report_goes_into_a_file_whole(tmp_path: Path) -> None:
    Path("report.json").write_text("old")
    Path("report.json").chmod(0o640)
    done = run("--output-format", "json", "-o", "report.json")
    assert done.returncode == 1
    assert json.loads(Path("report.json").read_text())[0]["code"] == "CON001"
    assert Path("report.json").stat().st_mode & 0o777 == 0o640
    assert "Found 1 problem" in done.stdout
    assert sorted(path.name for path in tmp_path.glob("[!.]*")) == ["bad.py", "good.py", "report.json"]
    assert sorted(path.name for path in tmp_path.glob(".*")) == [".conclint_cache", ".git"]


def test_statistics_count_by_rule() -> None:
    Path("worse.py").write_text(BROKEN)
    assert run("--statistics", "--quiet").stdout.split() == ["2", "CON001", "syntax-error"]


def test_quiet_leaves_the_alarms() -> None:
    assert run("--quiet", "good.py").stdout == ""
    loud, quiet = run("bad.py").stdout, run("--quiet", "bad.py").stdout
    assert "CON001" in quiet
    assert "Found" in loud
    assert "Found" not in quiet


def test_settings_files_flags_and_variables_meet() -> None:
    Path("pyproject.toml").write_text('[tool.conclint]\nper-file-ignores = {"bad.py" = ["CON001"]}\n')
    assert run().returncode == 0
    assert run("--isolated").returncode == 1
    Path("pyproject.toml").unlink()
    assert run("--ignore", "CON001").returncode == 0
    assert run("--ignore", "syntax-error,CON2").returncode == 0
    assert run("--config", 'ignore=["CON0"]').returncode == 0
    assert run("--extend-exclude", "bad.py").returncode == 0
    assert run("--extend-exclude", "bad.py", "bad.py").returncode == 1
    assert run("--extend-exclude", "bad.py", "--force-exclude", "bad.py").returncode == 0
    assert run("--per-file-ignores", "g*.py:CON2,b*.py:CON230,CON001").returncode == 0
    assert run(environ={"CONCLINT_IGNORE": "CON001"}).returncode == 0
    assert "CONCLINT_JOBS: expected a number of processes" in run(environ={"CONCLINT_JOBS": "x"}).stderr
    assert run("--select", "CON230").returncode == 1, "what cannot be read is never clean"


def test_a_mistake_in_a_settings_file_names_it() -> None:
    Path("pyproject.toml").write_text("[tool.conclint]\nselct = []\n")
    done = run()
    assert done.returncode == 2
    assert done.stderr == "conclint: error: pyproject.toml: unknown setting `selct`; did you mean `select`?\n"


def test_gitignore_is_respected() -> None:
    Path(".gitignore").write_text("bad.py\n")
    assert run().returncode == 0
    assert run("--no-respect-gitignore").returncode == 1


def test_files_and_settings_can_be_shown() -> None:
    assert run("--show-files").stdout == "bad.py\ngood.py\n"
    settings = json.loads(run("--show-settings", "--jobs", "3", "--select", "CON001").stdout)
    assert (settings["jobs"], settings["rules"]) == (3, ["CON001"])


def test_the_python_that_the_code_runs_on_can_be_named() -> None:
    Path("pyproject.toml").write_text('[tool.conclint]\ntarget-version = "3.10"\ngil = false\n')
    settings = json.loads(run("--show-settings").stdout)
    assert (settings["python-versions"][0], settings["gil"], "CON801" in settings["rules"]) == ("3.10", False, True)
    settings = json.loads(run("--show-settings", "--target-version", "3.13", "--gil").stdout)
    assert (settings["python-versions"][0], settings["gil"], "CON801" in settings["rules"]) == ("3.13", True, False)
    Path("pyproject.toml").write_text("")
    assert json.loads(run("--show-settings", "--no-gil").stdout)["gil"] is False
    unknown = run("--target-version", "3.9")
    assert (unknown.returncode, unknown.stderr.partition(";")[0]) == (
        2,
        "conclint: error: --target-version: unknown version `3.9`",
    )


def test_without_the_gil_its_rules_are_on_for_one_run() -> None:
    text = 'import sysconfig\nGIL_DISABLED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))\n'
    assert run("-", "--output-format", "concise", stdin=text).returncode == 0
    found = run("-", "--no-gil", "--output-format", "concise", stdin=text)
    assert (found.returncode, "CON805" in found.stdout) == (1, True)
    assert run("-", "--no-gil", "--ignore", "CON8", stdin=text).returncode == 0


def test_standard_input_is_checked() -> None:
    nameless = run("-", "--output-format", "concise", stdin=BROKEN)
    assert nameless.returncode == 1
    assert nameless.stdout.startswith("-:1:")
    named = run("-", "--stdin-filename", "good.py", "--output-format", "concise", stdin=BROKEN)
    assert named.stdout.startswith("good.py:1:")
    assert "bad.py" not in named.stdout
    assert "def f(:" in run("-", stdin=BROKEN).stdout
    assert run("--stdin-filename", "good.py", "--output-format", "concise", stdin=BROKEN).stdout == named.stdout
    assert run("-", stdin=CLEAN).returncode == 0


def test_rules_are_listed() -> None:
    assert run("rule").stdout.startswith("CON001  syntax-error: ")


def test_a_rule_is_explained_by_its_page(root: Path) -> None:
    page = (root / "docs/rules/CON001.md").read_text(encoding="utf-8")
    for word in ("CON001", "con001", "syntax-error"):
        done = run("rule", word)
        assert (done.returncode, done.stdout) == (0, page)
    every = run("rule", "--all").stdout
    assert every.startswith(page)
    assert (root / "docs/rules/CON701.md").read_text(encoding="utf-8") in every


def test_rules_are_explained_to_programs(root: Path) -> None:
    one = json.loads(run("rule", "CON001", "--output-format", "json").stdout)
    assert one["name"] == "syntax-error"
    assert one["explanation"] == (root / "docs/rules/CON001.md").read_text(encoding="utf-8")
    assert json.loads(run("rule", "--output-format", "json").stdout)[0] == one
    assert json.loads(run("rule", "--all", "--output-format", "json").stdout)[0] == one


@pytest.mark.parametrize(("environ", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are a matter of POSIX")
def test_a_page_is_set_for_reading_on_a_terminal(environ: dict[str, str], *, coloured: bool) -> None:
    shown = run_on_terminal("rule", "CON101", environ={"COLUMNS": "60", **environ})
    assert ("\x1b[36m" in shown) is coloured
    plain = re.sub(r"\x1b\[[\d;]*m|\x1b\]8;.*?\x1b\\", "", shown)
    assert "thread-not-joined (CON101)" in plain
    assert not {"##", "**", "`"} & set(plain.split()), "no Markdown is left"
    assert max(len(line) for line in plain.splitlines()) <= 60


@pytest.mark.parametrize("arguments", [["version"], ["--version"]])
def test_the_version_is_told(arguments: Sequence[str]) -> None:
    assert run(*arguments).stdout == f"conclint {__version__}\n"


def test_colour_can_be_forced_and_forbidden() -> None:
    assert "\x1b[" not in run("bad.py").stdout
    assert "\x1b[" in run("bad.py", environ={"FORCE_COLOR": "1"}).stdout
    assert "\x1b[" not in run("bad.py", environ={"FORCE_COLOR": "1", "NO_COLOR": "1"}).stdout


def test_a_reader_may_leave_early() -> None:
    for number in range(300):
        Path(f"bad{number}.py").write_text(BROKEN)
    command = [sys.executable, "-m", "conclint", "--output-format", "full", "--jobs", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
def test_an_interrupt_ends_it_without_a_traceback() -> None:
    with start_interruptible("-") as process:
        # It waits for its input; a second is plenty to get there.
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Traceback" not in error


@pytest.mark.skipif(os.name == "nt", reason="Windows has no process groups of this kind")
def test_an_interrupt_ends_the_processes_of_a_long_run_at_once() -> None:
    for number in range(4):
        Path(f"long{number}.py").write_text(
            "import threading\n" + "def f(x):\n    return threading.Event(x)\n" * 20_000
        )
    with start_interruptible("--jobs", "2") as process:
        time.sleep(1.5)
        # Ctrl-C on a terminal reaches the workers too.
        os.killpg(process.pid, signal.SIGINT)
        _, error = process.communicate(timeout=4)
    assert process.returncode == 130
    assert error.strip() == b""


def start_interruptible(*arguments: str) -> subprocess.Popen[bytes]:
    """Run conclint in a process group of its own, with the usual handler even where the tests run without one."""
    script = "import signal; signal.signal(2, signal.default_int_handler); from conclint.cli import run; run()"
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("arguments", [[], ["--help"], ["rule"], ["--show-files"], ["-o", "/dev/full"]])
def test_a_full_disk_is_told_in_one_line(arguments: Sequence[str]) -> None:
    command = [sys.executable, "-m", "conclint", *arguments]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("conclint: error: ")
    assert done.stderr.endswith("No space left on device\n")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(os.name == "nt", reason="a matter of POSIX shells")
@pytest.mark.parametrize(
    ("arguments", "code"), [("bad.py >&-", 1), ("- <&-", 0), ("nope.py 2>&-", 2), ("rule CON101 >&-", 0)]
)
def test_streams_may_be_missing(arguments: str, code: int) -> None:
    command = f"{sys.executable} -m conclint {arguments}"
    done = subprocess.run(command, shell=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (code, b"")


def test_frames_are_as_wide_as_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    Path("bad.py").write_text(f"def f(:{' ' * 60}# {'x' * 100}\n")
    for columns, width in (("60", 60), ("", 120)):
        lines = run("bad.py", environ={"COLUMNS": columns}).stdout.splitlines()
        assert max(len(line) for line in lines if line.startswith(" 1 |")) in {width - 1, width}


def test_an_empty_line_parts_the_last_frame_from_the_summary() -> None:
    *_, last, summary = run("bad.py").stdout.splitlines()
    assert (last, summary) == ("", "Found 1 problem in 1 of 1 file.")
    assert "" not in run("bad.py", "--output-format", "concise").stdout.splitlines()


def test_a_bug_of_ours_is_told_with_file_and_rule_and_exit_code_3(
    replace_pipeline: Callable[[Callable[..., object]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    failures = (Failure("good.py", "CON101", "KeyError: 'x'", "Traceback …"), Failure("", "link", "E", ""))
    replace_pipeline(lambda *_, **__: SimpleNamespace(diagnostics=(), failures=failures, files=2))
    assert main(["--exit-zero"]) == 3
    error = capsys.readouterr().err
    assert "internal error in CON101 on good.py: KeyError: 'x'" in error
    assert "internal error in link: E" in error


def test_a_bug_outside_the_files_is_no_result_either(
    replace_pipeline: Callable[[Callable[..., object]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    replace_pipeline(fail)
    assert main([]) == 3
    assert "internal error: ZeroDivisionError()" in capsys.readouterr().err


def test_an_error_of_the_machine_is_no_bug(
    replace_pipeline: Callable[[Callable[..., object]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "closed/good.py")

    replace_pipeline(fail)
    assert main([]) == 2
    assert capsys.readouterr().err == "conclint: error: closed/good.py: Permission denied\n"


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are a matter of POSIX")
@pytest.mark.parametrize(("flags", "drawn"), [([], True), (["--no-progress"], False), (["--quiet"], False)])
def test_a_bar_is_drawn_on_a_terminal_for_long_runs(flags: Sequence[str], *, drawn: bool) -> None:
    script = """
import sys, threading, time, types
from conclint.cli import main
from conclint.config import Options
def check_files(files, config, *, on_file=None, resources=None):
    for file in files:
        time.sleep(0.6)
        if on_file is not None:
            on_file(file.path)
    assert threading.active_count() == 1, "a process with threads cannot fork"
    return types.SimpleNamespace(diagnostics=(), failures=(), files=len(files), seconds={})
sys.modules["conclint.pipeline"] = module = types.ModuleType("conclint.pipeline")
module.check_files = check_files
sys.exit(main(sys.argv[1:]))
"""
    parent, child = os.openpty()
    command = [sys.executable, "-c", script, *flags]
    environ = {**os.environ, "TERM": "xterm"}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=child, env=environ, check=False)
    os.close(child)
    try:
        seen = os.read(parent, 100_000)
    except OSError:  # Linux says EIO when nothing was written and the other end is closed
        seen = b""
    finally:
        os.close(parent)
    assert done.returncode == 0
    assert (b"checking" in seen) is drawn
    assert (b"linking" in seen) is drawn


class TestConfig:
    def test_all_settings_are_listed(self) -> None:
        done = run("config")
        assert done.returncode == 0
        keys = [line.split()[0] for line in done.stdout.splitlines() if not line.startswith(" ")]
        assert keys == [field.encode_name for field in msgspec.structs.fields(Options)]
        words = "force-exclude Whether to leave excluded files out even when they are named. Default: false."
        assert words in " ".join(done.stdout.split())

    def test_a_setting_is_described(self) -> None:
        assert run("config", "respect_gitignore").stdout == (
            "respect-gitignore: Whether to leave out what git ignores.\n"
            "  type         true or false\n"
            "  default      true\n"
            "  flag         --no-respect-gitignore\n"
        )

    def test_json_says_the_same(self) -> None:
        assert json.loads(run("config", "jobs", "--output-format", "json").stdout) == {
            "key": "jobs",
            "type": "a number",
            "default": "0",
            "description": "Processes that work at once, 0 for one per processor.",
            "variable": "CONCLINT_JOBS",
            "flag": "--jobs",
        }

    def test_an_unknown_setting_is_a_mistake(self) -> None:
        done = run("config", "selct")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "conclint: error: unknown setting `selct`; did you mean `select`?\n"


class TestMap:
    @pytest.fixture(autouse=True)
    def _project(self, tmp_path: Path) -> None:
        (tmp_path / "jobs.py").write_text(
            "import threading\n\nlock = threading.Lock()\n\n\ndef work():\n    with lock:\n        pass\n\n\n"
            "threading.Thread(target=work).start()\n"
        )

    def test_text_goes_to_standard_output_with_exit_code_0(self) -> None:
        done = run("map", "jobs.py")
        assert done.returncode == 0
        assert done.stdout.startswith("1 file: 1 root, 0 pieces of shared state, 1 lock\n")
        assert "jobs.py:11  by <module>, in the main thread" in done.stdout
        assert done.stderr == ""

    def test_json_goes_to_a_file(self, tmp_path: Path) -> None:
        done = run("map", "jobs.py", "--output-format", "json", "-o", "map.json")
        assert (done.returncode, done.stdout) == (0, "")
        assert [lock["id"] for lock in json.loads((tmp_path / "map.json").read_text())["locks"]] == ["jobs.lock"]

    def test_a_file_that_cannot_be_parsed_is_named_and_left_out(self) -> None:
        done = run("map", ".", "--output-format", "json")
        assert done.returncode == 0
        assert json.loads(done.stdout)["unread"] == ["bad.py"]
        assert done.stderr == "conclint: warning: bad.py: cannot be read or parsed, and is not in the map\n"

    def test_nothing_concurrent(self) -> None:
        done = run("map", "good.py")
        assert done.returncode == 0
        assert done.stdout.startswith("Nothing runs concurrently here")

    @pytest.mark.parametrize("arguments", [["nowhere"], ["--output-format", "xml"], ["--config", "jobs = 'x'"]])
    def test_a_mistake_is_one_line_and_exit_code_2(self, arguments: list[str]) -> None:
        done = run("map", *arguments)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)

    def test_no_files_are_a_warning(self, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        done = run("map", "empty")
        assert done.returncode == 0
        assert done.stderr == "conclint: warning: no Python files found under the given paths\n"

    def test_a_name_is_looked_at_closely(self) -> None:
        done = run("map", "jobs.py", "--name", "work")
        assert done.returncode == 0
        assert done.stdout.startswith("thread jobs.work\n  defined  jobs.py:6\n")

    def test_an_unknown_name_is_a_mistake_with_the_nearest_one(self) -> None:
        done = run("map", "jobs.py", "--name", "wark")
        assert done.returncode == 2
        assert done.stderr == "conclint: error: --name: nothing is called `wark`; did you mean `work`?\n"

    def test_sections_are_chosen(self) -> None:
        assert "Roots" not in run("map", "jobs.py", "--locks").stdout
        assert "Locks" not in run("map", "jobs.py", "--roots", "--state").stdout

    def test_jobs_change_nothing(self) -> None:
        assert run("map", ".", "-j", "1").stdout == run("map", ".", "-j", "2").stdout

    def test_a_bug_of_ours_is_exit_code_3(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def fail(*arguments: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("conclint.project.map.collect_map", fail)
        assert main(["map", "jobs.py", "-j", "1"]) == 3
        written = capsys.readouterr()
        assert written.out == ""
        assert written.err.startswith("conclint: error: internal error in map: ZeroDivisionError()\n")


def test_timings_tell_of_each_stage(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("import threading\n")
    done = run("check", "--isolated", "--no-cache", "--timings", str(tmp_path))
    assert re.findall(r"^(\w+) +\d+\.\d\d s$", done.stderr, re.MULTILINE) == [
        "discover",
        "cache",
        "analyse",
        "link",
        "rules",
        "total",
    ]
