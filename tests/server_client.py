"""A client for tests of the language server: it starts one, and talks to it over its standard streams."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from lsprotocol import types
from pytest_lsp import LanguageClient, make_test_lsp_client

_PATIENCE = 40.0
"""Seconds that a test waits for anything: machines that test are busy."""
EVERYWHERE = types.Range(types.Position(0, 0), types.Position(100_000, 0))


class Editor:
    """Opens, changes and saves files, and knows what the server has said of them."""

    def __init__(self, client: LanguageClient, server: types.ServerCapabilities) -> None:
        self.client = client
        self.server = server
        self.published: list[types.PublishDiagnosticsParams] = []
        self.refreshed = 0
        self._versions: dict[Path, int] = {}

    def open(self, path: Path, text: str | None = None) -> None:
        self._versions[path] = 1
        text = path.read_text(encoding="utf-8") if text is None else text
        item = types.TextDocumentItem(path.as_uri(), "python", 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def change(self, path: Path, text: str) -> int:
        """Return the version that the file has now."""
        self._versions[path] += 1
        name = types.VersionedTextDocumentIdentifier(self._versions[path], path.as_uri())
        whole = types.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(name, [whole]))
        return self._versions[path]

    def save(self, path: Path) -> None:
        name = types.TextDocumentIdentifier(path.as_uri())
        self.client.text_document_did_save(types.DidSaveTextDocumentParams(name))

    def close(self, path: Path) -> None:
        name = types.TextDocumentIdentifier(path.as_uri())
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(name))

    def tell_changed(self, path: Path, kind: types.FileChangeType = types.FileChangeType.Changed) -> None:
        event = types.FileEvent(path.as_uri(), kind)
        self.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))

    async def pull(self, path: Path) -> list[types.Diagnostic]:
        """Return what the server finds in the file as it is now."""
        name = types.TextDocumentIdentifier(path.as_uri())
        report = await self.client.text_document_diagnostic_async(types.DocumentDiagnosticParams(name))
        assert isinstance(report, types.RelatedFullDocumentDiagnosticReport)
        return list(report.items)

    async def pull_codes(self, path: Path) -> list[str]:
        return [str(one.code) for one in await self.pull(path)]

    async def act(
        self, path: Path, place: types.Range = EVERYWHERE, only: Sequence[str] | None = None
    ) -> list[types.CodeAction]:
        """Return the code actions at a place."""
        context = types.CodeActionContext([], only=only)
        params = types.CodeActionParams(types.TextDocumentIdentifier(path.as_uri()), place, context)
        found = await self.client.text_document_code_action_async(params) or []
        return [one for one in found if isinstance(one, types.CodeAction)]

    async def until(self, is_true: Callable[[], bool]) -> None:
        """Wait until something is true, which messages of the server make so."""
        for _ in range(int(_PATIENCE / 0.02)):
            if is_true():
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"not within {_PATIENCE:g} seconds; the server said {self.client.messages}")

    def find_published(self, path: Path) -> list[str]:
        """Return the codes that were sent last for a file."""
        told = [one for one in self.published if one.uri == path.as_uri()]
        return [str(each.code) for each in told[-1].diagnostics] if told else []


def make_capabilities(
    *, pulls: bool = False, encoding: str = "utf-32", progress: bool = False
) -> types.ClientCapabilities:
    """Return what an editor can do that can do what most can."""
    refresh = types.DiagnosticWorkspaceClientCapabilities(refresh_support=True)
    return types.ClientCapabilities(
        general=types.GeneralClientCapabilities(position_encodings=[types.PositionEncodingKind(encoding)]),
        window=types.WindowClientCapabilities(work_done_progress=progress),
        workspace=types.WorkspaceClientCapabilities(
            workspace_edit=types.WorkspaceEditClientCapabilities(document_changes=True),
            did_change_watched_files=types.DidChangeWatchedFilesClientCapabilities(dynamic_registration=True),
            diagnostics=refresh if pulls else None,
        ),
        text_document=types.TextDocumentClientCapabilities(
            publish_diagnostics=types.PublishDiagnosticsClientCapabilities(
                related_information=True,
                tag_support=types.ClientDiagnosticsTagOptions(
                    [types.DiagnosticTag.Unnecessary, types.DiagnosticTag.Deprecated]
                ),
            ),
            diagnostic=types.DiagnosticClientCapabilities() if pulls else None,
            hover=types.HoverClientCapabilities(content_format=[types.MarkupKind.Markdown]),
            code_action=types.CodeActionClientCapabilities(
                code_action_literal_support=types.ClientCodeActionLiteralOptions(
                    types.ClientCodeActionKindOptions(
                        [types.CodeActionKind.QuickFix, types.CodeActionKind.SourceFixAll]
                    )
                ),
                is_preferred_support=True,
                data_support=True,
                resolve_support=types.ClientCodeActionResolveOptions(["edit"]),
            ),
        ),
    )


@contextlib.asynccontextmanager
async def start(
    *folders: Path, capabilities: types.ClientCapabilities | None = None, arguments: Sequence[str] = ()
) -> AsyncIterator[Editor]:
    """Start a server for a workspace of some folders, and end it as an editor does."""
    client = make_test_lsp_client()
    editor = Editor(client, types.ServerCapabilities())
    _listen(client, editor)
    await client.start_io(sys.executable, "-m", "conclint", "server", *arguments)
    test = asyncio.current_task()
    assert test is not None
    # A server that does not answer fails the test, and does not stop all others.
    alarm = asyncio.get_running_loop().call_later(_PATIENCE, test.cancel)
    try:
        workspace = [types.WorkspaceFolder(folder.as_uri(), folder.name) for folder in folders]
        params = types.InitializeParams(capabilities or make_capabilities(pulls=True), workspace_folders=workspace)
        editor.server = (await client.initialize_session(params)).capabilities
        yield editor
        await client.shutdown_session()
    finally:
        alarm.cancel()
        if client._server is not None and client._server.returncode is None:
            client._server.kill()
        await client.stop()


def _listen(client: LanguageClient, editor: Editor) -> None:
    @client.feature(types.CLIENT_REGISTER_CAPABILITY)
    def register(params: types.RegistrationParams) -> None:
        del params

    publish = client.protocol.fm.features.pop(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    del publish

    @client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    def note(params: types.PublishDiagnosticsParams) -> None:
        editor.published.append(params)


def apply_edit(text: str, edit: types.WorkspaceEdit, path: Path) -> str:
    """Return a text after the edits of one file, whose columns count characters."""
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    for one in sorted(find_edits(edit, path), key=lambda one: one.range.start, reverse=True):
        start, end = (starts[each.line] + each.character for each in (one.range.start, one.range.end))
        text = text[:start] + one.new_text + text[end:]
    return text


def find_edits(edit: types.WorkspaceEdit, path: Path) -> list[types.TextEdit]:
    """Return the edits of one file."""
    found: list[types.TextEdit] = []
    for change in edit.document_changes or ():
        assert isinstance(change, types.TextDocumentEdit)
        if change.text_document.uri == path.as_uri():
            found += [one for one in change.edits if isinstance(one, types.TextEdit)]
    return found
