"""The report formats, against text written by hand."""

from __future__ import annotations

import json
import re
from textwrap import dedent

import pytest

from conclint.model.alarm import Diagnostic, Related
from conclint.model.span import FILE_START, Span
from conclint.report import Look, OutputFormat, render, render_statistics, summary

PAY = """\
import threading


class Pay:
    def pay(self):
        with self.ledger:
            with self.accounts:
                self.book()
"""
REPORT = """\
def settle(pay):
    with pay.accounts:
        total = sum(pay.accounts)
        pay.note(total)
        pay.note(0)
        pay.note(1)
        with pay.ledger:
            pay.book()
"""
TEXTS = {"src/pay.py": PAY, "src/report.py": REPORT}


def make(
    span: Span,
    *related: Related,
    path: str = "src/pay.py",
    message: str = "`ledger` and `accounts` are taken in opposite orders",
    category: str = "deadlock",
) -> Diagnostic:
    return Diagnostic(
        path, span, "CON227", "lock-order-cycle", category, message, "take `ledger` first", "https://x/CON227/", related
    )


CYCLE = make(
    Span(7, 18, 7, 31),
    Related("src/pay.py", Span(6, 14, 6, 25), "`pay` takes `ledger`"),
    Related("src/pay.py", Span(7, 18, 7, 31), "then waits for `accounts`"),
    Related("src/report.py", Span(2, 10, 2, 22), "`settle` takes `accounts`"),
    Related("src/report.py", Span(7, 14, 7, 24), "then waits for `ledger`"),
)


def full(diagnostic: Diagnostic, texts: dict[str, str] | None = None, *, width: int = 100) -> str:
    read_text = (TEXTS if texts is None else texts).get
    return render([diagnostic], OutputFormat.FULL, read_text=read_text, look=Look(width=width))


def frame(text: str, span: Span, *, width: int = 100) -> list[str]:
    """Return the lines between the arrow and the help."""
    _, _, *lines, _, _ = full(make(span), {"src/pay.py": text}, width=width).splitlines()
    return lines


def test_full_shows_every_end_in_its_frame() -> None:
    assert full(CYCLE) == dedent("""\
        CON227 lock-order-cycle: `ledger` and `accounts` are taken in opposite orders
          --> src/pay.py:7:18
           |
         6 |         with self.ledger:
           |              ----------- 1. `pay` takes `ledger`
         7 |             with self.accounts:
           |                  ^^^^^^^^^^^^^ 2. then waits for `accounts`
           |
          ::: src/report.py:2:10
           |
         2 |     with pay.accounts:
           |          ------------ 3. `settle` takes `accounts`
           |
          ::: src/report.py:7:14
           |
         7 |         with pay.ledger:
           |              ---------- 4. then waits for `ledger`
           |
          help: take `ledger` first
          ignore it here: # conclint: ignore[CON227] <reason>
    """)


def test_full_shows_the_lines_between_near_ends_and_needs_no_number_for_a_single_one() -> None:
    near = make(Span(4, 9, 4, 24), Related("src/report.py", Span(2, 10, 2, 22), "taken here"), path="src/report.py")
    assert full(near) == dedent("""\
        CON227 lock-order-cycle: `ledger` and `accounts` are taken in opposite orders
          --> src/report.py:4:9
           |
         2 |     with pay.accounts:
           |          ------------ taken here
         3 |         total = sum(pay.accounts)
         4 |         pay.note(total)
           |         ^^^^^^^^^^^^^^^
           |
          help: take `ledger` first
          ignore it here: # conclint: ignore[CON227] <reason>
    """)


def test_full_leaves_out_a_frame_whose_lines_cannot_be_read() -> None:
    gone = make(
        Span(70, 2, 70, 3),
        Related("src/gone.py", Span(1, 1, 1, 2), "first"),
        Related("src/pay.py", Span(90, 1, 90, 2), "beyond the end"),
    )
    assert full(gone).splitlines()[1:-2] == [
        "  --> src/pay.py:70:2",
        "  ::: src/gone.py:1:1   1. first",
        "  ::: src/pay.py:90:1   2. beyond the end",
    ]


def test_full_separates_diagnostics_by_an_empty_line() -> None:
    text = render([CYCLE, CYCLE], OutputFormat.FULL, read_text=TEXTS.get)
    assert text == f"{full(CYCLE)}\n{full(CYCLE)}"


def test_full_offers_no_comment_for_a_file_that_cannot_be_parsed() -> None:
    assert "ignore it here" not in full(make(FILE_START, category="syntax"))


def test_full_is_the_same_text_in_colour() -> None:
    coloured = render([CYCLE], OutputFormat.FULL, read_text=TEXTS.get, look=Look(color=True, width=100))
    assert "\x1b[1;31mCON227\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == full(CYCLE)


@pytest.mark.parametrize("output_format", [OutputFormat.FULL, OutputFormat.CONCISE])
def test_a_code_leads_to_the_page_of_its_rule(output_format: OutputFormat) -> None:
    linked = render([CYCLE], output_format, read_text=TEXTS.get, look=Look(color=True, links=True))
    code = "\x1b[1;31mCON227\x1b[0m"
    assert linked.count("\x1b]8;;https://x/CON227/\x1b\\") == 1
    plain = render([CYCLE], output_format, read_text=TEXTS.get, look=Look(color=True))
    assert linked.replace(f"\x1b]8;;https://x/CON227/\x1b\\{code}\x1b]8;;\x1b\\", code) == plain


@pytest.mark.parametrize(
    ("text", "span", "lines"),
    [
        pytest.param(
            "\tx\t= f(y)\n",
            Span(1, 6, 1, 10),
            ["   |", " 1 |     x   = f(y)", "   |           ^^^^", "   |"],
            id="tabs",
        ),
        pytest.param(
            "口座 = 開く(口座)\n",
            Span(1, 6, 1, 8),
            ["   |", " 1 | 口座 = 開く(口座)", "   |        ^^^^", "   |"],
            id="wide",
        ),
        pytest.param(
            "e\u0301 = f(x)\n", Span(1, 6, 1, 7), ["   |", " 1 | e\u0301 = f(x)", "   |     ^", "   |"], id="combining"
        ),
        pytest.param(
            "x = f(\r\n    1,\r\n\r\n)\r\n",
            Span(1, 5, 4, 2),
            ["   |", " 1 | x = f(", "   |     ^^", " 2 |     1,", "   |     ^^", " 3 |", " 4 | )", "   | ^", "   |"],
            id="several lines",
        ),
        pytest.param(
            "f(\n1,\n2,\n3,\n4,\n)\n",
            Span(1, 1, 6, 2),
            ["   |", " 1 | f(", "   | ^^", "...", " 6 | )", "   | ^", "   |"],
            id="many lines",
        ),
        pytest.param("def f(\n", Span(2, 1, 2, 1), ["   |", " 2 |", "   | ^", "   |"], id="at the end of the file"),
        pytest.param("x\n", Span(1, 9, 3, 4), ["   |", " 1 | x", "   |  ^", "   |"], id="beyond the end of a line"),
        pytest.param(
            "x = '\x1b[2J\u202e'\n", Span(1, 1, 1, 2), ["   |", " 1 | x = '�[2J�'", "   | ^", "   |"], id="controls"
        ),
    ],
)
def test_a_frame_underlines_what_is_meant(text: str, span: Span, lines: list[str]) -> None:
    assert frame(text, span) == lines


@pytest.mark.parametrize("column", [1, 30, 400, 790])
def test_a_long_line_is_cut_around_the_span(column: int) -> None:
    text = f"{'x' * (column - 1)}HERE{'y' * (797 - column)}\n"
    _, line, underline, _ = frame(text, Span(1, column, 1, column + 4), width=60)
    assert len(line) <= 60
    assert line[underline.index("^") : underline.rindex("^") + 1] == "HERE"
    assert ("…x" in line, "y…" in line) == (column > 1, column < 790)


def test_two_far_ends_of_a_long_line_have_a_view_each() -> None:
    text = f"first({'0, ' * 90}second)\n"
    both = make(Span(1, 277, 1, 283), Related("src/pay.py", Span(1, 1, 1, 6), "one"))
    lines = full(both, {"src/pay.py": text}, width=60).splitlines()[3:7]
    assert [line.split("|")[1].strip(" …0,") for line in lines] == ["first(", "----- one", "second)", "^^^^^^"]


def test_concise_has_a_line_per_alarm_and_per_step() -> None:
    assert render([CYCLE], OutputFormat.CONCISE, read_text=TEXTS.get) == dedent("""\
        src/pay.py:7:18: CON227 `ledger` and `accounts` are taken in opposite orders [lock-order-cycle]
            src/pay.py:6:14: 1. `pay` takes `ledger`
            src/pay.py:7:18: 2. then waits for `accounts`
            src/report.py:2:10: 3. `settle` takes `accounts`
            src/report.py:7:14: 4. then waits for `ledger`
    """)


def test_json_has_the_keys_of_ruff() -> None:
    alarm = make(Span(7, 18, 7, 31), Related("src/pay.py", Span(6, 14, 6, 25), "taken"), message="`é`")
    text = render([alarm], OutputFormat.JSON, read_text=TEXTS.get)
    assert "é" in text
    assert json.loads(text) == [
        {
            "code": "CON227",
            "name": "lock-order-cycle",
            "message": "`é`",
            "filename": "src/pay.py",
            "location": {"row": 7, "column": 18},
            "end_location": {"row": 7, "column": 31},
            "url": "https://x/CON227/",
            "fix": None,
            "related": [
                {
                    "message": "taken",
                    "filename": "src/pay.py",
                    "location": {"row": 6, "column": 14},
                    "end_location": {"row": 6, "column": 25},
                }
            ],
            "noqa_row": 7,
            "category": "deadlock",
        }
    ]


def test_every_format_tells_the_steps_of_a_trace_in_their_order() -> None:
    steps = [(related.path, related.span.line, related.message) for related in CYCLE.related]
    written = json.loads(render([CYCLE], OutputFormat.JSON, read_text=TEXTS.get))[0]["related"]
    assert [(one["filename"], one["location"]["row"], one["message"]) for one in written] == steps
    (error,) = render([CYCLE], OutputFormat.GITHUB, read_text=TEXTS.get).splitlines()
    numbered = [f"{path}:{line}: {number}. {message}" for number, (path, line, message) in enumerate(steps, 1)]
    assert error.partition("::error")[2].split("%0A")[1:-1] == numbered
    gone = render([CYCLE], OutputFormat.FULL, read_text=lambda path: None)
    places = [line.split(maxsplit=2) for line in gone.splitlines() if ":::" in line or "-->" in line]
    shown = sorted((label, place.rpartition(":")[0]) for _, place, label in places)
    assert shown == [
        (f"{number}. {message}", f"{path}:{line}") for number, (path, line, message) in enumerate(steps, 1)
    ]


def test_a_trace_that_comes_back_to_a_place_tells_it_twice() -> None:
    again = make(
        Span(7, 18, 7, 31),
        Related("src/pay.py", Span(6, 14, 6, 25), "taken"),
        Related("src/pay.py", Span(7, 18, 7, 31), "called"),
        Related("src/pay.py", Span(6, 14, 6, 25), "taken again"),
    )
    assert [line.split("- ")[1] for line in full(again).splitlines() if "- " in line] == ["1. taken", "3. taken again"]
    assert "^ 2. called" in full(again)


def test_json_of_nothing_is_a_list() -> None:
    assert render([], OutputFormat.JSON, read_text=TEXTS.get) == "[]\n"


def test_github_escapes_what_would_end_a_property_or_the_command() -> None:
    alarm = make(
        Span(7, 18, 7, 31), Related("src/b.py", Span(2, 1, 2, 4), "taken"), path="src/a,b:c.py", message="100%\nsure"
    )
    assert render([alarm], OutputFormat.GITHUB, read_text=TEXTS.get) == (
        "::error file=src/a%2Cb%3Ac.py,line=7,endLine=7,col=18,endColumn=31,title=CON227 lock-order-cycle"
        "::100%25%0Asure%0Asrc/b.py:2: taken%0Ahelp: take `ledger` first\n"
    )


def test_github_gives_no_columns_for_several_lines() -> None:
    text = render([make(Span(7, 18, 9, 2))], OutputFormat.GITHUB, read_text=TEXTS.get)
    assert text.startswith("::error file=src/pay.py,line=7,endLine=9,title=")


def test_github_sorts_by_category_and_counts_what_is_not_shown() -> None:
    diagnostics = [make(Span(line, 1, line, 2), category="timeout") for line in range(1, 12)]
    worst = make(Span(90, 1, 90, 2), category="data-race")
    *errors, notice = render([*diagnostics, worst], OutputFormat.GITHUB, read_text=TEXTS.get).splitlines()
    assert [int(re.findall(r"line=(\d+)", error)[0]) for error in errors] == [90, *range(1, 12)]
    assert notice == "::notice title=conclint::2 more of 12 problems are in the log of this step"


@pytest.mark.parametrize("output_format", [OutputFormat.FULL, OutputFormat.CONCISE, OutputFormat.GITHUB])
def test_the_text_of_nothing_is_empty(output_format: OutputFormat) -> None:
    assert render([], output_format, read_text=TEXTS.get) == ""


def test_statistics_count_by_rule() -> None:
    other = Diagnostic("b.py", FILE_START, "CON101", "thread-not-joined", "thread", "", "", "")
    assert render_statistics([other, *[CYCLE] * 10]) == "10  CON227  lock-order-cycle\n 1  CON101  thread-not-joined\n"


@pytest.mark.parametrize(
    ("diagnostics", "files", "text"),
    [
        ([], 0, "No Python files found."),
        ([], 1, "All checks passed! (1 file)"),
        ([CYCLE], 1, "Found 1 problem in 1 of 1 file."),
        ([CYCLE, CYCLE], 12, "Found 2 problems in 1 of 12 files."),
    ],
)
def test_the_summary_counts(diagnostics: list[Diagnostic], files: int, text: str) -> None:
    assert summary(diagnostics, files) == text
