"""Run conclint over a share of a corpus, and say how long each stage took and how much memory it needed.

`python -m bench.stages CORPUS SHARE`, with a share such as 0.25 of the lines; prints one line of JSON. The share is
made of whole packages, the smallest first: half a package would call what is not there, and link in less than half of
the time.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from bench.measure import PROCESSES
from conclint.config import Options, read_settings, resolve
from conclint.discover import discover
from conclint.model.file import SourceFile
from conclint.pipeline import check_files
from conclint.rules import load


def main() -> None:
    """Check the share of the corpus."""
    corpus, share = Path(sys.argv[1]).resolve(), float(sys.argv[2])
    start = time.perf_counter()
    config = resolve(read_settings((), flags=Options(jobs=PROCESSES), isolated=True), load().rules)
    files, lines = take_share(corpus, discover((str(corpus),), config).files, share)
    outcome = check_files(files, config)
    print(
        json.dumps(
            {
                "lines": lines,
                "seconds": time.perf_counter() - start,
                **{stage.value: seconds for stage, seconds in outcome.seconds.items()},
                "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "worker_megabytes": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
                "failures": len(outcome.failures),
            }
        )
    )


def take_share(corpus: Path, files: Iterable[SourceFile], share: float) -> tuple[list[SourceFile], int]:
    """Return the files of packages that have up to that share of all lines, and how many lines they have."""
    packages: dict[str, list[SourceFile]] = {}
    sizes: Counter[str] = Counter()
    for file in files:
        name = Path(file.path).resolve().relative_to(corpus).parts[0]
        packages.setdefault(name, []).append(file)
        sizes[name] += Path(file.path).read_bytes().count(b"\n")
    wanted, taken, total = share * sizes.total(), [], 0
    for name in sorted(packages, key=lambda name: sizes[name]):
        if total + sizes[name] > wanted:
            break
        taken += packages[name]
        total += sizes[name]
    return sorted(taken, key=lambda file: file.path), total


if __name__ == "__main__":
    main()
