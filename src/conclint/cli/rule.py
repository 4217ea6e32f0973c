"""`conclint rule`: what the rules are about."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING

import click

from conclint.cli.output import write_output
from conclint.config import ConfigError, find_rule, is_colour_wanted, suggest
from conclint.pages import read_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conclint.model.rule import Rule

_WIDEST = 100
"""Longer lines of prose are hard to read, however wide the terminal is."""


@click.command()
@click.argument("rule", metavar="[CODE|NAME]", required=False)
@click.option("--all", "every", is_flag=True, help="Explain all rules.")
@click.option(
    "--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to write them."
)
def rule(rule: str | None, *, every: bool, output_format: str) -> int:
    """Explain a rule, by its code or name; without one, list all rules."""
    from conclint.rules import load

    rules = load().rules
    one = None if rule is None else _find(rule, rules)
    if output_format == "json":
        described = _describe(one) if one and not every else [_describe(each) for each in rules]
        write_output(json.dumps(described, indent=2, ensure_ascii=False) + "\n")
    elif one is None and not every:
        write_output("".join(f"{each.code}  {each.name}: {each.summary}{_mark(each)}\n" for each in rules))
    else:
        write_output(_explain(rules if one is None or every else (one,)))
    return 0


def _find(written: str, rules: tuple[Rule, ...]) -> Rule:
    found = find_rule(written, rules)
    if found is None:
        words = (word for each in rules for word in (each.code, each.name))
        raise ConfigError(f"unknown rule `{written}`; {suggest(written, words)}")
    return found


def _mark(rule: Rule) -> str:
    return "" if rule.default else " (opt-in)"


def _explain(rules: Sequence[Rule]) -> str:
    """Return the pages: set for reading on a terminal, as they are for everything else."""
    pages = [_read_page(each) for each in rules]
    terminal = sys.stdout.isatty()
    colour = is_colour_wanted(terminal=terminal)
    return "\n".join(_typeset(page, colour=colour) if terminal or colour else page for page in pages)


def _read_page(rule: Rule) -> str:
    return read_page(rule.code) or f"# {rule.name} ({rule.code})\n\n{rule.summary}; {rule.help}\n"


def _typeset(page: str, *, colour: bool) -> str:
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.theme import Theme

    width = min(shutil.get_terminal_size().columns, _WIDEST)
    # The colours of the terminal's own palette, without a ground, can be read on dark and on light.
    theme = Theme({"markdown.code": "cyan", "markdown.code_block": "cyan"})
    console = Console(width=width, force_terminal=True, color_system="standard" if colour else None, theme=theme)
    with console.capture() as capture:
        console.print(Markdown(page, code_theme="ansi_dark"))
    # rich pads every line to the full width.
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def _describe(rule: Rule) -> dict[str, str | bool]:
    return {
        "code": rule.code,
        "name": rule.name,
        "summary": rule.summary,
        "help": rule.help,
        "category": rule.category.value,
        "since": rule.since,
        "default": rule.default,
        "url": rule.url,
        "explanation": _read_page(rule),
    }
