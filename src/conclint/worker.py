"""What a worker does with a file: read, triage, parse, analyse. Bytes out, no syntax tree."""

from __future__ import annotations

import ast
import functools
import signal
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from conclint import catalog
from conclint.catalog.tokens import is_relevant
from conclint.depth import run_deeply
from conclint.imports import find_imports
from conclint.model.alarm import Alarm
from conclint.model.file import SourceFile
from conclint.model.result import Failure, ModuleResult
from conclint.model.span import FILE_START, Span
from conclint.suppress import parse_suppressions

if TYPE_CHECKING:
    from conclint.analysis.traverse import Checks
    from conclint.source import Source

_SYNTAX_ERROR = "CON001"


def prepare() -> None:
    """Load all that a worker needs. Done before processes are forked, they share it."""
    import conclint.analysis.module
    import conclint.source  # noqa: F401

    catalog.load()
    _group_checks()


def begin_process() -> None:
    """Begin a process that works for another one. Ctrl-C reaches both: it ends this one at once and silently."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    prepare()
    from conclint.building import build_quickly

    build_quickly()


def check_batch(
    files: Sequence[SourceFile], *, triage: bool, amendments: catalog.Amendments = catalog.NO_AMENDMENTS
) -> bytes:
    """Check some files, each for itself; return the list of their `ModuleResult`s as msgpack."""

    def check() -> bytes:
        with catalog.amend(amendments):
            return msgspec.msgpack.encode([check_module(file, triage=triage) for file in files])

    return run_deeply(check)


def check_module(file: SourceFile, *, triage: bool = True) -> ModuleResult:
    """Return everything that one file contributes; whatever goes wrong is part of the result."""
    try:
        return _check_module(file, triage=triage)
    except Exception as error:  # noqa: BLE001  # the one place that catches our own bugs in the analysis of a file
        failure = Failure(file.path, "analysis", repr(error), traceback.format_exc())
        return ModuleResult(file.path, file.module, False, None, (), (), (failure,))


def _check_module(file: SourceFile, *, triage: bool) -> ModuleResult:
    try:
        data = file.content if file.content is not None else Path(file.path).read_bytes()
    except OSError as error:
        return _refuse(file, f"cannot be read: {error.strerror or error}")
    if triage and not is_relevant(data) and _is_valid(data):
        return ModuleResult(file.path, file.module, True, None, (), (), (), find_imports(data, file))
    from conclint.source import SourceError, decode, parse

    try:
        text = decode(data)
        source = parse(text, path=file.path, module=file.module, is_package=file.is_package)
    except SourceError as error:
        return _refuse(file, str(error), error.span)
    return _analyse(file, source)


def _analyse(file: SourceFile, source: Source) -> ModuleResult:
    from conclint.analysis.module import analyse

    try:
        analysis = analyse(source, _group_checks())
    except RecursionError:
        return _refuse(file, "cannot be parsed: nested too deeply")
    suppressions = parse_suppressions(source.text)
    return ModuleResult(file.path, file.module, False, analysis.facts, analysis.alarms, suppressions, analysis.failures)


def _refuse(file: SourceFile, message: str, span: Span = FILE_START) -> ModuleResult:
    alarm = Alarm(file.path, span, _SYNTAX_ERROR, message)
    return ModuleResult(file.path, file.module, False, None, (alarm,), (), ())


def _is_valid(data: bytes) -> bool:
    """Whether Python's own parser, which is quick, finds nothing wrong; where it does, libcst has the last word."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


@functools.cache
def _group_checks() -> Checks:
    from conclint import rules

    grouped: dict[type, list[object]] = {}
    for check in rules.load().local:
        for node_type in check.on:
            grouped.setdefault(node_type, []).append(check)
    return grouped  # type: ignore[return-value]  # typed by the rules themselves
