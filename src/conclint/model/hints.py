"""Hints: what the user's settings say about code that cannot be seen, or not be understood, and where it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hints:
    """Qualified names, as the settings write them; the name of a re-export will do."""

    root_decorators: tuple[str, ...] = ()
    """Decorators of functions that a framework runs in several threads at once; methods, on one object."""
    thread_safe_types: tuple[str, ...] = ()
    """Classes, with their subclasses, whose state needs no lock of the user."""
    lock_factories: tuple[str, ...] = ()
    """Functions whose result is a lock that keeps threads apart. It is taken for a reentrant one."""
    versions: tuple[tuple[int, int], ...] = ()
    """The Python versions that the code should run on, the oldest first; empty where nobody says."""
    gil: bool = True
    """Whether only one thread at a time runs Python code."""
    default_timeout: float | None = None
    """The seconds to advise where a timeout is missing."""


NO_HINTS = Hints()
