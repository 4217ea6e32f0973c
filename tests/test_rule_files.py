"""A rule is three files with one stem: module, page, fixtures. No orphan, none missing, none twice."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from conclint.model.rule import Category, Rule
from conclint.rules import load

RULES = load().rules
CODES = {rule.code for rule in RULES}


def test_each_rule_has_one_module(root: Path) -> None:
    modules = Counter(path.stem[:6].upper() for path in (root / "src/conclint/rules").glob("con[0-9]*.py"))
    assert modules == dict.fromkeys(CODES, 1)


def test_each_rule_has_a_page_and_each_page_a_rule(root: Path) -> None:
    assert {path.stem for path in (root / "docs/rules").glob("CON*.md")} == CODES


def test_each_rule_has_fixtures_and_each_fixture_a_rule(root: Path) -> None:
    assert {path.name for path in (root / "tests/fixtures").iterdir() if path.is_dir()} == CODES


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_the_module_is_named_after_its_rule(rule: Rule, root: Path) -> None:
    stem = f"{rule.code.lower()}_{rule.name.replace('-', '_')}"
    assert (root / f"src/conclint/rules/{stem}.py").is_file(), stem


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_the_module_names_its_page(rule: Rule, root: Path) -> None:
    (module,) = (root / "src/conclint/rules").glob(f"{rule.code.lower()}_*.py")
    assert module.read_text(encoding="utf-8").startswith(f'"""{rule.code}: see docs/rules/{rule.code}.md.')


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_says_what_reports_need(rule: Rule) -> None:
    assert re.fullmatch(r"CON\d{3}", rule.code)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.name)
    assert isinstance(rule.category, Category)
    assert re.fullmatch(r"\d+\.\d+\.\d+", rule.since)
    for sentence in (rule.summary, rule.help):
        assert sentence, "empty"
        assert "\n" not in sentence, "one line"
        assert sentence == sentence.strip()
        assert not sentence.endswith("."), "no final stop"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_fixture_raises_the_alarm(rule: Rule, root: Path) -> None:
    texts = (path.read_bytes() for path in (root / "tests/fixtures" / rule.code).rglob("*.py"))
    assert any(f"alarm: {rule.code}".encode() in text for text in texts)
