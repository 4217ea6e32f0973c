"""What a variable may stand for: abstract objects, told apart by class, or by the place that makes them."""

from __future__ import annotations

import enum
from typing import NamedTuple


class ObjectKind(enum.IntEnum):
    """What an object is to the linker."""

    # Objects are hashed millions of times, and `Enum` hashes its name in Python.
    __hash__ = int.__hash__

    FUNCTION = 1
    """A function, method or lambda of the project, not bound."""
    CLASS = 2
    """A class, of the project or not."""
    MODULE = 3
    INSTANCE = 4
    """An object of the class `symbol`. `site` tells objects apart that have a life: threads, locks, collections."""
    BOUND = 5
    """The method `symbol` of the project, bound to `receiver`."""
    METHOD = 6
    """The method called `symbol` of an object whose class is not of the project, bound to `receiver`."""
    EXTERNAL = 7
    """A function, or anything else, by qualified name, not of the project."""
    COROUTINE = 8
    """What calling the coroutine function `symbol` at `site` gives."""
    GENERATOR = 9
    """What calling the generator function `symbol` gives, contexts of `@contextmanager` included."""
    PARTIAL = 10
    """What `functools.partial(...)` at `site` gives."""
    SUPER = 11
    """`super()` in the class `symbol`, bound to `receiver`."""


class Site(NamedTuple):
    """The call, collection or acquisition number `index` of a module."""

    module: int
    index: int  # type: ignore[assignment]  # hides `tuple.index`, which nobody needs
    what: str = "call"


class Object(NamedTuple):
    """One abstract object. Equal objects are one and the same to the linker."""

    kind: ObjectKind
    symbol: str
    site: Site | None = None
    receiver: Object | None = None
