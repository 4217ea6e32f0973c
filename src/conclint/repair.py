"""The second look at files with alarms: it parses them again, and has the fixers of the rules say how to fix them."""

from __future__ import annotations

import traceback
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from conclint import rules
from conclint.config import Config
from conclint.depth import run_deeply
from conclint.model.alarm import Diagnostic
from conclint.model.file import SourceFile
from conclint.model.fix import Anchor, Applicability, Edit, Fix
from conclint.model.result import Failure
from conclint.model.rule import Fixer

if TYPE_CHECKING:
    from conclint.analysis.editor import Editor
    from conclint.cache import Cache

_DEFAULT_TIMEOUT = 10.0
"""The timeout, in seconds, that fixes write where the settings name none."""
_Task = tuple[int, int, Fixer[Any], Anchor]
"""A diagnostic by its number, the number of one of its anchors, and the anchor."""
_Answers = tuple[Fix | None, ...]


def propose_fixes(
    diagnostics: Sequence[Diagnostic], files: Iterable[SourceFile], config: Config, cache: Cache | None = None
) -> tuple[tuple[Diagnostic, ...], tuple[Failure, ...]]:
    """Return the diagnostics with the fixes that there are for them, and our own failures.

    Each file is parsed once, after the other, and forgotten: trees are large. What the cache knows is not parsed.
    """
    sources = {file.path: file for file in files}
    tasks: dict[str, list[_Task]] = defaultdict(list)
    wanted = [one.code for one in diagnostics if config.is_fixable(one.code)]
    fixers = rules.load_fixers(wanted)
    for number, diagnostic in enumerate(diagnostics):
        if (fixer := fixers.get(diagnostic.code)) is None:
            continue
        for index, anchor in enumerate(find_anchors(diagnostic)):
            tasks[anchor.path].append((number, index, fixer, anchor))
    found: dict[tuple[int, int], Fix | None] = {}
    failures: list[Failure] = []
    for path in sorted(tasks.keys() & sources.keys()):
        answers = _recall(sources[path], tasks[path], config, failures, cache)
        found |= {task[:2]: fix for task, fix in zip(tasks[path], answers, strict=False)}
    joined = tuple(
        replace(diagnostic, fix=_join(number, diagnostic, found)) for number, diagnostic in enumerate(diagnostics)
    )
    return joined, tuple(failures)


def find_anchors(diagnostic: Diagnostic) -> tuple[Anchor, ...]:
    """Return the places where an alarm would be fixed."""
    return diagnostic.anchors or (Anchor(diagnostic.path, diagnostic.span),)


def _recall(
    file: SourceFile, tasks: Sequence[_Task], config: Config, failures: list[Failure], cache: Cache | None
) -> _Answers:
    """Return what the fixers say, in the order of the tasks; nothing where the file cannot be read any more."""
    asked = tuple((fixer.rule.code, anchor) for _, _, fixer, anchor in tasks)
    question = b"%r" % config.hints.default_timeout + msgspec.msgpack.encode(asked)
    known = cache.load_fixes(cache.key_fixes([file], question), _Answers) if cache is not None else None
    if known is not None:
        return known
    bugs: list[Failure] = []
    answers = run_deeply(lambda: _fix_file(file, tasks, config, bugs, cache))
    failures += bugs
    if cache is not None and answers and not bugs:
        cache.store_fixes(cache.key_fixes([file], question), answers)
    return answers


def _fix_file(
    file: SourceFile, tasks: Sequence[_Task], config: Config, bugs: list[Failure], cache: Cache | None
) -> _Answers:
    editor = _open(file, config, cache)
    answers: list[Fix | None] = []
    for _, _, fixer, anchor in tasks if editor is not None else ():
        answer = None
        try:
            answer = fixer.run(editor, anchor)
        except Exception as error:  # noqa: BLE001  # a bug in one fixer must not cost the others' fixes
            bugs.append(Failure(file.path, fixer.rule.code, repr(error), traceback.format_exc()))
        answers.append(answer)
    return tuple(answers)


def _open(file: SourceFile, config: Config, cache: Cache | None) -> Editor | None:
    from conclint.analysis.editor import Editor
    from conclint.source import SourceError, decode, parse

    try:
        data = file.content
        if data is None:
            data = Path(file.path).read_bytes()
            if cache is not None:
                cache.confirm(file, data)
        source = parse(decode(data), path=file.path, module=file.module, is_package=file.is_package)
    except (OSError, SourceError):
        # It was readable a moment ago; now there is nothing to fix.
        return None
    seconds = config.hints.default_timeout
    return Editor(source, default_timeout=f"{_DEFAULT_TIMEOUT if seconds is None else seconds:g}")


def _join(number: int, diagnostic: Diagnostic, found: Mapping[tuple[int, int], Fix | None]) -> Fix | None:
    """Make one fix of those at all anchors; there is none where one is missing, or two are in each other's way."""
    fixes = [found.get((number, index)) for index in range(len(find_anchors(diagnostic)))]
    parts = [fix for fix in fixes if fix is not None]
    if len(parts) < len(fixes):
        return None
    is_safe = all(fix.applicability is Applicability.SAFE for fix in parts)
    edits = tuple(dict.fromkeys(edit for fix in parts for edit in fix.edits))
    if any(one.path == two.path and _end(one) > _start(two) for one, two in pairwise(sorted(edits))):
        return None
    reveals = tuple(dict.fromkeys(code for fix in parts for code in fix.reveals))
    return Fix(parts[0].title, Applicability.SAFE if is_safe else Applicability.UNSAFE, edits, reveals)


def _start(edit: Edit) -> tuple[int, int]:
    return edit.span.line, edit.span.column


def _end(edit: Edit) -> tuple[int, int]:
    return edit.span.end_line, edit.span.end_column
