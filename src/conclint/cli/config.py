"""`conclint config`: what there is to set."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from conclint.cli.check import check
from conclint.cli.output import write_output
from conclint.cli.report import WIDTH_OF_LOGS
from conclint.config import ConfigError, suggest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conclint.config.describe import Setting


@click.command("config")
@click.argument("key", metavar="[KEY]", required=False)
@click.option(
    "--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to write them."
)
def config_command(key: str | None, *, output_format: str) -> int:
    """Describe a setting of `[tool.conclint]`; without KEY, list all of them."""
    from conclint.config.describe import describe_settings

    settings = describe_settings()
    chosen = settings if key is None else [_find(key, settings)]
    if output_format == "json":
        described = [{**asdict(one), "flag": _find_flag(one)} for one in chosen]
        write_output(json.dumps(described if key is None else described[0], indent=2, ensure_ascii=False) + "\n")
    else:
        write_output(_list(settings) if key is None else _explain(chosen[0]))
    return 0


def _find(key: str, settings: Sequence[Setting]) -> Setting:
    found = next((one for one in settings if one.key == key.replace("_", "-")), None)
    if found is None:
        raise ConfigError(f"unknown setting `{key}`; {suggest(key, [one.key for one in settings])}")
    return found


def _find_flag(setting: Setting) -> str:
    """Return the flag of `conclint check` that gives a setting, "" where there is none."""
    flags = [flag for parameter in check.params for flag in parameter.opts]
    return next((flag for flag in (f"--{setting.key}", f"--no-{setting.key}") if flag in flags), "")


def _list(settings: Sequence[Setting]) -> str:
    from conclint.report.columns import lay_out
    from conclint.report.paint import Piece, paint

    rows = [(Piece(one.key), Piece(f"{one.description} Default: {one.default}.")) for one in settings]
    return paint(lay_out(rows, indent=0, width=shutil.get_terminal_size((WIDTH_OF_LOGS, 0)).columns), color=False)


def _explain(setting: Setting) -> str:
    facts = {
        "type": setting.type,
        "default": setting.default,
        "flag": _find_flag(setting),
        "environment": setting.variable,
    }
    lines = "".join(f"  {name:<12} {text}\n" for name, text in facts.items() if text)
    return f"{setting.key}: {setting.description}\n{lines}"
