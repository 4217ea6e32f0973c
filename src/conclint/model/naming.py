"""Naming: what the name of a function tells by convention, and nothing else would."""

from __future__ import annotations


def is_test_function(symbol: str) -> bool:
    """Return whether a function is a test, or belongs to one or to a module of tests, by their names (may).

    There mistakes are made on purpose, and runs are short.
    """
    return any(
        name in ("tests", "conftest") or name.startswith("test_") or name.endswith("_test")
        for name in symbol.split(".")
    )
