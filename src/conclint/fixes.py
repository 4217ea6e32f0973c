"""Edits → new text, and new text → files that are never seen half written."""

from __future__ import annotations

import contextlib
import difflib
import io
import os
import re
import secrets
import stat
import sys
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

from conclint.model.alarm import Diagnostic
from conclint.model.fix import Applicability, Edit, Fix
from conclint.model.rule import UNUSED_SUPPRESSION
from conclint.model.span import NEWLINE, Span

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
"""Where an alarm goes, the comment that suppressed it elsewhere may be left over. That is no new mistake."""
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")


_Lines = tuple[str, int, int]
"""The path of a file, and the first and last of some lines in it."""


class UnwritableError(Exception):
    """A file that is left as it is; `str()` says why."""


@dataclass(frozen=True, slots=True)
class Text:
    """The text of a file without its BOM, and the encoding that gives back its bytes, with the BOM."""

    content: str
    encoding: str


def decode(data: bytes) -> Text | None:
    """Return the text of a file; None where it cannot be decoded, or would not be encoded to the same bytes again."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        content = data.decode(encoding)
        return Text(content, encoding) if content.encode(encoding) == data else None
    except (SyntaxError, LookupError, UnicodeError):
        return None


# Which fixes


def is_wanted(fix: Fix | None, *, unsafe: bool) -> bool:
    """Return whether a fix may be applied."""
    return fix is not None and (unsafe or fix.applicability is Applicability.SAFE)


def choose_fixes(diagnostics: Iterable[Diagnostic], writable: Iterable[str], *, unsafe: bool) -> list[Diagnostic]:
    """Return the diagnostics whose fixes can be applied together, the first of those that overlap.

    A fix is applied as a whole or not at all, and only where all its files are `writable`. Two fixes may share an
    edit: both need the same import. What only indents a line is not shared: both would move it.
    """
    chosen: list[Diagnostic] = []
    taken: dict[str, list[Span]] = defaultdict(list)
    made: set[Edit] = set()
    allowed = frozenset(writable)
    for diagnostic in diagnostics:
        fix = diagnostic.fix
        if fix is None or not is_wanted(fix, unsafe=unsafe) or any(edit.path not in allowed for edit in fix.edits):
            continue
        new = [edit for edit in fix.edits if edit not in made or not edit.content.strip()]
        if new and not any(_meet(_reach(edit), other) for edit in new for other in taken[edit.path]):
            chosen.append(diagnostic)
            made.update(new)
            for edit in new:
                taken[edit.path].append(_reach(edit))
    return chosen


def _reach(edit: Edit) -> Span:
    """Return what an edit changes: one that only indents moves all of its line."""
    line = edit.span.line
    return edit.span if edit.content.strip() or not edit.content else Span(line, 1, edit.span.end_line, sys.maxsize)


def _meet(span: Span, other: Span) -> bool:
    """Whether two spans overlap or touch: the order of two insertions at one place would be a guess."""
    start, end = (span.line, span.column), (span.end_line, span.end_column)
    return start <= (other.end_line, other.end_column) and (other.line, other.column) <= end


def group_edits(fixes: Iterable[Fix]) -> dict[str, list[Edit]]:
    """Return the edits of all fixes by file, each once."""
    found: dict[str, list[Edit]] = defaultdict(list)
    for edit in dict.fromkeys(edit for fix in fixes for edit in fix.edits):
        found[edit.path].append(edit)
    return found


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Return the text after edits that do not overlap. Raises ValueError for those that do, or are outside of it."""
    starts = [0, *(match.end() for match in NEWLINE.finditer(text))]
    places = sorted(
        (
            starts[edit.span.line - 1] + edit.span.column - 1,
            starts[edit.span.end_line - 1] + edit.span.end_column - 1,
            edit.content,
        )
        for edit in edits
    )
    if any(one[1] > two[0] for one, two in pairwise(places)) or any(end > len(text) for _, end, _ in places):
        raise ValueError("edits overlap, or stand outside of the text")
    parts, done = [], 0
    for start, end, content in places:
        parts += [text[done:start], content]
        done = end
    return "".join([*parts, text[done:]])


def render_diff(changes: Mapping[str, tuple[str, str]]) -> str:
    """Write what becomes of the files, from old to new text by path, as a unified diff (`patch -p0`)."""
    parts: list[str] = []
    for path, (old, new) in sorted(changes.items()):
        lines = difflib.unified_diff(_split_lines(old), _split_lines(new), path, path)
        parts += (line if line.endswith(("\n", "\r")) else f"{line}\n\\ No newline at end of file\n" for line in lines)
    return "".join(parts)


def find_differences(path: str, old: str, new: str) -> list[Edit]:
    """Return the edits, of whole lines, that turn the text `old` of a file into `new`."""
    before, after = _split_lines(old), _split_lines(new)
    ends = [0, *accumulate(map(len, after))]
    edits: list[Edit] = []
    for kind, first, last, start, end in difflib.SequenceMatcher(None, before, after).get_opcodes():
        if kind != "equal":
            # The end of a text without a last newline is the end of its last line, and no line of its own.
            open_end = last == len(before) > 0 and not before[-1].endswith(("\n", "\r"))
            close = (last, len(before[-1]) + 1) if open_end else (last + 1, 1)
            begin = close if open_end and first == last else (first + 1, 1)
            edits.append(Edit(path, Span(*begin, *close), new[ends[start] : ends[end]]))
    return edits


def _split_lines(text: str) -> Sequence[str]:
    # `str.splitlines` knows ends of lines, a form feed for one, that are none in Python.
    return _LINE.findall(text)


# What fixes have done


def find_regrets(
    before: Sequence[Diagnostic], after: Sequence[Diagnostic], done: Sequence[Diagnostic]
) -> list[Diagnostic]:
    """Return those of `done` whose fixes have brought alarms, which touch the lines that these fixes have written.

    Where some touch none of these lines, any fix may have brought them.
    """
    more = Counter((one.path, one.code) for one in after) - Counter((one.path, one.code) for one in before)
    written = _collect_written(done) if more else {}
    regrets: dict[Diagnostic, None] = {}
    for (path, code), number in more.items():
        suspects = [_find_near(new, written) for new in after if (new.path, new.code) == (path, code)]
        near = [found for found in suspects if found]
        blamed = done if len(near) < number else [one for found in near for one in found]
        if code != UNUSED_SUPPRESSION:
            regrets.update((one, None) for one in blamed if one.fix and not code.startswith(one.fix.reveals))
    return list(regrets)


def _find_near(new: Diagnostic, written: Mapping[Diagnostic, Sequence[_Lines]]) -> list[Diagnostic]:
    ends = [(new.path, new.span), *((related.path, related.span) for related in new.related)]
    return [one for one, lines in written.items() if any(_stands_on(lines, path, span) for path, span in ends)]


def _collect_written(done: Sequence[Diagnostic]) -> dict[Diagnostic, list[_Lines]]:
    """Return for each fix the lines, first and last by file, that it has written into the new text."""
    fixes = {one: one.fix for one in done if one.fix is not None}
    lines = {
        edit: place for edits in group_edits(fixes.values()).values() for edit, place in _find_written(edits).items()
    }
    return {one: [(edit.path, *lines[edit]) for edit in fix.edits] for one, fix in fixes.items()}


def _find_written(edits: Iterable[Edit]) -> dict[Edit, tuple[int, int]]:
    """Return the first and last line, in the new text, of what each edit of one file has put there."""
    found: dict[Edit, tuple[int, int]] = {}
    shift = 0
    for edit in sorted(edits, key=lambda edit: edit.span):
        first, added = edit.span.line + shift, len(NEWLINE.findall(edit.content))
        is_line = edit.span.column == edit.span.end_column == 1 and edit.content.endswith(("\n", "\r"))
        found[edit] = (first, first + added - is_line)
        shift += added - (edit.span.end_line - edit.span.line)
    return found


def _stands_on(written: Iterable[_Lines], path: str, span: Span) -> bool:
    return any(path == one and first <= span.end_line and span.line <= last for one, first, last in written)


# Writing


def write_change(path: str, old: bytes, new: bytes) -> None:
    """Put `new` in the place of `old`; whoever reads the file meanwhile, or after a crash, sees one or the other.

    A symbolic link stays one. A file that holds `new` already, since another run was quicker, is left alone. Raises
    UnwritableError, and changes nothing, for one that holds anything else, and for one that cannot be written.
    """
    target = Path(os.path.realpath(path))
    # Its name is known before it is there, so that an interrupt at any moment leaves nothing behind.
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        status = target.stat()
        if not stat.S_ISREG(status.st_mode) or not os.access(target, os.W_OK):
            raise UnwritableError("it cannot be written")
        with os.fdopen(os.open(temporary, _NEW_FILE, stat.S_IRUSR | stat.S_IWUSR), "wb") as stream:
            stream.write(new)
            stream.flush()
            _keep_owner(stream.fileno(), status)
            os.fsync(stream.fileno())
        # After the owner: giving a file away takes some of its mode bits.
        temporary.chmod(stat.S_IMODE(status.st_mode))
        current = target.read_bytes()
        if current not in {old, new}:
            raise UnwritableError("it has changed in the meantime")
        if current == old:
            temporary.replace(target)
            _sync_directory(target.parent)
    except OSError as error:
        raise UnwritableError(f"it cannot be written: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _keep_owner(descriptor: int, status: os.stat_result) -> None:
    if hasattr(os, "fchown"):
        # Only the superuser may give files away; a group that one belongs to can be kept.
        for owner, group in ((status.st_uid, status.st_gid), (-1, status.st_gid)):
            with contextlib.suppress(OSError):
                os.fchown(descriptor, owner, group)
                return


def _sync_directory(directory: Path) -> None:
    """Have the new name of the file survive a power failure, where the system can promise that."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
