"""How bad an alarm is, by the kind of harm that its rule prevents: the words of SARIF, which editors translate."""

from __future__ import annotations

from conclint.model.rule import Category

_LEVELS = {Category.SYNTAX: "error", Category.DATA_RACE: "error", Category.DEADLOCK: "error", Category.MODEL: "note"}


def find_level(category: Category) -> str:
    """Return `error`, `warning` or `note`."""
    return _LEVELS.get(category, "warning")
