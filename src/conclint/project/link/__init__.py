"""What every value may be, who calls whom, what is spawned: an inclusion-based points-to analysis over all facts."""

from __future__ import annotations

from conclint.project.link.functions import MOST_SUBCLASSES
from conclint.project.link.linker import Linker
from conclint.project.link.links import ExternalTarget, Links, Operation, SpawnSite, Target, find_argument

__all__ = [
    "MOST_SUBCLASSES",
    "ExternalTarget",
    "Linker",
    "Links",
    "Operation",
    "SpawnSite",
    "Target",
    "find_argument",
]
