"""Checking and fixing in turns: a fix may make room for another one, or bring an alarm of its own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from conclint.config import Config
from conclint.fixes import apply_edits, choose_fixes, decode, is_wanted
from conclint.ignores import write_ignores
from conclint.model.alarm import Diagnostic
from conclint.model.file import SourceFile
from conclint.model.result import Failure
from conclint.model.rule import SYNTAX_ERROR, UNUSED_SUPPRESSION
from conclint.model.span import NEWLINE, Span
from conclint.offers import apply_fixes, confirm_fixes, find_bad, find_broken, pin
from conclint.pipeline import Outcome, add_fixes, check_files
from conclint.resources import NO_RESOURCES, Resources

_MOST_ROUNDS = 10
NEVER_IGNORED = (SYNTAX_ERROR, UNUSED_SUPPRESSION)
"""What does not parse has no place for a comment, and a comment that is of no use is not mended by another one."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a file holds, and what it should."""

    old: bytes
    new: bytes


@dataclass(frozen=True, slots=True)
class Fixed:
    """What is left after fixing, the changes by path, and what they fix. Nothing is written yet."""

    outcome: Outcome
    files: tuple[SourceFile, ...]
    """The files as they would be, those that are shown with their content."""
    changes: Mapping[str, Change]
    diagnostics: tuple[Diagnostic, ...]
    is_stable: bool
    """Whether another round would fix nothing more."""
    refused: int = 0
    """How many of those that are left could be fixed, but with other alarms for it."""


@dataclass(frozen=True, slots=True)
class _Round:
    """The files at some time, and what is found in them."""

    files: Mapping[str, SourceFile]
    outcome: Outcome


def fix_files(
    files: Sequence[SourceFile],
    config: Config,
    *,
    unsafe: bool = False,
    on_file: Callable[[str], None] | None = None,
    resources: Resources = NO_RESOURCES,
) -> Fixed:
    """Check and fix `files` until nothing more is fixed. All happens in memory; only files that are shown change.

    A round that goes wrong is taken back, and the fixes that may be to blame are made once more, one by one. Those that
    leave their alarm, or bring others, are refused. One that leaves a file that does not parse is our bug: a failure
    says so.
    """
    pinned = {file.path: pin(file) for file in files}
    latest: list[Diagnostic] = []
    done: list[Diagnostic] = []
    broken: list[Failure] = []
    suspects: set[_Name] = set()
    refused: set[_Name] = set()
    best = _look(pinned, config, on_file, resources)
    for _ in range(_MOST_ROUNDS):
        latest = _choose(best, suspects, unsafe=unsafe)
        doubtful = latest or _choose(best, refused, unsafe=unsafe)[:1]
        if not doubtful:
            break
        new = _look(apply_fixes(best.files, doubtful), config, None, resources)
        bad = {_name(best, one) for one in find_bad(best.outcome.diagnostics, new.outcome.diagnostics, doubtful)}
        suspects |= bad
        if not bad:
            best = new
            done += doubtful
        elif len(doubtful) == 1:
            refused |= bad
            broken += find_broken(new.outcome.diagnostics, doubtful)
    changes = _compare(pinned, best.files)
    left = confirm_fixes(_withdraw(best, suspects), tuple(best.files.values()), config, resources)
    count = sum(one.fix != new.fix for one, new in zip(best.outcome.diagnostics, left.diagnostics, strict=True))
    outcome = replace(left, failures=tuple(dict.fromkeys((*left.failures, *broken))))
    fixed = tuple(sorted(done, key=_place))
    return Fixed(outcome, tuple(best.files.values()), changes, fixed, is_stable=not latest, refused=count)


def _look(
    files: Mapping[str, SourceFile], config: Config, on_file: Callable[[str], None] | None, resources: Resources
) -> _Round:
    now = tuple(files.values())
    # One project at a time: a large one fills much of the memory.
    resources = replace(resources, kept=None)
    found = check_files(now, config, on_file=on_file, resources=resources)
    return _Round(files, add_fixes(found, now, config, resources))


_Name = tuple[str, str, str, str]
"""What a diagnostic is still known by when the lines above it have changed: it, and the text of its line."""


def _name(now: _Round, one: Diagnostic) -> _Name:
    text = decode(now.files[one.path].content or b"")
    lines = NEWLINE.split(text.content) if text is not None else []
    line = lines[one.span.line - 1].strip() if one.span.line <= len(lines) else ""
    return one.path, one.code, one.message, line


def _is_refused(now: _Round, one: Diagnostic, refused: Collection[_Name]) -> bool:
    return one.fix is not None and bool(refused) and _name(now, one) in refused


def _withdraw(now: _Round, refused: Collection[_Name]) -> Outcome:
    """Return what was found, without the fixes that are refused."""
    kept = (
        msgspec.structs.replace(one, fix=None) if _is_refused(now, one, refused) else one
        for one in now.outcome.diagnostics
    )
    return replace(now.outcome, diagnostics=tuple(kept))


def _choose(now: _Round, refused: Collection[_Name], *, unsafe: bool) -> list[Diagnostic]:
    writable = [file.path for file in now.files.values() if file.shown]
    wanted = (one for one in now.outcome.diagnostics if not _is_refused(now, one, refused))
    return choose_fixes(wanted, writable, unsafe=unsafe)


def _place(diagnostic: Diagnostic) -> tuple[str, Span, str]:
    return diagnostic.path, diagnostic.span, diagnostic.code


def count_unsafe(diagnostics: Sequence[Diagnostic]) -> int:
    """Return how many more would be fixed with unsafe fixes."""
    return sum(is_wanted(one.fix, unsafe=True) and not is_wanted(one.fix, unsafe=False) for one in diagnostics)


def _compare(old: Mapping[str, SourceFile], new: Mapping[str, SourceFile]) -> dict[str, Change]:
    return {
        path: Change(old[path].content or b"", file.content or b"")
        for path, file in sorted(new.items())
        if file.content != old[path].content
    }


def ignore_alarms(
    files: Sequence[SourceFile],
    config: Config,
    reason: str,
    *,
    on_file: Callable[[str], None] | None = None,
    resources: Resources = NO_RESOURCES,
) -> Fixed:
    """Check `files`, and write comments that suppress what is found; what no comment helps is left."""
    pinned = {file.path: pin(file) for file in files}
    outcome = check_files(tuple(pinned.values()), config, on_file=on_file, resources=resources)
    wanted: dict[str, list[Diagnostic]] = {}
    for one in outcome.diagnostics:
        if one.code not in NEVER_IGNORED:
            wanted.setdefault(one.path, []).append(one)
    current = {path: _ignore(file, wanted[path], reason) if path in wanted else file for path, file in pinned.items()}
    changes = _compare(pinned, current)
    if not changes:
        return Fixed(outcome, tuple(current.values()), {}, (), is_stable=True)
    # Comments on lines of their own move what is left, and one comment may suppress what stands in other files.
    after = check_files(tuple(current.values()), config, resources=resources)
    left = {(one.path, one.code, one.message) for one in after.diagnostics}
    done = tuple(one for one in outcome.diagnostics if (one.path, one.code, one.message) not in left)
    return Fixed(after, tuple(current.values()), changes, done, is_stable=True)


def _ignore(file: SourceFile, diagnostics: Sequence[Diagnostic], reason: str) -> SourceFile:
    text = decode(file.content) if file.content is not None else None
    if text is None:
        return file
    new = apply_edits(text.content, write_ignores(text.content, diagnostics, reason))
    return replace(file, content=new.encode(text.encoding, errors="backslashreplace"))
