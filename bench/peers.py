"""Compare conclint with the peers on one package, and with bare Python where only the start counts."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.measure import CONCLINT, PROCESSES, run_code, run_module

_JOBS = str(PROCESSES)
_FLAKE8 = ("--isolated", "--exit-zero", "--jobs", _JOBS)
_PYLINT_CHECKS = "useless-with-lock,bad-thread-instantiation,consider-using-with"
_STARTS = 9
"""How often what takes milliseconds is run; the median counts."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool that looks at the same files, and how much quicker conclint is to be."""

    name: str
    command: tuple[str, ...]
    goal: float


def print_peers(package: Path) -> None:
    """Print how often conclint's time fits into that of each peer, each measured right after the other."""
    print(f"{'peer':>34} {'peer':>9} {'conclint':>9} {'times':>6} {'goal':>6}")
    cold = (*CONCLINT, "--no-cache", str(package))
    for peer in (
        Peer("flake8-async", ("bench.flake8", "flake8-async", "--select", "ASYNC", *_FLAKE8, str(package)), 20),
        Peer("Fixit", ("fixit", "--quiet", "lint", str(package)), 20),
        Peer("pylint with three checks", (*_write_pylint(), str(package)), 1),
    ):
        _print_pair(peer, cold)
    alone = ("bench.flake8", "conclint", "--select", "CON", *_FLAKE8, str(package))
    other = ("bench.flake8", "flake8-async", "--select", "ASYNC", *_FLAKE8, str(package))
    _print_pair(Peer("flake8-async, both in flake8", other, 15), alone)


def _write_pylint() -> tuple[str, ...]:
    checks = ("--disable=all", f"--enable={_PYLINT_CHECKS}")
    return ("pylint", "--rcfile=", *checks, "--exit-zero", "--jobs", _JOBS, "--recursive=y", "--score=n")


def _print_pair(peer: Peer, ours: Sequence[str]) -> None:
    # Fixit ends with 1 where it has something to say.
    theirs = run_module(peer.command, codes=(0, 1)).seconds
    seconds = run_module(ours).seconds
    times = theirs / seconds
    print(f"{peer.name:>34} {theirs:>8.1f}s {seconds:>8.2f}s {times:>6.1f} {peer.goal:>6g}")


def print_starts() -> None:
    """Print what the start costs over bare Python, in milliseconds."""
    bare = _time_start("pass")
    for name, code, goal in (
        ("conclint --version", "import sys; sys.argv[1:] = ['--version']; import conclint.__main__", 80),
        ("import of the flake8 plugin", "import conclint.flake8_plugin", 10),
    ):
        print(f"{name:>34} {(_time_start(code) - bare) * 1000:>7.0f} ms over bare Python, goal {goal} ms")


def _time_start(code: str) -> float:
    return statistics.median(run_code(code).seconds for _ in range(_STARTS))


def print_warm(corpus: Path) -> None:
    """Print how long a run takes in which nothing has changed, and one in which one file has."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "corpus")
        _copy(corpus, copy)
        command = (*CONCLINT, "--cache-dir", str(Path(folder, "cache")), str(copy))
        cold = run_module(command).seconds
        warm = min(run_module(command).seconds for _ in range(3))
        changed = max(copy.rglob("*.py"), key=lambda path: path.stat().st_size)
        changed.write_bytes(changed.read_bytes() + b"\n")
        print(f"{'cold':>34} {cold:>8.1f}s")
        print(f"{'warm, nothing changed':>34} {warm:>8.2f}s, goal 0.6 s")
        print(f"{'warm, one file changed':>34} {run_module(command).seconds:>8.2f}s, goal 1.0 s")


def _copy(source: Path, target: Path) -> None:
    for path in source.rglob("*.py"):
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(path.read_bytes())
