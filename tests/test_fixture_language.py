"""The fixture language itself: what a test that trusts fixtures must be able to trust."""

from __future__ import annotations

import pytest

from conclint.model.alarm import Diagnostic, Related
from conclint.model.span import Span
from fixture_language import find_differences, parse_declaration


def raised(
    line: int, code: str = "CON101", *, column: int = 1, message: str = "gone", ends: tuple[int, ...] = ()
) -> Diagnostic:
    related = tuple(Related("a.py", Span(end, 1, end, 2), "here") for end in ends)
    return Diagnostic("a.py", Span(line, column, line, 9), code, "name", "thread", message, "", "", related)


@pytest.mark.parametrize(
    ("text", "diagnostics"),
    [
        pytest.param("x = 1", (), id="silence is silence"),
        pytest.param("x()  # alarm: CON101", (raised(1),), id="an alarm is raised"),
        pytest.param('x()  # alarm: CON101 @5 "one; two"', (raised(1, column=5, message="one; two!"),), id="exact"),
        pytest.param(
            "# related: a\n# related: a\nx()  # alarm: CON101 -> a", (raised(3, ends=(1, 2, 3)),), id="both ends"
        ),
        pytest.param('# related: a "her"\nx()  # alarm: CON101 -> a', (raised(2, ends=(1,)),), id="the text of an end"),
        pytest.param(
            '# related: a 2\n# related: a 1 "here"\nx()  # alarm: CON101 -> a; related: a 3',
            (raised(3, ends=(2, 1, 3)),),
            id="a whole trace in its order",
        ),
        pytest.param("x()  # alarm: CON101; alarm: CON102", (raised(1), raised(1, "CON102")), id="two on a line"),
        pytest.param(
            "x()  # alarm: CON101 ; alarm: CON101 @5", (raised(1, column=5), raised(1)), id="the exact one first"
        ),
        pytest.param("x()  # missed: CON101 needs more; much more", (), id="a missed alarm is missed"),
        pytest.param("x()  # false: CON101 needs more", (raised(1),), id="a false alarm is raised"),
        pytest.param("x()  # noqa: CON102  # alarm: CON101", (raised(1),), id="after another comment"),
    ],
)
def test_a_true_declaration_has_no_differences(text: str, diagnostics: tuple[Diagnostic, ...]) -> None:
    assert find_differences(parse_declaration({"a.py": text}), diagnostics) == ()


@pytest.mark.parametrize(
    ("text", "diagnostics", "difference"),
    [
        ("x()", (raised(1),), "a.py:1: not declared: CON101 @1 “gone”"),
        ("x()  # alarm: CON101", (), "a.py:1: CON101 is not raised"),
        ("\nx()  # alarm: CON101", (raised(2, "CON102"),), "a.py:2: CON101 is not raised; there is CON102 @1 “gone”"),
        (
            "x()  # alarm: CON101 @5",
            (raised(1),),
            "a.py:1: CON101 is not raised at column 5; there is CON101 @1 “gone”",
        ),
        (
            'x()  # alarm: CON101 "lost"',
            (raised(1),),
            'a.py:1: CON101 is not raised with "lost"; there is CON101 @1 “gone”',
        ),
        (
            "# related: a\n# related: a\nx()  # alarm: CON101 -> a",
            (raised(3, ends=(1,)),),
            "a.py:3: CON101 is not raised with ends on a.py:1, a.py:2; there is CON101 @1 “gone” -> a.py:1 “here”",
        ),
        (
            '# related: a "there"\nx()  # alarm: CON101 -> a',
            (raised(2, ends=(1,)),),
            "a.py:2: CON101 is not raised with ends on a.py:1 with “there”; there is CON101 @1 “gone” -> a.py:1 “here”",
        ),
        (
            "# related: a 1\n# related: a 2\nx()  # alarm: CON101 -> a",
            (raised(3, ends=(2, 1)),),
            "a.py:3: CON101 is not raised with ends on a.py:1 as number 1, a.py:2 as number 2",
        ),
        (
            "# related: a 1\nx()  # alarm: CON101 -> a",
            (raised(2, ends=(1, 2)),),
            "-> a.py:1 “here”, a.py:2 “here”",
        ),
        ("x()  # missed: CON101 hard", (raised(1),), "a.py:1: CON101 is no longer missed: declare it as an alarm"),
        ("x()  # false: CON101 hard", (), "a.py:1: the false alarm CON101 is gone: delete the comment"),
    ],
)
def test_a_difference_is_said(text: str, diagnostics: tuple[Diagnostic, ...], difference: str) -> None:
    differences = find_differences(parse_declaration({"a.py": text}), diagnostics)
    assert any(difference in one for one in differences), differences


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("# alarm: 101", id="no code"),
        pytest.param("# alarm: CON101 because", id="text without quotes"),
        pytest.param("# missed: CON101", id="no reason"),
        pytest.param("# alarm: CON101 -> a", id="an alarm whose end is nowhere"),
        pytest.param("# related: a", id="an end without an alarm"),
        pytest.param("# related: a 2\nx()  # alarm: CON101 -> a", id="a trace without its first step"),
        pytest.param("# related: a 1\n# related: a\nx()  # alarm: CON101 -> a", id="half of the numbers"),
    ],
)
def test_what_is_not_of_the_language_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"fixture comment|labels|numbers"):
        parse_declaration({"a.py": text})
