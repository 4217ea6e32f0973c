"""The catalog: what the calls and classes of libraries mean for concurrency.

Each module but `rows` and the three about tokens describes one library or family and exports `CLASSES` and `CALLS`.
There is no list of them anywhere: they are walked, once, when something is looked up for the first time.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from conclint.catalog.rows import CallRow, ClassRow

_NOT_LIBRARIES = frozenset({"derive_tokens", "rows", "token_pattern", "tokens"})


class Index(NamedTuple):
    """All rows by each of their names."""

    classes: dict[str, ClassRow]
    calls: dict[str, CallRow]


@functools.cache
def load() -> Index:
    """Import all libraries' rows; a name in two rows of one type is a RuntimeError."""
    classes: list[ClassRow] = []
    calls: list[CallRow] = []
    for stem in sorted(info.name for info in pkgutil.iter_modules(__path__) if info.name not in _NOT_LIBRARIES):
        module = importlib.import_module(f"{__name__}.{stem}")
        classes += module.CLASSES
        calls += module.CALLS
    return build_index(classes, calls)


def build_index(classes: Iterable[ClassRow], calls: Iterable[CallRow]) -> Index:
    """Index rows by name; a name in two rows of one type is a RuntimeError."""
    return Index(_by_name(classes), _by_name(calls))


RowT = TypeVar("RowT", "ClassRow", "CallRow")


def _by_name(rows: Iterable[RowT]) -> dict[str, RowT]:
    index: dict[str, RowT] = {}
    for row in rows:
        for name in row.names:
            if name in index:
                raise RuntimeError(f"catalog: `{name}` stands in two rows")
            index[name] = row
    return index


def find_class(name: str) -> ClassRow | None:
    """Find a class by any of its qualified names."""
    return load().classes.get(name)


def canonical_class(name: str) -> str | None:
    """Return the name under which the methods of a class stand in the catalog."""
    row = find_class(name)
    return row.names[0] if row else None


def find_call(name: str) -> CallRow | None:
    """Find a function, constructor or method by qualified name.

    Constructors and methods are found under each name of their class, methods also under derived classes.
    """
    row = load().calls.get(name)
    if row is not None:
        return row
    canonical = canonical_class(name)
    if canonical is not None:
        return load().calls.get(canonical)
    owner, _, method = name.rpartition(".")
    return find_method(owner, method) if owner else None


@functools.cache
def find_method(class_name: str, method: str) -> CallRow | None:
    """Find what a method of a class does, looking through the class's bases as Python would."""
    calls = load().calls
    return next((calls[name] for base in resolve_mro(class_name) if (name := f"{base}.{method}") in calls), None)


def is_subclass(class_name: str, base: str) -> bool:
    """Return whether both are classes of the catalog, and the first is the second or derives from it."""
    return canonical_class(base) in resolve_mro(class_name)


@functools.cache
def resolve_mro(class_name: str) -> tuple[str, ...]:
    """Return the canonical names of a class and its bases, nearest first; empty for a class that is not here.

    A base that is reached twice stands where it is reached last, so that derived classes come before their bases.
    """
    row = find_class(class_name)
    if row is None:
        return ()
    reached = [row.names[0], *(name for base in row.bases for name in resolve_mro(base))]
    return tuple(reversed(dict.fromkeys(reversed(reached))))
