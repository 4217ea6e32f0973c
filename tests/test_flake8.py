"""conclint as a plugin of flake8, run as its users run it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from conclint.rules import read

ALARM = """\
import threading

lock = threading.Lock()


async def pay(send):
    with lock:
        await send()
"""


@pytest.fixture(autouse=True)
def _in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / "bad.py").write_text(ALARM)
    (tmp_path / "good.py").write_text("x = 1\n")


def run(*arguments: str, stdin: str = "", environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "flake8", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(environ or {})},
    )
    assert "Traceback" not in done.stderr + done.stdout
    return done


def find_alarms(*arguments: str, stdin: str = "") -> list[str]:
    """Return "file:line" of our alarms."""
    lines = run(*arguments, stdin=stdin).stdout.splitlines()
    return [":".join(line.split(":")[:2]).removeprefix("./") for line in lines if " CON" in line]


def test_flake8_shows_our_alarms() -> None:
    done = run()
    assert done.returncode == 1
    (line,) = [line for line in done.stdout.splitlines() if " CON" in line]
    assert line.startswith("./bad.py:")
    message, _, remedy = line.partition(" CON230 ")[2].partition("; ")
    assert message == "`lock` is held across this `await`"
    assert remedy == next(rule.help for rule in read() if rule.code == "CON230")
    assert done.stderr == ""


def test_columns_are_those_of_conclint() -> None:
    command = [sys.executable, "-m", "conclint", "--output-format", "concise", "bad.py"]
    ours = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    theirs = run("bad.py").stdout
    assert ours.split(" ")[0] == theirs.split(" ")[0]


def test_flake8_knows_us() -> None:
    assert "conclint: " in run("--version").stdout
    assert "--conclint-select" in run("--help").stdout


@pytest.mark.parametrize(
    "comment", ["# noqa", "# noqa: CON230", "# noqa: E501,CON230", "# conclint: ignore[CON230] it ends with us"]
)
def test_comments_suppress(comment: str) -> None:
    Path("bad.py").write_text("".join(f"{line}  {comment}\n" if line else "\n" for line in ALARM.splitlines()))
    assert find_alarms() == []


def test_noqa_is_left_to_flake8() -> None:
    Path("bad.py").write_text("".join(f"{line}  # noqa\n" if line else "\n" for line in ALARM.splitlines()))
    assert len(find_alarms("--disable-noqa")) == 1


def test_opt_in_rules_stay_off_whatever_flake8_selects() -> None:
    Path("pyproject.toml").write_text('[tool.conclint]\nignore = ["CON230"]\n')
    for flags in ([], ["--select=C"], ["--select=CON"], ["--ignore=E501"], ["--extend-select=CON230"]):
        assert find_alarms(*flags) == [], flags


def test_flake8_may_take_rules_away() -> None:
    assert len(find_alarms("--select=C")) == 1
    assert len(find_alarms("--ignore=E501")) == 1
    assert find_alarms("--ignore=CON2") == []
    assert find_alarms("--select=E,F") == []
    assert find_alarms("--per-file-ignores=bad.py:CON230") == []


def test_settings_come_from_the_same_files_and_flags_of_our_own() -> None:
    assert find_alarms("--conclint-select=CON001") == []
    assert len(find_alarms("--conclint-select=CON230,CON001")) == 1
    Path("other.toml").write_text('per-file-ignores = {"bad.py" = ["await-under-thread-lock"]}\n')
    assert find_alarms("--conclint-config=other.toml") == []
    Path("conclint.toml").write_text('extend-exclude = ["bad.py"]\n')
    assert find_alarms() == []
    Path("conclint.toml").write_text("flake8 = false\n")
    assert find_alarms() == []
    Path("conclint.toml").unlink()
    Path("setup.cfg").write_text("[flake8]\nconclint-select = CON001\n")
    assert find_alarms() == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("selct = []\n", "conclint: conclint.toml: unknown setting `selct`; did you mean `select`?"),
        ('select = ["CON999"]\n', "conclint: conclint.toml: `select`: unknown rule `CON999`"),
    ],
)
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_mistake_in_the_settings_ends_the_run_in_one_line(settings: str, message: str, jobs: str) -> None:
    Path("conclint.toml").write_text(settings)
    done = run("-j", jobs, "bad.py", "good.py")
    assert done.returncode == 1
    assert message in done.stdout


@pytest.mark.parametrize("arguments", [["-"], ["-", "--stdin-display-name", "shop/cart.py"]])
def test_standard_input_is_checked(arguments: Sequence[str]) -> None:
    (alarm,) = find_alarms(*arguments, stdin=ALARM)
    assert alarm.startswith("shop/cart.py:" if len(arguments) > 1 else "stdin:")


def test_many_files_in_two_processes_give_the_same() -> None:
    for number in range(12):
        Path(f"bad{number}.py").write_text(ALARM)
    alone = find_alarms("-j1")
    assert len(alone) == 13
    assert find_alarms("-j2") == alone


def test_other_plugins_work_beside_us() -> None:
    Path("neighbour.py").write_text(
        "class Plugin:\n"
        "    name, version = 'neighbour', '1'\n"
        "    def __init__(self, tree):\n"
        "        self.tree = tree\n"
        "    def run(self):\n"
        "        yield 1, 0, 'NBR100 hello', type(self)\n"
    )
    Path(".flake8").write_text("[flake8:local-plugins]\nextension =\n    NBR = neighbour:Plugin\npaths = .\n")
    Path("bad.py").write_text("import os\n" + ALARM + "x=1\n")
    found = {line.split(": ")[1].split(" ")[0] if ": " in line else line.split(" ")[1] for line in lines_of("bad.py")}
    assert {"NBR100", "F401", "E225", "CON230"} <= found


def lines_of(path: str) -> list[str]:
    return run(path).stdout.splitlines()


def test_coding_lines_and_byte_order_marks_are_understood() -> None:
    Path("bad.py").write_bytes(b"# coding: latin-1\nname = '\xe9'\n" + ALARM.encode())
    assert len(find_alarms("bad.py")) == 1
    Path("bad.py").write_bytes(b"\xef\xbb\xbf" + ALARM.encode())
    assert len(find_alarms("bad.py")) == 1


def test_a_file_that_does_not_parse_is_left_to_flake8() -> None:
    Path("bad.py").write_text("def f(:\n")
    done = run("bad.py")
    assert "E999" in done.stdout
    assert done.stderr == ""


def test_a_bug_of_ours_costs_one_line_and_not_the_run(tmp_path: Path) -> None:
    tmp_path.joinpath("sitecustomize.py").write_text(
        "import sys, types\n"
        "module = sys.modules['conclint.pipeline'] = types.ModuleType('conclint.pipeline')\n"
        "def check_files(*_, **__):\n"
        "    raise ZeroDivisionError\n"
        "module.check_files = check_files\n"
    )
    done = run("bad.py", "--select=CON,W,E", environ={"PYTHONPATH": str(tmp_path)})
    assert done.stderr == "conclint: internal error in conclint on bad.py: ZeroDivisionError()\n"
    assert "CON" not in done.stdout


def test_files_that_do_not_matter_load_no_parser() -> None:
    script = (
        "import sys; from flake8.main.cli import main; main(['-j1', *sys.argv[1:]]); print('libcst' in sys.modules)"
    )

    def loads(path: str) -> bool:
        done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=False)
        return done.stdout.endswith("True\n")

    assert not loads("good.py")
    assert loads("bad.py")
