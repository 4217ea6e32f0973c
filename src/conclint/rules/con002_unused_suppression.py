"""CON002: see docs/rules/CON002.md. The filter raises it: it alone knows which comments suppress something."""

from __future__ import annotations

from conclint.model.rule import Category, Rule

RULE = Rule(
    code="CON002",
    name="unused-suppression",
    summary="a comment suppresses an alarm that is not raised",
    help="delete the comment, or the code from its list",
    category=Category.SYNTAX,
    since="0.1.0",
    default=False,
)
