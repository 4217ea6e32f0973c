"""Workers that die, hang or are far away cost what they were at, and nothing else."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from textwrap import dedent

import pytest

from conclint import worker
from conclint.config import ConfigError
from conclint.model.file import SourceFile
from conclint.pipeline import check_files
from conclint.resources import Resources, open_executor
from runs import make_config

ALARM = """\
import threading

lock = threading.Lock()


async def pay(send):
    with lock:
        await send()
"""
NAMES = tuple(f"file{number}" for number in range(12))

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="what is patched is inherited by forking")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        Path(f"{name}.py").write_text(ALARM)


def start(patch: str, *arguments: str, environ: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Run conclint with two workers for however little source, after a patch that may use `worker` and `path`."""
    script = [
        "import os, signal, sys, time",
        "from pathlib import Path",
        "from conclint import cli, shares, worker, workers",
        "signal.signal(signal.SIGINT, signal.default_int_handler)",
        "workers._FEW_BYTES, workers._BATCH_BYTES, shares._MANY_CALLS = 0, 500, 0",
        "real = worker._check_module",
        "def _check_module(file, *, triage):",
        "    path = file.path",
        *(f"    {line}" for line in dedent(patch).splitlines()),
        "    return real(file, triage=triage)",
        "worker._check_module = _check_module",
        "sys.argv[0] = 'conclint'",
        "cli.run()",
    ]
    flags = ("check", "--jobs", "2", "--output-format", "json", "--isolated", *arguments)
    return subprocess.Popen(
        [sys.executable, "-c", "\n".join(script), *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, **(environ or {})},
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, list[str], str]:
    """Return the exit code, the modules with an alarm and the standard error."""
    output, errors = process.communicate(timeout=120)
    return process.returncode, sorted(Path(each["filename"]).stem for each in json.loads(output)), errors


EVERYONE = sorted(NAMES)


@on_linux
def test_a_worker_that_is_killed_costs_its_file_alone() -> None:
    code, found, errors = finish(start("if path == 'file3.py': os.kill(os.getpid(), signal.SIGKILL)"))
    assert code == 3
    assert found == [name for name in EVERYONE if name != "file3"]
    assert errors == (
        "conclint: error: internal error in analysis on file3.py: its process died: SIGKILL, as for want of memory\n"
    )


@on_linux
def test_a_worker_that_exits_costs_its_file_alone() -> None:
    code, found, errors = finish(start("if path in ('file3.py', 'file4.py'): os._exit(7)"))
    assert code == 3
    assert found == [name for name in EVERYONE if name not in ("file3", "file4")]
    assert errors.count("its process died: exit code 7") == 2


@on_linux
def test_a_file_that_takes_too_long_fails_alone() -> None:
    code, found, errors = finish(start("if path == 'file5.py': time.sleep(600)", "--timeout", "3"))
    assert code == 3
    assert found == [name for name in EVERYONE if name != "file5"]
    assert errors == "conclint: error: internal error in analysis on file5.py: took longer than 3 seconds\n"


@on_linux
def test_what_failed_is_tried_again_by_the_next_run() -> None:
    assert finish(start("if path == 'file3.py': os.kill(os.getpid(), signal.SIGKILL)"))[0] == 3
    assert finish(start("pass")) == (1, EVERYONE, "")


@on_linux
def test_a_worker_killed_from_outside_costs_nothing() -> None:
    patch = """
    if path == 'file7.py' and not Path('pid').exists():
        Path('pid.new').write_text(str(os.getpid()))
        os.rename('pid.new', 'pid')
        time.sleep(600)
    """
    process = start(patch)
    os.kill(int(wait_for(Path("pid"))), signal.SIGKILL)
    assert finish(process) == (1, EVERYONE, "")


def wait_for(path: Path) -> str:
    end = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < end
        time.sleep(0.01)
    return path.read_text()


@on_linux
@pytest.mark.parametrize("who", ["all", "main"])
def test_an_interrupt_while_workers_are_busy_ends_them(who: str) -> None:
    process = start("Path(f'{os.getpid()}.pid').write_text(''); time.sleep(600)")
    wait_until(lambda: len(list(Path().glob("*.pid"))) == 2)
    interrupt(process, who)
    for path in Path().glob("*.pid"):
        wait_until(lambda path=path: not is_running(int(path.stem)))


@on_linux
@pytest.mark.parametrize("who", ["all", "main"])
def test_an_interrupt_while_the_rules_run_in_two_processes_ends_both(who: str) -> None:
    script = """
    import os, signal, sys, time
    from pathlib import Path
    from conclint import cli, shares
    signal.signal(signal.SIGINT, signal.default_int_handler)
    shares._MANY_CALLS = 0
    def _run(project, checks):
        Path(f'{os.getpid()}.pid').write_text('')
        time.sleep(600)
    shares._run = _run
    cli.run()
    """
    process = subprocess.Popen(
        [sys.executable, "-c", dedent(script), "--jobs", "2", "--isolated"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_until(lambda: len(list(Path().glob("*.pid"))) == 2)
    interrupt(process, who)
    for path in Path().glob("*.pid"):
        wait_until(lambda path=path: not is_running(int(path.stem)))


def interrupt(process: subprocess.Popen[str], who: str) -> None:
    """Send SIGINT, as a terminal does to all processes, or as `kill` does to one."""
    if who == "all":
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output, errors.strip()) == (130, "", "")


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    with contextlib.suppress(OSError):
        # A zombie has ended; who reaps it in a container is not our matter.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


FILES = tuple(SourceFile(f"{name}.py", name) for name in NAMES)


def find(executor: Executor) -> tuple[list[str], list[str]]:
    """Check the project on an executor; return the modules with an alarm and the failures."""
    outcome = check_files(FILES, make_config("CON101"), resources=Resources(executor))
    return sorted(Path(each.path).stem for each in outcome.diagnostics), [each.error for each in outcome.failures]


def test_an_executor_of_threads_checks_one_batch_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conclint.workers._BATCH_BYTES", 1)
    with ThreadPoolExecutor(8) as executor:
        assert find(executor) == (EVERYONE, [])


class _Unlucky(Executor):
    """Loses every batch with more than one file, and those with `lost` in them."""

    def __init__(self, lost: str) -> None:
        self._lost = lost

    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        future: Future[bytes] = Future()
        request = worker.unpack(args[0], worker.Request)
        if len(request.files) > 1 or self._lost in request.files[0].path:
            future.set_exception(BrokenProcessPool("a process died"))
        else:
            future.set_result(fn(*args, **kwargs))
        return future


def test_what_an_executor_loses_is_tried_once_more_file_by_file() -> None:
    assert find(_Unlucky("nothing")) == (EVERYONE, [])
    others = [name for name in EVERYONE if name != "file3"]
    assert find(_Unlucky("file3")) == (others, ["BrokenProcessPool: a process died"])


class _Closed(Executor):
    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        raise RuntimeError("cannot schedule new futures after shutdown")


def test_an_executor_that_takes_nothing_fails_every_file() -> None:
    found, failures = find(_Closed())
    assert found == []
    assert failures == ["RuntimeError: cannot schedule new futures after shutdown"] * len(NAMES)


def test_a_worker_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conclint.workers.__version__", "99.0")
    with ThreadPoolExecutor(1) as executor, pytest.raises(ConfigError, match=r"a worker has conclint .*, this is.*99"):
        find(executor)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("threads", "is neither dask=ADDRESS nor module:factory"),
        ("no_such_module:make", "No module named 'no_such_module'"),
        ("os:no_such_name", "has no attribute 'no_such_name'"),
        ("os:getcwd", "gives a str, not a concurrent.futures.Executor"),
    ],
)
def test_an_executor_that_does_not_exist_is_a_mistake_of_usage(spec: str, message: str) -> None:
    done = conclint("--executor", spec)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_timeout_is_not_for_executors() -> None:
    done = conclint("--executor", "concurrent.futures:ThreadPoolExecutor", "--timeout", "1")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_any_executor_can_be_named() -> None:
    local = conclint("--no-cache")
    for name in ("ThreadPoolExecutor", "ProcessPoolExecutor"):
        assert conclint("--no-cache", "--executor", f"concurrent.futures:{name}").stdout == local.stdout


def conclint(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "conclint", "check", "--output-format", "json", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


class TestOnACluster:
    """A scheduler and two workers, each a process."""

    @pytest.fixture
    def cluster(self, tmp_path: Path) -> Iterator[tuple[str, Sequence[subprocess.Popen[bytes]]]]:
        pytest.importorskip("distributed")
        place = tmp_path / "scheduler.json"
        arguments = [["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]]
        arguments += [["worker", "--no-dashboard", "--nthreads", "1", "--no-nanny", "--local-directory", "w"]] * 2
        log = (tmp_path / "log").open("wb")
        started = []
        for each in arguments:
            command = [sys.executable, "-m", "distributed.cli.dask_" + each[0], *each[1:]]
            started.append(subprocess.Popen([*command, "--scheduler-file", str(place)], stdout=log, stderr=log))
        try:
            wait_for(place)
            yield json.loads(place.read_text())["address"], started
        finally:
            for process in reversed(started):
                process.kill()
                process.wait()
            log.close()

    def test_it_finds_the_same(self, cluster: tuple[str, Sequence[subprocess.Popen[bytes]]]) -> None:
        address, _ = cluster
        done = conclint("--no-cache", "--executor", f"dask={address}")
        assert (done.returncode, done.stdout) == (1, conclint("--no-cache").stdout)

    @on_linux
    def test_a_worker_killed_in_the_middle_loses_nothing(
        self, cluster: tuple[str, Sequence[subprocess.Popen[bytes]]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        address, (_, first, _) = cluster
        monkeypatch.setattr("conclint.workers._BATCH_BYTES", 1)
        for name in NAMES:
            Path(f"{name}.py").write_text(ALARM + "def f(x):\n    return [x for x in x if x]\n" * 2_000)
        done: list[str] = []

        def kill(path: str) -> None:
            done.append(path)
            if len(done) == 2:
                first.kill()

        with open_executor(f"dask={address}") as executor:
            outcome = check_files(FILES, make_config("CON101"), on_file=kill, resources=Resources(executor))
        assert first.wait() == -signal.SIGKILL
        assert sorted(Path(each.path).stem for each in outcome.diagnostics) == EVERYONE
        assert outcome.failures == ()
