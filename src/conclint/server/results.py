"""The cache of a server: it keeps in memory what files gave, and knows buffers that are not saved."""

from __future__ import annotations

from collections.abc import Sequence

from conclint.cache import Cache
from conclint.model.file import SourceFile
from conclint.model.result import Findings, ModuleResult
from conclint.wire import unpack

_RUNS = 8
"""Runs of which it is kept what they found: the one of the present state, and those that try out its fixes."""


class Results(Cache):
    """Remembers the latest result of each file, so that after a change only the file that changed is analysed.

    What buffers gave stays in memory: the database is for what is in files.
    """

    def __init__(self, directory: str) -> None:
        """Keep what is in files in `directory`, as other runs do."""
        super().__init__(directory)
        self._kept: dict[tuple[str, bool], tuple[bytes, bytes | ModuleResult]] = {}
        """By path and whether there was triage: the key of the result, and it, packed until it is asked for."""
        self._latest: dict[bytes, Findings] = {}
        """What the latest runs have found, by key."""

    def load(self, files: Sequence[SourceFile], *, triage: bool) -> dict[str, ModuleResult]:
        """Return the results that are known, by path."""
        found: dict[str, ModuleResult] = {}
        others: list[SourceFile] = []
        for file in files:
            kept = self._recall(file, triage=triage)
            if kept is not None:
                found[file.path] = kept
            elif file.path not in self._unsaved:
                others.append(file)
        loaded = super().load(others, triage=triage)
        for file in others:
            if file.path in loaded:
                self._kept[file.path, triage] = self._key(file, triage=triage), loaded[file.path]
        return found | loaded

    def store(self, file: SourceFile, data: bytes, *, triage: bool) -> None:
        """Remember the packed result of a file."""
        if file.path in self._hashes:
            self._kept[file.path, triage] = self._key(file, triage=triage), data
        if file.path not in self._unsaved:
            super().store(file, data, triage=triage)

    def load_project(self, files: Sequence[SourceFile], question: bytes, *, triage: bool) -> Findings | None:
        """Return what exactly these files gave, None where that is not known."""
        key = self._project_key(files, question, triage=triage)
        if key is not None and key in self._latest:
            return self._latest[key]
        return None if self._unsaved else super().load_project(files, question, triage=triage)

    def store_project(self, files: Sequence[SourceFile], question: bytes, found: Findings, *, triage: bool) -> None:
        """Remember what these files gave; of those that are not saved, the latest few in memory."""
        key = self._project_key(files, question, triage=triage)
        if key is not None:
            self._latest[key] = found
            if len(self._latest) > _RUNS:
                del self._latest[next(iter(self._latest))]
        if not self._unsaved:
            super().store_project(files, question, found, triage=triage)

    def _recall(self, file: SourceFile, *, triage: bool) -> ModuleResult | None:
        key, kept = self._kept.get((file.path, triage), (b"", b""))
        if file.path not in self._hashes or key != self._key(file, triage=triage):
            return None
        if isinstance(kept, bytes):
            kept = unpack(kept, ModuleResult)
            self._kept[file.path, triage] = key, kept
        return kept
