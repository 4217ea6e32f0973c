"""Measure how time and memory grow with the code: up to a quarter of the corpus, up to half, all of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from bench.measure import run_module

_SHARES = (0.25, 0.5, 1.0)


class Growth(msgspec.Struct, frozen=True):
    """What `bench.stages` prints: seconds of wall time by stage, megabytes at the most."""

    lines: int
    seconds: float
    analyse: float
    link: float
    rules: float
    megabytes: float
    worker_megabytes: float
    failures: int


def print_growth(corpus: Path) -> None:
    """Print a row per share, while they run."""
    print(f"{'lines':>10} {'seconds':>8} {'analyse':>8} {'link':>7} {'rules':>7}", end=" ")
    print(f"{'link share':>10} {'link µs/line':>12} {'MB':>6} {'worker MB':>9}")
    for growth in iter_growth(corpus):
        print(f"{growth.lines:>10,} {growth.seconds:>7.1f}s {growth.analyse:>7.1f}s", end=" ")
        print(f"{growth.link:>6.1f}s {growth.rules:>6.1f}s {growth.link / growth.seconds:>10.1%}", end=" ")
        print(f"{growth.link / growth.lines * 1e6:>12.1f} {growth.megabytes:>6.0f} {growth.worker_megabytes:>9.0f}")


def iter_growth(corpus: Path) -> Iterator[Growth]:
    """Yield the measurements, each of a process of its own."""
    for share in _SHARES:
        run = run_module(("bench.stages", str(corpus), str(share)))
        growth = msgspec.json.decode(run.output, type=Growth)
        if growth.failures:
            sys.exit(f"{growth.failures} internal errors over {share:.0%} of the corpus")
        yield growth
