"""CON001: see docs/rules/CON001.md. The pipeline raises it, where a file is read and parsed."""

from __future__ import annotations

from conclint.model.rule import Category, Rule

RULE = Rule(
    code="CON001",
    name="syntax-error",
    summary="a file cannot be decoded or parsed",
    help="correct the file, or exclude it",
    category=Category.SYNTAX,
    since="0.1.0",
)
