"""Code actions: what an editor offers to do about the alarms at a place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lsprotocol import types

from conclint.ignores import write_ignores
from conclint.model.fix import Applicability
from conclint.rounds import NEVER_IGNORED
from conclint.server.checker import Checked, Finding

FIX_ALL = f"{types.CodeActionKind.SourceFixAll.value}.conclint"
KINDS = (types.CodeActionKind.QuickFix.value, FIX_ALL)


def is_asked_for(kind: str, context: types.CodeActionContext) -> bool:
    """Return whether a client wants actions of a kind: `source` stands for all that begin so."""
    return context.only is None or any(f"{kind}.".startswith(f"{_read_kind(only)}.") for only in context.only)


def is_named(kind: str, context: types.CodeActionContext) -> bool:
    """Return whether a client asks for actions of a kind, and not for whatever there is."""
    return context.only is not None and is_asked_for(kind, context)


def _read_kind(kind: types.CodeActionKind | str) -> str:
    return kind.value if isinstance(kind, types.CodeActionKind) else kind


def choose_findings(findings: Iterable[Finding], place: types.Range) -> tuple[Finding, ...]:
    """Return the findings on the lines of a place: where on its line the cursor stands makes no difference."""
    first, last = place.start.line, place.end.line
    return tuple(one for one in findings if one.shown.range.start.line <= last and first <= one.shown.range.end.line)


def collect_quick_fixes(checked: Checked, findings: Sequence[Finding]) -> list[types.CodeAction]:
    """Return the fixes of some findings, the safe ones first, and the comments that ignore them."""
    fixes = sorted(_iter_fixes(checked, findings), key=lambda action: not action.is_preferred)
    return [*fixes, *_iter_ignores(checked, findings)]


def _iter_fixes(checked: Checked, findings: Iterable[Finding]) -> Iterator[types.CodeAction]:
    for one in findings:
        fix = one.diagnostic.fix
        if fix is None:
            continue
        is_safe = fix.applicability is Applicability.SAFE
        yield types.CodeAction(
            f"{one.diagnostic.code}: {fix.title}{'' if is_safe else ' (unsafe)'}",
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[one.shown],
            is_preferred=is_safe,
            edit=checked.translator.describe_edits(fix.edits),
        )


def _iter_ignores(checked: Checked, findings: Iterable[Finding]) -> Iterator[types.CodeAction]:
    """Yield the comment for each code and line: what `--add-ignore` writes there."""
    alike: dict[tuple[str, int], list[Finding]] = {}
    for one in findings:
        if one.diagnostic.code not in NEVER_IGNORED:
            alike.setdefault((one.diagnostic.code, one.diagnostic.span.line), []).append(one)
    for (code, _), several in alike.items():
        text = checked.translator.read_text(several[0].diagnostic.path)
        edits = write_ignores(text, [several[0].diagnostic], "")
        yield types.CodeAction(
            f"{code}: ignore on this line",
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[one.shown for one in several],
            is_preferred=False,
            edit=checked.translator.describe_edits(edits),
        )


def offer_fix_all(uri: str) -> types.CodeAction:
    """Return the action that fixes a file, before anybody knows what it changes."""
    return types.CodeAction("conclint: fix all that can be fixed safely", kind=FIX_ALL, data={"uri": uri})
