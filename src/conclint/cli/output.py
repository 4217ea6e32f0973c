"""Writing: a standard output that may be closed early, files that are whole or absent, messages."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from conclint.config import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping


def write_output(text: str) -> None:
    """Write to the standard output; who closed it early (`| head`) has read enough."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # What is buffered would be tried again at exit, and complained about.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write_file(path: Path, text: str) -> None:
    """Put `text` into the file, which is never seen half written. Raises ConfigError where that cannot be done."""
    if path.exists() and not path.is_file():
        # A device or a pipe (`-o /dev/stderr`) cannot be replaced.
        _write_through(path, text)
        return
    target = path.resolve()
    temporary: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        temporary = Path(name)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
            stream.write(text)
        temporary.chmod(stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_read_umask())
        temporary.replace(target)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise ConfigError(f"--output-file: cannot write {path}: {error.strerror}") from error


def write_error(message: str) -> None:
    """Tell the user, on the standard error, what went wrong."""
    print(f"conclint: error: {message}", file=sys.stderr)


def write_warning(message: str) -> None:
    """Tell the user, on the standard error, what may not be as meant."""
    print(f"conclint: warning: {message}", file=sys.stderr)


def write_timings(seconds: Mapping[str, float]) -> None:
    """Tell on the standard error how long each stage took."""
    for name, each in seconds.items():
        print(f"{name:<8} {each:8.2f} s", file=sys.stderr)


def _write_through(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise ConfigError(f"--output-file: cannot write {path}: {error.strerror}") from error


def _read_umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask
