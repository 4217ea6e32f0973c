"""Testing: which code is a test, where mistakes are made on purpose and runs are short."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conclint.project.project import CallPlace


def is_test(place: CallPlace) -> bool:
    """Return whether a call stands in a test, or in a module of tests, by their names (may)."""
    return is_test_function(place.function.symbol)


def is_test_function(symbol: str) -> bool:
    """Return whether a function is a test, or belongs to one or to a module of tests, by their names (may)."""
    return any(
        name in ("tests", "conftest") or name.startswith("test_") or name.endswith("_test")
        for name in symbol.split(".")
    )
