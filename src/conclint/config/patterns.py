"""Paths, and patterns of gitignore's kind over them."""

from __future__ import annotations

import functools
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_PLAIN_NAME = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True)
class Patterns:
    """Patterns of gitignore's kind, relative to the directory `base`."""

    base: str
    lines: tuple[str, ...]

    def matches(self, path: str, *, is_directory: bool = False) -> bool:
        """Say whether the absolute `path` itself matches; paths outside `base` never do."""
        relative = path_below(path, self.base)
        if not relative:
            return False
        # Most excluded names are plain, and a set knows them without pathspec.
        names = _plain_names(self.lines)
        if names is not None:
            return relative.rpartition("/")[2] in names
        return compile_patterns(self.lines).match_file(relative + "/" * is_directory)


def absolute_path(path: str) -> str:
    """Return `path` absolute and normalised, with forward slashes; symbolic links stay."""
    return Path(os.path.normpath(Path.cwd() / path)).as_posix()


def path_below(path: str, directory: str) -> str | None:
    """Return the absolute `path` relative to `directory` ("" for itself), None where it lies outside."""
    if path == directory:
        return ""
    prefix = directory.rstrip("/") + "/"
    return path[len(prefix) :] if path.startswith(prefix) else None


@functools.cache
def compile_patterns(lines: tuple[str, ...]) -> GitIgnoreSpec:
    """Compile patterns of gitignore's kind. pathspec is only imported here."""
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(lines)


@functools.cache
def _plain_names(lines: tuple[str, ...]) -> frozenset[str] | None:
    return frozenset(lines) if all(_PLAIN_NAME.fullmatch(line) for line in lines) else None
