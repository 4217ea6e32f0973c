"""Measure a cold run of conclint against merely parsing the same files with libcst, and how a run grows with the code.

`make bench CORPUS=dir`, where `dir` has a folder per package, `distributed` among them. Nothing is fetched. Both sides
use two processes and pay for the start of the interpreter; they take turns, so that a busy machine slows both, and the
result is the median of the pairs' ratios. Then follow what the start and each line cost, the peers on the same files,
runs with a cache, and shares of the whole corpus, stage by stage.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.growth import print_growth
from bench.measure import CONCLINT, PROCESSES, run_module
from bench.peers import print_peers, print_starts, print_warm

_PACKAGE = "distributed"


@dataclass(frozen=True, slots=True)
class Pair:
    """The seconds of two runs, one right after the other."""

    conclint: float
    parse: float

    @property
    def ratio(self) -> float:
        """Return how often the time of parsing fits into that of conclint."""
        return self.conclint / self.parse


def main() -> None:
    """Run the pairs and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", required=True, help=f"directory with the folder `{_PACKAGE}`")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--pairs-only", action="store_true", help="only the pairs: the rest takes minutes")
    arguments = parser.parse_args()
    package = Path(arguments.corpus, _PACKAGE).resolve()
    if not arguments.corpus or not package.is_dir():
        parser.error(f"no folder `{_PACKAGE}` in the corpus {arguments.corpus!r}: make bench CORPUS=dir")
    print(f"{_PACKAGE}: {describe(package)}, {PROCESSES} processes, Python {sys.version.partition(' ')[0]}")
    print_table(tuple(iter_pairs(package, arguments.pairs)))
    print_starts()
    print_reading(package)
    if not arguments.pairs_only:
        corpus = Path(arguments.corpus).resolve()
        print_peers(package)
        print_warm(corpus)
        print_growth(corpus)


def describe(package: Path) -> str:
    """Say how much code there is."""
    contents = [path.read_bytes() for path in package.rglob("*.py")]
    return f"{len(contents):,} files, {sum(content.count(bytes([10])) for content in contents):,} lines"


def print_reading(package: Path) -> None:
    """Print what one process spends on each line."""
    _, parse, sketch, analysis = run_module(("bench.reading", str(package))).output.split()
    print(f"µs of CPU per line: libcst's parser {parse}, a sketch {sketch}, its analysis {analysis}")


def iter_pairs(package: Path, count: int) -> Iterator[Pair]:
    """Yield the pairs; which side begins changes, so that neither always finds the other's files in memory."""
    conclint = [*CONCLINT, "--no-cache", str(package)]
    parse = ["bench.parse", str(package)]
    run_module(parse)  # the first runs read the files from the disk, and write bytecode
    run_module(conclint)
    for number in range(count):
        if number % 2:
            seconds = run_module(parse).seconds
            yield Pair(run_module(conclint).seconds, seconds)
        else:
            yield Pair(run_module(conclint).seconds, run_module(parse).seconds)


def print_table(pairs: Sequence[Pair]) -> None:
    """Print a row per pair and the median of each column."""
    print(f"{'pair':>6} {'conclint':>10} {'parse only':>10} {'ratio':>6}")
    for number, pair in enumerate(pairs, 1):
        print(f"{number:>6} {pair.conclint:>9.2f}s {pair.parse:>9.2f}s {pair.ratio:>6.2f}")
    conclint = statistics.median(pair.conclint for pair in pairs)
    parse = statistics.median(pair.parse for pair in pairs)
    ratio = statistics.median(pair.ratio for pair in pairs)
    print(f"{'median':>6} {conclint:>9.2f}s {parse:>9.2f}s {ratio:>6.2f}")


if __name__ == "__main__":
    main()
