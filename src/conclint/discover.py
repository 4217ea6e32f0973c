"""Paths → Python files with module names: packages, `src` layouts, gitignore, excludes, symbolic links."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from conclint.config import Config, absolute_path, compile_patterns, path_below
from conclint.model.file import SourceFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

STDIN = "-"

SUFFIXES = (".py", ".pyi")
"""What the names of Python files end with."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """The files of a run, sorted by path, and what could not be looked at."""

    files: tuple[SourceFile, ...]
    missing: tuple[str, ...] = ()
    """Given paths that do not exist."""
    unreadable: tuple[str, ...] = ()
    """Directories that cannot be listed."""
    misnamed: tuple[str, ...] = ()
    """Files whose paths are not text, as what other systems wrote in other encodings."""


def discover(
    paths: Sequence[str], config: Config, *, stdin: bytes | None = None, stdin_filename: str | None = None
) -> Discovery:
    """Find the Python files under `paths`, and those of the same project, which only give their facts.

    A file that is named itself is taken whatever its suffix, and even when it is excluded, unless
    `config.force_exclude`. The path "-" stands for `stdin`; `stdin_filename` says which file it is.
    """
    given = [absolute_path(path) for path in paths if path != STDIN]
    missing = tuple(path for path in paths if path != STDIN and not Path(path).exists())
    walk = _Walk(config)
    files: list[SourceFile] = []
    if stdin is not None:
        files += _iter_stdin(stdin, stdin_filename, walk)
        given += [absolute_path(stdin_filename)] if stdin_filename else []
    names = _Modules(config)
    for path in given:
        found = walk.iter_files(path) if Path(path).is_dir() else walk.iter_named(path)
        files += [names.describe(each, top=path, shown=True) for each in found]
    for directory in _iter_project(given, config):
        found = walk.iter_files(directory)
        files += [names.describe(each, top=directory, shown=False) for each in found]
    for path in given:
        if not config.src and not _is_in_project(path, config):
            files += [names.describe(each, top=path, shown=False) for each in walk.iter_siblings(path)]
    misnamed = {file.path for file in files if not _is_text(file.path)}
    named = sorted((file for file in files if file.path not in misnamed), key=lambda file: file.path)
    return Discovery(tuple(named), missing, tuple(sorted(set(walk.unreadable))), tuple(sorted(misnamed)))


def _is_text(path: str) -> bool:
    """Whether reports, settings and caches, which are UTF-8, can name the file."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def describe_file(path: str, config: Config, *, content: bytes | None = None) -> SourceFile:
    """Return the file `path` with its module name, without looking for the rest of its project."""
    absolute = absolute_path(path)
    return replace(_Modules(config).describe(absolute, top=absolute, shown=True), content=content)


def is_forced_out(path: str, config: Config) -> bool:
    """Say whether the absolute `path`, or a directory between it and its project, is excluded."""
    base = config.project or absolute_path(".")
    relative = path_below(path, base)
    if relative is None:
        return config.is_excluded(path, is_directory=False)
    parts = relative.split("/")
    directories = ("/".join((base.rstrip("/"), *parts[:count])) for count in range(1, len(parts)))
    return config.is_excluded(path, is_directory=False) or any(
        config.is_excluded(directory, is_directory=True) for directory in directories
    )


def _iter_stdin(content: bytes, filename: str | None, walk: _Walk) -> Iterator[SourceFile]:
    if filename is None:
        yield SourceFile(STDIN, "stdin", content=content)
    elif any(True for _ in walk.iter_named(absolute_path(filename), must_exist=False)):
        yield describe_file(filename, walk.config, content=content)


def _is_in_project(path: str, config: Config) -> bool:
    return config.project is not None and path_below(path, config.project) is not None


def _iter_project(given: Sequence[str], config: Config) -> Iterator[str]:
    """Yield the directories whose files may matter to the given ones."""
    if config.src:
        yield from config.src
        return
    for path in given:
        if config.project is not None and _is_in_project(path, config):
            yield config.project
        else:
            package = _top_package(path if Path(path).is_dir() else _parent(path))
            if package is not None:
                yield package


def _top_package(directory: str) -> str | None:
    """Return the outermost regular package that `directory` belongs to."""
    top = None
    while _is_package(directory):
        top, directory = directory, _parent(directory)
    return top


def _is_package(directory: str) -> bool:
    return any(Path(f"{directory}/__init__{suffix}").is_file() for suffix in SUFFIXES)


def _parent(path: str) -> str:
    return Path(path).parent.as_posix()


class _Modules:
    """Names modules; it remembers where the imports of each directory begin.

    They begin at a `src` setting, else at a directory `src` that is no package, else above the outermost regular
    package, else (namespace packages, scripts) at the project or the given path, whichever is further up.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._bases: dict[tuple[str, str], str] = {}
        self._cwd = absolute_path(".")

    def describe(self, path: str, *, top: str, shown: bool) -> SourceFile:
        """Return the file at the absolute `path`, which was found under `top`."""
        directory, _, filename = path.rpartition("/")
        if _is_in_project(path, self._config):
            top = self._config.project or top
        elif top == path:
            top = directory
        base = self._bases.get((directory, top))
        if base is None:
            base = self._bases[directory, top] = self._find_base(directory, top)
        stem = filename.rpartition(".")[0] or filename
        is_package = stem == "__init__"
        parts = [part for part in (path_below(directory, base) or "").split("/") if part]
        module = ".".join(parts if is_package and parts else [*parts, stem])
        return SourceFile(path_below(path, self._cwd) or path, module, is_package=is_package, shown=shown)

    def _find_base(self, directory: str, top: str) -> str:
        roots = [root for root in self._config.src if path_below(directory, root) is not None]
        if roots:
            return max(roots, key=len)
        namespace = [each for each in _iter_upward(directory, top) if not _is_package(each)]
        layout = next((each for each in namespace if each.endswith("/src")), None)
        if layout is not None:
            return layout
        package = _top_package(directory)
        if package is not None:
            return _parent(package)
        # A directory that cannot stand in an import statement ends the namespace.
        return next((each for each in namespace if not each.rpartition("/")[2].isidentifier()), top)


def _iter_upward(directory: str, top: str) -> Iterator[str]:
    while path_below(directory, top) is not None:
        yield directory
        if directory == top:
            return
        directory = _parent(directory)


@dataclass(frozen=True, slots=True)
class _Ignores:
    """The lines of the ignore files of one directory, their base."""

    base: str
    lines: tuple[str, ...]

    def find_verdict(self, path: str, *, is_directory: bool) -> bool | None:
        """Say whether the lines ignore `path` (True) or take it back (False); None where they are silent."""
        relative = path_below(path, self.base)
        if not relative:
            return None
        return compile_patterns(self.lines).check_file(relative + "/" * is_directory).include


@dataclass(frozen=True, slots=True)
class _Place:
    """A directory still to be listed. `real` is its path without symbolic links."""

    path: str
    real: str
    ignores: tuple[_Ignores, ...]
    in_repository: bool


class _Walk:
    """Lists directories, each real file and directory once in its life."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.unreadable: list[str] = []
        self._seen: set[str] = set()

    def iter_named(self, path: str, *, must_exist: bool = True) -> Iterator[str]:
        """Yield the file itself, unless it was seen or is forced out."""
        if must_exist and not Path(path).exists():
            return
        if self.config.force_exclude and is_forced_out(path, self.config):
            return
        if self._is_new(Path(path).resolve().as_posix()):
            yield path

    def iter_files(self, directory: str) -> Iterator[str]:
        """Yield the Python files below `directory` that are neither excluded nor ignored."""
        if not Path(directory).is_dir() or (self.config.force_exclude and is_forced_out(directory, self.config)):
            return
        linked: list[tuple[str, _Place]] = []
        stack = [self._start(directory)]
        while stack or linked:
            # Links come last, so that a file is named by its own path where it has one in here.
            if not stack:
                linked.sort(key=lambda item: item[0], reverse=True)
                yield from self._follow(*linked.pop(), stack)
                continue
            place = stack.pop()
            if self._is_new(place.real):
                yield from self._list(place, stack, linked)

    def iter_siblings(self, path: str) -> Iterator[str]:
        """Yield the modules beside a script that belongs to no package and no project."""
        directory = _parent(path)
        if not Path(path).is_file() or _is_package(directory):
            return
        for entry in self._scan(directory):
            if entry.name.endswith(SUFFIXES) and entry.is_file() and not self._is_excluded(entry.path, ()):
                yield from (_posix(entry.path) for _ in range(self._is_new(Path(entry.path).resolve().as_posix())))

    def _is_new(self, real: str) -> bool:
        new = real not in self._seen
        self._seen.add(real)
        return new

    def _start(self, directory: str) -> _Place:
        real = Path(directory).resolve().as_posix()
        if not self.config.respect_gitignore:
            return _Place(directory, real, (), in_repository=False)
        parents = [parent.as_posix() for parent in reversed(Path(directory).parents)]
        repository = next((each for each in reversed([*parents, directory]) if Path(each, ".git").exists()), None)
        ignores: tuple[_Ignores, ...] = ()
        for parent in parents:
            in_repository = repository is not None and path_below(parent, repository) is not None
            ignores += _read_ignores(parent, in_repository=in_repository)
        # Who names an ignored directory wants it checked.
        if self._is_ignored(directory, ignores, is_directory=True):
            ignores = ()
        return _Place(directory, real, ignores, in_repository=repository is not None)

    def _list(self, place: _Place, stack: list[_Place], linked: list[tuple[str, _Place]]) -> Iterator[str]:
        entries = self._scan(place.path)
        if self.config.respect_gitignore:
            place = _enter(place, {entry.name for entry in entries})
        for entry in entries:
            path = _posix(entry.path)
            if entry.is_symlink():
                linked.append((path, place))
            elif entry.is_dir():
                if not self._is_excluded(path, place.ignores, is_directory=True):
                    stack.append(replace(place, path=path, real=f"{place.real.rstrip('/')}/{entry.name}"))
            elif (
                entry.name.endswith(SUFFIXES)
                and entry.is_file()
                and not self._is_excluded(path, place.ignores)
                and self._is_new(f"{place.real.rstrip('/')}/{entry.name}")
            ):
                yield path

    def _follow(self, path: str, place: _Place, stack: list[_Place]) -> Iterator[str]:
        try:
            target = Path(path).resolve(strict=True)
        except (OSError, RuntimeError):  # dangling, or a link to itself (RuntimeError before Python 3.13)
            return
        is_directory = target.is_dir()
        if self._is_excluded(path, place.ignores, is_directory=is_directory):
            return
        if is_directory:
            stack.append(replace(place, path=path, real=target.as_posix()))
        elif target.is_file() and path.endswith(SUFFIXES) and self._is_new(target.as_posix()):
            yield path

    def _scan(self, directory: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(directory) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except OSError:
            self.unreadable.append(path_below(directory, absolute_path(".")) or directory)
            return []

    def _is_excluded(self, path: str, ignores: Iterable[_Ignores], *, is_directory: bool = False) -> bool:
        return self.config.is_excluded(path, is_directory=is_directory) or self._is_ignored(
            path, ignores, is_directory=is_directory
        )

    @staticmethod
    def _is_ignored(path: str, ignores: Iterable[_Ignores], *, is_directory: bool) -> bool:
        verdicts = [each.find_verdict(path, is_directory=is_directory) for each in ignores]
        return next((verdict for verdict in reversed(verdicts) if verdict is not None), False)


def _enter(place: _Place, names: set[str]) -> _Place:
    """Return the directory with its own ignore files; a `.git` in it begins a repository."""
    in_repository = place.in_repository or ".git" in names
    if not names & {".git", ".gitignore", ".ignore"}:
        return place
    ignores = place.ignores + _read_ignores(place.path, in_repository=in_repository)
    return replace(place, ignores=ignores, in_repository=in_repository)


def _read_ignores(directory: str, *, in_repository: bool) -> tuple[_Ignores, ...]:
    """Read the ignore files of one directory, the weakest first; git's own only count in a repository."""
    names = (".git/info/exclude", ".gitignore", ".ignore") if in_repository else (".ignore",)
    found: list[_Ignores] = []
    for name in names:
        try:
            text = Path(directory, name).read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            continue
        lines = tuple(line for line in text.splitlines() if line.strip() and not line.startswith("#"))
        if lines:
            found.append(_Ignores(directory, lines))
    return tuple(found)


def _posix(path: str) -> str:
    return path if os.sep == "/" else path.replace(os.sep, "/")
