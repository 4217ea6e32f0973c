"""What the protocol asks for, and who answers: one function for each message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from conclint import __version__
from conclint.discover import SUFFIXES
from conclint.server import actions
from conclint.server.buffers import Buffer, find_path, make_uri
from conclint.server.checker import Flags
from conclint.server.client import read_client
from conclint.server.hover import write_hover
from conclint.server.reports import answer_document, answer_workspace, list_diagnostics
from conclint.server.session import Session

_WATCHED = ("**/*.{py,pyi}", "**/{pyproject,conclint,.conclint}.toml", "**/.{gitignore,ignore}")


class Server(LanguageServer):
    """The server of one client."""

    def __init__(self, flags: Flags) -> None:
        # pygls applies partial changes by lines that end at form feeds too. Whole texts are certain, and small.
        super().__init__("conclint", __version__, types.TextDocumentSyncKind.Full)
        self.session = Session(self, flags)
        self.is_shut_down = False
        for method, (answer, options) in _FEATURES.items():
            self.feature(method, options)(answer)


def begin(server: Server, params: types.InitializedParams) -> None:
    """Open the folders of the workspace."""
    client = read_client(server.client_capabilities, _read_encoding(server))
    folders = [folder.uri for folder in server.workspace.folders.values()]
    root = server.workspace.root_uri
    uris = folders or ([root] if root is not None else [])
    if client.registers_watchers:
        watchers = [types.FileSystemWatcher(pattern) for pattern in _WATCHED]
        options = types.DidChangeWatchedFilesRegistrationOptions(watchers)
        watch = types.Registration("conclint/watch", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
        server.client_register_capability(types.RegistrationParams([watch]))
    server.session.begin(client, [path for uri in uris if (path := find_path(uri)) is not None])


def _read_encoding(server: Server) -> str:
    encoding = server.server_capabilities.position_encoding
    return encoding.value if isinstance(encoding, types.PositionEncodingKind) else encoding or "utf-16"


def shut_down(server: Server, params: None) -> None:
    """Check nothing more; `exit` comes next."""
    server.is_shut_down = True
    server.session.end()


def open_file(server: Server, params: types.DidOpenTextDocumentParams) -> None:
    """Note that a file was opened."""
    if (buffer := _read_buffer(server, params.text_document.uri)) is not None:
        server.session.open(buffer)


def change_file(server: Server, params: types.DidChangeTextDocumentParams) -> None:
    """Note that what is open has changed."""
    if (buffer := _read_buffer(server, params.text_document.uri)) is not None:
        server.session.change(buffer)


def save_file(server: Server, params: types.DidSaveTextDocumentParams) -> None:
    """Look at everything again: not every client tells what else has changed on the disk."""
    server.session.rescan()


def close_file(server: Server, params: types.DidCloseTextDocumentParams) -> None:
    """Note that a file is no longer open."""
    if (path := find_path(params.text_document.uri)) is not None:
        server.session.close(path)


def _read_buffer(server: Server, uri: str) -> Buffer | None:
    """Return what is open there, None for what is no file, or not Python."""
    path = find_path(uri)
    document = server.workspace.get_text_document(uri)
    if path is None or not (document.language_id == "python" or path.endswith(SUFFIXES)):
        return None
    return Buffer(uri, path, document.version, document.source)


def change_watched(server: Server, params: types.DidChangeWatchedFilesParams) -> None:
    """Look at everything again, unless all that changed is open: that counts as it is in the editor."""
    changed = types.FileChangeType.Changed
    if not all(one.type is changed and find_path(one.uri) in server.session.buffers for one in params.changes):
        server.session.rescan()


def change_settings(server: Server, params: types.DidChangeConfigurationParams) -> None:
    """Look at everything again: settings are in files, and not every client watches them."""
    server.session.rescan()


def change_folders(server: Server, params: types.DidChangeWorkspaceFoldersParams) -> None:
    """Check other folders."""
    removed, added = ([find_path(folder.uri) for folder in each] for each in (params.event.removed, params.event.added))
    server.session.change_folders(
        [path for path in removed if path is not None], [path for path in added if path is not None]
    )


async def answer_pull(
    server: Server, params: types.DocumentDiagnosticParams
) -> types.RelatedFullDocumentDiagnosticReport | types.RelatedUnchangedDocumentDiagnosticReport:
    """Return what is found in one file, once all that is typed so far has been looked at."""
    path = find_path(params.text_document.uri)
    found = list_diagnostics(await server.session.wait(path), path) if path is not None else []
    return answer_document(found, params.previous_result_id)


async def answer_workspace_pull(
    server: Server, params: types.WorkspaceDiagnosticParams
) -> types.WorkspaceDiagnosticReport:
    """Return what is found in all files."""
    found = await server.session.collect_all()
    buffers = server.session.buffers
    named = {
        (buffers[path].uri, buffers[path].version) if path in buffers else (make_uri(path), None): diagnostics
        for path, diagnostics in found.items()
    }
    previous = {one.uri: one.value for one in params.previous_result_ids}
    return answer_workspace({uri: (version, each) for (uri, version), each in named.items()}, previous)


async def answer_actions(server: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
    """Return what can be done about the alarms at a place, and about all of a file."""
    session, uri, context = server.session, params.text_document.uri, params.context
    path = find_path(uri)
    checked = await session.wait(path) if path is not None else None
    if path is None or checked is None:
        return []
    offered: list[types.CodeAction] = []
    if actions.is_asked_for(types.CodeActionKind.QuickFix.value, context) and actions.choose_findings(
        checked.findings.get(path, ()), params.range
    ):
        findings = actions.choose_findings(await session.find_fixes(checked, path), params.range)
        offered += actions.collect_quick_fixes(checked, findings)
    # What it changes takes several runs, which are not made on the mere chance that somebody wants it.
    if session.client.resolves_edits and actions.is_asked_for(actions.FIX_ALL, context):
        offered.append(actions.offer_fix_all(uri))
    elif actions.is_named(actions.FIX_ALL, context):
        offered.append(await resolve_action(server, actions.offer_fix_all(uri)))
    return offered


async def resolve_action(server: Server, params: types.CodeAction) -> types.CodeAction:
    """Return a code action with what it changes."""
    data: Any = params.data
    path = find_path(data["uri"]) if isinstance(data, dict) and "uri" in data else None
    if params.edit is None and path is not None:
        params.edit = await server.session.fix_all(path)
    return params


async def answer_hover(server: Server, params: types.HoverParams) -> types.Hover | None:
    """Return the alarms on a line, and what their rules say."""
    path = find_path(params.text_document.uri)
    checked = await server.session.wait(path) if path is not None else None
    if path is None or checked is None:
        return None
    return write_hover(checked.findings.get(path, ()), params.position.line, server.session.client)


_FEATURES: dict[str, tuple[Callable[..., object], object]] = {
    types.INITIALIZED: (begin, None),
    types.SHUTDOWN: (shut_down, None),
    types.TEXT_DOCUMENT_DID_OPEN: (open_file, None),
    types.TEXT_DOCUMENT_DID_CHANGE: (change_file, None),
    types.TEXT_DOCUMENT_DID_SAVE: (save_file, None),
    types.TEXT_DOCUMENT_DID_CLOSE: (close_file, None),
    types.WORKSPACE_DID_CHANGE_WATCHED_FILES: (change_watched, None),
    types.WORKSPACE_DID_CHANGE_CONFIGURATION: (change_settings, None),
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: (change_folders, None),
    types.TEXT_DOCUMENT_DIAGNOSTIC: (
        answer_pull,
        types.DiagnosticOptions(inter_file_dependencies=True, workspace_diagnostics=True, identifier="conclint"),
    ),
    types.WORKSPACE_DIAGNOSTIC: (answer_workspace_pull, None),
    types.TEXT_DOCUMENT_CODE_ACTION: (
        answer_actions,
        types.CodeActionOptions(actions.KINDS, resolve_provider=True),
    ),
    types.CODE_ACTION_RESOLVE: (resolve_action, None),
    types.TEXT_DOCUMENT_HOVER: (answer_hover, None),
}
