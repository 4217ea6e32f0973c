"""What an installed conclint consists of."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import conclint


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.Path:
    """Build the wheel; skip where the build backend cannot be fetched."""
    root = Path(__file__).parent.parent
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(target), str(root)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if "hatchling" in run.stderr and "No matching distribution" in run.stderr:
        pytest.skip("hatchling cannot be fetched")
    assert run.returncode == 0, run.stderr
    (built,) = target.iterdir()
    return zipfile.Path(built)


def read_metadata(wheel: zipfile.Path, name: str) -> str:
    return (wheel / f"conclint-{conclint.__version__}.dist-info" / name).read_text(encoding="utf-8")


def test_the_wheel_holds_the_package_and_nothing_else(wheel: zipfile.Path) -> None:
    assert {path.name for path in wheel.iterdir()} == {"conclint", f"conclint-{conclint.__version__}.dist-info"}
    assert (wheel / "conclint" / "py.typed").is_file()


def test_the_wheel_holds_the_rule_pages(wheel: zipfile.Path, root: Path) -> None:
    pages = {path.name: path.read_text(encoding="utf-8") for path in (wheel / "conclint" / "pages").iterdir()}
    assert pages == {path.name: path.read_text(encoding="utf-8") for path in (root / "docs/rules").iterdir()}


def test_an_installed_conclint_explains_its_rules(wheel: zipfile.Path, tmp_path: Path, root: Path) -> None:
    wheel.root.extractall(tmp_path)
    command = [sys.executable, "-m", "conclint", "rule", "CON101"]
    run = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, check=False
    )
    assert run.stderr == b""
    assert run.stdout == (root / "docs/rules/CON101.md").read_bytes()


def test_the_wheel_declares_its_front_ends(wheel: zipfile.Path) -> None:
    entry_points = read_metadata(wheel, "entry_points.txt")
    assert "[console_scripts]\nconclint = conclint.cli:run\n" in entry_points
    assert "[flake8.extension]\nCON = conclint.flake8_plugin:Plugin\n" in entry_points


def test_the_wheel_says_its_licence_and_versions(wheel: zipfile.Path) -> None:
    metadata = Parser().parsestr(read_metadata(wheel, "METADATA"))
    assert metadata["License-Expression"] == "MIT"
    assert metadata["License-File"] == "LICENSE"
    assert metadata["Requires-Python"] == ">=3.10"
    assert "Framework :: Flake8" in (metadata.get_all("Classifier") or [])
