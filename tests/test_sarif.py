"""SARIF: valid for the standard's own schema, and telling what the other formats tell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator, FormatChecker

from conclint import __version__
from conclint.cli import main
from conclint.fixes import apply_edits
from conclint.model.alarm import Diagnostic, Related
from conclint.model.fix import Applicability, Edit, Fix
from conclint.model.result import Failure
from conclint.model.span import FILE_START, Span
from conclint.pages import read_page
from conclint.report import OutputFormat, Run, render
from conclint.rules import read

SCHEMA = json.loads(Path(__file__).with_name("schemas").joinpath("sarif-2.1.0.json").read_text(encoding="utf-8"))
TEXT = "import threading\n\nwith users[0].lock:\n    total = sum(\n        users)\n"
SHOP = """\
import threading
import time

lock = threading.Lock()
name = "Grüße 🎉"; thread = threading.Thread(target=print, args=(name))


async def add(items):
    print("🎉", lock.acquire); time.sleep(1)
    with lock.acquire():
        items.append(1)
"""


def make(span: Span, *related: Related, fix: Fix | None = None, message: str = "tea is cold") -> Diagnostic:
    url = "https://conclint.readthedocs.io/rules/CON227/"
    return Diagnostic("src/a b.py", span, "CON227", "tea", "deadlock", message, "heat it", url, related, fix=fix)


def write(
    *diagnostics: Diagnostic, texts: Mapping[str, str] | None = None, failures: tuple[Failure, ...] = ()
) -> dict[str, Any]:
    """Return the only run of a report, which is valid."""
    read_text = (texts or {"src/a b.py": TEXT}).get
    run = Run(rules=read(), read_page=read_page, failures=failures)
    return load(render(diagnostics, OutputFormat.SARIF, read_text=read_text, run=run))


def load(report: str) -> dict[str, Any]:
    log = json.loads(report)
    Draft4Validator(SCHEMA, format_checker=FormatChecker()).validate(log)
    (run,) = log["runs"]
    return run  # type: ignore[no-any-return]


CYCLE = make(
    Span(3, 6, 3, 19),
    Related("src/a b.py", Span(3, 6, 3, 19), "takes `users[0].lock`"),
    Related("/opt/lib.py", Span(1, 1, 1, 7), "waits"),
    message="`users[0].lock` is taken twice",
)


def test_nothing_is_a_valid_report() -> None:
    run = write()
    assert run["results"] == []
    assert run["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]


def test_the_rules_that_were_raised_come_with_their_pages() -> None:
    driver = write(CYCLE, make(Span(1, 1, 1, 2)))["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("conclint", __version__)
    (rule,) = driver["rules"]
    assert (rule["id"], rule["name"]) == ("CON227", "lock-order-cycle")
    assert rule["helpUri"] == "https://conclint.readthedocs.io/rules/CON227/"
    assert "## Example" in rule["help"]["markdown"]
    assert rule["defaultConfiguration"] == {"level": "error", "enabled": True}
    assert rule["properties"]["problem.severity"] == "error"


def test_every_rule_can_be_described() -> None:
    every = [Diagnostic("a.py", FILE_START, rule.code, "", "", "tea", "", rule.url) for rule in read()]
    run = write(*every)
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [rule.code for rule in read()]
    assert all(rules[one["ruleIndex"]]["id"] == one["ruleId"] for one in run["results"])
    assert all("markdown" in rule["help"] for rule in rules)


def test_places_are_relative_to_where_conclint_ran_and_columns_are_characters() -> None:
    run = write(CYCLE)
    assert run["columnKind"] == "unicodeCodePoints"
    assert "uri" not in run["originalUriBaseIds"]["%SRCROOT%"]
    (location,) = run["results"][0]["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "src/a%20b.py", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 3, "startColumn": 6, "endLine": 3, "endColumn": 19},
    }
    last = run["results"][0]["relatedLocations"][-1]["physicalLocation"]["artifactLocation"]
    assert last == {"uri": "file:///opt/lib.py"}


def test_a_primary_region_is_one_line() -> None:
    (result,) = write(make(Span(4, 13, 5, 15)))["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["region"] == {"startLine": 4, "startColumn": 13}
    assert place["contextRegion"] == {"startLine": 4, "startColumn": 13, "endLine": 5, "endColumn": 15}


def test_a_trace_is_linked_from_the_message_and_can_be_stepped_through() -> None:
    (result,) = write(CYCLE)["results"]
    assert result["message"]["text"].splitlines() == [
        r"`users\[0\].lock` is taken twice",
        r"[1. takes `users\[0\].lock`](1)",
        "[2. waits](2)",
        "help: heat it",
    ]
    assert [one["id"] for one in result["relatedLocations"]] == [1, 2]
    (flow,) = result["codeFlows"]
    (thread,) = flow["threadFlows"]
    assert [one["location"]["message"]["text"] for one in thread["locations"]] == [
        r"takes `users\[0\].lock`",
        "waits",
    ]


def test_two_threads_that_meet_are_told_one_by_one() -> None:
    steps = (
        Related("src/a b.py", Span(1, 1, 1, 7), "`read` begins to run in a thread here", way=1),
        Related("src/a b.py", Span(1, 8, 1, 9), "`write` begins to run in a thread here", way=2),
        Related("src/b.py", Span(3, 6, 3, 19), "is changed here as well", way=2),
        Related("src/b.py", Span(1, 1, 1, 19), "made here"),
    )
    (result,) = write(make(Span(4, 13, 5, 15), *steps))["results"]
    (flow,) = result["codeFlows"]
    told = [[step["location"]["message"]["text"] for step in thread["locations"]] for thread in flow["threadFlows"]]
    assert told == [
        ["`read` begins to run in a thread here", "tea is cold"],
        ["`write` begins to run in a thread here", "is changed here as well"],
    ]
    assert [thread["id"] for thread in flow["threadFlows"]] == ["1", "2"]
    assert len(result["relatedLocations"]) == 4


def test_each_side_of_a_deadlock_has_a_flow_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    orders = (("first", "second"), ("second", "first"))
    functions = (f"def take_{one}():\n    with {one}:\n        with {two}:\n            pass\n" for one, two in orders)
    text = "import threading\n\nfirst = threading.Lock()\nsecond = threading.Lock()\n\n\n" + "\n\n".join(functions)
    Path("shop.py").write_text(text, encoding="utf-8")
    main(["check", "--isolated", "--select", "CON227", "--output-format", "sarif", "-o", "found.sarif"])
    (result,) = load(Path("found.sarif").read_text(encoding="utf-8"))["results"]
    (flow,) = result["codeFlows"]
    lines = [
        [step["location"]["physicalLocation"]["region"]["startLine"] for step in thread["locations"]]
        for thread in flow["threadFlows"]
    ]
    assert lines == [[8, 9], [14, 15]]


def test_one_other_end_is_no_trace() -> None:
    (result,) = write(make(Span(1, 1, 1, 2), Related("b.py", Span(1, 1, 1, 2), "made here")))["results"]
    assert "codeFlows" not in result
    assert len(result["relatedLocations"]) == 1


def test_our_own_failures_are_told() -> None:
    run = write(failures=(Failure("src/a.py", "CON101", "KeyError('x')", "…"), Failure("", "link", "boom", "")))
    (invocation,) = run["invocations"]
    assert not invocation["executionSuccessful"]
    first, second = invocation["toolExecutionNotifications"]
    assert first["message"]["text"] == "internal error in CON101: KeyError('x')"
    assert first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "src/a.py"
    assert "locations" not in second


def test_fixes_say_whether_they_are_safe() -> None:
    edits = (Edit("src/b.py", Span(1, 1, 1, 1), "import x\n"), Edit("src/a b.py", Span(2, 1, 3, 1), ""))
    (result,) = write(make(Span(1, 1, 1, 2), fix=Fix("Heat it", Applicability.UNSAFE, edits)))["results"]
    (fix,) = result["fixes"]
    assert fix["description"] == {"text": "Heat it"}
    assert fix["properties"] == {"applicability": "unsafe"}
    assert [one["artifactLocation"]["uri"] for one in fix["artifactChanges"]] == ["src/a%20b.py", "src/b.py"]
    assert fix["artifactChanges"][1]["replacements"] == [
        {
            "deletedRegion": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1},
            "insertedContent": {"text": "import x\n"},
        }
    ]


def fingerprints(text: str, *lines: int) -> list[dict[str, str]]:
    results = write(*(make(Span(line, 1, line, 2)) for line in lines), texts={"src/a b.py": text})["results"]
    return [one["partialFingerprints"] for one in results]


def test_fingerprints_do_not_care_for_lines_above_nor_for_layout() -> None:
    before = fingerprints(TEXT, 3, 4)
    assert fingerprints(f"# new\n\n{TEXT}", 5, 6) == before
    assert fingerprints(TEXT.replace("with users", "with  users").replace("\n", "\r\n"), 3, 4) == before
    assert fingerprints(TEXT.replace("total", "sum_"), 3, 4)[1]["conclint/v1"] != before[1]["conclint/v1"]
    assert len({one["conclint/v1"] for one in before}) == 2


def test_alarms_that_are_alike_have_fingerprints_of_their_own() -> None:
    one, two = fingerprints("x()\nx()\n", 1, 2)
    assert one["conclint/v1"].removesuffix(":1") == two["conclint/v1"].removesuffix(":2")


@pytest.mark.parametrize(
    ("text", "hashes"),
    [
        ("", ["c129715d7a2bc9a3:1"]),
        (" a\nb\n  \tc\n d", ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"]),
        (" a\rb\r\n  \tc\n d", ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"]),
        (
            " hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End",
            [
                *("8b7cf3e952e7aeb2:1", "b1ae1287ec4718d9:1", "bff680108adb0fcc:1", "c6805c5e1288b612:1"),
                *("b86d3392aea1be30:1", "e6ceba753e1a442:1"),
            ],
        ),
    ],
    ids=["nothing", "lines", "returns", "empty lines"],
)
def test_lines_are_hashed_as_github_does(text: str, hashes: list[str]) -> None:
    """The examples are those of `fingerprints.test.ts` of github/codeql-action."""
    found = fingerprints(text, *range(1, len(hashes) + 1))
    assert [one["primaryLocationLineHash"] for one in found] == hashes


def test_a_file_that_is_gone_has_no_hash() -> None:
    (result,) = write(make(Span(90, 1, 90, 2)))["results"]
    assert list(result["partialFingerprints"]) == ["conclint/v1"]
    (result,) = write(make(Span(1, 1, 1, 2)), texts={"x": ""})["results"]
    assert list(result["partialFingerprints"]) == ["conclint/v1"]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "shop.py"
    file.write_text(SHOP, encoding="utf-8")
    return file


def test_sarif_json_and_fix_do_the_same(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["check", "--isolated", "--no-progress", "--extend-ignore", "CON101,CON105"]
    assert main([*flags, "--output-format", "sarif", "shop.py"]) == 1
    run = load(capsys.readouterr().out)
    assert main([*flags, "--output-format", "json", "shop.py"]) == 1
    entries = json.loads(capsys.readouterr().out)
    assert main([*flags, "--fix", "--unsafe-fixes", "shop.py"]) == 0
    fixed = shop.read_text(encoding="utf-8")
    assert {one["code"] for one in entries if one["fix"]} == {"CON103", "CON240", "CON401"}
    assert apply_edits(SHOP, collect_from_sarif(run)) == fixed
    assert apply_edits(SHOP, collect_from_json(entries)) == fixed


def collect_from_sarif(run: dict[str, Any]) -> set[Edit]:
    changes = [change for one in run["results"] for fix in one.get("fixes", ()) for change in fix["artifactChanges"]]
    return {
        Edit(
            change["artifactLocation"]["uri"],
            Span(*(one["deletedRegion"][key] for key in ("startLine", "startColumn", "endLine", "endColumn"))),
            one["insertedContent"]["text"],
        )
        for change in changes
        for one in change["replacements"]
    }


def collect_from_json(entries: list[dict[str, Any]]) -> set[Edit]:
    edits = [edit for one in entries if one["fix"] for edit in one["fix"]["edits"]]
    return {
        Edit(
            edit["filename"],
            Span(*(edit[place][key] for place in ("location", "end_location") for key in ("row", "column"))),
            edit["content"],
        )
        for edit in edits
    }


def test_a_report_may_go_to_a_file(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--isolated", "--output-format", "sarif", "-o", "report.sarif", "shop.py"]) == 1
    assert capsys.readouterr().out.startswith("Found ")
    assert load(shop.with_name("report.sarif").read_text(encoding="utf-8"))["results"]
