"""Where settings come from: files, environment, flags."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from conclint.config.options import (
    ENVIRONMENT_KEYS,
    Layer,
    Metadata,
    Options,
    Settings,
    convert_table,
    name_variable,
    split_list,
)
from conclint.config.patterns import absolute_path, path_below
from conclint.config.targets import read_metadata
from conclint.config.words import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_SETTINGS_FILES = (".conclint.toml", "conclint.toml", "pyproject.toml")
_REPOSITORY_MARKERS = (".git", ".hg")
_PROJECT_MARKERS = ("pyproject.toml", "setup.py", "setup.cfg")


def read_settings(
    paths: Sequence[str] = (),
    *,
    flags: Options | None = None,
    config: Sequence[str] = (),
    isolated: bool = False,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Collect the layers that hold for `paths`.

    `config` are the values of `--config`: the path of a settings file, or KEY=VALUE in TOML. The settings file is
    else the nearest one upward from the directory that all `paths` have in common. `isolated` reads no file.
    """
    cwd = absolute_path(".")
    start = _common_directory(paths)
    files = [value for value in config if "=" not in value or Path(value).is_file()]
    source = None if isolated else _named_file(files) if files else _find_settings_file(start)
    layers = [] if source is None else [Layer(_read_file(source), source.parent.as_posix(), _display(source))]
    layers.append(Layer(_read_environment(os.environ if environ is None else environ), cwd, "CONCLINT_"))
    layers += [Layer(_read_inline(value), cwd, "--config") for value in config if value not in files]
    if flags is not None:
        layers.append(Layer(flags, cwd, "--"))
    project = _find_project(start, source)
    metadata = Metadata() if isolated else _find_metadata(start, project)
    return Settings(tuple(layers), _posix(source), _posix(project), metadata)


def is_colour_wanted(*, terminal: bool, environ: Mapping[str, str] | None = None) -> bool:
    """Say whether to colour an output, by no-color.org and force-color.org."""
    variables = os.environ if environ is None else environ
    if variables.get("NO_COLOR"):
        return False
    return bool(variables.get("FORCE_COLOR")) or (terminal and variables.get("TERM") != "dumb")


def _common_directory(paths: Sequence[str]) -> Path:
    found = [Path(absolute_path(path)) for path in paths if path != "-"]
    directories = [path if path.is_dir() else path.parent for path in found]
    try:
        return Path(os.path.commonpath(directories)) if directories else Path.cwd()
    except ValueError:  # paths on several drives have nothing in common
        return Path.cwd()


def _named_file(values: Sequence[str]) -> Path:
    if len(values) > 1:
        raise ConfigError(f"--config: only one settings file can be given, not {' and '.join(values)}")
    path = Path(absolute_path(values[0]))
    if not path.is_file():
        raise ConfigError(f"--config: `{values[0]}` is neither a settings file nor KEY=VALUE")
    return path


def _find_settings_file(start: Path) -> Path | None:
    for directory in (start, *start.parents):
        for name in _SETTINGS_FILES:
            path = directory / name
            if path.is_file() and (name != "pyproject.toml" or _has_table(path)):
                return path
    return None


def _has_table(path: Path) -> bool:
    # A parent directory's broken pyproject.toml is only our concern if it may hold our table.
    return b"tool.conclint" in _read_bytes(path) and _find_table(_parse_file(path), path) is not None


def _find_project(start: Path, source: Path | None) -> Path | None:
    """Return the directory of all files that may matter to each other.

    That of the settings file, unless it lies above the repository; else the repository; else the nearest directory
    with a build file. It must not depend on which files of the project were named.
    """
    upward = (start, *start.parents)
    repository = _find_marked(upward, _REPOSITORY_MARKERS)
    if source is not None and source.parent in upward:
        inside = repository is None or source.parent == repository or repository in source.parent.parents
        if inside:
            return source.parent
    return repository or _find_marked(upward, _PROJECT_MARKERS)


def _find_metadata(start: Path, project: Path | None) -> Metadata:
    """Return what the nearest `[project]` table from `start` up to the project's directory tells."""
    for directory in (start, *start.parents):
        path = directory / "pyproject.toml"
        if path.is_file() and (table := _find_project_table(path)) is not None:
            return read_metadata(table)
        if directory == project:
            break
    return Metadata()


def _find_project_table(path: Path) -> dict[str, object] | None:
    try:
        table = _parse_file(path).get("project")
    except ConfigError:
        # What is wrong with a file that holds no settings of ours is not for us to say.
        return None
    return table if isinstance(table, dict) else None


def _find_marked(directories: Iterable[Path], markers: Iterable[str]) -> Path | None:
    names = tuple(markers)
    return next((each for each in directories if any((each / name).exists() for name in names)), None)


def _read_file(path: Path) -> Options:
    document = _parse_file(path)
    table = _find_table(document, path) if path.name == "pyproject.toml" else document
    return convert_table(table or {}, _display(path))


def _parse_file(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(_read_bytes(path).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{_display(path)}: not valid TOML: {error}") from error


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{_display(path)}: cannot be read: {error.strerror}") from error


def _find_table(document: dict[str, object], path: Path) -> dict[str, object] | None:
    tools = document.get("tool")
    table = tools.get("conclint") if isinstance(tools, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{_display(path)}: `tool.conclint` must be a table")
    return table


def _read_inline(text: str) -> Options:
    try:
        return convert_table(tomllib.loads(text), f"--config {text}")
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"--config {text}: not valid TOML: {error}") from error


def _read_environment(environ: Mapping[str, str]) -> Options:
    table: dict[str, object] = {}
    for key in ENVIRONMENT_KEYS:
        text = environ.get(name_variable(key), "").strip()
        if text and key == "jobs" and not text.isdecimal():
            raise ConfigError(f"{name_variable(key)}: expected a number of processes, got `{text}`")
        if text:
            table[key] = int(text) if key == "jobs" else text if key == "cache-dir" else split_list(text)
    return convert_table(table, "environment")


def _display(path: Path) -> str:
    return path_below(path.as_posix(), absolute_path(".")) or path.as_posix()


def _posix(path: Path | None) -> str | None:
    return None if path is None else path.as_posix()
