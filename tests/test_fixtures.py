"""The fixtures are the specification: what is raised is what they declare, however it is run."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path

import pytest

from conclint.cache import Cache
from conclint.model.file import SourceFile
from conclint.model.result import Findings
from conclint.report import OutputFormat, render
from conclint.resources import NO_RESOURCES, Resources
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
def test_the_way_of_running_changes_nothing(case: Path, executor: Executor, kept: str) -> None:
    plain = report(case)
    assert report(case, triage=False) == plain, "triage left a file out that matters"
    assert report(case, resources=Resources(executor, cache=Cache(kept))) == plain, "parallel is not serial"
    assert report(case, resources=Resources(cache=_FilesOnly(kept))) == plain, "the result of a file was not kept whole"
    assert report(case, resources=Resources(cache=Cache(kept))) == plain, "warm is not cold"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the directory of one cache for all fixtures."""
    return str(tmp_path_factory.mktemp("kept"))


class _FilesOnly(Cache):
    """Knows the results of files, and links them again."""

    def load_project(self, files: Sequence[SourceFile], question: bytes, *, triage: bool) -> Findings | None:
        return None


def report(case: Path, *, triage: bool = True, resources: Resources = NO_RESOURCES) -> str:
    diagnostics = check_case(case, triage=triage, resources=resources)
    return render(diagnostics, OutputFormat.JSON, read_text=lambda path: None)
