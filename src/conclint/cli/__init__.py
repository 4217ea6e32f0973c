"""The command line. Each command imports what it needs when it runs: `--help` and `--version` load no parser."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from conclint import __version__
from conclint.cli.check import check
from conclint.cli.clean import clean
from conclint.cli.config import config_command
from conclint.cli.map import map_command
from conclint.cli.output import write_error
from conclint.cli.rule import rule
from conclint.cli.server import server
from conclint.config import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_USAGE = 2
EXIT_INTERNAL = 3
EXIT_INTERRUPTED = 130
"""128 and the number of SIGINT, as shells count."""

_NO_BUG = (errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EIO)
"""Errors of the machine: a disk is full, a directory may not be entered."""


class _CheckByDefault(click.Group):
    """A group whose first word may be missing: `conclint src/` means `conclint check src/`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        named = bool(args) and (args[0] in self.commands or args[0] in {"--help", "-h", "--version"})
        return super().parse_args(ctx, args if named else ["check", *args])


@click.group(cls=_CheckByDefault, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="conclint %(version)s")
def command() -> None:
    """Find concurrency mistakes in Python: threads, locks, asyncio, processes, across a whole project.

    `conclint PATHS` is short for `conclint check PATHS`.
    """


@command.command()
def version() -> int:
    """Print the version."""
    click.echo(f"conclint {__version__}")
    return 0


command.add_command(check)
command.add_command(clean)
command.add_command(config_command)
command.add_command(map_command)
command.add_command(rule)
command.add_command(server)


def run() -> NoReturn:
    """Run the command line and end the process at once, as mypy does: freeing a large project would take longer."""
    # The process is short and ends at once: there is nothing that the cyclic garbage collector could win back.
    gc.disable()
    code = main()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code: 0 clean, 1 alarms, 2 usage, 3 a bug of ours."""
    _prepare_streams()
    try:
        result: int | None = command.main(arguments, prog_name="conclint", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        return EXIT_INTERRUPTED
    except click.ClickException as error:
        write_error(error.format_message().replace("\n", " "))
        return EXIT_USAGE
    except ConfigError as error:
        write_error(str(error).replace("\n", " "))
        return EXIT_USAGE
    except Exception as error:  # noqa: BLE001  # the last resort: no bug may look like a result
        if isinstance(error, OSError) and error.errno in _NO_BUG:
            write_error(f"{error.filename or 'standard output'}: {error.strerror}")
            return EXIT_USAGE
        write_error(f"internal error: {error!r}\n{traceback.format_exc()}")
        return EXIT_INTERNAL
    return result or 0


def _prepare_streams() -> None:
    for name in ("stdin", "stdout", "stderr"):
        # None where the process was started without it: `>&-`, a service, pythonw.
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115  # open to the end
    for stream in (sys.stdout, sys.stderr):
        # File names may hold what the terminal's encoding, or any encoding, does not.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
