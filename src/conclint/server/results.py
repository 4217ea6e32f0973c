"""The cache of a server: it keeps in memory what files gave, and knows buffers that are not saved."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from conclint.cache import Cache
from conclint.catalog import NO_AMENDMENTS, Amendments
from conclint.model.file import SourceFile
from conclint.model.result import Findings, ModuleResult
from conclint.wire import unpack


class Results(Cache):
    """Remembers the latest result of each file, so that after a change only the file that changed is analysed.

    What buffers gave stays in memory: the database is for what is in files.
    """

    def __init__(self, directory: str) -> None:
        """Keep what is in files in `directory`, as other runs do."""
        super().__init__(directory)
        self._buffers: frozenset[str] = frozenset()
        self._kept: dict[tuple[str, bool], tuple[bytes, bytes | ModuleResult]] = {}
        """By path and whether there was triage: the key of the result, and it, packed until it is asked for."""
        self._latest: tuple[bytes, Findings] | None = None

    def identify(self, files: Iterable[SourceFile], amendments: Amendments = NO_AMENDMENTS) -> None:
        """Learn what is in `files`, buffers too."""
        files = tuple(files)
        super().identify(files, amendments)
        buffers = {file.path: hashlib.blake2b(file.content).digest() for file in files if file.content is not None}
        self._buffers = frozenset(buffers)
        self._hashes |= buffers

    def load(self, files: Sequence[SourceFile], *, triage: bool) -> dict[str, ModuleResult]:
        """Return the results that are known, by path."""
        found: dict[str, ModuleResult] = {}
        others: list[SourceFile] = []
        for file in files:
            kept = self._recall(file, triage=triage)
            if kept is not None:
                found[file.path] = kept
            elif file.path not in self._buffers:
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
        if file.path not in self._buffers:
            super().store(file, data, triage=triage)

    def load_project(self, files: Sequence[SourceFile], question: bytes, *, triage: bool) -> Findings | None:
        """Return what exactly these files gave, None where that is not known."""
        key = self._project_key(files, question, triage=triage)
        if key is not None and self._latest is not None and key == self._latest[0]:
            return self._latest[1]
        return None if self._buffers else super().load_project(files, question, triage=triage)

    def store_project(self, files: Sequence[SourceFile], question: bytes, found: Findings, *, triage: bool) -> None:
        """Remember what these files gave; of those that are not saved, only the latest."""
        key = self._project_key(files, question, triage=triage)
        self._latest = (key, found) if key is not None else None
        if not self._buffers:
            super().store_project(files, question, found, triage=triage)

    def _recall(self, file: SourceFile, *, triage: bool) -> ModuleResult | None:
        key, kept = self._kept.get((file.path, triage), (b"", b""))
        if file.path not in self._hashes or key != self._key(file, triage=triage):
            return None
        if isinstance(kept, bytes):
            kept = unpack(kept, ModuleResult)
            self._kept[file.path, triage] = key, kept
        return kept
