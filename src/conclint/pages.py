"""The rule pages, as Markdown: what `conclint rule` shows, from `docs/rules/`, which the wheel holds as `pages/`."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def read_page(code: str) -> str:
    """Return the page of a rule."""
    name = f"{code}.md"
    installed = files("conclint") / "pages" / name
    if installed.is_file():
        return installed.read_text(encoding="utf-8")
    # Run from a source tree, or installed from one with `--editable`.
    return (Path(__file__).parents[2] / "docs/rules" / name).read_text(encoding="utf-8")
