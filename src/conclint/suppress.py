"""Suppressions: comments that say which alarms are not wanted, and the filter that heeds them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conclint.comments import Comment, Line, read_lines
from conclint.model.alarm import Alarm, Diagnostic
from conclint.model.fix import Anchor
from conclint.model.result import Suppression, SuppressionKind
from conclint.model.rule import UNUSED_SUPPRESSION, Rule
from conclint.model.span import NEWLINE, Span

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from conclint.config import Config

_OWN_CODES = "CON"
_CODE_LIST = r"(?P<codes>[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*)"
_CANDIDATE = re.compile(r"#[^\n]*(?:noqa|conclint\s*:)", re.IGNORECASE)
_NOQA = re.compile(rf"#\s*(?P<file>(?:flake8|ruff)\s*[:=]\s*)?noqa\b(?:\s*:\s*{_CODE_LIST})?", re.IGNORECASE)
_OWN = re.compile(
    r"#\s*conclint\s*:\s*(?P<file>file-)?ignore\b(?:\s*\[(?P<codes>[^\]]*)\])?(?P<reason>[^#]*)", re.IGNORECASE
)


def parse_suppressions(text: str) -> tuple[Suppression, ...]:
    """Find the suppressions in the text of a file, in their order.

    A comment holds for the whole logical line that it stands in; `# conclint: ignore` on a line of its own for the
    next one, through decorators to the `def` or `class`.
    """
    if not _CANDIDATE.search(text):
        return ()
    return tuple(sorted(_iter_suppressions(text), key=lambda suppression: suppression.span))


@dataclass(frozen=True, slots=True)
class Use:
    """A suppression that an alarm meets at one of its ends."""

    path: str
    suppression: Suppression


def find_uses(
    alarm: Alarm, rule: Rule, suppressions: Mapping[str, Sequence[Suppression]], *, respect_noqa: bool = True
) -> Iterator[Use]:
    """Yield the suppressions of `alarm`, at any of its ends. What no alarm uses is unused.

    An alarm about a comment is not suppressed by that very comment.
    """
    for path, span in ((alarm.path, alarm.span), *((related.path, related.span) for related in alarm.related)):
        for suppression in suppressions.get(path, ()):
            heeded = respect_noqa or suppression.kind is not SuppressionKind.NOQA
            heeded = heeded and suppression.span != alarm.span
            if heeded and suppression.first_line <= span.line <= suppression.last_line and _names(suppression, rule):
                yield Use(path, suppression)


def find_unused(
    alarms: Iterable[Alarm],
    suppressions: Mapping[str, Sequence[Suppression]],
    config: Config,
    rules: Sequence[Rule],
    *,
    respect_noqa: bool = True,
) -> Iterator[Alarm]:
    """Yield CON002: the comments that suppress none of `alarms`, which are those of all rules, selected or not.

    Nothing is said of codes that are not selected, nor of a plain `# noqa`, which may be meant for another tool.
    """
    if UNUSED_SUPPRESSION not in config.selected:
        return
    by_code = {rule.code: rule for rule in rules}
    met: dict[Use, set[str]] = {}
    for alarm in alarms:
        for use in find_uses(alarm, by_code[alarm.code], suppressions, respect_noqa=respect_noqa):
            met.setdefault(use, set()).add(alarm.code)
    for path, written in suppressions.items():
        wanted = frozenset(rule.code for rule in rules if config.is_selected(rule.code, path))
        for suppression in written:
            if respect_noqa or suppression.kind is not SuppressionKind.NOQA:
                codes = met.get(Use(path, suppression), set())
                yield from _judge(path, suppression, codes, wanted, rules)


def _judge(
    path: str, suppression: Suppression, met: Collection[str], wanted: Collection[str], rules: Sequence[Rule]
) -> Iterator[Alarm]:
    is_noqa = suppression.kind is SuppressionKind.NOQA
    if not suppression.codes and not is_noqa and not met:
        message = "nothing that is found here is suppressed by this comment"
        anchor = Anchor(path, suppression.span, ("",))
        yield Alarm(path, suppression.span, UNUSED_SUPPRESSION, message, anchors=(anchor,))
    unknown, unused = [], []
    for word in suppression.codes:
        if is_noqa and not word.upper().startswith(_OWN_CODES):
            continue
        named = {rule.code for rule in rules if _is_name(word, rule)}
        if not named:
            unknown.append(f"`{word}`")
        elif UNUSED_SUPPRESSION not in named and named.isdisjoint(met) and not named.isdisjoint(wanted):
            unused.append(word)
    if unknown:
        verb = "name" if unknown[1:] else "names"
        yield Alarm(path, suppression.span, UNUSED_SUPPRESSION, f"{' and '.join(unknown)} {verb} no rule")
    if unused:
        verb = "suppress" if unused[1:] else "suppresses"
        message = f"{' and '.join(f'`{word}`' for word in unused)} {verb} nothing here"
        anchor = Anchor(path, suppression.span, tuple(unused))
        yield Alarm(path, suppression.span, UNUSED_SUPPRESSION, message, anchors=(anchor,))


def filter_alarms(
    alarms: Iterable[Alarm],
    suppressions: Mapping[str, Sequence[Suppression]],
    config: Config,
    rules: Sequence[Rule],
    shown: Collection[str],
    *,
    respect_noqa: bool = True,
) -> tuple[Diagnostic, ...]:
    """Turn the alarms that are wanted into diagnostics, sorted, each once.

    `suppressions` and `shown` go by path; alarms of other files are not shown. Of alarms that say the same of the
    same place the first is kept.
    """
    by_code = {rule.code: rule for rule in rules}
    kept: dict[tuple[str, Span, str, str], Diagnostic] = {}
    for alarm in sorted(alarms):
        rule = by_code[alarm.code]
        if alarm.path not in shown or not config.is_selected(alarm.code, alarm.path):
            continue
        if next(find_uses(alarm, rule, suppressions, respect_noqa=respect_noqa), None) is None:
            kept.setdefault((alarm.path, alarm.span, alarm.code, alarm.message), _join(alarm, rule))
    return tuple(kept.values())


def _join(alarm: Alarm, rule: Rule) -> Diagnostic:
    return Diagnostic(
        path=alarm.path,
        span=alarm.span,
        code=rule.code,
        name=rule.name,
        category=rule.category.value,
        message=alarm.message,
        help=alarm.help or rule.help,
        url=rule.url,
        related=alarm.related,
        anchors=alarm.anchors,
    )


def _names(suppression: Suppression, rule: Rule) -> bool:
    # A prefix counts, as it does for flake8; "CON" is the least that can mean us.
    return not suppression.codes or any(_is_name(word, rule) for word in suppression.codes)


def _is_name(word: str, rule: Rule) -> bool:
    return word == rule.name or (word.upper().startswith(_OWN_CODES) and rule.code.startswith(word.upper()))


def _iter_suppressions(text: str) -> Iterator[Suppression]:
    file_end = len(NEWLINE.findall(text)) + 1
    waiting: list[Comment] = []
    waiting_from = 0
    for line in read_lines(text):
        for comment in line.comments:
            if not line.statement and _OWN.search(comment.text):
                waiting.append(comment)
            yield from _parse_noqa(comment, line, file_end)
            if line.statement:
                yield from _parse_own(comment, line.first, line.last, file_end)
        if line.statement:
            waiting_from = waiting_from or line.first
        if line.statement and not line.decorator:
            for comment in waiting:
                yield from _parse_own(comment, waiting_from, line.last, file_end)
            waiting, waiting_from = [], 0
    for comment in waiting:
        yield from _parse_own(comment, comment.line, comment.line, file_end)


def _parse_noqa(comment: Comment, line: Line, file_end: int) -> Iterator[Suppression]:
    for match in _NOQA.finditer(comment.text):
        first, last = (1, file_end) if match["file"] else (line.first, line.last)
        codes = tuple(re.split(r"[,\s]+", match["codes"])) if match["codes"] else ()
        yield Suppression(SuppressionKind.NOQA, first, last, codes, "", _span(comment, match))


def _parse_own(comment: Comment, first: int, last: int, file_end: int) -> Iterator[Suppression]:
    for match in _OWN.finditer(comment.text):
        codes = tuple(re.findall(r"[^,\s]+", match["codes"] or ""))
        if match["codes"] is not None and not codes:
            continue
        kind, start, end = SuppressionKind.IGNORE, first, last
        if match["file"]:
            kind, start, end = SuppressionKind.FILE_IGNORE, 1, file_end
        yield Suppression(kind, start, end, codes, match["reason"].strip(), _span(comment, match))


def _span(comment: Comment, match: re.Match[str]) -> Span:
    end = len(match[0].rstrip())
    column = comment.column + match.start() + 1
    return Span(comment.line, column, comment.line, column + end)
