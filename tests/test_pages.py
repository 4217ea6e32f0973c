"""The rule pages are tests: the example raises the alarm, and what to use instead is silent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from runs import check_texts

PAGES = sorted((Path(__file__).parent.parent / "docs/rules").glob("CON*.md"))
HEADINGS = [
    "What it does",
    "Why it is a problem",
    "Example",
    "Use instead",
    "Known false alarms",
    "Known missed alarms",
    "Fix safety",
    "References",
]

_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# file: (\S+\.py)\n")


def read_sections(page: Path) -> dict[str, str]:
    """Return the text under each heading; text before the first one is left out."""
    _, *parts = _HEADING.split(page.read_text(encoding="utf-8"))
    return dict(zip(parts[::2], parts[1::2], strict=True))


def iter_projects(section: str) -> Iterator[dict[str, str]]:
    """Yield the projects of a section: its blocks with `# file: name.py` are one, each other block is its own."""
    named: dict[str, str] = {}
    for block in _BLOCK.findall(section):
        if file := _FILE.match(block):
            named[file[1]] = block
        else:
            yield {"example.py": block}
    if named:
        yield named


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_every_section_in_order(page: Path) -> None:
    sections = read_sections(page)
    assert list(sections) == HEADINGS
    assert all(section.strip() for section in sections.values()), "an empty section"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_example_raises_the_alarm(page: Path) -> None:
    projects = list(iter_projects(read_sections(page)["Example"]))
    assert projects, "no Python block"
    for project in projects:
        assert page.stem in {diagnostic.code for diagnostic in check_texts(project, page.stem)}, project


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_replacement_is_silent(page: Path) -> None:
    projects = list(iter_projects(read_sections(page)["Use instead"]))
    assert projects, "no Python block"
    for project in projects:
        assert check_texts(project, page.stem) == (), project
