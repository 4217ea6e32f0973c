"""Naming: what the name of a function or module tells by convention, and nothing else would.

Tests are told in four ways. The wider ones are for what is wrong on purpose in tests, or harmless in a short run; the
narrower ones for what only the test itself is excused from, as helpers of tests are like any other code.
"""

from __future__ import annotations

_TOOLS = frozenset({"dodo", "fabfile", "hatch_build", "noxfile", "setup", "versioneer"})
"""The modules that build tools look for beside a program."""
_TESTING = frozenset({"_testing", "testing"})
"""What packages call what they give to the tests of others."""
_STARTS = frozenset(
    """
    init initialise initialize lifespan main on_start on_startup set_up setup start start_up startup
    """.split()
)


def is_test_code(symbol: str) -> bool:
    """Return whether a function is a test, or belongs to one or to a module of tests (may)."""
    return any(
        name in ("tests", "conftest") or name.startswith("test_") or name.endswith("_test")
        for name in symbol.split(".")
    )


def is_within_test(symbol: str) -> bool:
    """Return whether a function, or what is around it below the outermost package, is called `test_…` (may)."""
    return ".test_" in symbol


def has_test_name(symbol: str) -> bool:
    """Return whether a function itself is called `test_…` (may)."""
    return symbol.rpartition(".")[2].startswith("test_")


def is_test_module(module: str) -> bool:
    """Return whether pytest or unittest would collect a module, or what its tests use (may)."""
    name = module.rpartition(".")[2]
    return name.startswith("test_") or name.endswith("_test") or name == "conftest"


def is_tool_code(symbol: str) -> bool:
    """Return whether a function serves those who build or test the program, not those who run it (may)."""
    first, *rest = symbol.split(".")
    return first in _TOOLS or is_test_code(symbol) or not _TESTING.isdisjoint(rest)


def has_start_name(symbol: str) -> bool:
    """Return whether a function is called like one that runs once, when a program or an object is started (may)."""
    return symbol.rpartition(".")[2].strip("_") in _STARTS
