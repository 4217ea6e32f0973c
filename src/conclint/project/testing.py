"""Testing: which code is a test, where mistakes are made on purpose and runs are short."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conclint.project.project import CallPlace


def is_test(place: CallPlace) -> bool:
    """Return whether a call stands in a test, or in a module of tests, by their names (may)."""
    names = (*place.facts.module.split("."), *place.function.symbol.split("."))
    return any(name in ("tests", "conftest") or name.startswith("test_") or name.endswith("_test") for name in names)
