"""Triage: whether a file could matter at all, told from its bytes before anything is parsed."""

from __future__ import annotations

import functools
import re

from conclint.catalog.token_pattern import PATTERN


def is_relevant(data: bytes) -> bool:
    """Return whether a file holds any token that could make it contribute something on its own.

    It errs towards True: prose in a comment is enough. A file for which it is False has no coroutine, imports no
    library of the catalog that waits or starts something, names no lock or thread, and ends nothing that another
    file may have started. Its plain functions matter only where a root elsewhere calls them.
    """
    return _compile().search(data) is not None


@functools.cache
def _compile() -> re.Pattern[bytes]:
    return re.compile(PATTERN)
