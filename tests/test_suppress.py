"""What suppressions mean, and which alarms pass the filter."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from conclint.config import Config, Options, read_settings, resolve
from conclint.model.alarm import Alarm, Related
from conclint.model.result import Suppression, SuppressionKind
from conclint.model.rule import Category, Rule
from conclint.model.span import Span
from conclint.suppress import filter_alarms, find_uses, parse_suppressions

JOIN = Rule(
    code="CON101", name="thread-not-joined", summary="s", help="join it", category=Category.THREAD, since="0.1.0"
)
LOCK = Rule(
    code="CON227", name="lock-order-cycle", summary="s", help="order", category=Category.DEADLOCK, since="0.1.0"
)
RULES = (JOIN, LOCK)


def make_config(**flags: object) -> Config:
    options = Options(**flags)  # type: ignore[arg-type]
    return resolve(read_settings([], flags=options, isolated=True, environ={}), RULES)


def make_alarm(line: int, code: str = "CON101", path: str = "a.py", related: tuple[Related, ...] = ()) -> Alarm:
    return Alarm(path, Span(line, 1, line, 5), code, f"a message on line {line}", related)


def silenced(text: str, code: str = "CON101") -> list[int]:
    """Return the lines of `text` on which an alarm of `code` is suppressed."""
    rule = next(rule for rule in RULES if rule.code == code)
    suppressions = {"a.py": parse_suppressions(text)}
    lines = range(1, text.count("\n") + 2)
    return [line for line in lines if any(find_uses(make_alarm(line, code), rule, suppressions))]


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa",
        "# NoQA",
        "#noqa: CON101",
        "# noqa:CON101",
        "# noqa: con101",
        "# noqa: E501, CON101",
        "# noqa: CON101 E501",
        "# noqa:E501,CON101 and a reason",
        "# noqa: CON1",
        "# type: ignore  # noqa: CON101",
        "# conclint: ignore[CON101] a reason",
        "# conclint: ignore[CON227, thread-not-joined]",
        "#conclint:ignore[con101]",
        "# noqa: E501  # conclint: ignore[CON101]",
    ],
)
def test_a_comment_holds_for_its_line(comment: str) -> None:
    assert silenced(f"a()\nb()  {comment}\nc()\n") == [2]


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa: E501",
        "# noqa: CON227",
        "# noqa: C101",
        "# nothing about noqa",
        "# conclint: ignore[CON102]",
        "# conclint: ignore[thread]",
        "# conclint: ignore[]",
        "# conclint: ignored",
    ],
)
def test_other_comments_do_not(comment: str) -> None:
    assert silenced(f"a()\nb()  {comment}\nc()\n") == []


def test_a_string_is_no_comment() -> None:
    assert silenced('a("# noqa")\nb = """\n# conclint: file-ignore[CON101]\n"""\n') == []


def test_any_line_of_a_logical_line_will_do() -> None:
    text = "before()\nstart(\n    target,  # noqa: CON101\n    daemon,\n)\nafter()\n"
    assert silenced(text) == [2, 3, 4, 5]
    assert silenced('before()\nx = """\n\n"""  # noqa\nafter()\n') == [2, 3, 4]
    assert silenced("before()\nx = 1 + \\\n    f()  # noqa\nafter()\n") == [2, 3]
    assert silenced("f(\n    # conclint: ignore[CON101] here\n    x,\n)\ng()\n") == [1, 2, 3, 4]


def test_a_comment_of_its_own_line_holds_for_the_next_statement() -> None:
    text = "a()\n# conclint: ignore[CON101] one\n\n# conclint: ignore[CON227] two\n# other\nb(\n)\nc()\n"
    assert silenced(text) == [6, 7]
    assert silenced(text, "CON227") == [6, 7]
    assert silenced("if x:\n    # conclint: ignore[CON101]\n    a()\n    b()\n") == [3]
    assert silenced("# noqa\na()\n") == [1]


def test_it_passes_over_decorators() -> None:
    text = "# conclint: ignore[CON101]\n@first\n@second(\n)\nasync def f():\n    g()\n"
    assert silenced(text) == [2, 3, 4, 5]


@pytest.mark.parametrize(
    "comment",
    ["# conclint: file-ignore[CON101] old code", "# flake8: noqa", "# ruff: noqa", "# flake8: noqa: E501, CON101"],
)
def test_a_whole_file(comment: str) -> None:
    assert silenced(f"a()\n{comment}\nb()\n") == [1, 2, 3, 4]


def test_other_codes_of_a_whole_file_are_not_ours() -> None:
    assert silenced("# ruff: noqa: E501\na()\n") == []
    assert silenced("# conclint: file-ignore[CON227]\na()\n") == []


@pytest.mark.parametrize("newline", ["\r\n", "\r", "\n"])
def test_lines_are_counted_as_the_parser_counts_them(newline: str) -> None:
    found = parse_suppressions(newline.join(["a()", "\fb()", "c()  # noqa", "d()", ""]))
    assert [(each.first_line, each.last_line) for each in found] == [(3, 3)]


def test_a_file_that_is_no_python_may_still_hold_them() -> None:
    text = "def f(:\n  x = (  # noqa: CON101\n # conclint: ignore[CON101]\n y\n"
    found = parse_suppressions(text)
    assert [(each.kind, each.first_line) for each in found] == [
        (SuppressionKind.NOQA, 2),
        (SuppressionKind.IGNORE, 4),
    ]


def test_what_was_written_is_kept() -> None:
    text = "x = f()  # conclint: ignore[CON101, lock-order-cycle] the thread ends with us\n"
    assert parse_suppressions(text) == (
        Suppression(
            SuppressionKind.IGNORE,
            1,
            1,
            ("CON101", "lock-order-cycle"),
            "the thread ends with us",
            Span(1, 10, 1, len(text)),
        ),
    )


def keep(
    alarms: Sequence[Alarm], texts: dict[str, str], config: Config | None = None, *, respect_noqa: bool = True
) -> list[tuple[str, int, str]]:
    suppressions = {path: parse_suppressions(text) for path, text in texts.items()}
    shown = frozenset({"a.py", "b.py"})
    found = filter_alarms(alarms, suppressions, config or make_config(), RULES, shown, respect_noqa=respect_noqa)
    return [(each.path, each.span.line, each.code) for each in found]


def test_diagnostics_are_sorted_each_once_and_know_their_rule() -> None:
    alarms = [make_alarm(2, path="b.py"), make_alarm(3), make_alarm(1, "CON227"), make_alarm(3)]
    assert keep(alarms, {}) == [("a.py", 1, "CON227"), ("a.py", 3, "CON101"), ("b.py", 2, "CON101")]
    (found,) = filter_alarms(alarms[:1], {}, make_config(), RULES, {"b.py"})
    assert (found.name, found.category, found.help, found.url) == (JOIN.name, "thread", "join it", JOIN.url)


def test_only_what_is_selected_and_shown_passes() -> None:
    alarms = [make_alarm(1), make_alarm(1, "CON227"), make_alarm(1, path="hidden.py")]
    assert keep(alarms, {}, make_config(ignore=("CON2",))) == [("a.py", 1, "CON101")]
    ignores = {"a.py": ("thread-not-joined",)}
    assert keep(alarms, {}, make_config(per_file_ignores=ignores)) == [("a.py", 1, "CON227")]


def test_any_end_of_an_alarm_will_do() -> None:
    other = Related("hidden.py", Span(2, 5, 2, 9), "the other lock is taken here")
    alarm = make_alarm(1, "CON227", related=(other,))
    assert keep([alarm], {"hidden.py": "x\ny  # conclint: ignore[CON227]\n"}) == []
    assert keep([alarm], {"hidden.py": "x  # noqa\ny\n"}) == [("a.py", 1, "CON227")]


def test_noqa_can_be_left_to_flake8() -> None:
    alarms = [make_alarm(1), make_alarm(2)]
    texts = {"a.py": "f()  # noqa\ng()  # conclint: ignore[CON101]\n"}
    assert keep(alarms, texts) == []
    assert keep(alarms, texts, respect_noqa=False) == [("a.py", 1, "CON101")]
