"""Say how long one process takes to read files into trees, and to understand them: `python -m bench.reading DIRECTORY`.

One line: the number of lines, then microseconds of CPU per line for libcst's parser, for a sketch, for its analysis.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import libcst as cst

from conclint import worker
from conclint.analysis.module import analyse
from conclint.depth import run_deeply
from conclint.source import Source, decode, sketch

Given = TypeVar("Given")
Made = TypeVar("Made")


def main() -> None:
    """Read and analyse what can be parsed."""
    worker.prepare()
    run_deeply(_measure)


def _measure() -> None:
    texts = [decode(path.read_bytes()) for path in sorted(Path(sys.argv[1]).rglob("*.py"))]
    lines = sum(text.count("\n") for text in texts)
    parsing, _ = _time(cst.parse_module, texts)
    reading, sources = _time(_sketch, texts)
    understanding, _ = _time(_analyse, sources)
    print(lines, *(f"{seconds / lines * 1e6:.1f}" for seconds in (parsing, reading, understanding)))


def _sketch(text: str) -> Source:
    return sketch(text, path="a.py", module="a")


def _analyse(source: Source) -> object:
    return analyse(source, worker.group_checks())


def _time(work: Callable[[Given], Made], given: Iterable[Given]) -> tuple[float, list[Made]]:
    gc.collect()
    start = time.process_time()
    made = [work(one) for one in given]
    return time.process_time() - start, made


if __name__ == "__main__":
    main()
