"""The catalog: what the calls and classes of libraries mean for concurrency.

Each module but `rows` and the three about tokens describes one library or family and exports `CLASSES` and `CALLS`.
There is no list of them anywhere: they are walked, once, when something is looked up for the first time. The settings
may amend them for the time of a run.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from conclint.catalog.rows import CallRow, ClassRow

_NOT_LIBRARIES = frozenset({"derive_tokens", "rows", "token_pattern", "tokens"})


@dataclass(frozen=True, slots=True)
class Amendments:
    """What the settings say of libraries: rows of their own, and the Python versions (any, if empty) to think of."""

    classes: tuple[ClassRow, ...] = ()
    calls: tuple[CallRow, ...] = ()
    versions: tuple[tuple[int, int], ...] = ()

    @property
    def rows(self) -> tuple[ClassRow | CallRow, ...]:
        """Both kinds of rows."""
        return (*self.classes, *self.calls)


NO_AMENDMENTS = Amendments()


@dataclass(frozen=True, slots=True)
class Index:
    """All rows by each of their names; what was looked up in them stands in the other two."""

    classes: dict[str, ClassRow]
    calls: dict[str, CallRow]
    lines: dict[str, tuple[str, ...]] = field(default_factory=dict)
    methods: dict[tuple[str, str], CallRow | None] = field(default_factory=dict)


class _InForce:
    """What lookups answer from: one for the process, since it works at one project at a time."""

    amendments = NO_AMENDMENTS
    index: Index | None = None


@contextlib.contextmanager
def amend(amendments: Amendments) -> Iterator[None]:
    """Let all lookups know of `amendments`, until the block ends; it does not add to what a block around has amended.

    Rows go before those of the libraries that have the same names, and rows of no version that matters are left out.
    """
    before = _InForce.amendments, _InForce.index
    _InForce.amendments, _InForce.index = amendments, None
    try:
        yield
    finally:
        _InForce.amendments, _InForce.index = before


def load() -> Index:
    """Return the rows that are in force. The first time, all libraries are imported."""
    if _InForce.index is None:
        _InForce.index = _build(_InForce.amendments)
    return _InForce.index


def find_own_rows() -> tuple[ClassRow | CallRow, ...]:
    """Return the rows that the settings give."""
    return _InForce.amendments.rows


@functools.lru_cache(maxsize=4)
def _build(amendments: Amendments) -> Index:
    libraries = _load_libraries()
    own = build_index(amendments.classes, amendments.calls)
    known = {**libraries.classes, **own.classes}
    classes = _choose(known, amendments.versions)
    gone = known.keys() - classes.keys()
    calls = _choose({**libraries.calls, **own.calls}, amendments.versions)
    # With a class go its constructor and its methods.
    return Index(
        classes, {name: row for name, row in calls.items() if gone.isdisjoint((name, name.rpartition(".")[0]))}
    )


@functools.cache
def _load_libraries() -> Index:
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


RowT = TypeVar("RowT", ClassRow, CallRow)


def _by_name(rows: Iterable[RowT]) -> dict[str, RowT]:
    index: dict[str, RowT] = {}
    for row in rows:
        for name in row.names:
            if name in index:
                raise RuntimeError(f"catalog: `{name}` stands in two rows")
            index[name] = row
    return index


def _choose(rows: dict[str, RowT], versions: tuple[tuple[int, int], ...]) -> dict[str, RowT]:
    """Return the rows of what exists in one of the versions at least."""
    return {name: row for name, row in rows.items() if not versions or any(exists(row, one) for one in versions)}


def exists(row: ClassRow | CallRow, version: tuple[int, int]) -> bool:
    """Return whether a version of Python has what a row tells of."""
    return (row.since is None or row.since <= version) and (row.until is None or version < row.until)


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


def find_method(class_name: str, method: str) -> CallRow | None:
    """Find what a method of a class does, looking through the class's bases as Python would."""
    index = load()
    key = class_name, method
    if key not in index.methods:
        names = (f"{base}.{method}" for base in resolve_mro(class_name))
        index.methods[key] = next((index.calls[name] for name in names if name in index.calls), None)
    return index.methods[key]


def is_subclass(class_name: str, base: str) -> bool:
    """Return whether both are classes of the catalog, and the first is the second or derives from it."""
    return canonical_class(base) in resolve_mro(class_name)


def resolve_mro(class_name: str) -> tuple[str, ...]:
    """Return the canonical names of a class and its bases, nearest first; empty for a class that is not here.

    A base that is reached twice stands where it is reached last, so that derived classes come before their bases.
    """
    lines = load().lines
    if class_name not in lines:
        row = find_class(class_name)
        reached = [row.names[0], *(name for base in row.bases for name in resolve_mro(base))] if row else []
        lines[class_name] = tuple(reversed(dict.fromkeys(reversed(reached))))
    return lines[class_name]
