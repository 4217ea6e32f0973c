"""Diagnostics on their way to a client: sent when they are there, or in answer to a question."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from conclint.server.buffers import Buffer, make_uri
from conclint.server.checker import Checked
from conclint.server.client import Client


@dataclass(frozen=True, slots=True)
class _Told:
    """Of which file, and which version of it, diagnostics were told, and which ones."""

    uri: str
    version: int | None
    id: str


def list_diagnostics(checked: Checked | None, path: str) -> list[types.Diagnostic]:
    """Return the diagnostics of one file."""
    return [one.shown for one in checked.findings.get(path, ())] if checked is not None else []


def identify(diagnostics: Sequence[types.Diagnostic]) -> str:
    """Return an id that others have only if they are the same."""
    return hashlib.blake2b(repr(list(diagnostics)).encode(errors="surrogatepass"), digest_size=12).hexdigest()


_NOTHING = identify([])


def answer_document(
    diagnostics: Sequence[types.Diagnostic], previous: str | None
) -> types.RelatedFullDocumentDiagnosticReport | types.RelatedUnchangedDocumentDiagnosticReport:
    """Return the report about one file to a client that has the `previous` one."""
    name = identify(diagnostics)
    if name == previous:
        return types.RelatedUnchangedDocumentDiagnosticReport(name)
    return types.RelatedFullDocumentDiagnosticReport(diagnostics, result_id=name)


def answer_workspace(
    found: Mapping[str, tuple[int | None, Sequence[types.Diagnostic]]], previous: Mapping[str, str]
) -> types.WorkspaceDiagnosticReport:
    """Return the reports about all files, by URI with their versions, to a client that has the `previous` ones."""
    # Where there are alarms no more, that must be said once.
    gone = dict.fromkeys(previous.keys() - found.keys(), (None, ()))
    return types.WorkspaceDiagnosticReport(
        [_answer_part(uri, *each, previous.get(uri)) for uri, each in sorted({**found, **gone}.items())]
    )


def _answer_part(
    uri: str, version: int | None, diagnostics: Sequence[types.Diagnostic], previous: str | None
) -> types.WorkspaceFullDocumentDiagnosticReport | types.WorkspaceUnchangedDocumentDiagnosticReport:
    name = identify(diagnostics)
    if name == previous:
        return types.WorkspaceUnchangedDocumentDiagnosticReport(uri, name, version)
    return types.WorkspaceFullDocumentDiagnosticReport(uri, diagnostics, version, result_id=name)


class Publisher:
    """Remembers what a client has been told; one that does not ask is sent what is new, and what is true no more."""

    def __init__(self, server: LanguageServer, client: Client) -> None:
        """Nothing has been told yet."""
        self._server = server
        self._sends = not client.pulls
        self._told: dict[str, dict[str, _Told]] = {}
        """By the root of a folder and the path of a file."""

    def tell(self, root: str, checked: Checked, paths: Iterable[str], buffers: Mapping[str, Buffer]) -> bool:
        """Tell what was found at `paths` of a folder; return whether anything else was found than before.

        Of a file of which another version is open by now, nothing is said: that version comes next.
        """
        before = self._told.setdefault(root, {})
        wanted = frozenset(paths)
        is_new = False
        for path in sorted(wanted | before.keys()):
            buffer = buffers.get(path)
            if buffer is not checked.buffers.get(path):
                continue
            diagnostics = list_diagnostics(checked, path) if path in wanted else []
            uri, version = (buffer.uri, buffer.version) if buffer is not None else (make_uri(path), None)
            is_new |= self._update(before, path, _Told(uri, version, identify(diagnostics)), diagnostics)
        return is_new

    def forget(self, root: str) -> None:
        """Take back what was told of a folder."""
        for told in self._told.pop(root, {}).values():
            self._send(told.uri, None, ())

    def _update(self, before: dict[str, _Told], path: str, now: _Told, diagnostics: Sequence[types.Diagnostic]) -> bool:
        """Tell what is found in one file; return whether it is new."""
        old = before.get(path)
        if old is not None and old.uri != now.uri:
            self._send(old.uri, None, ())
        if old != now and (old is not None or diagnostics or now.version is not None):
            self._send(now.uri, now.version, diagnostics)
        if diagnostics or now.version is not None:
            before[path] = now
        else:
            before.pop(path, None)
        return now.id != (old.id if old is not None else _NOTHING)

    def _send(self, uri: str, version: int | None, diagnostics: Sequence[types.Diagnostic]) -> None:
        if self._sends:
            told = types.PublishDiagnosticsParams(uri, diagnostics, version)
            self._server.text_document_publish_diagnostics(told)
