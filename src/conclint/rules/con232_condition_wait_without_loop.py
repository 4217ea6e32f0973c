"""CON232: see docs/rules/CON232.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.editor import Editor
from conclint.model.alarm import Alarm
from conclint.model.facts import Argument
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.model.span import Span
from conclint.model.values import Constant, Local, ValueId
from conclint.project.conditions import Use, iter_uses
from conclint.project.order import precedes
from conclint.project.project import Project
from conclint.project.testing import is_test
from conclint.project.timeouts import find_timeout
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON232",
    name="condition-wait-without-loop",
    summary="`Condition.wait()` is not called in a loop that tests what is waited for",
    help="write `while not …: condition.wait()`, or use `condition.wait_for(…)`",
    category=Category.DATA_RACE,
    since="0.1.0",
)

_DEEPEST = 4


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report waits after which the function goes on as if what it waits for were true."""
    for use in iter_uses(project):
        if use.name != "wait" or is_test(use.place):
            continue
        timeout = _find_timeout(project, use)
        if timeout is None:
            message = f"after `{use.condition}.wait()`, what was waited for may no longer be true"
        elif _is_optional(project, use, timeout) and _is_blind(project, use):
            message = f"what `{use.condition}.wait()` waits for may have happened before: nothing is tested first"
        else:
            # It ends by itself: then nothing is promised, and nothing is taken for granted.
            continue
        if not _is_repeated(project, use) and _goes_on(project, use):
            yield project.alarm(use.place.site.module, RULE.code, use.place.call.span, message)


def _find_timeout(project: Project, use: Use) -> Argument | None:
    """Return the argument after which the wait may end by itself."""
    rows = (row.timeout for _, row in project.rows(use.place.site) if row.timeout is not None)
    return next((found for row in rows if (found := find_timeout(use.place, row)) is not None), None)


def _is_optional(project: Project, use: Use, timeout: Argument) -> bool:
    """Whether the timeout is a parameter of the function that is None unless its caller says otherwise."""
    module, function = use.place.site.module, use.place.function
    given = project.value(module, timeout.value)
    for one in function.parameters:
        default = project.value(module, one.default) if one.default is not None else None
        if given == Local(function.symbol, one.name) and isinstance(default, Constant) and default.value is None:
            return True
    return False


def _is_blind(project: Project, use: Use) -> bool:
    """Whether a function waits without having looked at anything."""
    place = use.place
    return not place.context.branches and not any(
        precedes(span, place.call.span) for span in _iter_used(project, use) if span != place.call.span
    )


def _is_repeated(project: Project, use: Use) -> bool:
    """Whether the wait, a call of its function, or the definition of that stands in a loop."""
    if use.place.context.loops:
        return True
    pending, seen = [use.place.function.symbol], {use.place.function.symbol}
    for _ in range(_DEEPEST):
        callers = [caller for symbol in pending for caller in project.call_graph.callers.get(symbol, ())]
        if any(project.modules[module].contexts[context].loops for _, module, context in callers):
            return True
        if any(_is_defined_in_loop(project, symbol) for symbol in pending):
            return True
        pending = [caller for caller, _, _ in callers if caller not in seen]
        seen.update(pending)
    return False


def _is_defined_in_loop(project: Project, symbol: str) -> bool:
    place, function = project.place(symbol), project.function(symbol)
    return (
        place is not None
        and function is not None
        and bool(project.modules[place.module].contexts[function.context].loops)
    )


def _goes_on(project: Project, use: Use) -> bool:
    """Whether the wait depends on a test that is not made again, or the function does more after it.

    A function that only waits may well be called in a loop, by code that is not seen.
    """
    place = use.place
    if place.context.branches:
        return True
    return any(precedes(place.call.span, span) for span in _iter_used(project, use))


def _iter_used(project: Project, use: Use) -> Iterator[Span]:
    """Yield where the function that waits uses something else than the Condition: to release that is no use."""
    place = use.place
    module = place.site.module
    used = [(access.target, access.span) for access in place.facts.accesses if access.function == place.call.function]
    used += [(one.call.callee, one.call.span) for one in project.calls_in(place.function_place)]
    condition = _find_base(project, module, place.call.callee)
    for value, span in used:
        if condition not in (value, _find_base(project, module, value)):
            yield span


def _find_base(project: Project, module: int, value: ValueId) -> ValueId | None:
    split = project.places.split(module, value)
    return split[0] if split is not None else None


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Test again after the wait."""
    call = editor.find(anchor.span, cst.Call)
    line = editor.line_of(call) if call is not None else None
    block = editor.parent(line) if line is not None else None
    test = editor.parent(block) if block is not None else None
    if not isinstance(test, cst.If) or test.orelse is not None:
        return None
    start = editor.source.offsets[test][0]
    is_alone = isinstance(block, cst.IndentedBlock) and len(block.body) == 1
    if not is_alone or not editor.source.text.startswith("if", start):
        return None
    return Fix("Test again after the wait", Applicability.UNSAFE, (editor.edit(start, start + 2, "while"),))
