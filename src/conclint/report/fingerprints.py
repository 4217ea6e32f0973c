"""What tells an alarm from others, and stays the same when lines above it come and go."""

from __future__ import annotations

import hashlib
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from conclint.model.alarm import Diagnostic
from conclint.model.span import NEWLINE

_UNSEEN = re.compile(r"[ \t]+")
_BLOCK, _FACTOR, _MODULUS = 100, 37, 2**64
"""GitHub hashes so many UTF-16 code units from the start of a line on, blanks left out, as a polynomial."""
_END_OF_FILE = "\uffff"


def make_fingerprints(
    diagnostics: Sequence[Diagnostic], read_text: Callable[[str], str | None]
) -> list[dict[str, str]]:
    """Return for each diagnostic its fingerprints by their names.

    `conclint/v1` is made of rule, file, message and the text of the line: who says the same of the same line twice is
    counted. `primaryLocationLineHash` is what GitHub would work out itself, given the sources.
    """
    seen: Counter[str] = Counter()
    files: dict[str, _File] = {}
    found: list[dict[str, str]] = []
    for one in diagnostics:
        if one.path not in files:
            files[one.path] = _File(read_text(one.path))
        file = files[one.path]
        words = (one.code, one.path.replace("\\", "/"), one.message, file.find_line(one.span.line))
        own = hashlib.sha256("\0".join(words).encode(errors="replace")).hexdigest()[:16]
        seen[own] += 1
        made = {"conclint/v1": f"{own}:{seen[own]}"}
        if (theirs := file.hash_line(one.span.line)) is not None:
            made["primaryLocationLineHash"] = theirs
        found.append(made)
    return found


class _File:
    """The lines of a file, as hashes see them."""

    def __init__(self, text: str | None) -> None:
        self._lines = [] if text is None else [_UNSEEN.sub("", line) for line in NEWLINE.split(text)]
        self._blocks: list[bytes] | None = None

    def find_line(self, number: int) -> str:
        """Return the line without its blanks; nothing where it is not known."""
        return self._lines[number - 1] if number <= len(self._lines) else ""

    def hash_line(self, number: int) -> str | None:
        """Return GitHub's hash of a line, as `fingerprints.ts` of github/codeql-action makes it; None if not known."""
        if self._blocks is None:
            self._blocks = list(_iter_blocks(self._lines))
        if number > len(self._blocks):
            return None
        block, value = self._blocks[number - 1], 0
        for unit in memoryview(block).cast("H"):
            value = (value * _FACTOR + unit) % _MODULUS
        return f"{value:x}:{self._blocks[:number].count(block)}"


def _iter_blocks(lines: Sequence[str]) -> Iterator[bytes]:
    """Yield the bytes that are hashed for each line."""
    encoded = [_encode(line) for line in lines]
    text = b"".join([_encode("\n").join(encoded), _encode(_END_OF_FILE), bytes(2 * _BLOCK)])
    start = 0
    for line in encoded:
        yield text[start : start + 2 * _BLOCK]
        start += len(line) + 2


def _encode(text: str) -> bytes:
    # In the order of this machine's bytes, and without a BOM.
    return text.encode(f"utf-16-{'le' if sys.byteorder == 'little' else 'be'}", errors="surrogatepass")
