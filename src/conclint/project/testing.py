"""Testing: which code is a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conclint.model.naming import is_test_code

if TYPE_CHECKING:
    from conclint.project.project import CallPlace


def is_test(place: CallPlace) -> bool:
    """Return whether a call stands in a test, or in a module of tests, by their names (may)."""
    return is_test_code(place.function.symbol)
