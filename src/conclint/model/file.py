"""A file to check."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One Python file of the run.

    `path` is how reports name it: relative to the working directory with forward slashes, absolute where it lies
    outside. `module` is its dotted name (`shop.cart`, `shop` for `shop/__init__.py`). Alarms are only shown for files
    with `shown`; the others give their facts. `content` stands in for the file's bytes: of stdin, of
    unsaved buffers, for workers that do not see the file. `error` says why there are none.
    """

    path: str
    module: str
    is_package: bool = False
    shown: bool = True
    content: bytes | None = None
    error: str | None = None
