"""Run a module in a Python of its own, and time it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Run:
    """How long a process took, in seconds, and what it printed."""

    seconds: float
    output: str


def run_module(module: Sequence[str]) -> Run:
    """Run a module with its arguments; ends this process with the other one's message where it fails."""
    # Installed packages have bytecode; an environment that writes none would compile our sources in each run.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    run = subprocess.run([sys.executable, "-m", *module], capture_output=True, text=True, check=False, env=environment)
    seconds = time.perf_counter() - start
    if run.returncode:
        sys.exit(f"{' '.join(module)}: exit code {run.returncode}\n{run.stderr}")
    return Run(seconds, run.stdout)
