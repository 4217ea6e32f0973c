"""Parse every Python file under a directory with libcst on two processes, and do nothing else.

`python -m bench.parse DIRECTORY`: no libcst-based linter that looks at every file can be quicker than this.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import libcst as cst

from bench.measure import PROCESSES

_FILES_PER_JOB = 4


def main() -> None:
    """Parse the files, the largest first, so that no process is left alone with a long one."""
    files = sorted(Path(sys.argv[1]).rglob("*.py"), key=lambda path: path.stat().st_size, reverse=True)
    with ProcessPoolExecutor(PROCESSES) as executor:
        parsed = sum(executor.map(parse, files, chunksize=_FILES_PER_JOB))
    print(f"parsed {parsed} of {len(files)} files")


def parse(path: Path) -> bool:
    """Say whether the file could be parsed."""
    try:
        cst.parse_module(path.read_bytes())
    except (cst.ParserSyntaxError, UnicodeDecodeError):
        return False
    return True


if __name__ == "__main__":
    main()
