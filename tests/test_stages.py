"""Stages: each second counts once."""

from __future__ import annotations

import time

import pytest

from conclint.stages import Stage, Stages


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that `time.perf_counter` gives, one call after the other."""
    ticks: list[float] = []
    monkeypatch.setattr(time, "perf_counter", lambda: ticks.pop(0))
    return ticks


def test_a_stage_within_another_one_counts_for_itself(clock: list[float]) -> None:
    clock += [0.0, 2.0, 5.0, 9.0]
    stages = Stages()
    with stages.time(Stage.LINK), stages.time(Stage.ANALYSE):
        pass
    assert stages.seconds == {Stage.CACHE: 0.0, Stage.ANALYSE: 3.0, Stage.LINK: 6.0, Stage.RULES: 0.0}


def test_what_lies_between_stages_counts_for_none(clock: list[float]) -> None:
    clock += [0.0, 1.0, 100.0, 102.0]
    stages = Stages()
    for _ in range(2):
        with stages.time(Stage.RULES):
            pass
    assert stages.seconds[Stage.RULES] == 3.0


def test_a_stage_ends_with_an_error_too(clock: list[float]) -> None:
    clock += [0.0, 4.0]
    stages = Stages()
    with pytest.raises(KeyError), stages.time(Stage.LINK):
        raise KeyError
    assert stages.seconds[Stage.LINK] == 4.0
