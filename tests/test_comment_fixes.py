"""The fix of CON002 at the end of a line, where the fixtures have a comment of their own."""

from __future__ import annotations

import pytest

from conclint.model.file import SourceFile
from conclint.rounds import fix_files
from runs import make_config

CASES = {
    "first = 1  # noqa: CON201\n": "first = 1\n",
    "first = 1  # noqa:CON201\r\nsecond = 2\r\n": "first = 1\r\nsecond = 2\r\n",
    "first = 1  # noqa: CON201, E501": "first = 1  # noqa: E501",
    "first = 1  # noqa: E501 CON201 F401\n": "first = 1  # noqa: E501, F401\n",
    "first = 1  # noqa: CON201 since 2019\n": "first = 1  # since 2019\n",
    "first = 1  # noqa: CON201, as before\n": "first = 1  # as before\n",
    "first = 1  # one # noqa: CON201\n": "first = 1  # one\n",
    "first = 1  # conclint: ignore[CON201] since 2019\n": "first = 1\n",
    "first = 1  # conclint: ignore[CON201]  # noqa: E501\n": "first = 1  # noqa: E501\n",
    "first = 1  # conclint: ignore[CON201]  # noqa: CON202": "first = 1",
    "# conclint: file-ignore[CON201, CON202]\nfirst = 1\n": "first = 1\n",
    "if True:\n    # conclint: ignore[CON201] once\n    first = 1\n": "if True:\n    first = 1\n",
    "first = 1\n# conclint: ignore": "first = 1\n",
    "first = 1  # conclint: ignore as of [2019]\n": "first = 1\n",
    "first = 1  # conclint: ignore[CON999]\n": "first = 1  # conclint: ignore[CON999]\n",
    "first = 1  # conclint: ignore[CON999, CON201]\n": "first = 1  # conclint: ignore[CON999]\n",
}


@pytest.mark.parametrize("text", CASES)
def test_only_what_is_of_no_use_goes(text: str) -> None:
    fixed = fix_files([SourceFile("shop.py", "shop", content=text.encode())], make_config("CON002"))
    assert not fixed.outcome.failures
    assert (fixed.files[0].content or b"").decode() == CASES[text]
