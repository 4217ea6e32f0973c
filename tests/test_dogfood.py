"""conclint is clean under conclint."""

from __future__ import annotations

import subprocess
import sys


def test_conclint_has_no_alarm_in_its_own_code() -> None:
    command = [sys.executable, "-m", "conclint", "check", "src", "tools", "bench"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
