"""`<name>.py.fixed` beside a fixture is its text after all fixes of its rule, unsafe ones too; else there are none.

With `CONCLINT_WRITE_FIXED=1` in the environment these files are written instead of compared. Read them afterwards.
"""

from __future__ import annotations

import ast
import os
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
    new = {path: change.new for path, change in fixed.changes.items()}
    for path in sorted(case.rglob("*.py")) if case.is_dir() else [case]:
        compare(path.with_name(f"{path.name}.fixed"), new.get(path.relative_to(ROOT).as_posix()))
    if new:
        check_fixed(case, code, new, fixed=[one.code for one in fixed.diagnostics])


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
