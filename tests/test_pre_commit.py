"""The hooks for pre-commit, run by pre-commit itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ALARM = """\
import threading

lock = threading.Lock()


async def pay(send):
    with lock:
        await send()
"""
GIT = (
    *("git", "-c", "user.name=nobody", "-c", "user.email=nobody@example.org"),
    *("-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main"),
)


def run(*command: str, cwd: Path, cache: Path | None = None) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    if cache is not None:
        environ["PRE_COMMIT_HOME"] = str(cache)
    return subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, check=False)


def test_the_manifest_is_valid(root: Path, tmp_path: Path) -> None:
    done = run(sys.executable, "-m", "pre_commit", "validate-manifest", ".pre-commit-hooks.yaml", cwd=root)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a repository of what a user of the hooks would get: the package as it stands in the work tree."""
    root = Path(__file__).parent.parent
    folder = tmp_path_factory.mktemp("hooks")
    for name in ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml"):
        shutil.copy(root / name, folder)
    shutil.copytree(root / "docs", folder / "docs")
    shutil.copytree(root / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    commit(folder)
    return folder


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Make a repository with a bad file, a good one, and one that is excluded."""
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "bad.py").write_text(ALARM)
    (folder / "good.py").write_text("x = 1\n")
    (folder / "legacy.py").write_text(ALARM)
    (folder / "conclint.toml").write_text('extend-exclude = ["legacy.py"]\n')
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    for arguments in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "--message", "files")):
        done = run(*GIT, *arguments, cwd=folder)
        assert done.returncode == 0, done.stderr


def test_the_hooks_find_the_bad_file(hooks: Path, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    # One test for both hooks: pre-commit builds an environment for each repository that it is shown.
    cache = tmp_path_factory.mktemp("cache")
    for hook, files in (("conclint", ("good.py", "bad.py", "legacy.py")), ("conclint-project", ("good.py",))):
        command = (sys.executable, "-m", "pre_commit", "try-repo", str(hooks), hook, "--files", *files)
        done = run(*command, cwd=repository, cache=cache)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "CON230" in done.stdout, done.stdout + done.stderr
        assert "bad.py" in done.stdout
        assert "--> legacy.py" not in done.stdout
        assert "Found 1 problem in 1 of 2 files." in done.stdout
