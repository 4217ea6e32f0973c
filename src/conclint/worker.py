"""What a worker does with a file: triage, parse, analyse. Bytes in, bytes out, no syntax tree."""

from __future__ import annotations

import ast
import functools
import signal
import threading
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from conclint import __version__, catalog
from conclint.catalog.tokens import is_relevant
from conclint.depth import run_deeply
from conclint.imports import find_imports
from conclint.model.alarm import Alarm
from conclint.model.file import SourceFile
from conclint.model.result import Failure, ModuleResult
from conclint.model.rule import SYNTAX_ERROR
from conclint.model.span import FILE_START, Span
from conclint.suppress import parse_suppressions
from conclint.wire import pack, unpack

if TYPE_CHECKING:
    from conclint.analysis.traverse import Checks
    from conclint.source import Source


def prepare() -> None:
    """Load all that a worker needs. Done before processes are forked, they share it."""
    import conclint.analysis.module
    import conclint.source  # noqa: F401

    catalog.load()
    group_checks()


def begin_process() -> None:
    """Begin a process that works for another one. Ctrl-C reaches both: it ends this one at once and silently."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    prepare()


class Request(msgspec.Struct, frozen=True, array_like=True):
    """Some files to check, by a worker of the same version."""

    version: str
    triage: bool
    files: tuple[SourceFile, ...]
    amendments: catalog.Amendments = catalog.NO_AMENDMENTS
    small: bool = True
    """Whether what comes back is to be compressed, since it goes a long way, or is kept."""


class VersionError(Exception):
    """A worker has another version of conclint than who asks it: what it says of a file could mean something else."""


_one_at_a_time = threading.Lock()
"""Executors may run jobs in threads. A batch changes settings of its process for a while, and holds the GIL anyway."""


def check_batch(data: bytes) -> bytes:
    """Check the files of a packed `Request`, each for itself; return the list of the packed `ModuleResult`s."""
    request = unpack(data, Request)
    if request.version != __version__:
        raise VersionError(f"a worker has conclint {__version__}, this is conclint {request.version}")
    with _one_at_a_time:
        return run_deeply(lambda: _check_batch(request))


def _check_batch(request: Request) -> bytes:
    with catalog.amend(request.amendments):
        results = [check_module(file, triage=request.triage) for file in request.files]
        return msgspec.msgpack.encode([pack(one, small=request.small) for one in results])


def check_module(file: SourceFile, *, triage: bool = True) -> ModuleResult:
    """Return everything that one file contributes; whatever goes wrong is part of the result."""
    try:
        return _check_module(file, triage=triage)
    except Exception as error:  # noqa: BLE001  # the one place that catches our own bugs in the analysis of a file
        failure = Failure(file.path, "analysis", repr(error), traceback.format_exc())
        return ModuleResult(file.path, file.module, False, None, (), (), (failure,))


def _check_module(file: SourceFile, *, triage: bool) -> ModuleResult:
    if file.error is not None:
        return _refuse(file, f"cannot be read: {file.error}")
    try:
        data = file.content if file.content is not None else Path(file.path).read_bytes()
    except OSError as error:
        return _refuse(file, f"cannot be read: {error.strerror or error}")
    if triage and not is_relevant(data) and _is_valid(data):
        return ModuleResult(file.path, file.module, True, None, (), (), (), find_imports(data, file))
    from conclint.source import SourceError, decode, sketch

    try:
        text = decode(data)
        source = sketch(text, path=file.path, module=file.module, is_package=file.is_package)
    except SourceError as error:
        return _refuse(file, str(error), error.span)
    return _analyse(file, source)


def _analyse(file: SourceFile, source: Source) -> ModuleResult:
    from conclint.analysis.module import analyse

    try:
        analysis = analyse(source, group_checks())
    except RecursionError:
        return _refuse(file, "cannot be parsed: nested too deeply")
    suppressions = parse_suppressions(source.text)
    return ModuleResult(file.path, file.module, False, analysis.facts, analysis.alarms, suppressions, analysis.failures)


def _refuse(file: SourceFile, message: str, span: Span = FILE_START) -> ModuleResult:
    alarm = Alarm(file.path, span, SYNTAX_ERROR, message)
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
def group_checks() -> Checks:
    """Return the local checks by the type of node that they want."""
    from conclint import rules

    grouped: dict[type, list[object]] = {}
    for check in rules.load().local:
        for node_type in check.on:
            grouped.setdefault(node_type, []).append(check)
    return grouped  # type: ignore[return-value]  # typed by the rules themselves
