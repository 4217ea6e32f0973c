"""Where a module logs to, for fixes that log what was lost."""

from __future__ import annotations

import libcst as cst

from conclint.analysis.editor import Editor, Reference

_GET_LOGGER = "logging.getLogger"


def refer_to_exception(editor: Editor, node: cst.CSTNode) -> Reference | None:
    """Return how an error is logged at the place of the node: by the module's logger, or by `logging` itself."""
    for line in editor.source.tree.body:
        assign = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
        if not isinstance(assign, cst.Assign) or not isinstance(assign.value, cst.Call):
            continue
        name = assign.targets[0].target
        is_logger = editor.scope(line).resolve(assign.value.func) == _GET_LOGGER
        if is_logger and isinstance(name, cst.Name) and editor.is_global(name.value, node):
            return Reference(f"{name.value}.exception", ())
    return editor.refer("logging.exception", node)
