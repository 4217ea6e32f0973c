"""The fixtures are the specification: what is raised is what they declare, however it is run."""

from __future__ import annotations

from concurrent.futures import Executor
from pathlib import Path

import pytest

from conclint.report import OutputFormat, render
from fixture_language import FIXTURES, find_differences, iter_cases, parse_declaration
from runs import ROOT, check_case

CASES = tuple(iter_cases())


def name(case: Path) -> str:
    return case.relative_to(FIXTURES).as_posix()


@pytest.mark.parametrize("case", CASES, ids=name)
def test_what_is_raised_is_what_is_declared(case: Path) -> None:
    files = sorted(case.rglob("*.py")) if case.is_dir() else [case]
    # A fixture may be a file that does not decode.
    texts = {file.relative_to(ROOT).as_posix(): file.read_bytes().decode(errors="replace") for file in files}
    differences = find_differences(parse_declaration(texts), check_case(case))
    assert not differences, "\n".join(differences)


@pytest.mark.parametrize("case", CASES, ids=name)
def test_the_way_of_running_changes_nothing(case: Path, executor: Executor) -> None:
    plain = report(case)
    assert report(case, triage=False) == plain, "triage left a file out that matters"
    assert report(case, executor=executor) == plain, "parallel is not serial"


def report(case: Path, *, triage: bool = True, executor: Executor | None = None) -> str:
    diagnostics = check_case(case, triage=triage, executor=executor)
    return render(diagnostics, OutputFormat.JSON, read_text=lambda path: None)
