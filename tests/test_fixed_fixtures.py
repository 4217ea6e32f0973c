"""`<name>.py.fixed` beside a fixture is its text after all fixes of its rule, unsafe ones too; else there are none.

With `CONCLINT_WRITE_FIXED=1` in the environment these files are written instead of compared. Read them afterwards.
"""

from __future__ import annotations

import ast
import os
import re
from collections import Counter
from pathlib import Path

import pytest

from conclint.rules import load
from fixture_language import FIXTURES, iter_cases
from runs import BROUGHT_BY_FIXES, ROOT, check, fix_case, make_config, read_case

CASES = tuple(case for case in iter_cases() if case.parent.name in load().fixers)


def name(case: Path) -> str:
    return case.relative_to(FIXTURES).as_posix()


@pytest.mark.parametrize("case", CASES, ids=name)
def test_fixes_are_what_is_written_beside_the_fixture(case: Path) -> None:
    code = case.parent.name
    fixed = fix_case(case, code)
    assert not fixed.outcome.failures, "\n".join(one.traceback or one.error for one in fixed.outcome.failures)
    assert fixed.is_stable
    safety = {one.fix.applicability.value for one in fixed.diagnostics if one.fix is not None}
    assert safety <= read_safety(code), "the page says otherwise"
    new = {path: change.new for path, change in fixed.changes.items()}
    for path in sorted(case.rglob("*.py")) if case.is_dir() else [case]:
        compare(path.with_name(f"{path.name}.fixed"), new.get(path.relative_to(ROOT).as_posix()))
    if new:
        check_fixed(case, code, new, fixed=[one.code for one in fixed.diagnostics])


@pytest.mark.parametrize("case", [case for case in CASES if case.with_suffix(".py.fixed").is_file()], ids=name)
def test_fixes_keep_tabs_and_line_endings(case: Path) -> None:
    new = fix_case(case, case.parent.name, contents={case.relative_to(ROOT).as_posix(): lay_out(case)}).changes
    # Where the last line is taken away, the one before has its newline.
    assert [change.new.rstrip() for change in new.values()] == [lay_out(case.with_suffix(".py.fixed"))]


def lay_out(file: Path) -> bytes:
    """Return the text of a file with tabs, line endings of Windows, and none at its end."""
    indented = re.sub(rb"(?m)^(?:    )+", lambda match: b"\t" * (len(match[0]) // 4), file.read_bytes())
    return indented.rstrip().replace(b"\n", b"\r\n")


def read_safety(code: str) -> set[str]:
    """Return which of "safe" and "unsafe" the rule's page says of its fixes."""
    _, _, section = (ROOT / f"docs/rules/{code}.md").read_text(encoding="utf-8").partition("## Fix safety")
    return {word.lower() for word in re.findall(r"\b(?:un)?safe\b", section.partition("\n## ")[0], re.IGNORECASE)}


def compare(golden: Path, new: bytes | None) -> None:
    if os.environ.get("CONCLINT_WRITE_FIXED") and new is not None:
        golden.write_bytes(new)
    assert (golden.read_bytes() if golden.exists() else None) == new


def check_fixed(case: Path, code: str, new: dict[str, bytes], *, fixed: list[str]) -> None:
    """The text parses, fixing it again changes nothing, the alarms are gone and none of another kind has come."""
    for text in new.values():
        ast.parse(text)
    assert fix_case(case, code, contents=new).changes == {}
    config = make_config(code, case if case.is_dir() else None)
    before = Counter(one.code for one in check(read_case(case), config))
    after = Counter(one.code for one in check(read_case(case, new), config))
    assert after[code] <= before[code] - len(fixed)
    assert {other for other in after if after[other] > before[other]} <= BROUGHT_BY_FIXES.get(code, set())
