"""`conclint check`: find problems."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from typing import TYPE_CHECKING

import click
import msgspec

from conclint.cli.output import write_output, write_timings, write_warning
from conclint.cli.progress import show_progress
from conclint.cli.report import Form, report_failures, write_report
from conclint.config import Config, ConfigError, Options, read_settings, resolve, split_list
from conclint.report import OutputFormat

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conclint.cache import Cache
    from conclint.discover import Discovery
    from conclint.pipeline import Outcome
    from conclint.resources import Resources

EXIT_ALARMS = 1
EXIT_INTERNAL = 3

_KEPT: list[object] = []
"""What is not worth freeing, since the process ends."""


class _Flags(msgspec.Struct, frozen=True, kw_only=True):
    """The command line of `check`, as click read it."""

    paths: tuple[str, ...]
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    extend_select: tuple[str, ...]
    extend_ignore: tuple[str, ...]
    per_file_ignores: tuple[str, ...]
    exclude: tuple[str, ...]
    extend_exclude: tuple[str, ...]
    force_exclude: bool
    no_respect_gitignore: bool
    stdin_filename: str | None
    target_version: str | None
    gil: bool | None
    jobs: int | None
    timeout: float | None
    executor: str | None
    no_cache: bool
    cache_dir: str | None
    config: tuple[str, ...]
    isolated: bool
    output_format: OutputFormat
    output_file: str | None
    fix: bool
    unsafe_fixes: bool
    diff: bool
    fix_only: bool
    fixable: tuple[str, ...]
    unfixable: tuple[str, ...]
    add_ignore: str | None
    exit_zero: bool
    exit_non_zero_on_fix: bool
    statistics: bool
    show_files: bool
    show_settings: bool
    no_progress: bool
    quiet: bool
    timings: bool


def _rules_option(name: str, text: str) -> Callable[[click.decorators.FC], click.decorators.FC]:
    return click.option(name, multiple=True, metavar="RULES", help=text)


class _Command(click.Command):
    """A command whose `--add-ignore` takes its value after `=` only, since a path may follow it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, ["--add-ignore=" if one == "--add-ignore" else one for one in args])


@click.command(cls=_Command)
@click.argument("paths", nargs=-1, metavar="[PATHS]...")
@_rules_option("--select", "Rules to apply instead of the default ones: codes, prefixes, names, ALL; comma-separated.")
@_rules_option("--ignore", "Rules not to apply.")
@_rules_option("--extend-select", "Rules to apply besides the selected ones.")
@_rules_option("--extend-ignore", "The same as --ignore, for those who know it from flake8.")
@click.option(
    "--per-file-ignores", multiple=True, metavar="PATTERN:RULES", help="Rules not to apply to files like PATTERN."
)
@click.option("--exclude", multiple=True, metavar="PATTERNS", help="Paths to leave out, instead of the default ones.")
@click.option("--extend-exclude", multiple=True, metavar="PATTERNS", help="Paths to leave out besides the others.")
@click.option("--force-exclude", is_flag=True, help="Leave excluded files out even when they are named.")
@click.option("--no-respect-gitignore", is_flag=True, help="Check ignored files too.")
@click.option("--stdin-filename", metavar="PATH", help="The file that the standard input (`-`) stands for.")
@click.option("--target-version", metavar="VERSION", help="The oldest Python version to run on, such as 3.12.")
@click.option("--gil/--no-gil", default=None, help="Whether Python has its GIL; without it, the rules CON8xx are on.")
@click.option("-j", "--jobs", type=click.IntRange(min=0), metavar="N", help="Processes; 0 for one per processor.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="How long one file may take; one that takes longer fails.",
)
@click.option(
    "--executor", metavar="SPEC", help="Check files elsewhere: dask=ADDRESS, or module:factory for another executor."
)
@click.option("--no-cache", is_flag=True, help="Neither use nor keep results of other runs.")
@click.option("--cache-dir", metavar="DIRECTORY", help="Where results are kept between runs.")
@click.option("--config", multiple=True, metavar="PATH|KEY=VALUE", help="A settings file, or one setting in TOML.")
@click.option("--isolated", is_flag=True, help="Read no settings file.")
@click.option(
    "--output-format",
    type=click.Choice([each.value for each in OutputFormat]),
    default=OutputFormat.FULL.value,
    show_default=True,
    envvar="CONCLINT_OUTPUT_FORMAT",
    help="How to write the report.",
)
@click.option("-o", "--output-file", metavar="FILE", help="Write the report to FILE.")
@click.option("--fix", is_flag=True, help="Fix what can be fixed safely.")
@click.option("--unsafe-fixes", is_flag=True, help="With --fix or --diff: apply fixes that may change behaviour too.")
@click.option("--diff", is_flag=True, help="Change no file, but show what --fix or --add-ignore would change.")
@click.option("--fix-only", is_flag=True, help="Fix, and do not report what is left.")
@_rules_option("--fixable", "Rules whose alarms may be fixed.")
@_rules_option("--unfixable", "Rules whose alarms are not to be fixed.")
@click.option("--add-ignore", metavar="[=REASON]", help="Write comments that ignore all that is found.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 even when there are alarms.")
@click.option("--exit-non-zero-on-fix", is_flag=True, help="Exit with 1 when something was fixed, too.")
@click.option("--statistics", is_flag=True, help="Count the alarms by rule.")
@click.option("--show-files", is_flag=True, help="List the files that would be checked.")
@click.option("--show-settings", is_flag=True, help="Show the settings that hold, as JSON.")
@click.option("--no-progress", is_flag=True, help="Draw no progress bar.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but alarms and errors.")
@click.option("--timings", is_flag=True, help="Say on the standard error how long each stage took.")
def check(**values: object) -> int:
    """Find concurrency mistakes in files and directories; `-` reads the standard input.

    Without PATHS the current directory is checked. The rest of the project is read too, whatever is named, but
    alarms are only shown for PATHS.
    """
    return _run(msgspec.convert(values, _Flags))


def _run(flags: _Flags) -> int:
    from conclint.discover import STDIN
    from conclint.rules import read

    paths = flags.paths or (STDIN if flags.stdin_filename else ".",)
    if flags.stdin_filename and STDIN not in paths:
        raise ConfigError("--stdin-filename: is for the standard input, but the paths are without `-`")
    where = [flags.stdin_filename if path == STDIN and flags.stdin_filename else path for path in paths]
    settings = read_settings(where, flags=_read_options(flags), config=flags.config, isolated=flags.isolated)
    config = resolve(settings, read())
    if flags.show_settings:
        write_output(_render_settings(config))
        return 0
    start = time.perf_counter()
    discovery = discover_files(paths, config, stdin_filename=flags.stdin_filename)
    discovered = time.perf_counter() - start
    if flags.show_files:
        write_output("".join(f"{file.path}\n" for file in discovery.files if file.shown))
        return 0
    code, seconds = _check(discovery, config, flags)
    if flags.timings:
        write_timings({"discover": discovered, **seconds, "total": time.perf_counter() - start})
    return code


def discover_files(paths: Sequence[str], config: Config, *, stdin_filename: str | None = None) -> Discovery:
    """Find the files of the project. Raises ConfigError for a path that does not exist."""
    from conclint.discover import STDIN, discover

    stdin = sys.stdin.buffer.read() if STDIN in paths else None
    discovery = discover(paths, config, stdin=stdin, stdin_filename=stdin_filename)
    if discovery.missing:
        raise ConfigError(f"no such file or directory: {', '.join(discovery.missing)}")
    return discovery


def _check(discovery: Discovery, config: Config, flags: _Flags) -> tuple[int, dict[str, float]]:
    """Return the exit code, and the seconds of the stages by their names."""
    from conclint.resources import Resources, open_executor

    if flags.executor is not None and flags.timeout is not None:
        raise ConfigError("--timeout: is for processes of our own, not for an executor")
    if not flags.quiet:
        warn(discovery)
    cache = None if flags.no_cache else open_cache(config)
    with open_executor(flags.executor) as executor:
        resources = Resources(executor, flags.timeout, cache, kept=_KEPT)
        if flags.fix or flags.diff or flags.fix_only or flags.add_ignore is not None:
            code, outcome = _change(discovery, config, flags, resources)
        else:
            outcome = _find(discovery, config, flags, resources)
            code = _finish(outcome, discovery, flags)
    if cache is not None and cache.problem is not None and not flags.quiet:
        write_warning(f"{config.cache_dir}: cannot keep results here: {cache.problem}; --no-cache does without")
    return code, {stage.value: seconds for stage, seconds in outcome.seconds.items()}


def _find(discovery: Discovery, config: Config, flags: _Flags, resources: Resources) -> Outcome:
    from conclint.pipeline import check_files

    with _show_progress(discovery, flags) as on_file:
        outcome = check_files(discovery.files, config, on_file=on_file, resources=resources)
    if _form(flags).tells_fixes:
        from conclint.offers import offer_fixes

        return offer_fixes(outcome, discovery.files, config, resources)
    return outcome


def _show_progress(
    discovery: Discovery, flags: _Flags
) -> contextlib.AbstractContextManager[Callable[[str], None] | None]:
    return show_progress(len(discovery.files), enabled=not (flags.no_progress or flags.quiet))


def _change(discovery: Discovery, config: Config, flags: _Flags, resources: Resources) -> tuple[int, Outcome]:
    from conclint.cli.fix import Wishes, find_changes, make_changes

    if flags.add_ignore is not None and (flags.fix or flags.fix_only):
        raise ConfigError("--add-ignore: ignores what --fix would fix: use one after the other")
    if flags.add_ignore is not None and not flags.add_ignore.isprintable():
        raise ConfigError("--add-ignore: a reason is one line of text")
    wishes = Wishes(
        unsafe=flags.unsafe_fixes,
        diff=flags.diff,
        fix_only=flags.fix_only,
        exit_non_zero_on_fix=flags.exit_non_zero_on_fix,
        reason=flags.add_ignore,
        quiet=flags.quiet,
    )
    with _show_progress(discovery, flags) as on_file:
        fixed = find_changes(discovery, config, wishes, on_file, resources)
    code = make_changes(fixed, discovery, wishes, lambda outcome, found: _finish(outcome, found, flags))
    return 0 if flags.exit_zero and code == EXIT_ALARMS else code, fixed.outcome


def _finish(outcome: Outcome, discovery: Discovery, flags: _Flags) -> int:
    """Report, and return the exit code."""
    write_report(outcome, discovery, _form(flags))
    report_failures(outcome.failures)
    alarmed = EXIT_ALARMS if outcome.diagnostics and not flags.exit_zero else 0
    return EXIT_INTERNAL if outcome.failures else alarmed


def _form(flags: _Flags) -> Form:
    return Form(
        output_format=flags.output_format,
        output_file=flags.output_file,
        statistics=flags.statistics,
        quiet=flags.quiet,
    )


def open_cache(config: Config) -> Cache | None:
    """Return the cache; None where Python was built without SQLite."""
    try:
        from conclint.cache import Cache
    except ModuleNotFoundError:
        return None
    return Cache(config.cache_dir)


def warn(discovery: Discovery) -> None:
    """Tell of what was not found under the given paths, or could not be looked at."""
    for directory in discovery.unreadable:
        write_warning(f"{directory}: this directory cannot be read")
    for path in discovery.misnamed:
        readable = path.encode(errors="surrogateescape").decode(errors="backslashreplace")
        write_warning(f"{readable}: not checked, since its path is not UTF-8")
    if not any(file.shown for file in discovery.files):
        write_warning("no Python files found under the given paths")


def _read_options(flags: _Flags) -> Options:
    return Options(
        select=_split(flags.select) or None,
        ignore=_split(flags.ignore),
        extend_select=_split(flags.extend_select),
        extend_ignore=_split(flags.extend_ignore),
        per_file_ignores=_read_per_file_ignores(_split(flags.per_file_ignores)),
        exclude=_split(flags.exclude) or None,
        extend_exclude=_split(flags.extend_exclude),
        force_exclude=flags.force_exclude or None,
        respect_gitignore=False if flags.no_respect_gitignore else None,
        target_version=flags.target_version,
        gil=flags.gil,
        fixable=_split(flags.fixable) or None,
        unfixable=_split(flags.unfixable),
        jobs=flags.jobs,
        cache_dir=flags.cache_dir,
    )


def _split(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(part for value in values for part in split_list(value))


def _read_per_file_ignores(parts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Read `a.py:CON1,CON2,b.py:CON3`: a part without a colon goes on with the pattern before it."""
    found: dict[str, tuple[str, ...]] = {}
    pattern = ""
    for part in parts:
        before, colon, selector = part.rpartition(":")
        pattern = before if colon else pattern
        if not pattern or not selector:
            raise ConfigError(f"--per-file-ignores: `{part}` is not PATTERN:RULES")
        found[pattern] = (*found.get(pattern, ()), selector.strip())
    return found


def _render_settings(config: Config) -> str:
    settings = {
        "settings-file": config.source,
        "project": config.project,
        "rules": sorted(config.selected),
        "per-file-ignores": [
            {"base": patterns.base, "patterns": patterns.lines, "rules": sorted(codes)}
            for patterns, codes in config.per_file_ignores
        ],
        "exclude": [{"base": patterns.base, "patterns": patterns.lines} for patterns in config.exclude],
        "force-exclude": config.force_exclude,
        "respect-gitignore": config.respect_gitignore,
        "src": config.src,
        "root-decorators": config.hints.root_decorators,
        "thread-safe-types": config.hints.thread_safe_types,
        "lock-factories": config.hints.lock_factories,
        "fixable": sorted(config.fixable),
        "python-versions": [f"{major}.{minor}" for major, minor in config.hints.versions],
        "gil": config.hints.gil,
        "default-timeout": config.hints.default_timeout,
        "api": sorted({name for row in config.amendments.rows for name in row.names}),
        "jobs": config.jobs,
        "cache-dir": config.cache_dir,
        "flake8": config.flake8,
    }
    return json.dumps(settings, indent=2) + "\n"
