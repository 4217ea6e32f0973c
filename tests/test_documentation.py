"""What the documentation says about files, settings and flags is so."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click
import pytest

import conclint
from conclint.cli import command
from conclint.config import Options, read_settings, resolve
from conclint.rules import load

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
PAGES = sorted((*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")))

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_TOML = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FLAG = re.compile(r"`(--[a-z-]+)`")
_FLAGS_OF_FLAKE8 = {"--conclint-select", "--conclint-config"}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_between_files_lead_somewhere(page: Path) -> None:
    links = _LINK.findall(_CODE.sub("", page.read_text(encoding="utf-8")))
    local = [link.partition("#")[0] for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("name", ["README.md", "docs/settings.md"])
def test_the_settings_in_the_text_are_valid(root: Path, tmp_path: Path, name: str) -> None:
    blocks = _TOML.findall((root / name).read_text(encoding="utf-8"))
    settings = [block for block in blocks if "conclint" in tomllib.loads(block).get("tool", {})]
    assert settings
    for block in settings:
        (tmp_path / "pyproject.toml").write_text(block, encoding="utf-8")
        resolve(read_settings([str(tmp_path)], environ={}), load().rules)


def test_the_readme_lists_every_setting(root: Path) -> None:
    text = (root / "README.md").read_text(encoding="utf-8")
    table = text.partition("| setting |")[2].partition("\n\n")[0]
    listed = {
        name for row in table.splitlines() for name in re.findall(r"`([^`]+)`", row.partition("| ")[2].split("|")[0])
    }
    assert listed == {name.replace("_", "-") for name in Options.__struct_fields__}


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md"])
def test_flags_that_are_named_exist(root: Path, name: str) -> None:
    flags = set(_FLAG.findall((root / name).read_text(encoding="utf-8")))
    assert isinstance(command, click.Group)
    options = [option for each in command.commands.values() for option in each.params]
    known = {flag for option in options for flag in (*option.opts, *option.secondary_opts)}
    assert flags - known - _FLAGS_OF_FLAKE8 == set()


def test_the_changelog_knows_the_version(root: Path) -> None:
    assert f"\n## [{conclint.__version__}] - " in (root / "CHANGELOG.md").read_text(encoding="utf-8")
