"""Hover: what the rules say whose alarms stand on a line."""

from __future__ import annotations

from collections.abc import Iterable

from lsprotocol import types

from conclint.pages import read_page
from conclint.server.checker import Finding
from conclint.server.client import Client


def write_hover(findings: Iterable[Finding], line: int, client: Client) -> types.Hover | None:
    """Return the alarms that begin on a line, counted from 0, each with the page of its rule; None without any."""
    here = [one for one in findings if one.shown.range.start.line == line]
    if not here:
        return None
    pages = dict.fromkeys(one.diagnostic.code for one in here)
    parts = [*(_write_alarm(one) for one in here), *(read_page(code) or "" for code in pages)]
    kind = types.MarkupKind.Markdown if client.shows_markdown else types.MarkupKind.PlainText
    place = here[0].shown.range if len(here) == 1 else None
    return types.Hover(types.MarkupContent(kind, "\n\n---\n\n".join(part.strip() for part in parts if part)), place)


def _write_alarm(finding: Finding) -> str:
    one = finding.diagnostic
    return f"**{one.code}** {one.message}" + (f"\n\nhelp: {one.help}" if one.help else "")
