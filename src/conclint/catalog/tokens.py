"""Triage: whether a file could matter at all, told from its bytes before anything is parsed."""

from __future__ import annotations

import functools
import re

from conclint.catalog import find_own_rows
from conclint.catalog.rows import CallRow, ClassRow
from conclint.catalog.token_pattern import PATTERN


def is_relevant(data: bytes) -> bool:
    """Return whether a file holds any token that could make it contribute something on its own.

    It errs towards True: prose in a comment is enough. A file for which it is False has no coroutine, imports no
    library of the catalog that waits or starts something, names no lock or thread, and ends nothing that another
    file may have started. Its plain functions matter only where a root elsewhere calls them.
    """
    if _compile().search(data) is not None:
        return True
    own = find_own_rows()
    return bool(own) and _compile_own(own).search(data) is not None


@functools.cache
def _compile() -> re.Pattern[bytes]:
    return re.compile(PATTERN)


@functools.lru_cache(maxsize=4)
def _compile_own(rows: tuple[ClassRow | CallRow, ...]) -> re.Pattern[bytes]:
    """Match what every use of these rows names: the class or function, or the method that is called."""
    classes = {name for row in rows if isinstance(row, ClassRow) for name in row.names}
    tokens = {_derive_token(name, classes) for row in rows for name in row.names}
    return re.compile("|".join(sorted(tokens)).encode())


def _derive_token(name: str, classes: set[str]) -> str:
    owner, _, last = name.rpartition(".")
    return rf"\.{re.escape(last)}\s*\(" if owner in classes else rf"\b{re.escape(last)}\b"
