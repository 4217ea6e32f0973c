"""What is generated from the rules is checked in as the rules say it."""

from __future__ import annotations

import re
from pathlib import Path

from conclint.model.rule import Category, Rule
from conclint.rules import load
from tools.coverage import render_coverage
from tools.generate_docs import find_outdated

RULE = Rule(
    code="CON900",
    name="tea-not-poured",
    summary="a cup | mug stays empty",
    help="pour tea",
    category=Category.THREAD,
    since="0.1.0",
    default=False,
)


def test_generated_parts_are_up_to_date(root: Path) -> None:
    outdated = [path.relative_to(root).as_posix() for path in find_outdated(root, load().rules)]
    assert not outdated, "run `make docs`"


def test_a_head_is_replaced_and_the_rest_of_a_page_stays(tmp_path: Path) -> None:
    texts = generate(tmp_path, page="# old head\n\n## What it does\n\nPours.\n")
    assert texts["docs/rules/CON900.md"] == (
        "# tea-not-poured (CON900)\n\n"
        "**A cup | mug stays empty.** Pour tea.\n\n"
        "Category: threads · off by default · since 0.1.0\n\n"
        "## What it does\n\nPours.\n"
    )


def test_the_readme_changes_between_its_markers_only(tmp_path: Path) -> None:
    texts = generate(tmp_path, page="")
    assert texts["README.md"] == (
        "before\n<!-- rules -->\n"
        "| code | name | finds | |\n|---|---|---|---|\n"
        "| [CON900](docs/rules/CON900.md) | tea-not-poured | a cup \\| mug stays empty | off |\n"
        "<!-- /rules -->\nafter\n"
    )


def test_a_second_run_has_nothing_to_do(tmp_path: Path) -> None:
    for path, text in generate(tmp_path, page="## What it does\n").items():
        (tmp_path / path).write_text(text, encoding="utf-8")
    assert find_outdated(tmp_path, [RULE]) == {}


def generate(root: Path, *, page: str) -> dict[str, str]:
    (root / "docs/rules").mkdir(parents=True)
    (root / "docs/rules/CON900.md").write_text(page, encoding="utf-8")
    (root / "README.md").write_text("before\n<!-- rules -->\nold\n<!-- /rules -->\nafter\n", encoding="utf-8")
    return {path.relative_to(root).as_posix(): text for path, text in find_outdated(root, [RULE]).items()}


def test_the_page_about_libraries_names_rules_that_there_are() -> None:
    named = set(re.findall(r"CON\d{3}", render_coverage()))
    assert named - {rule.code for rule in load().rules} == set()
