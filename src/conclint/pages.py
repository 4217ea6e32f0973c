"""The rule pages, as Markdown: what `conclint rule` shows, from `docs/rules/`, which the wheel holds as `pages/`."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def read_page(code: str) -> str | None:
    """Return the page of a rule; None where it is not written yet."""
    name = f"{code}.md"
    installed = files("conclint") / "pages" / name
    # Run from a source tree, or installed from one with `--editable`, the pages are where they are written.
    page = installed if installed.is_file() else Path(__file__).parents[2] / "docs/rules" / name
    return page.read_text(encoding="utf-8") if page.is_file() else None
