"""The second look at files with alarms: it parses them again, and has the fixers of the rules say how to fix them."""

from __future__ import annotations

import traceback
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from conclint import rules
from conclint.config import Config
from conclint.depth import run_deeply
from conclint.model.alarm import Diagnostic
from conclint.model.file import SourceFile
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.result import Failure
from conclint.model.rule import Fixer

if TYPE_CHECKING:
    from conclint.analysis.editor import Editor

_DEFAULT_TIMEOUT = 10.0
"""The timeout, in seconds, that fixes write where the settings name none."""
_Task = tuple[int, int, Fixer[Any], Anchor]
"""A diagnostic by its number, the number of one of its anchors, and the anchor."""


def propose_fixes(
    diagnostics: Sequence[Diagnostic], files: Iterable[SourceFile], config: Config
) -> tuple[tuple[Diagnostic, ...], tuple[Failure, ...]]:
    """Return the diagnostics with the fixes that there are for them, and our own failures.

    Each file is parsed once, after the other, and forgotten: trees are large.
    """
    sources = {file.path: file for file in files}
    tasks: dict[str, list[_Task]] = defaultdict(list)
    fixers = rules.load_fixers({diagnostic.code for diagnostic in diagnostics})
    for number, diagnostic in enumerate(diagnostics):
        if (fixer := fixers.get(diagnostic.code)) is None or not config.is_fixable(diagnostic.code):
            continue
        for index, anchor in enumerate(_find_anchors(diagnostic)):
            tasks[anchor.path].append((number, index, fixer, anchor))
    found: dict[tuple[int, int], Fix | None] = {}
    failures: list[Failure] = []
    for path in sorted(tasks):
        if path in sources:
            run_deeply(lambda path=path: _fix_file(sources[path], tasks[path], config, found, failures))  # type: ignore[misc]
    joined = tuple(
        replace(diagnostic, fix=_join(number, diagnostic, found)) for number, diagnostic in enumerate(diagnostics)
    )
    return joined, tuple(failures)


def _find_anchors(diagnostic: Diagnostic) -> tuple[Anchor, ...]:
    return diagnostic.anchors or (Anchor(diagnostic.path, diagnostic.span),)


def _fix_file(
    file: SourceFile,
    tasks: Sequence[_Task],
    config: Config,
    found: dict[tuple[int, int], Fix | None],
    failures: list[Failure],
) -> None:
    editor = _open(file, config)
    for number, index, fixer, anchor in tasks if editor is not None else ():
        try:
            found[number, index] = fixer.run(editor, anchor)
        except Exception as error:  # noqa: BLE001, PERF203  # a bug in one fixer must not cost the others' fixes
            failures.append(Failure(file.path, fixer.rule.code, repr(error), traceback.format_exc()))


def _open(file: SourceFile, config: Config) -> Editor | None:
    from conclint.analysis.editor import Editor
    from conclint.source import SourceError, decode, parse

    try:
        data = file.content if file.content is not None else Path(file.path).read_bytes()
        source = parse(decode(data), path=file.path, module=file.module, is_package=file.is_package)
    except (OSError, SourceError):
        # It was readable a moment ago; now there is nothing to fix.
        return None
    seconds = config.hints.default_timeout
    return Editor(source, default_timeout=f"{_DEFAULT_TIMEOUT if seconds is None else seconds:g}")


def _join(number: int, diagnostic: Diagnostic, found: Mapping[tuple[int, int], Fix | None]) -> Fix | None:
    """Make one fix of those at all anchors; there is none where one of them is missing."""
    fixes = [found.get((number, index)) for index in range(len(_find_anchors(diagnostic)))]
    parts = [fix for fix in fixes if fix is not None]
    if len(parts) < len(fixes):
        return None
    is_safe = all(fix.applicability is Applicability.SAFE for fix in parts)
    edits = tuple(dict.fromkeys(edit for fix in parts for edit in fix.edits))
    reveals = tuple(dict.fromkeys(code for fix in parts for code in fix.reveals))
    return Fix(parts[0].title, Applicability.SAFE if is_safe else Applicability.UNSAFE, edits, reveals)
