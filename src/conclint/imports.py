"""What a file imports, read off its bytes without parsing them: enough to know whom a dormant file may use."""

from __future__ import annotations

import re
from collections.abc import Iterator

from conclint.model.file import SourceFile

_FROM = rb"from[ \t]+(?P<origin>[.\w]+)[ \t]+import[ \t]*(?P<names>\([^)]*\)|[^\n(]+)"
_STATEMENT = re.compile(rb"^[ \t]*(?:" + _FROM + rb"|import[ \t]+(?P<modules>[^\n]+))", re.MULTILINE)
_COMMENT = re.compile(r"#[^\n]*")


def find_imports(data: bytes, file: SourceFile) -> tuple[str, ...]:
    """Return the qualified names of all that `file` imports (may: strings that look like imports count)."""
    return tuple(sorted(set(_iter_imports(data, file))))


def _iter_imports(data: bytes, file: SourceFile) -> Iterator[str]:
    for match in _STATEMENT.finditer(data):
        if match["modules"] is not None:
            yield from _split(match["modules"])
        else:
            origin = _make_absolute(match["origin"].decode("utf-8", "replace"), file)
            yield from (origin if name == "*" else f"{origin}.{name}" for name in _split(match["names"]))


def _split(names: bytes) -> Iterator[str]:
    text = _COMMENT.sub("", names.decode("utf-8", "replace")).strip(" \t\r()\\")
    for part in text.replace("\n", " ").split(","):
        name = part.split()
        if name:
            yield name[0]


def _make_absolute(origin: str, file: SourceFile) -> str:
    """Resolve `.x` in the package of `file`."""
    name = origin.lstrip(".")
    level = len(origin) - len(name)
    if not level:
        return name
    parts = file.module.split(".")
    package = parts[: len(parts) - level + file.is_package]
    return ".".join([*package, *([name] if name else [])])
