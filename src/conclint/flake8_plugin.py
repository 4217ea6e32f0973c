"""The flake8 plugin: the same pipeline, on a project of one module.

flake8 imports this module in every run and every worker, so all else is imported when a file needs it. `noqa`
comments are left to flake8.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, ClassVar, NoReturn

from conclint import __version__

if TYPE_CHECKING:
    import argparse
    import ast
    from collections.abc import Iterator, Sequence

    from flake8.options.manager import OptionManager  # type: ignore[import-untyped]

    from conclint.config import Config, Settings
    from conclint.model.alarm import Diagnostic

_STDIN_NAMES = frozenset({"stdin", "-"})

Report = tuple[int, int, str, "type[Plugin]"]
"""Line from 1, column from 0 in characters, code and message, and the plugin."""


class Plugin:
    """What flake8 makes for each file."""

    name = "conclint"
    version = __version__

    _settings: ClassVar[Settings | None] = None
    """Set once per process by `parse_options`, before any file is checked."""

    def __init__(self, tree: ast.AST, filename: str, lines: Sequence[str]) -> None:
        # flake8 tells from the parameter `tree` that this wants whole files.
        del tree
        self._filename = filename
        self._lines = lines

    @staticmethod
    def add_options(parser: OptionManager) -> None:
        """Register our flags; flake8's own settings files know them too."""
        parser.add_option("--conclint-config", metavar="PATH", parse_from_config=True, help="conclint's settings file.")
        parser.add_option(
            "--conclint-select",
            metavar="RULES",
            parse_from_config=True,
            comma_separated_list=True,
            help="Rules of conclint to apply instead of its default ones.",
        )

    @classmethod
    def parse_options(cls, options: argparse.Namespace) -> None:
        """Read the settings; which rules there are is asked when the first file needs them."""
        from conclint.config import ConfigError, Options, read_settings

        flags = Options(select=tuple(options.conclint_select) if options.conclint_select else None)
        named = [options.conclint_config] if options.conclint_config else []
        try:
            cls._settings = read_settings(options.filenames, flags=flags, config=named)
        except ConfigError as error:
            _stop(error)

    def run(self) -> Iterator[Report]:
        """Yield the alarms of the file. A bug of ours costs its own alarms, not flake8's run."""
        from conclint.config import ConfigError

        try:
            found = self._check()
        except ConfigError as error:
            _stop(error)
        except Exception as error:  # noqa: BLE001  # whatever it is, other files and plugins go on
            _complain(self._filename, "conclint", repr(error))
            return
        for each in found:
            message = f"{each.code} {each.message}; {each.help}" if each.help else f"{each.code} {each.message}"
            yield each.span.line, each.span.column - 1, message, type(self)

    def _check(self) -> Sequence[Diagnostic]:
        from conclint.catalog.tokens import is_relevant

        content = _encode("".join(self._lines))
        if self._settings is None or not (self._settings.has_api or is_relevant(content)):
            return ()
        return _check_content(content, self._filename, self._settings)


def _check_content(content: bytes, filename: str, settings: Settings) -> Sequence[Diagnostic]:
    from dataclasses import replace

    from conclint.config import absolute_path, resolve
    from conclint.discover import describe_file, is_forced_out
    from conclint.model.file import SourceFile
    from conclint.model.rule import UNUSED_SUPPRESSION
    from conclint.pipeline import check_files
    from conclint.rules import load

    config: Config = resolve(settings, load().rules)
    if not config.flake8:
        return ()
    if filename in _STDIN_NAMES:
        file = SourceFile(filename, "stdin", content=content)
    elif is_forced_out(absolute_path(filename), config):
        return ()
    else:
        file = describe_file(filename, config, content=content)
    # Which comments suppress nothing only the whole project tells.
    config = replace(config, selected=config.selected - {UNUSED_SUPPRESSION})
    outcome = check_files((file,), config, respect_noqa=False)
    for failure in outcome.failures:
        _complain(filename, failure.rule, failure.error)
    return outcome.diagnostics


def _encode(text: str) -> bytes:
    """Return the bytes that the lines were read from, but for a BOM, by the coding line among them (PEP 263)."""
    import io
    import tokenize

    data = text.encode(errors="surrogateescape")
    try:
        return text.encode(tokenize.detect_encoding(io.BytesIO(data).readline)[0])
    except (SyntaxError, LookupError, UnicodeEncodeError):
        return data


def _complain(path: str, rule: str, error: str) -> None:
    line = f"conclint: internal error in {rule} on {path}: {error}"
    print(line.replace("\n", " "), file=sys.stderr)


def _stop(error: Exception) -> NoReturn:
    """End flake8's run as it ends it for settings of its own."""
    from flake8.exceptions import ExecutionError  # type: ignore[import-untyped]

    raise ExecutionError(f"conclint: {error}") from error
