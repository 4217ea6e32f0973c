"""`conclint map`: what conclint believes about the threads, locks and shared state of a project."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from conclint.cli.check import EXIT_INTERNAL, discover_files, open_cache, warn
from conclint.cli.output import write_file, write_output, write_warning
from conclint.cli.progress import show_progress
from conclint.cli.report import WIDTH_OF_LOGS, report_failures
from conclint.config import ConfigError, Options, is_colour_wanted, read_settings, resolve, suggest

if TYPE_CHECKING:
    from conclint.model.map import Map


class _Flags(msgspec.Struct, frozen=True, kw_only=True):
    """The command line of `map`, as click read it."""

    paths: tuple[str, ...]
    names: tuple[str, ...]
    roots: bool
    state: bool
    locks: bool
    possible: bool
    output_format: str
    output_file: str | None
    config: tuple[str, ...]
    isolated: bool
    jobs: int | None
    no_cache: bool
    cache_dir: str | None
    no_progress: bool
    quiet: bool


@click.command("map")
@click.argument("paths", nargs=-1, metavar="[PATHS]...")
@click.option(
    "-n",
    "--name",
    "names",
    multiple=True,
    metavar="NAME",
    help="Look closely at the root, lock or state of that name, or with that end: `Worker._lock`, `*._jobs`.",
)
@click.option("--roots", is_flag=True, help="Show the roots, all of them.")
@click.option("--state", is_flag=True, help="Show the shared state, all of it.")
@click.option("--locks", is_flag=True, help="Show the locks and their order, all of them.")
@click.option("--possible", is_flag=True, help="Show state that is not certainly shared too.")
@click.option(
    "--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to write it."
)
@click.option("-o", "--output-file", metavar="FILE", help="Write the map to FILE.")
@click.option("-j", "--jobs", type=click.IntRange(min=0), metavar="N", help="Processes; 0 for one per processor.")
@click.option("--no-cache", is_flag=True, help="Neither use nor keep results of other runs.")
@click.option("--cache-dir", metavar="DIRECTORY", help="Where results are kept between runs.")
@click.option("--config", multiple=True, metavar="PATH|KEY=VALUE", help="A settings file, or one setting in TOML.")
@click.option("--isolated", is_flag=True, help="Read no settings file.")
@click.option("--no-progress", is_flag=True, help="Draw no progress bar.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but the map and errors.")
def map_command(**values: object) -> int:
    """Show the roots (threads, tasks, processes, handlers), shared state and locks that conclint knows of.

    It shows what the rules believe: where an alarm is missing, look here for the reason. The whole project is read,
    and what has a place in PATHS is shown.
    """
    return _run(msgspec.convert(values, _Flags))


def _run(flags: _Flags) -> int:
    from conclint.pipeline import map_files
    from conclint.resources import Resources
    from conclint.rules import read

    paths = flags.paths or (".",)
    options = Options(jobs=flags.jobs, cache_dir=flags.cache_dir)
    settings = read_settings(paths, flags=options, config=flags.config, isolated=flags.isolated)
    config = resolve(settings, read())
    discovery = discover_files(paths, config)
    if not flags.quiet:
        warn(discovery)
    resources = Resources(cache=None if flags.no_cache else open_cache(config))
    with show_progress(len(discovery.files), enabled=not (flags.no_progress or flags.quiet)) as on_file:
        outcome = map_files(discovery.files, config, names=flags.names, on_file=on_file, resources=resources)
    for path in outcome.map.unread:
        write_warning(f"{path}: cannot be read or parsed, and is not in the map")
    if outcome.failures:
        report_failures(outcome.failures)
        return EXIT_INTERNAL
    if flags.names and not outcome.map.asked:
        raise ConfigError(f"--name: nothing is called {_quote(flags.names)}; {_suggest(flags.names[0], outcome.map)}")
    _write(outcome.map, flags)
    return 0


def _quote(names: tuple[str, ...]) -> str:
    return " or ".join(f"`{name}`" for name in names)


def _suggest(name: str, found: Map) -> str:
    """Compare as many of the last parts of all names as `name` has."""
    ids = [root.function for root in found.roots]
    ids += [state.id for state in found.state] + [lock.id for lock in found.locks]
    parts = name.count(".") + 1
    return suggest(name, [".".join(one.split(".")[-parts:]) for one in ids]) if ids else "the map is empty"


def _write(found: Map, flags: _Flags) -> None:
    from conclint.report.map_json import render_map_json
    from conclint.report.map_text import Section, render_map_text

    if flags.output_format == "json":
        text = render_map_json(found)
    else:
        wanted = {Section.ROOTS: flags.roots, Section.STATE: flags.state or flags.possible, Section.LOCKS: flags.locks}
        text = render_map_text(
            found,
            sections=[section for section, is_wanted in wanted.items() if is_wanted],
            possible=flags.possible,
            color=flags.output_file is None and is_colour_wanted(terminal=sys.stdout.isatty()),
            width=shutil.get_terminal_size((WIDTH_OF_LOGS, 0)).columns,
        )
    if flags.output_file is not None:
        write_file(Path(flags.output_file), text)
    else:
        write_output(text)
