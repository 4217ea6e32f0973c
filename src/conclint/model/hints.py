"""Hints: what the user's settings say about code that cannot be seen, or not be understood."""

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


NO_HINTS = Hints()
