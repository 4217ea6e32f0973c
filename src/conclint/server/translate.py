"""What was found, in the words of the protocol: diagnostics, places, edits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lsprotocol import types

from conclint.config import absolute_path
from conclint.fixes import decode
from conclint.model.alarm import Diagnostic
from conclint.model.fix import Edit
from conclint.model.rule import UNUSED_SUPPRESSION, Category
from conclint.model.span import Span
from conclint.report.levels import find_level
from conclint.report.marks import label_steps
from conclint.server.buffers import Buffer, make_uri
from conclint.server.client import Client
from conclint.server.positions import Lines

SOURCE = "conclint"
_SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "note": types.DiagnosticSeverity.Information,
}
_TAGS = {
    UNUSED_SUPPRESSION: types.DiagnosticTag.Unnecessary,
    "CON115": types.DiagnosticTag.Deprecated,
    "CON415": types.DiagnosticTag.Deprecated,
}
"""Rules about what could as well be missing, and about what Python is about to drop."""


class Translator:
    """Knows the texts of one moment, and how the client names files and counts columns."""

    def __init__(self, buffers: Mapping[str, Buffer], client: Client) -> None:
        """Read files that are in none of the `buffers` when they are needed."""
        self._buffers = buffers
        self._client = client
        self._texts: dict[str, str] = {}
        self._lines: dict[str, Lines] = {}

    def read_text(self, path: str) -> str:
        """Return the text of a file; where it has none, an empty one."""
        if path not in self._texts:
            buffer = self._buffers.get(absolute_path(path))
            self._texts[path] = buffer.text if buffer is not None else _read(path)
        return self._texts[path]

    def find_range(self, path: str, span: Span) -> types.Range:
        """Return the range of a span."""
        if path not in self._lines:
            self._lines[path] = Lines(self.read_text(path), self._client.encoding)
        return self._lines[path].find_range(span)

    def describe(self, diagnostic: Diagnostic) -> types.Diagnostic:
        """Return a diagnostic as the client shows it."""
        steps = label_steps(diagnostic)
        message = diagnostic.message + (f"\nhelp: {diagnostic.help}" if diagnostic.help else "")
        if steps and not self._client.shows_related:
            message += "".join(f"\n{one.path}:{one.span.line}: {label}" for one, label in steps)
        shows_tags = self._client.shows_tags and diagnostic.code in _TAGS
        return types.Diagnostic(
            self.find_range(diagnostic.path, diagnostic.span),
            message,
            severity=_SEVERITIES[find_level(Category(diagnostic.category))],
            code=diagnostic.code,
            code_description=types.CodeDescription(diagnostic.url),
            source=SOURCE,
            tags=[_TAGS[diagnostic.code]] if shows_tags else None,
            related_information=[
                types.DiagnosticRelatedInformation(self._locate(one.path, one.span), label) for one, label in steps
            ]
            if self._client.shows_related
            else None,
        )

    def describe_edits(self, edits: Iterable[Edit]) -> types.WorkspaceEdit:
        """Return edits as one change of the workspace."""
        found: dict[str, list[types.TextEdit]] = {}
        for edit in edits:
            new = types.TextEdit(self.find_range(edit.path, edit.span), edit.content)
            found.setdefault(absolute_path(edit.path), []).append(new)
        if not self._client.takes_versions:
            return types.WorkspaceEdit(changes={self._name(path): each for path, each in found.items()})
        return types.WorkspaceEdit(document_changes=[self._address(path, each) for path, each in found.items()])

    def _address(self, path: str, edits: Sequence[types.TextEdit]) -> types.TextDocumentEdit:
        version = self._buffers[path].version if path in self._buffers else None
        return types.TextDocumentEdit(types.OptionalVersionedTextDocumentIdentifier(self._name(path), version), edits)

    def _locate(self, path: str, span: Span) -> types.Location:
        return types.Location(self._name(absolute_path(path)), self.find_range(path, span))

    def _name(self, path: str) -> str:
        # A client knows what it has opened by the URI that it gave.
        return self._buffers[path].uri if path in self._buffers else make_uri(path)


def _read(path: str) -> str:
    try:
        data = Path(path).read_bytes()
    except OSError:
        return ""
    text = decode(data)
    return text.content if text is not None else data.decode(errors="replace")
