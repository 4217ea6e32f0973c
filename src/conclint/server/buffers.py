"""What is open in the editor, and the names that files have there."""

from __future__ import annotations

import codecs
import io
import tokenize
from dataclasses import dataclass
from pathlib import Path

from pygls.uris import to_fs_path

from conclint.config import absolute_path


@dataclass(frozen=True, slots=True)
class Buffer:
    """An open file, saved or not. `path` is absolute, `version` counts the changes as the client does."""

    uri: str
    path: str
    version: int | None
    text: str


def find_path(uri: str) -> str | None:
    """Return the absolute path of a URI; None for what is no file."""
    path = to_fs_path(uri)
    return absolute_path(path) if path else None


def make_uri(path: str) -> str:
    """Return the URI of a file, which may be given relative to the working directory."""
    return Path(absolute_path(path)).as_uri()


def encode(text: str) -> bytes:
    """Return the bytes that saving a text gives: in the encoding that its first lines name, else in UTF-8."""
    data = text.encode("utf-8", "surrogatepass")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return data if encoding == "utf-8-sig" else text.encode(encoding)
    except (SyntaxError, LookupError, UnicodeError):
        # What cannot be saved in its own encoding is CON001.
        return data


def is_saved(path: str, data: bytes) -> bool:
    """Return whether that is what the file holds, but for a byte order mark, which no editor shows."""
    try:
        found = Path(path).read_bytes()
    except OSError:
        return False
    return found in {data, codecs.BOM_UTF8 + data}
