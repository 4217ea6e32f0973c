"""Which fixes are offered: those that do away with their alarm, and bring no other one.

Whether a fix keeps that promise is tried out, in memory: a lock that one file takes may be waited for in another one.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from conclint.config import Config
from conclint.fixes import apply_edits, choose_fixes, decode, find_regrets, group_edits
from conclint.model.alarm import Diagnostic
from conclint.model.file import SourceFile
from conclint.model.fix import Fix
from conclint.model.result import Failure
from conclint.model.rule import SYNTAX_ERROR
from conclint.pipeline import Outcome, add_fixes, check_files
from conclint.repair import find_anchors
from conclint.resources import NO_RESOURCES, Resources

_MOST_TRIALS = 5
"""How often the project is checked, whatever is offered. What has not been tried by then is not offered."""
_Offers = dict[int, Fix]
"""The fixes by the number of their diagnostic."""


def offer_fixes(
    outcome: Outcome, files: Sequence[SourceFile], config: Config, resources: Resources = NO_RESOURCES
) -> Outcome:
    """Return the outcome with the fixes that hold. Those of a run in which nothing has changed are remembered."""
    # One text for all: the fixers', and that of the trials.
    fixed = {anchor.path for one in outcome.diagnostics for anchor in find_anchors(one)}
    files = tuple(pin(file) if file.path in fixed else file for file in files)
    cache = resources.cache
    if cache is None:
        return confirm_fixes(add_fixes(outcome, files, config), files, config)
    cache.identify(files, config.amendments)
    question = _describe(outcome.diagnostics, config)
    known = cache.load_fixes(cache.key_fixes(files, question), _Offers)
    if known is not None:
        diagnostics = tuple(replace(one, fix=known.get(number)) for number, one in enumerate(outcome.diagnostics))
        return dataclasses.replace(outcome, diagnostics=diagnostics)
    proposed = add_fixes(outcome, files, config, resources)
    # Before files are given with other content: what has changed since it was checked has no key any more.
    key = cache.key_fixes(files, question)
    confirmed = confirm_fixes(proposed, files, config, resources)
    if not confirmed.failures:
        fixes = {number: one.fix for number, one in enumerate(confirmed.diagnostics) if one.fix is not None}
        cache.store_fixes(key, fixes)
    cache.flush()
    return confirmed


def _describe(diagnostics: Sequence[Diagnostic], config: Config) -> bytes:
    """Return what decides about the fixes of these diagnostics, besides the files."""
    ignores = [(patterns, sorted(codes)) for patterns, codes in config.per_file_ignores]
    settings = repr((config.hints, sorted(config.selected), sorted(config.fixable), ignores))
    return settings.encode(errors="surrogateescape") + msgspec.msgpack.encode(diagnostics)


def confirm_fixes(
    outcome: Outcome, files: Sequence[SourceFile], config: Config, resources: Resources = NO_RESOURCES
) -> Outcome:
    """Withdraw the fixes that cannot be made, leave their alarm or bring others.

    Each trial links the project, so all that do not overlap are tried at once. When that goes wrong, those to blame
    are put aside, to be tried one by one.
    """
    waiting = [one for one in outcome.diagnostics if one.fix is not None]
    if not waiting:
        return outcome
    if resources.kept is not None:
        # One project at a time: a large one fills much of the memory.
        resources.kept.clear()
        resources = dataclasses.replace(resources, kept=None)
    sources = {file.path: file for file in files}
    writable = [file.path for file in files if file.shown]
    aside: list[Diagnostic] = []
    good: set[Diagnostic] = set()
    failures: list[Failure] = []
    for _ in range(_MOST_TRIALS):
        group = choose_fixes(waiting, writable, unsafe=True) or aside[:1]
        if not group:
            break
        after = check_files(tuple(apply_fixes(sources, group).values()), config, resources=resources)
        # What has failed has found nothing, which says nothing.
        has_failed = len(after.failures) > len(outcome.failures)
        bad = group if has_failed else find_bad(outcome.diagnostics, after.diagnostics, group)
        if bad and len(group) > 1:
            waiting = [one for one in waiting if one not in bad]
            aside += bad
            continue
        failures += find_broken(after.diagnostics, group)
        good.update(one for one in group if one not in bad)
        waiting, aside = ([one for one in some if one not in group] for some in (waiting, aside))
    kept = tuple(one if one in good else replace(one, fix=None) for one in outcome.diagnostics)
    return dataclasses.replace(outcome, diagnostics=kept, failures=(*outcome.failures, *failures))


def find_bad(
    before: Sequence[Diagnostic], after: Sequence[Diagnostic], group: Sequence[Diagnostic]
) -> list[Diagnostic]:
    """Return those of the fixes that were made which may be to blame for what is wrong now."""
    broken = {failure.path for failure in find_broken(after, group)}
    bad = dict.fromkeys(find_regrets(before, after, group))
    bad |= dict.fromkeys(one for one in group if one.fix and broken.intersection(edit.path for edit in one.fix.edits))
    left = Counter((one.path, one.code) for one in after)
    expected = Counter((one.path, one.code) for one in before)
    expected.subtract((one.path, one.code) for one in group)
    bad |= dict.fromkeys(one for one in group if left[one.path, one.code] > expected[one.path, one.code])
    return list(bad)


def find_broken(after: Iterable[Diagnostic], made: Sequence[Diagnostic]) -> list[Failure]:
    """Return what to say of the files that the fixes of these diagnostics have left unreadable."""
    touched = {edit.path for one in made if one.fix is not None for edit in one.fix.edits}
    codes = ", ".join(sorted({one.code for one in made}))
    bad = touched & {one.path for one in after if one.code == SYNTAX_ERROR}
    return [Failure(path, "fixes", f"the fixes of {codes} break the syntax", "") for path in sorted(bad)]


def apply_fixes(files: Mapping[str, SourceFile], chosen: Sequence[Diagnostic]) -> dict[str, SourceFile]:
    """Return the files, by path, as the fixes of these diagnostics leave them; those to be changed are pinned."""
    changed = dict(files)
    for path, edits in group_edits(one.fix for one in chosen if one.fix is not None).items():
        text = decode(files[path].content or b"")
        if text is not None:
            content = apply_edits(text.content, edits).encode(text.encoding)
            changed[path] = dataclasses.replace(files[path], content=content)
    return changed


def pin(file: SourceFile) -> SourceFile:
    """Hold on to what a file is now, so that every round, and the end, is about the same text."""
    if file.content is not None or not file.shown:
        return file
    try:
        return dataclasses.replace(file, content=Path(file.path).read_bytes())
    except OSError:
        # The worker says so, in its own words.
        return file
