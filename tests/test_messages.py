"""House rules for what alarms say, checked on every alarm of every fixture."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixture_language import FIXTURES
from tests.runs import check_case

CASES = [
    case
    for folder in sorted(FIXTURES.iterdir())
    for case in sorted(folder.iterdir())
    if case.is_dir() or case.suffix == ".py"
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.stem}")
def test_messages_read_like_ours(case: Path) -> None:
    for diagnostic in check_case(case):
        texts = (diagnostic.message, *(related.message for related in diagnostic.related))
        for text in (*texts, diagnostic.help):
            assert text, diagnostic
            assert not text.endswith("."), text
            assert "\n" not in text, text
            assert text.count("`") % 2 == 0, text
            assert not text[0].isupper(), text
