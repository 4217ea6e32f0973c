"""Run conclint over a share of a corpus, and say how long each stage took and how much memory it needed.

`python -m bench.stages CORPUS SHARE`, with a share such as 0.25 of the lines; prints one line of JSON. The share is
made of whole directories, in an order that has nothing to do with what is in them.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from bench.parse import PROCESSES
from conclint.config import Options, read_settings, resolve
from conclint.discover import discover
from conclint.model.file import SourceFile
from conclint.pipeline import check_files
from conclint.rules import load


def main() -> None:
    """Check the share of the corpus."""
    corpus, share = Path(sys.argv[1]), float(sys.argv[2])
    start = time.perf_counter()
    config = resolve(read_settings((), flags=Options(jobs=PROCESSES), isolated=True), load().rules)
    files, lines = take_share(discover((str(corpus),), config).files, share)
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


def take_share(files: Iterable[SourceFile], share: float) -> tuple[list[SourceFile], int]:
    """Return the files of that share of all lines, and how many lines they have."""
    sizes = {file: Path(file.path).read_bytes().count(b"\n") for file in files}
    wanted, taken, total = share * sum(sizes.values()), [], 0
    for file in sorted(sizes, key=rank):
        if total < wanted:
            taken.append(file)
            total += sizes[file]
    return sorted(taken, key=lambda file: file.path), total


def rank(file: SourceFile) -> tuple[str, str]:
    """Order files by a hash of their directory: what belongs together stays so, and all is well mixed."""
    directory = str(Path(file.path).parent)
    return hashlib.sha1(directory.encode(), usedforsecurity=False).hexdigest(), file.path


if __name__ == "__main__":
    main()
