"""`conclint clean`: remove what runs have kept."""

from __future__ import annotations

import click

from conclint.cli.output import write_output
from conclint.config import ConfigError, Options, absolute_path, path_below, read_settings, resolve


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATHS]...")
@click.option("--cache-dir", metavar="DIRECTORY", help="Where results are kept between runs.")
@click.option("--config", multiple=True, metavar="PATH|KEY=VALUE", help="A settings file, or one setting in TOML.")
@click.option("--isolated", is_flag=True, help="Read no settings file.")
def clean(*, paths: tuple[str, ...], cache_dir: str | None, config: tuple[str, ...], isolated: bool) -> int:
    """Remove the results that are kept between runs for the project of PATHS."""
    from conclint.cache import remove_cache
    from conclint.rules import read

    flags = Options(cache_dir=cache_dir)
    directory = resolve(read_settings(paths, flags=flags, config=config, isolated=isolated), read()).cache_dir
    shown = path_below(directory, absolute_path(".")) or directory
    try:
        removed = remove_cache(directory)
    except OSError as error:
        raise ConfigError(f"cannot remove {error.filename}: {error.strerror}") from error
    write_output(f"removed {shown}\n" if removed else f"there is nothing in {shown}\n")
    return 0
