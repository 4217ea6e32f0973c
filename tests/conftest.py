"""What several test modules need."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path

import pytest

collect_ignore = ["fixtures"]

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the folder of the whole project."""
    return ROOT


@pytest.fixture(scope="session")
def executor() -> Iterator[Executor]:
    """Give one process pool to all tests; its processes start when it is first used."""
    # Spawned, because pytest-xdist runs threads, and a fork would copy their locks.
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture(autouse=True)
def _in_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every test in the project's folder, since reports name files relative to the working directory."""
    monkeypatch.chdir(ROOT)
