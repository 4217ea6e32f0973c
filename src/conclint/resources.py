"""What a run works with besides its files."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conclint.cache import Cache


@dataclass(frozen=True, slots=True)
class Resources:
    """Nothing of it changes what is found.

    `executor` runs the batches instead of processes of our own. A file that takes these longer than `timeout` seconds
    fails. `cache` knows what earlier runs have found.
    """

    executor: Executor | None = None
    timeout: float | None = None
    cache: Cache | None = None


NO_RESOURCES = Resources()
