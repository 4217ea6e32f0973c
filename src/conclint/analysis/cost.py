"""The cost model: does a function, by itself, compute for long in pure Python?"""

from __future__ import annotations

import libcst as cst

from conclint.analysis.scope import Scope
from conclint.model.facts import Cost


def estimate_cost(node: cst.FunctionDef, scope: Scope) -> Cost:
    """Return the evidence that `node` is CPU-bound, an empty `Cost` without it."""
    return Cost()
