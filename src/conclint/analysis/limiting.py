"""Limiting: the fix that gives a call a timeout."""

from __future__ import annotations

import libcst as cst

from conclint.analysis.editor import Editor
from conclint.model.fix import Anchor, Applicability, Fix


def pass_timeout(editor: Editor, anchor: Anchor) -> Fix | None:
    """Pass the timeout that the settings want, by the keyword which is the first word of the anchor.

    What stands there is a call without a timeout, or the literal that says that it waits for ever.
    """
    if not anchor.words:
        return None
    title = f"Pass a timeout of {editor.default_timeout} seconds"
    given = editor.find(anchor.span, (cst.Name, cst.Integer, cst.UnaryOperation))
    if given is not None:
        edit = editor.replace(given, editor.default_timeout) if _is_literal(given) else None
        return Fix(title, Applicability.UNSAFE, (edit,)) if edit is not None else None
    call = editor.find(anchor.span, cst.Call)
    if call is None or editor.is_ambiguous(editor.code(call.func).partition(".")[0]):
        # Another library of the same name may call it otherwise.
        return None
    edit = editor.add_argument(call, f"{anchor.words[0]}={editor.default_timeout}")
    return Fix(title, Applicability.UNSAFE, (edit,)) if edit is not None else None


def _is_literal(node: cst.BaseExpression) -> bool:
    return not isinstance(node, cst.Name) or node.value == "None"
