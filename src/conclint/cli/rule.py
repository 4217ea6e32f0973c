"""`conclint rule`: what the rules are about."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from conclint.cli.output import write_output
from conclint.config import ConfigError, find_rule, suggest

if TYPE_CHECKING:
    from conclint.model.rule import Rule


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
    chosen = rules if rule is None else (_find(rule, rules),)
    if output_format == "json":
        entries = [_describe(each) for each in chosen]
        write_output(json.dumps(entries if rule is None else entries[0], indent=2) + "\n")
    elif rule is None and not every:
        write_output("".join(f"{each.code}  {each.name}: {each.summary}{_mark(each)}\n" for each in rules))
    else:
        write_output("\n".join(_explain(each) for each in chosen))
    return 0


def _find(written: str, rules: tuple[Rule, ...]) -> Rule:
    found = find_rule(written, rules)
    if found is None:
        words = (word for each in rules for word in (each.code, each.name))
        raise ConfigError(f"unknown rule `{written}`; {suggest(written, words)}")
    return found


def _mark(rule: Rule) -> str:
    return "" if rule.default else " (opt-in)"


def _explain(rule: Rule) -> str:
    state = "on by default" if rule.default else f"opt-in: --extend-select {rule.code}"
    return (
        f"{rule.code} {rule.name}\n"
        f"  {rule.summary}\n"
        f"  help: {rule.help}\n"
        f"  {rule.category.value}, {state}, since {rule.since}\n"
        f"  {rule.url}\n"
    )


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
    }
