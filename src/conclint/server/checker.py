"""Checking one folder of the workspace, again and again: settings, files and results that outlive a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from lsprotocol import types

from conclint.config import Config, absolute_path, path_below, read_settings, resolve
from conclint.discover import SUFFIXES, Discovery, describe_file, discover, is_forced_out
from conclint.fixes import decode, find_differences
from conclint.model.alarm import Diagnostic
from conclint.model.file import SourceFile
from conclint.model.fix import Edit
from conclint.model.result import Failure
from conclint.offers import offer_fixes
from conclint.pipeline import Outcome, check_files
from conclint.resources import NO_RESOURCES, Resources
from conclint.rounds import fix_files
from conclint.rules import read
from conclint.server.buffers import Buffer, encode, is_saved
from conclint.server.client import Client
from conclint.server.translate import Translator


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """The command line of `server`."""

    config: tuple[str, ...] = ()
    isolated: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A diagnostic, and how the client sees it."""

    diagnostic: Diagnostic
    shown: types.Diagnostic


@dataclass(frozen=True, slots=True)
class Checked:
    """What one run has found, and in what. Paths that are keys are absolute."""

    config: Config
    files: Mapping[str, SourceFile]
    """Those that are open with their content."""
    buffers: Mapping[str, Buffer]
    outcome: Outcome
    findings: Mapping[str, tuple[Finding, ...]]
    translator: Translator = field(repr=False)
    fixed: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    """The findings with their fixes, once somebody has asked for any."""


class Checker:
    """Works in one thread, that of all checkers: the settings that are in force hold for a process."""

    def __init__(self, root: str, flags: Flags, client: Client) -> None:
        """Check the files below the absolute path `root`, which may be a file too."""
        self._root, self._flags, self._client = root, flags, client
        self._config: Config | None = None
        self._files: dict[str, SourceFile] = {}
        self._resources = NO_RESOURCES

    def scan(self) -> list[str]:
        """Read the settings and look for files; return what should be said of them. Raises ConfigError.

        What was read before holds where that fails.
        """
        settings = read_settings([self._root], config=self._flags.config, isolated=self._flags.isolated)
        config = resolve(settings, read())
        discovery = discover([self._root], config)
        if self._config is None or self._config.cache_dir != config.cache_dir:
            self._resources = _open_results(config)
        self._config = config
        self._files = {absolute_path(file.path): file for file in discovery.files}
        return list(_iter_warnings(discovery))

    @property
    def is_ready(self) -> bool:
        """Whether there are settings to check with."""
        return self._config is not None

    @property
    def cache_problem(self) -> str | None:
        """Why results cannot be kept on the disk; None where they can."""
        cache = self._resources.cache
        return cache.problem if cache is not None else None

    def count(self) -> int:
        """Return how many files there are."""
        return len(self._files)

    def check(self, buffers: Mapping[str, Buffer], on_file: Callable[[str], None] | None) -> Checked:
        """Check all files as they are now, those that are open as they are in the editor."""
        config = self._config
        assert config is not None
        files = dict(self._files)
        for path, buffer in buffers.items():
            file = self._files.get(path) or self._describe_new(path, config)
            if file is not None:
                files[path] = replace(file, content=encode(buffer.text))
        ordered = sorted((_rest(path, file) for path, file in files.items()), key=lambda file: file.path)
        outcome = check_files(ordered, config, on_file=on_file, resources=self._resources)
        translator = Translator(buffers, self._client)
        findings = _translate(outcome.diagnostics, translator)
        return Checked(config, files, buffers, outcome, findings, translator)

    def _describe_new(self, path: str, config: Config) -> SourceFile | None:
        """Return an open file that was not found below the root; None where the settings leave it out."""
        is_ignored = path.endswith(SUFFIXES) and Path(path).exists() and path != self._root
        is_ours = path_below(path, self._root) is not None
        return None if is_ignored or not is_ours or is_forced_out(path, config) else describe_file(path, config)

    def find_fixes(self, checked: Checked) -> tuple[Failure, ...]:
        """Note the findings with the fixes that json would show; return our own failures."""
        if checked.fixed:
            # Two have asked at once.
            return ()
        fixed = offer_fixes(checked.outcome, tuple(checked.files.values()), checked.config, self._resources)
        known = {path: iter(findings) for path, findings in checked.findings.items()}
        found: dict[str, list[Finding]] = {path: [] for path in known}
        for diagnostic in fixed.diagnostics:
            path = absolute_path(diagnostic.path)
            found[path].append(Finding(diagnostic, next(known[path]).shown))
        checked.fixed.update({path: tuple(each) for path, each in found.items()})
        return fixed.failures[len(checked.outcome.failures) :]

    def fix_all(self, checked: Checked, path: str) -> tuple[list[Edit], tuple[Failure, ...]]:
        """Return what `--fix` would change in one file, and our own failures."""
        files = [replace(file, shown=each == path) for each, file in checked.files.items()]
        fixed = fix_files(files, checked.config, resources=self._resources)
        name = checked.files[path].path
        change = fixed.changes.get(name)
        new = decode(change.new) if change is not None else None
        edits = [] if new is None else find_differences(name, checked.translator.read_text(name), new.content)
        return edits, fixed.outcome.failures


def _rest(path: str, file: SourceFile) -> SourceFile:
    """Return a file without its content where that is on the disk, and so may be known to the cache."""
    return replace(file, content=None) if file.content is not None and is_saved(path, file.content) else file


def _translate(diagnostics: Iterable[Diagnostic], translator: Translator) -> dict[str, tuple[Finding, ...]]:
    found: dict[str, list[Finding]] = {}
    for one in diagnostics:
        found.setdefault(absolute_path(one.path), []).append(Finding(one, translator.describe(one)))
    return {path: tuple(each) for path, each in found.items()}


def _open_results(config: Config) -> Resources:
    try:
        from conclint.server.results import Results
    except ModuleNotFoundError:
        # Python was built without SQLite.
        return NO_RESOURCES
    return Resources(cache=Results(config.cache_dir))


def _iter_warnings(discovery: Discovery) -> Iterator[str]:
    for directory in discovery.unreadable:
        yield f"{directory}: this directory cannot be read"
    for path in discovery.misnamed:
        readable = path.encode(errors="surrogateescape").decode(errors="backslashreplace")
        yield f"{readable}: not checked, since its path is not UTF-8"
