"""The cache: what files and whole projects gave, by their contents, in one SQLite database that runs share.

A file whose size and times have not changed is not read: its content hash is known. With that hash, the file's names
and the fingerprint of conclint itself, its result is known; with the keys of all files, the alarms of the project.
Whatever is wrong with the database is a miss: it is made anew, or, where it cannot be used, done without.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from conclint.catalog import NO_AMENDMENTS, Amendments
from conclint.model.file import SourceFile
from conclint.model.result import Findings, ModuleResult
from conclint.wire import WireError, pack, unpack

T = TypeVar("T")

DATABASE = "results.sqlite3"
FILES = (f"{DATABASE}-wal", f"{DATABASE}-shm", DATABASE)
"""The files of the database, in the order in which they are removed."""
_LAYOUT = 1
"""The layout of the tables below; what has another one was not written by this version."""
_TABLES = """
CREATE TABLE files(path TEXT PRIMARY KEY, stamp TEXT NOT NULL, hash BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE results(key BLOB PRIMARY KEY, value BLOB NOT NULL, day INTEGER NOT NULL);
CREATE INDEX results_by_day ON results(day);
"""
MARKERS = {
    "CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55\n# A cache of conclint; see https://bford.info/cachedir/\n",
    ".gitignore": "# Made by conclint.\n*\n",
}
"""Files that say what the directory is: to backups and to git."""
_LIMIT = 512 * 1024 * 1024
"""Bytes that results may take; then the oldest are dropped. Results need about 17 bytes per line of source."""
_MUCH = 8 * 1024 * 1024
"""Bytes of results that are written at once."""
_PATIENCE = 10.0
"""Seconds that a run waits while another one writes."""
_SETTLED = 2.0
"""Seconds after which a change of a file shows in its times, on the coarsest file systems."""
_BEHIND = frozenset(Path(__file__).with_name(name) for name in ("cli", "project", "report"))
"""The packages of conclint on which no result of a single file depends."""


class Cache:
    """Remembers results. No connection is open between two calls, so that processes may be forked."""

    def __init__(self, directory: str, *, limit: int = _LIMIT) -> None:
        """Keep everything in `directory`, which is made when there is something to keep."""
        self.problem: str | None = None
        """Why the database cannot be used, None while it can."""
        self._directory = Path(directory)
        self._limit = limit
        self._hashes: dict[str, bytes] = {}
        self._unsaved: set[str] = set()
        self._amendments = b""
        self._own: dict[Path, bytes] = {}
        self._pending: list[tuple[bytes, bytes]] = []

    def identify(self, files: Sequence[SourceFile], amendments: Amendments = NO_AMENDMENTS) -> None:
        """Learn what is in `files`. Only those that have changed are read.

        What is given as content is known where a file gave it before; what is in no file is never remembered.
        Results hold for one catalog: that with these `amendments`.
        """
        self._amendments = repr(amendments).encode()
        cwd = Path.cwd()
        given = {file.path: _hash(file.content) for file in files if file.content is not None}
        places = {file.path: cwd / file.path for file in files}
        wanted = [*_find_own_files(), *places.values()]
        nothing: dict[Path, bytes] = {}
        hashes = self._run(lambda connection: _hash_files(connection, wanted), nothing)
        saved = {path: hashes[place] for path, place in places.items() if place in hashes}
        self._hashes = saved | given
        self._unsaved = {path for path, found in given.items() if saved.get(path) != found}
        self._own = {place: hashes.get(place, b"") for place in _find_own_files()}

    def confirm(self, file: SourceFile, content: bytes) -> None:
        """Forget `file` if it has changed since it was identified: its hash does not stand for what it gives."""
        if file.path in self._hashes and self._hashes[file.path] != _hash(content):
            del self._hashes[file.path]

    def load(self, files: Sequence[SourceFile], *, triage: bool) -> dict[str, ModuleResult]:
        """Return the results that are known, by path."""
        keys = {file.path: self._key(file, triage=triage) for file in files if file.path in self._hashes}
        values = self._read(keys.values(), among=keys.values())
        found: dict[str, ModuleResult] = {}
        for path, key in keys.items():
            with contextlib.suppress(WireError, KeyError):
                found[path] = unpack(values[key], ModuleResult)
        return found

    def store(self, file: SourceFile, data: bytes, *, triage: bool) -> None:
        """Remember the packed result of a file; it is written by and by."""
        if file.path in self._hashes and file.path not in self._unsaved:
            self._pending.append((self._key(file, triage=triage), data))
            if sum(len(value) for _, value in self._pending) > _MUCH:
                self.flush()

    def load_project(self, files: Sequence[SourceFile], question: bytes, *, triage: bool) -> Findings | None:
        """Return what exactly these files gave, None where that is not known.

        `question` is what was asked of them: the rules that were to run, and the settings that these read.
        """
        key = self._project_key(files, question, triage=triage)
        if key is None:
            return None
        parts = [self._key(file, triage=each) for file in files for each in (True, False)]
        try:
            return unpack(self._read([key], among=[key, *parts])[key], Findings)
        except (WireError, KeyError):
            return None

    def store_project(self, files: Sequence[SourceFile], question: bytes, found: Findings, *, triage: bool) -> None:
        """Remember what these files gave."""
        key = self._project_key(files, question, triage=triage)
        if key is not None and not self._unsaved.intersection(file.path for file in files):
            self._pending.append((key, pack(found)))

    def key_fixes(self, files: Sequence[SourceFile], question: bytes) -> bytes | None:
        """Return by what the fixes in these files are known, None where they are not to be remembered.

        `question` is what was to be fixed, and all but the files that decides how.
        """
        if self._unsaved.intersection(file.path for file in files):
            return None
        return self._project_key(files, b"fixes" + question, triage=False)

    def load_fixes(self, key: bytes | None, wanted: type[T]) -> T | None:
        """Return the fixes that were stored under `key`, None where there are none."""
        try:
            return unpack(self._read([key], among=[key])[key], wanted) if key is not None else None
        except (WireError, KeyError):
            return None

    def store_fixes(self, key: bytes | None, fixes: object) -> None:
        """Remember fixes; they are written by and by."""
        if key is not None:
            self._pending.append((key, pack(fixes)))

    def flush(self) -> None:
        """Write what is not written yet."""
        rows, self._pending = self._pending, []
        if rows:
            self._run(lambda connection: _write_results(connection, rows, self._limit), None)

    def _read(self, keys: Iterable[bytes], *, among: Iterable[bytes]) -> dict[bytes, bytes]:
        return self._run(lambda connection: _read_results(connection, keys, among), {})

    def _key(self, file: SourceFile, *, triage: bool) -> bytes:
        return _hash(self._local_print, self._amendments, *_describe(file), b"%d" % triage, self._hashes[file.path])

    def _project_key(self, files: Sequence[SourceFile], question: bytes, *, triage: bool) -> bytes | None:
        if any(file.path not in self._hashes for file in files):
            return None
        parts = (part for file in files for part in (*_describe(file), self._hashes[file.path]))
        return _hash(b"project", self._print, self._amendments, question, b"%d" % triage, *parts)

    @functools.cached_property
    def _print(self) -> bytes:
        """The fingerprint of all that decides about the alarms of a project."""
        return _combine(self._own)

    @functools.cached_property
    def _local_print(self) -> bytes:
        """The fingerprint of what decides about the result of one file."""
        return _combine({place: found for place, found in self._own.items() if _BEHIND.isdisjoint(place.parents)})

    def _run(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Do `work` on the database. A broken one, or one of another version, is made anew, once."""
        for is_last in (False, True):
            if self.problem is not None:
                break
            try:
                with contextlib.closing(self._connect()) as connection:
                    return work(connection)
            except (OSError, sqlite3.Error, _ForeignError) as error:
                if is_last or not _is_broken(error):
                    self.problem = str(error)
                else:
                    self._discard()
        return otherwise

    def _connect(self) -> sqlite3.Connection:
        path = self._directory / DATABASE
        if not path.exists():
            _make_directory(self._directory)
        # Transactions are written out: Python's own begin where one does not expect it.
        connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
        try:
            # What a crash of the machine breaks is made anew.
            connection.execute("PRAGMA synchronous = OFF")
            if _read_layout(connection) != _LAYOUT:
                _create(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _discard(self) -> None:
        try:
            for name in FILES:
                (self._directory / name).unlink(missing_ok=True)
        except OSError as error:
            self.problem = str(error)


def remove_cache(directory: str) -> bool:
    """Remove the files of a cache, and its directory when nothing else is in it; return whether there were any."""
    place = Path(directory)
    markers = [place / name for name, text in MARKERS.items() if _read_text(place / name) == text]
    found = [path for path in (*(place / name for name in FILES), *markers) if path.is_file()]
    for path in found:
        path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        place.rmdir()
    return bool(found)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


class _ForeignError(Exception):
    """The database has another layout."""


def _is_broken(error: Exception) -> bool:
    # "locked", "readonly", "full" and "unable to open" are errors of the same type as a file that ends too early.
    return not isinstance(error, (OSError, sqlite3.OperationalError)) or "disk I/O" in str(error)


def _read_layout(connection: sqlite3.Connection) -> int:
    layout: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return layout


def _create(connection: sqlite3.Connection) -> None:
    # Another process may be just as far; it does not wait for this, and who comes first decides.
    with contextlib.suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode = WAL")
    with _writing(connection):
        layout = _read_layout(connection)
        if layout not in (0, _LAYOUT):
            raise _ForeignError(f"layout {layout}")
        if layout == 0:
            for statement in _TABLES.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {_LAYOUT}")


@contextlib.contextmanager
def _writing(connection: sqlite3.Connection) -> Iterator[None]:
    """Make a transaction of what happens meanwhile; other processes wait for it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _make_directory(directory: Path) -> None:
    """Make the directory, where there is none, and say in it what it is."""
    if directory.is_dir():
        return
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in MARKERS.items():
        (directory / name).write_text(text, encoding="utf-8")


def _hash_files(connection: sqlite3.Connection, places: Iterable[Path]) -> dict[Path, bytes]:
    """Return the content hashes of the files that can be read."""
    found: dict[Path, bytes] = {}
    changed: list[tuple[str, str, bytes]] = []
    latest = time.time() - _SETTLED
    for place in places:
        try:
            name, status = os.fspath(place), place.stat()
            # The time of the last change of the inode tells of writers that set the other time back.
            stamp = f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"
            row = connection.execute("SELECT hash FROM files WHERE path = ? AND stamp = ?", (name, stamp)).fetchone()
            found[place] = row[0] if row is not None else _hash(place.read_bytes())
        except (OSError, ValueError):
            # The worker will say what is wrong with it.
            continue
        if row is None and max(status.st_mtime, status.st_ctime) < latest:
            changed.append((name, stamp, found[place]))
    if changed:
        with _writing(connection):
            connection.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", changed)
    return found


def _read_results(connection: sqlite3.Connection, keys: Iterable[bytes], among: Iterable[bytes]) -> dict[bytes, bytes]:
    """Return the values that are there. On the first use of a day, all of `among` are noted as used."""
    found: dict[bytes, bytes] = {}
    today, oldest = _today(), _today()
    for key in keys:
        row = connection.execute("SELECT value, day FROM results WHERE key = ?", (key,)).fetchone()
        if row is not None:
            found[key], oldest = row[0], min(oldest, row[1])
    if oldest < today:
        with _writing(connection):
            connection.executemany("UPDATE results SET day = ? WHERE key = ?", [(today, key) for key in among])
    return found


def _write_results(connection: sqlite3.Connection, rows: Iterable[tuple[bytes, bytes]], limit: int) -> None:
    today = _today()
    with _writing(connection):
        connection.executemany("INSERT OR REPLACE INTO results VALUES (?, ?, ?)", [(*row, today) for row in rows])
        excess = _measure(connection) - limit
        if excess > 0:
            # A quarter more than needed, so that this does not happen in every run.
            _drop_oldest(connection, excess + limit // 4)


def _measure(connection: sqlite3.Connection) -> int:
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _drop_oldest(connection: sqlite3.Connection, size: int) -> None:
    """Drop results of that many bytes together. The file does not shrink, but takes others in their place."""
    dropped: list[tuple[int]] = []
    for row, length in connection.execute("SELECT rowid, length(value) FROM results ORDER BY day, rowid"):
        if size <= 0:
            break
        dropped.append((row,))
        size -= length
    connection.executemany("DELETE FROM results WHERE rowid = ?", dropped)
    connection.execute("DELETE FROM files")


def _today() -> int:
    return int(time.time() // 86_400)


def _hash(*parts: bytes) -> bytes:
    """Hash the parts, of which each begins with its length."""
    found = hashlib.blake2b(digest_size=20)
    for part in parts:
        found.update(b"%d:" % len(part))
        found.update(part)
    return found.digest()


def _describe(file: SourceFile) -> tuple[bytes, bytes, bytes]:
    names = (name.encode(errors="surrogateescape") for name in (file.path, file.module))
    return (*names, b"%d" % file.is_package)  # type: ignore[return-value]


def _combine(own: Mapping[Path, bytes]) -> bytes:
    """Return a fingerprint of conclint's modules, of the parser and of Python."""
    return _hash(sys.version.encode(), *(part for place, found in own.items() for part in (place.name.encode(), found)))


@functools.cache
def _find_own_files() -> tuple[Path, ...]:
    """Return the modules of conclint, and the one that says which version of the parser there is."""
    package = Path(__file__).parent
    parser = importlib.util.find_spec("libcst")
    assert parser is not None
    assert parser.origin is not None
    return (Path(parser.origin).with_name("_version.py"), *sorted(package.rglob("*.py")))
