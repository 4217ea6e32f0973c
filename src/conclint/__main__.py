"""`python -m conclint`."""

from __future__ import annotations

from conclint.cli import run

if __name__ == "__main__":
    run()
