"""Safe fixes: small programs do what they did before they were fixed, or what they were broken for.

A program under `programs/` says in its first lines what it did before the fix (`# was broken:`), and what it prints
afterwards (`# prints:`). Without these, it does the same before and after.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from conclint.model.file import SourceFile
from conclint.rounds import fix_files
from conclint.rules import load
from runs import make_config

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.py"))
BROKEN_SINCE = {"CON413": (3, 11)}
"""What older versions still put up with."""


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_a_safe_fix_keeps_what_a_program_does_unless_it_was_broken(path: Path, tmp_path: Path) -> None:
    code, text = path.stem, path.read_text(encoding="utf-8")
    if sys.version_info < BROKEN_SINCE.get(code, (3, 0)):
        pytest.skip("it is not broken in this version")
    fixed = tmp_path / path.name
    fixed.write_bytes(fix(code, text))
    before, after = run(path), run(fixed)
    broken, printed = find(text, "was broken"), find(text, "prints")
    if broken is None:
        assert before.returncode == 0
        assert (after.returncode, after.stdout) == (before.returncode, before.stdout)
    else:
        assert broken in before.stdout + before.stderr
        assert (after.returncode, after.stdout, after.stderr) == (0, f"{printed}\n", "")


def fix(code: str, text: str) -> bytes:
    config = make_config(code)
    config = replace(config, selected=frozenset({code}))
    fixed = fix_files([SourceFile("program.py", "program", content=text.encode())], config)
    assert {one.code for one in fixed.diagnostics} == {code}
    assert not fixed.outcome.diagnostics
    return fixed.changes["program.py"].new


def run(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=False, timeout=60)


def find(text: str, head: str) -> str | None:
    found = re.search(rf"^# {head}: (.*)$", text, re.MULTILINE)
    return found[1] if found else None


def test_every_rule_with_safe_fixes_has_a_program(root: Path) -> None:
    pages = {code: (root / f"docs/rules/{code}.md").read_text(encoding="utf-8") for code in load().fixers}
    safety = {code: page.partition("## Fix safety")[2].partition("\n## ")[0] for code, page in pages.items()}
    safe = {code for code, text in safety.items() if re.search(r"\bsafe\b", text, re.IGNORECASE)}
    assert safe == {path.stem for path in PROGRAMS}
