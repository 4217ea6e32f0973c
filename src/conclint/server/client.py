"""What the client of a server can do, and what it wants."""

from __future__ import annotations

from dataclasses import dataclass

from lsprotocol import types
from pygls.capabilities import get_capability


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """What is told to a client, and how. Where it says nothing of itself, the least is assumed."""

    encoding: str = "utf-16"
    """The unit of its columns."""
    pulls: bool = False
    """Whether it asks for diagnostics; else they are sent when they are there."""
    refreshes: bool = False
    """Whether it can be told to ask again."""
    shows_related: bool = False
    shows_tags: bool = False
    shows_progress: bool = False
    shows_markdown: bool = False
    takes_versions: bool = False
    """Whether changes may say for which version of a file they are meant."""
    resolves_edits: bool = False
    """Whether a code action may leave open what it changes, until somebody chooses it."""
    registers_watchers: bool = False
    """Whether it can be told which files to watch."""


def read_client(told: types.ClientCapabilities, encoding: str) -> Client:
    """Return what a client tells of itself."""
    publish, pull = "text_document.publish_diagnostics", "text_document.diagnostic"
    resolvable = get_capability(told, "text_document.code_action.resolve_support.properties", [])
    return Client(
        encoding=encoding,
        pulls=get_capability(told, pull) is not None,
        refreshes=_has(told, "workspace.diagnostics.refresh_support"),
        # Clients say of what they get when they ask what they say of what is sent to them.
        shows_related=_has(told, f"{publish}.related_information") or _has(told, f"{pull}.related_information"),
        shows_tags=_has(told, f"{publish}.tag_support") or _has(told, f"{pull}.tag_support"),
        shows_progress=_has(told, "window.work_done_progress"),
        shows_markdown=types.MarkupKind.Markdown in get_capability(told, "text_document.hover.content_format", []),
        takes_versions=_has(told, "workspace.workspace_edit.document_changes"),
        resolves_edits="edit" in resolvable,
        registers_watchers=_has(told, "workspace.did_change_watched_files.dynamic_registration"),
    )


def _has(told: types.ClientCapabilities, name: str) -> bool:
    return bool(get_capability(told, name))
