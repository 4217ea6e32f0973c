"""`sarif`: the Static Analysis Results Interchange Format, version 2.1.0, as GitHub's code scanning reads it.

The numbers are those of sections of the standard: https://docs.oasis-open.org/sarif/sarif/v2.1.0/
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import PurePath
from urllib.parse import quote

from conclint import __version__
from conclint.model.alarm import Diagnostic
from conclint.model.fix import Edit, Fix
from conclint.model.result import Failure
from conclint.model.rule import Rule
from conclint.model.span import Span
from conclint.report.fingerprints import make_fingerprints
from conclint.report.levels import find_level
from conclint.report.marks import label_steps

_Value = None | bool | int | str | Sequence["_Value"] | Mapping[str, "_Value"]
_Object = dict[str, _Value]

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_HOME = "https://conclint.readthedocs.io/"
_ROOT = "%SRCROOT%"
"""Stands for the directory in which conclint was run; where that was does not belong into a report."""

_SEVERITIES = {"error": "error", "warning": "warning", "note": "recommendation"}
"""GitHub's own words for the levels."""
_SPECIAL = re.compile(r"[\\\[\]]")


def render_sarif(
    diagnostics: Sequence[Diagnostic],
    *,
    read_text: Callable[[str], str | None],
    rules: Sequence[Rule],
    read_page: Callable[[str], str | None],
    failures: Sequence[Failure],
) -> str:
    """Write one run: the diagnostics, those of `rules` that they belong to with their pages, and our own failures."""
    raised = {diagnostic.code for diagnostic in diagnostics}
    used = [rule for rule in rules if rule.code in raised]
    places = {rule.code: (number, rule) for number, rule in enumerate(used)}
    fingerprints = make_fingerprints(diagnostics, read_text)
    run: _Object = {
        "tool": {"driver": _driver(used, read_page)},
        "results": [_result(one, *places[one.code], each) for one, each in zip(diagnostics, fingerprints, strict=True)],
        "invocations": [
            {
                "executionSuccessful": not failures,
                "toolExecutionNotifications": [_notification(failure) for failure in failures],
            }
        ],
        "originalUriBaseIds": {_ROOT: {"description": {"text": "the directory in which conclint was run"}}},
        "columnKind": "unicodeCodePoints",
        "newlineSequences": ["\r\n", "\n", "\r"],
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _driver(rules: Sequence[Rule], read_page: Callable[[str], str | None]) -> _Object:
    return {
        "name": "conclint",
        "version": __version__,
        "informationUri": _HOME,
        "rules": [_rule(rule, read_page(rule.code)) for rule in rules],
    }


def _rule(rule: Rule, page: str | None) -> _Object:
    level = find_level(rule.category)
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "helpUri": rule.url,
        "help": {"text": rule.help} | ({"markdown": page} if page else {}),
        "defaultConfiguration": {"level": level, "enabled": rule.default},
        "properties": {
            # What is not right nineteen times of twenty is no default.
            "precision": "very-high" if rule.default else "medium",
            "problem.severity": _SEVERITIES[level],
            "tags": ["concurrency", rule.category.value],
        },
    }


def _result(diagnostic: Diagnostic, number: int, rule: Rule, fingerprints: Mapping[str, str]) -> _Object:
    steps = [_location(one.path, one.span, one.message) for one in diagnostic.related]
    result: _Object = {
        "ruleId": rule.code,
        "ruleIndex": number,
        "level": find_level(rule.category),
        "message": {"text": _write_message(diagnostic)},
        "locations": [_location(diagnostic.path, diagnostic.span)],
        "partialFingerprints": fingerprints,
    }
    if steps:
        result["relatedLocations"] = [{"id": index} | step for index, step in enumerate(steps, 1)]
    if len(steps) > 1:
        result["codeFlows"] = [{"threadFlows": list(_iter_thread_flows(diagnostic, steps))}]
    if diagnostic.fix is not None:
        result["fixes"] = [_fix(diagnostic.fix)]
    return result


def _iter_thread_flows(diagnostic: Diagnostic, steps: Sequence[_Object]) -> Iterator[_Object]:
    """Yield a flow for each of the threads, or tasks, that meet; the first ends with the alarm. Mostly there is one."""
    ways: dict[int, list[_Object]] = {}
    for one, step in zip(diagnostic.related, steps, strict=True):
        ways.setdefault(one.way, []).append(step)
    told = sorted(way for way in ways if way)
    if len(told) < 2:
        yield {"locations": [{"location": step} for step in steps]}
        return
    alarm = (diagnostic.path, diagnostic.span)
    if alarm not in {(one.path, one.span) for one in diagnostic.related if one.way == told[0]}:
        ways[told[0]].append(_location(*alarm, diagnostic.message))
    for way in told:
        yield {"id": str(way), "locations": [{"location": step} for step in ways[way]]}


def _write_message(diagnostic: Diagnostic) -> str:
    """Return the message, with a link to each related place by its id (3.11.6)."""
    steps = [f"[{_escape(label)}]({index})" for index, (_, label) in enumerate(label_steps(diagnostic), 1)]
    advice = [f"help: {_escape(diagnostic.help)}"] if diagnostic.help else []
    return "\n".join([_escape(diagnostic.message), *steps, *advice])


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)


def _location(path: str, span: Span, message: str = "") -> _Object:
    """Return a place. Its region ends with its first line, since viewers mark no more; the rest is its context."""
    place: _Object = {"artifactLocation": _artifact(path), "region": _region(span)}
    if span.line != span.end_line:
        # Without an end a region goes on to the end of its line (3.30.2).
        place |= {"region": {"startLine": span.line, "startColumn": span.column}, "contextRegion": _region(span)}
    location: _Object = {"physicalLocation": place}
    return location | {"message": {"text": _escape(message)}} if message else location


def _region(span: Span) -> _Object:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _artifact(path: str) -> _Object:
    pure = PurePath(path)
    if pure.is_absolute():
        return {"uri": pure.as_uri()}
    return {"uri": quote(pure.as_posix(), errors="surrogateescape"), "uriBaseId": _ROOT}


def _fix(fix: Fix) -> _Object:
    changes = groupby(sorted(fix.edits), key=lambda edit: edit.path)
    return {
        "description": {"text": _escape(fix.title)},
        "artifactChanges": [
            {"artifactLocation": _artifact(path), "replacements": [_replacement(edit) for edit in edits]}
            for path, edits in changes
        ],
        "properties": {"applicability": fix.applicability.value},
    }


def _replacement(edit: Edit) -> _Object:
    return {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.content}}


def _notification(failure: Failure) -> _Object:
    said: _Object = {
        "level": "error",
        "message": {"text": _escape(f"internal error in {failure.rule}: {failure.error}")},
    }
    if failure.path:
        said["locations"] = [{"physicalLocation": {"artifactLocation": _artifact(failure.path)}}]
    return said
