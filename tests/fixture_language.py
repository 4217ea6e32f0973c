"""The fixture comments: what a fixture says about itself, and whether that is true.

    # alarm: CODE [@COL] ["text"] [-> LABEL]    raised on this line
    # related: LABEL [N] ["text"]               a related span of that alarm; every line with the label must be one
    # missed: CODE reason                       should be raised here, is not yet
    # false: CODE reason                        is raised here, should not be

Several may stand on one line, separated by `;`. What is not declared must not be raised. Where related spans are
numbered they tell the whole trace: N counts from 1, as reports do, and there are no other steps.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from conclint.model.alarm import Diagnostic, Related

FIXTURES = Path(__file__).parent / "fixtures"

_COMMENT = re.compile(r"#\s*(?P<claims>(?:alarm|related|missed|false):.*)")
_NEXT_CLAIM = re.compile(r"\s*;\s*(?=(?:alarm|related|missed|false):)")
_ALARM = re.compile(
    r'alarm:\s*(?P<code>CON\d{3})(?:\s+@(?P<column>\d+))?(?:\s+"(?P<text>[^"]*)")?(?:\s+->\s*(?P<label>\w+))?'
)
_RELATED = re.compile(r'related:\s*(?P<label>\w+)(?:\s+(?P<number>\d+))?(?:\s+"(?P<text>[^"]*)")?')
_KNOWN_MISTAKE = re.compile(r"(?P<kind>missed|false):\s*(?P<code>CON\d{3})\s+(?P<reason>\S.*)")


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a fixture."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class End:
    """A related span of an alarm, as exact as it is written: its number in the trace, and a part of its text."""

    place: Place
    number: int | None = None
    text: str = ""

    def __str__(self) -> str:
        number = f" as number {self.number}" if self.number is not None else ""
        return f"{self.place}{number}{f' with “{self.text}”' if self.text else ''}"

    def is_met(self, number: int, related: Related) -> bool:
        """Return whether step `number` of a trace is this one."""
        place = Place(related.path, related.span.line)
        return place == self.place and self.number in {None, number} and self.text in related.message


class ClaimKind(enum.Enum):
    """What a fixture says about an alarm; the value is the word of the comment."""

    ALARM = "alarm"
    MISSED = "missed"
    FALSE = "false"


@dataclass(frozen=True, slots=True)
class Claim:
    """An alarm, missed alarm or false alarm that a fixture declares; an alarm is as exact as it is written."""

    kind: ClaimKind
    code: str
    place: Place
    column: int | None = None
    text: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Declaration:
    """All that the comments of one case say."""

    claims: tuple[Claim, ...]
    labels: Mapping[str, frozenset[End]]


def iter_cases() -> Iterator[Path]:
    """Yield each case of `tests/fixtures/CONnnn/`: a Python file or a folder."""
    for folder in sorted(FIXTURES.glob("CON[0-9][0-9][0-9]")):
        for child in sorted(folder.iterdir()):
            if child.suffix == ".py" or (child.is_dir() and child.name != "__pycache__"):
                yield child


def parse_declaration(texts: Mapping[str, str]) -> Declaration:
    """Read the comments of a case, given as texts by path.

    Raises ValueError for a comment that is not of the language, for a label without its other side, and for a trace
    with numbers that is not complete.
    """
    claims: list[Claim] = []
    labels: dict[str, set[End]] = {}
    for place, written in _iter_written(texts):
        if related := _RELATED.fullmatch(written):
            number = int(related["number"]) if related["number"] else None
            labels.setdefault(related["label"], set()).add(End(place, number, related["text"] or ""))
        else:
            claims.append(_parse_claim(written, place))
    if lonely := labels.keys() ^ {claim.label for claim in claims if claim.label}:
        raise ValueError(f"labels without an alarm or without a related line: {', '.join(sorted(lonely))}")
    for label, ends in labels.items():
        _check_numbers(label, ends)
    return Declaration(tuple(claims), {label: frozenset(ends) for label, ends in labels.items()})


def find_differences(declaration: Declaration, diagnostics: Sequence[Diagnostic]) -> tuple[str, ...]:
    """Say, one sentence each, where the diagnostics are not what the fixture declares."""
    unexplained = list(diagnostics)
    differences: list[str] = []
    # The most exact claim chooses first, so that a vague one does not take its diagnostic away.
    for claim in sorted(declaration.claims, key=lambda claim: (claim.column is None, not claim.text, not claim.label)):
        if claim.kind is ClaimKind.MISSED:
            continue
        found = _find(claim, declaration.labels, unexplained)
        if found is None:
            differences.append(_say_absent(claim, declaration.labels, unexplained))
        else:
            unexplained.remove(found)
    missed = {(claim.code, claim.place) for claim in declaration.claims if claim.kind is ClaimKind.MISSED}
    differences += [_say_unexplained(diagnostic, missed) for diagnostic in unexplained]
    return tuple(sorted(differences))


def _iter_written(texts: Mapping[str, str]) -> Iterator[tuple[Place, str]]:
    for path, text in texts.items():
        for number, line in enumerate(re.split(r"\r\n?|\n", text), 1):
            if comment := _COMMENT.search(line):
                for written in _NEXT_CLAIM.split(comment["claims"].rstrip()):
                    yield Place(path, number), written


def _check_numbers(label: str, ends: Iterable[End]) -> None:
    numbers = sorted(end.number or 0 for end in ends)
    if any(numbers) and numbers != list(range(1, len(numbers) + 1)):
        raise ValueError(f"related: {label}: the numbers of its trace must be 1 to {len(numbers)}, not {numbers}")


def _parse_claim(written: str, place: Place) -> Claim:
    if alarm := _ALARM.fullmatch(written):
        column = int(alarm["column"]) if alarm["column"] else None
        return Claim(ClaimKind.ALARM, alarm["code"], place, column, alarm["text"] or "", alarm["label"] or "")
    if mistake := _KNOWN_MISTAKE.fullmatch(written):
        return Claim(ClaimKind(mistake["kind"]), mistake["code"], place)
    raise ValueError(f"{place}: not a fixture comment: {written!r}")


def _place(diagnostic: Diagnostic) -> Place:
    return Place(diagnostic.path, diagnostic.span.line)


def _find(claim: Claim, labels: Mapping[str, frozenset[End]], diagnostics: Iterable[Diagnostic]) -> Diagnostic | None:
    return next((diagnostic for diagnostic in diagnostics if _is_met(claim, labels, diagnostic)), None)


def _is_met(claim: Claim, labels: Mapping[str, frozenset[End]], diagnostic: Diagnostic) -> bool:
    ends = labels.get(claim.label, frozenset())
    steps = list(enumerate(diagnostic.related, 1))
    return (
        (diagnostic.code, _place(diagnostic)) == (claim.code, claim.place)
        and claim.column in {None, diagnostic.span.column}
        and claim.text in diagnostic.message
        and all(any(end.is_met(number, related) for number, related in steps) for end in ends)
        and (len(steps) == len(ends) or all(end.number is None for end in ends))
    )


def _say_absent(claim: Claim, labels: Mapping[str, frozenset[End]], diagnostics: Iterable[Diagnostic]) -> str:
    if claim.kind is ClaimKind.FALSE:
        return f"{claim.place}: the false alarm {claim.code} is gone: delete the comment"
    parts = [
        f" at column {claim.column}" if claim.column else "",
        f' with "{claim.text}"' if claim.text else "",
        f" with ends on {', '.join(sorted(map(str, labels[claim.label])))}" if claim.label else "",
    ]
    others = [_describe(diagnostic) for diagnostic in diagnostics if _place(diagnostic) == claim.place]
    instead = f"; there is {' and '.join(others)}" if others else ""
    return f"{claim.place}: {claim.code} is not raised{''.join(parts)}{instead}"


def _say_unexplained(diagnostic: Diagnostic, missed: set[tuple[str, Place]]) -> str:
    if (diagnostic.code, _place(diagnostic)) in missed:
        return f"{_place(diagnostic)}: {diagnostic.code} is no longer missed: declare it as an alarm"
    return f"{_place(diagnostic)}: not declared: {_describe(diagnostic)}"


def _describe(diagnostic: Diagnostic) -> str:
    ends = ", ".join(f"{one.path}:{one.span.line} “{one.message}”" for one in diagnostic.related)
    return f"{diagnostic.code} @{diagnostic.span.column} “{diagnostic.message}”{f' -> {ends}' if ends else ''}"
