"""`json`: a list of objects with the keys of ruff's JSON, so that tools which read that read ours."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from conclint.model.alarm import Diagnostic, Related
from conclint.model.fix import Fix
from conclint.model.span import Span

_Value = None | str | int | Sequence["_Value"] | Mapping[str, "_Value"]


def render_json(diagnostics: Sequence[Diagnostic]) -> str:
    """Write one list; rows and columns count from 1, columns in characters, ends are exclusive."""
    return json.dumps([_diagnostic(diagnostic) for diagnostic in diagnostics], indent=2, ensure_ascii=False) + "\n"


def _diagnostic(diagnostic: Diagnostic) -> dict[str, _Value]:
    return {
        "code": diagnostic.code,
        "name": diagnostic.name,
        "message": diagnostic.message,
        "filename": diagnostic.path,
        **_range(diagnostic.span),
        "url": diagnostic.url,
        "fix": _fix(diagnostic.fix) if diagnostic.fix is not None else None,
        "related": [_related(related) for related in diagnostic.related],
        "noqa_row": diagnostic.span.line,
        "category": diagnostic.category,
    }


def _fix(fix: Fix) -> dict[str, _Value]:
    edits = [{"content": edit.content, "filename": edit.path, **_range(edit.span)} for edit in fix.edits]
    return {"message": fix.title, "applicability": fix.applicability.value, "edits": edits}


def _related(related: Related) -> dict[str, _Value]:
    return {"message": related.message, "filename": related.path, **_range(related.span)}


def _range(span: Span) -> dict[str, _Value]:
    return {
        "location": {"row": span.line, "column": span.column},
        "end_location": {"row": span.end_line, "column": span.end_column},
    }
