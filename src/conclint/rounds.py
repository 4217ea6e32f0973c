"""Checking and fixing in turns: a fix may make room for another one, or bring an alarm of its own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from conclint.config import Config
from conclint.fixes import apply_edits, choose_fixes, decode, find_regrets, group_edits, is_wanted
from conclint.ignores import write_ignores
from conclint.model.alarm import Diagnostic
from conclint.model.file import SourceFile
from conclint.model.result import Failure
from conclint.model.span import NEWLINE, Span
from conclint.pipeline import Outcome, add_fixes, check_files
from conclint.resources import NO_RESOURCES, Resources

_MOST_ROUNDS = 10
_SYNTAX_ERROR = "CON001"
NEVER_IGNORED = (_SYNTAX_ERROR, "CON002")
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

    A round that goes wrong is taken back. Where it leaves a file that does not parse, that is our bug: a failure says
    so, and the file is not touched again. Fixes that bring other alarms are refused.
    """
    pinned = {file.path: _pin(file) for file in files}
    latest: list[Diagnostic] = []
    done: list[Diagnostic] = []
    broken: list[Failure] = []
    refused: set[_Name] = set()
    best = _look(pinned, config, on_file, resources)
    for _ in range(_MOST_ROUNDS):
        latest = _choose(best, broken, refused, unsafe=unsafe)
        if not latest:
            break
        new = _look(_apply(best.files, latest), config, None, resources)
        if bad := _find_broken(new.outcome, latest):
            # The whole round is taken back, since a fix may have changed other files as well.
            broken += bad
        elif regrets := find_regrets(best.outcome.diagnostics, new.outcome.diagnostics, latest):
            refused |= {_name(best, one) for one in regrets}
        else:
            best = new
            done += latest
    changes = _compare(pinned, best.files)
    best, count = _withdraw(best, refused)
    outcome = replace(best.outcome, failures=(*best.outcome.failures, *broken))
    done.sort(key=_place)
    return Fixed(outcome, tuple(best.files.values()), changes, tuple(done), is_stable=not latest, refused=count)


def _look(
    files: Mapping[str, SourceFile], config: Config, on_file: Callable[[str], None] | None, resources: Resources
) -> _Round:
    now = tuple(files.values())
    return _Round(files, add_fixes(check_files(now, config, on_file=on_file, resources=resources), now, config))


_Name = tuple[str, str, str, str]
"""What a diagnostic is still known by when the lines above it have changed: it, and the text of its line."""


def _name(now: _Round, one: Diagnostic) -> _Name:
    text = decode(now.files[one.path].content or b"")
    lines = NEWLINE.split(text.content) if text is not None else []
    line = lines[one.span.line - 1].strip() if one.span.line <= len(lines) else ""
    return one.path, one.code, one.message, line


def _is_refused(now: _Round, one: Diagnostic, refused: Collection[_Name]) -> bool:
    return one.fix is not None and bool(refused) and _name(now, one) in refused


def _withdraw(now: _Round, refused: Collection[_Name]) -> tuple[_Round, int]:
    """Return the round without the fixes that are refused, and how many these are."""
    kept = [
        msgspec.structs.replace(one, fix=None) if _is_refused(now, one, refused) else one
        for one in now.outcome.diagnostics
    ]
    count = sum(one.fix != new.fix for one, new in zip(now.outcome.diagnostics, kept, strict=True))
    return _Round(now.files, replace(now.outcome, diagnostics=tuple(kept))), count


def _choose(now: _Round, broken: Sequence[Failure], refused: Collection[_Name], *, unsafe: bool) -> list[Diagnostic]:
    untouchable = {failure.path for failure in broken}
    writable = [file.path for file in now.files.values() if file.shown and file.path not in untouchable]
    wanted = (one for one in now.outcome.diagnostics if not _is_refused(now, one, refused))
    return choose_fixes(wanted, writable, unsafe=unsafe)


def _place(diagnostic: Diagnostic) -> tuple[str, Span, str]:
    return diagnostic.path, diagnostic.span, diagnostic.code


def count_unsafe(diagnostics: Sequence[Diagnostic]) -> int:
    """Return how many more would be fixed with unsafe fixes."""
    return sum(is_wanted(one.fix, unsafe=True) and not is_wanted(one.fix, unsafe=False) for one in diagnostics)


def _pin(file: SourceFile) -> SourceFile:
    """Hold on to what a file is now, so that every round, and the end, is about the same text."""
    if file.content is not None or not file.shown:
        return file
    try:
        return replace(file, content=Path(file.path).read_bytes())
    except OSError:
        # The worker says so, in its own words.
        return file


def _find_broken(outcome: Outcome, latest: Sequence[Diagnostic]) -> list[Failure]:
    """Return what to say of the files that the fixes of the round before have left unreadable."""
    touched = {edit.path for one in latest if one.fix is not None for edit in one.fix.edits}
    codes = ", ".join(sorted({one.code for one in latest}))
    bad = touched & {one.path for one in outcome.diagnostics if one.code == _SYNTAX_ERROR}
    return [Failure(path, "fixes", f"the fixes of {codes} break the syntax", "") for path in sorted(bad)]


def _apply(files: Mapping[str, SourceFile], chosen: Sequence[Diagnostic]) -> dict[str, SourceFile]:
    changed = dict(files)
    for path, edits in group_edits(one.fix for one in chosen if one.fix is not None).items():
        text = decode(files[path].content or b"")
        if text is not None:
            content = apply_edits(text.content, edits).encode(text.encoding)
            changed[path] = replace(files[path], content=content)
    return changed


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
    pinned = {file.path: _pin(file) for file in files}
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
