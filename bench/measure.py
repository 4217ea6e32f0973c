"""Run something in a Python of its own, and time it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

PROCESSES = 2
"""What conclint and those it is compared with may use."""
CONCLINT = (
    "conclint",
    "check",
    "--isolated",
    "--exit-zero",
    "--no-progress",
    "--output-format",
    "concise",
    "--jobs",
    str(PROCESSES),
)
"""A run that depends on nothing but the files."""


@dataclass(frozen=True, slots=True)
class Run:
    """How long a process took, in seconds, and what it printed."""

    seconds: float
    output: str


def run_module(module: Sequence[str], *, codes: Sequence[int] = (0,)) -> Run:
    """Run a module with its arguments; where it ends with none of `codes`, so does this process, with its message."""
    return _run(["-m", *module], codes)


def run_code(code: str) -> Run:
    """Run some code."""
    return _run(["-c", code], (0,))


def _run(arguments: Sequence[str], codes: Sequence[int]) -> Run:
    # Installed packages have bytecode; an environment that writes none would compile our sources in each run.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    run = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, env=environment)
    seconds = time.perf_counter() - start
    if run.returncode not in codes:
        sys.exit(f"{' '.join(arguments)}: exit code {run.returncode}\n{run.stderr}")
    return Run(seconds, run.stdout)
