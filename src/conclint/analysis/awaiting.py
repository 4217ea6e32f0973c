"""How a call in a coroutine comes to be awaited, or to run in a thread: the edits for that."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.editor import Editor
from conclint.analysis.fields import iter_nodes
from conclint.analysis.names import absolute_module, dotted_name
from conclint.model.fix import Anchor, Applicability, Edit, Fix

_OTHER_LOOPS = frozenset({"trio", "anyio", "curio"})


def await_call(editor: Editor, call: cst.Call) -> tuple[Edit, ...]:
    """Return the edits that put `await` before a call, where it may stand."""
    opening, closing = _find_frame(editor, call)
    edits = (editor.insert_before(call, opening),)
    return (*edits, editor.insert_after(call, closing)) if closing else edits


def await_other(editor: Editor, call: cst.Call, function: str) -> tuple[Edit, ...]:
    """Return the edits that turn `f(x)` into `await function(x)`."""
    opening, closing = _find_frame(editor, call)
    start, end = editor.outer(call)[0], editor.outer(call.func)[1]
    edits = (editor.edit(start, end, f"{opening}{editor.source.text[start : editor.outer(call.func)[0]]}{function}"),)
    return (*edits, editor.insert_after(call, closing)) if closing else edits


def run_in_thread(editor: Editor, call: cst.Call) -> Fix | None:
    """Return the fix that turns `f(x)` into `await asyncio.to_thread(f, x)`; None where that cannot be written."""
    if not may_run_in_thread(editor, call):
        return None
    reference = editor.refer("asyncio.to_thread", call)
    if reference is None:
        return None
    opening, closing = _find_frame(editor, call)
    first, second = editor.call_with(call, f"{opening}{reference.text}")
    edits = (*reference.edits, first, second, *((editor.insert_after(call, closing),) if closing else ()))
    return Fix("Run it in a thread", Applicability.UNSAFE, edits)


def hand_to_thread(editor: Editor, anchor: Anchor) -> Fix | None:
    """Return that fix for the call at an anchor; one without words is of a call that the rule does not want moved."""
    call = editor.find(anchor.span, cst.Call)
    return run_in_thread(editor, call) if call is not None and anchor.words else None


def may_run_in_thread(editor: Editor, call: cst.Call) -> bool:
    """Return whether the call stands in a coroutine of asyncio, and could be handed over as it is written."""
    is_bare_generator = len(call.args) == 1 and isinstance(call.args[0].value, cst.GeneratorExp)
    is_apart = not call.lpar and not is_bare_generator and not _updates(editor, call) and not _is_locked(editor, call)
    return editor.may_await(call) and is_apart and not uses_other_loop(editor, call)


def _updates(editor: Editor, call: cst.Call) -> bool:
    """Whether it adds to what others see too: `self.total += f()` would read that before it awaits."""
    update = editor.around(call, (cst.AugAssign, cst.Lambda, cst.BaseCompoundStatement))
    return isinstance(update, cst.AugAssign) and not isinstance(update.target, cst.Name)


def uses_other_loop(editor: Editor, node: cst.CSTNode) -> bool:
    """Return whether the file imports from another library for coroutines, so that the loop may not be asyncio's."""
    *_, tree = editor.iter_around(node)
    return any(
        name.partition(".")[0] in _OTHER_LOOPS for one in iter_nodes(tree) for name in _iter_origins(editor, one)
    )


def _iter_origins(editor: Editor, node: cst.CSTNode) -> Iterator[str]:
    """Yield the modules that an import imports, or imports from."""
    if isinstance(node, cst.Import):
        yield from (dotted_name(alias.name) or "" for alias in node.names)
    elif isinstance(node, cst.ImportFrom):
        yield absolute_module(node, editor.source.module, is_package=editor.source.is_package)


def _is_locked(editor: Editor, call: cst.Call) -> bool:
    """Whether a `with` around is called a lock, whatever it may be: it errs towards leaving the code alone."""
    held = (one for one in editor.iter_around(call) if isinstance(one, cst.With) and one.asynchronous is None)
    return any("lock" in editor.code(item).lower() for one in held for item in one.items)


def knows_asyncio(editor: Editor) -> bool:
    """Return whether the file imports something of asyncio: there are other loops, also of a program's own."""
    imports = (one for one in iter_nodes(editor.source.tree) if isinstance(one, cst.Import | cst.ImportFrom))
    return any("asyncio" in editor.code(one) for one in imports)


def _find_frame(editor: Editor, call: cst.Call) -> tuple[str, str]:
    """Return what goes before and after a call: `await` binds less tightly than what follows it."""
    around = editor.parent(call)
    is_base = isinstance(around, cst.Attribute | cst.Subscript) and around.value is call
    is_base = is_base or (isinstance(around, cst.Call) and around.func is call) or isinstance(around, cst.Await)
    return ("(await ", ")") if is_base and not call.lpar else ("await ", "")
