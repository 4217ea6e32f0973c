"""Check-then-act: a test of some state, followed by an action that is right only while the test still holds."""

from __future__ import annotations

import libcst as cst

from conclint.analysis.collector import Collector
from conclint.analysis.scope import Scope


def find_sequences(node: cst.If, scope: Scope, collector: Collector, body_context: int) -> None:
    """Add the check-then-acts of an `if` to the facts."""
