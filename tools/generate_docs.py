"""Write the parts of the documentation that derive from rules and settings, or say with `--check` which are old.

Those are the head of each rule page (all before its first `##`), the index `docs/rules/README.md`, the table between
`<!-- rules -->` and `<!-- /rules -->` in `README.md`, the tables of keys in `docs/settings.md`, the page about
libraries, and the JSON schema of the settings.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from conclint.config.describe import SCHEMA_NAME, Key, describe_tables, make_schema
from conclint.model.rule import Category, Rule
from conclint.rules import load
from tools.coverage import render_coverage

ROOT = Path(__file__).parent.parent

_TABLE = re.compile(r"(?<=<!-- rules -->\n).*?(?=<!-- /rules -->)", re.DOTALL)
_KEYS = re.compile(r"(<!-- keys ([\w-]+) -->\n).*?(?=<!-- /keys -->)", re.DOTALL)
_FIRST_HEADING = re.compile(r"^## ", re.MULTILINE)
_CATEGORIES: Mapping[Category, str] = {
    Category.SYNTAX: "conclint itself",
    Category.THREAD: "threads",
    Category.DATA_RACE: "data races",
    Category.DEADLOCK: "locks and deadlocks",
    Category.TIMEOUT: "timeouts",
    Category.ASYNC: "async",
    Category.PROCESS: "processes, pools, executors",
    Category.ERROR: "errors in threads, tasks and processes",
    Category.MODEL: "the right model",
    Category.FREE_THREADING: "free-threaded Python",
}


def main() -> int:
    """Write what is out of date; with `--check`, only name it and exit with 1."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--check", action="store_true")
    only_check: bool = parser.parse_args().check
    outdated = find_outdated(ROOT, load().rules)
    for path, text in outdated.items():
        print(f"{'out of date' if only_check else 'written'}: {path.relative_to(ROOT)}")
        if not only_check:
            path.write_text(text, encoding="utf-8", newline="\n")
    return int(only_check and bool(outdated))


def find_outdated(root: Path, rules: Iterable[Rule]) -> dict[Path, str]:
    """Return the new text of each file whose generated part is not what the rules say."""
    texts = _iter_texts(root, tuple(rules))
    return {path: text for path, text in texts if not path.exists() or path.read_text(encoding="utf-8") != text}


def _iter_texts(root: Path, rules: tuple[Rule, ...]) -> Iterator[tuple[Path, str]]:
    pages = root / "docs/rules"
    yield pages / "README.md", _render_index(rules)
    readme = (root / "README.md").read_text(encoding="utf-8")
    yield root / "README.md", _TABLE.sub(lambda _: _render_table(rules, "docs/rules/"), readme)
    yield root / "docs" / SCHEMA_NAME, json.dumps(make_schema(), indent=2, ensure_ascii=False) + "\n"
    settings = root / "docs/settings.md"
    if settings.exists():
        yield settings, _replace_keys(settings.read_text(encoding="utf-8"))
        yield root / "docs/coverage.md", render_coverage()
    for rule in rules:
        page = pages / f"{rule.code}.md"
        # A missing page is not invented here: its author writes it, and test_rule_files.py asks for it.
        if page.exists():
            yield page, _replace_head(page.read_text(encoding="utf-8"), rule)


def _render_index(rules: tuple[Rule, ...]) -> str:
    parts = ["# Rules\n"]
    for category, title in _CATEGORIES.items():
        if members := tuple(rule for rule in rules if rule.category is category):
            parts.append(f"## {_sentence(title)}\n\n{_render_table(members, '')}")
    return "\n".join(parts)


def _render_table(rules: tuple[Rule, ...], folder: str) -> str:
    rows = (
        f"| [{rule.code}]({folder}{rule.code}.md) | {rule.name} | {_cell(rule.summary)} | {_say_default(rule)} |"
        for rule in rules
    )
    return "".join(f"{row}\n" for row in ("| code | name | finds | |", "|---|---|---|---|", *rows))


def _replace_keys(text: str) -> str:
    tables = describe_tables()
    return _KEYS.sub(lambda found: f"{found[1]}{_render_keys(tables[found[2]])}", text)


def _render_keys(keys: Iterable[Key]) -> str:
    rows = (
        f"| `{one.key}` | {one.type} | {_code(one.default)} | {_cell(one.description)}{_say_words(one.words)} |\n"
        for one in keys
    )
    return "".join(("| key | type | default | meaning |\n", "|---|---|---|---|\n", *rows))


def _say_words(words: Iterable[str]) -> str:
    listed = ", ".join(map(_code, words))
    return f" One of {listed}." if listed else ""


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _replace_head(page: str, rule: Rule) -> str:
    head = (
        f"# {rule.name} ({rule.code})\n\n"
        f"**{_sentence(rule.summary)}.** {_sentence(rule.help)}.\n\n"
        f"Category: {_CATEGORIES[rule.category]} · {_say_default(rule)} by default{_say_when(rule)} · "
        f"since {rule.since}\n\n"
    )
    body = _FIRST_HEADING.search(page)
    return head + page[body.start() :] if body else head


def _say_when(rule: Rule) -> str:
    return ", on where `gil = false`" if rule.category is Category.FREE_THREADING else ""


def _say_default(rule: Rule) -> str:
    return "on" if rule.default else "off"


def _sentence(clause: str) -> str:
    return clause[:1].upper() + clause[1:]


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


if __name__ == "__main__":
    sys.exit(main())
