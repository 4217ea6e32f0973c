"""The project rules give the same on one process and on two."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from conclint import shares
from conclint.model.file import SourceFile
from conclint.model.rule import ProjectCheck
from conclint.project.project import Project
from conclint.rules import load
from conclint.worker import check_module
from tests.fixture_language import FIXTURES

STATE = FIXTURES / "CON203" / "lazy.py"


def link(*paths: Path) -> Project:
    results = [check_module(SourceFile(path.as_posix(), path.stem), triage=False) for path in paths]
    return Project([result.facts for result in results if result.facts is not None])


def check_on_two(monkeypatch: pytest.MonkeyPatch, jobs: int = 2) -> shares.Share:
    monkeypatch.setattr(shares, "_MANY_CALLS", 0)
    return shares.check_project(link(STATE), load().project, jobs=jobs)


@pytest.fixture
def expected() -> shares.Share:
    found = shares.check_project(link(STATE), load().project, jobs=1)
    assert found.alarms
    return found


# pytest has threads, which the tests deny; Python from 3.12 on warns of them.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
needs_fork = pytest.mark.skipif(sys.platform != "linux", reason="only Linux shares the rules out by forking")


@needs_fork
def test_two_processes_find_the_same(monkeypatch: pytest.MonkeyPatch, expected: shares.Share) -> None:
    monkeypatch.setattr(threading, "active_count", lambda: 1)  # pytest-xdist has a thread of its own
    assert sorted(check_on_two(monkeypatch).alarms) == sorted(expected.alarms)


@needs_fork
def test_a_child_that_dies_costs_nothing(monkeypatch: pytest.MonkeyPatch, expected: shares.Share) -> None:
    def die(project: Project, checks: Sequence[ProjectCheck[Any]], sender: Connection) -> None:
        os._exit(1)

    monkeypatch.setattr(threading, "active_count", lambda: 1)
    monkeypatch.setattr(shares, "_send", die)
    assert sorted(check_on_two(monkeypatch).alarms) == sorted(expected.alarms)


def test_a_process_with_threads_is_not_forked(monkeypatch: pytest.MonkeyPatch, expected: shares.Share) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("forked")

    monkeypatch.setattr(threading, "active_count", lambda: 2)
    monkeypatch.setattr(shares.multiprocessing, "get_context", refuse)
    assert check_on_two(monkeypatch) == expected


def test_a_bug_in_one_rule_costs_that_rule_alone(monkeypatch: pytest.MonkeyPatch, expected: shares.Share) -> None:
    def fail(project: Project) -> Any:
        raise ValueError("broken")

    checks = [ProjectCheck(check.rule, fail) if check.rule.code == "CON301" else check for check in load().project]
    found = shares.check_project(link(STATE), checks, jobs=1)
    assert found.alarms == expected.alarms
    assert [(failure.rule, failure.error) for failure in found.failures] == [("CON301", "ValueError('broken')")]
