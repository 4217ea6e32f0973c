"""Run flake8 with one plugin only: `python -m bench.flake8 DISTRIBUTION ARGUMENTS`.

flake8 runs all plugins that are installed, whatever is selected.
"""

from __future__ import annotations

import importlib.metadata
import runpy
import sys
from collections.abc import Iterator

_PLUGINS = frozenset({"conclint", "flake8-async"})


def main() -> None:
    """Hide the other plugins, and run flake8."""
    hidden = _PLUGINS - {sys.argv.pop(1)}
    every = importlib.metadata.distributions

    def list_shown() -> Iterator[importlib.metadata.Distribution]:
        return (one for one in every() if (one.metadata["Name"] or "").lower() not in hidden)

    importlib.metadata.distributions = list_shown  # type: ignore[assignment]
    runpy.run_module("flake8", run_name="__main__")


if __name__ == "__main__":
    main()
