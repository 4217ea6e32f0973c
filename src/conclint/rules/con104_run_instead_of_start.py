"""CON104: see docs/rules/CON104.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.editor import Editor
from conclint.catalog.rows import Kind, Role
from conclint.model.alarm import Alarm
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.model.values import Attribute, Local, Super
from conclint.project.objects import Object
from conclint.project.project import CallPlace, Project
from conclint.project.testing import is_test
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON104",
    name="run-instead-of-start",
    summary="`run()` is called on a thread or process, which runs its work here and now",
    help="call `start()`",
    category=Category.THREAD,
    since="0.1.0",
)

_KINDS = (Kind.THREAD, Kind.TIMER, Kind.PROCESS)
_SIGNS = frozenset({"join", "is_alive", "daemon", "setDaemon", "terminate", "exitcode"})
"""What is asked of an object that is taken for a running thread or process."""


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report `thread.run()` from outside of the thread's own class."""
    for place in project.calls:
        callee = place.facts.values[place.call.callee]
        if not isinstance(callee, Attribute) or callee.name != "run" or _is_own(place, callee) or is_test(place):
            continue
        receivers = project.objects(place.site.module, callee.base)
        if receivers and all(_is_meant_to_start(project, found) for found in receivers):
            name = project.places.describe(place.site.module, callee.base)
            subject = f"`{name}.run()`" if "…" not in name else "`run()`"
            message = f"{subject} does the work in this thread: only `start()` begins another one"
            yield project.alarm(place.site.module, RULE.code, place.call.span, message)


def _is_meant_to_start(project: Project, found: Object) -> bool:
    """Whether this is a thread or process that is only run, and surely by mistake.

    Who starts it elsewhere runs it here on purpose. So does, for all we know, who runs a class of his own and does
    nothing else with it that only makes sense with a thread.
    """
    row = project.class_row(found)
    if row is None or row.kind not in _KINDS or Role.START in project.lifetimes.find_roles(found):
        return False
    own = found.symbol in project.symbols.classes
    return not own or bool(project.assigned(found, "daemon")) or not _SIGNS.isdisjoint(project.loads(found))


def _is_own(place: CallPlace, callee: Attribute) -> bool:
    """Whether the receiver is `self` or `super()`."""
    base = place.facts.values[callee.base]
    if isinstance(base, Super):
        return True
    function = place.function
    return (
        isinstance(base, Local) and bool(function.owner) and base.name in [one.name for one in function.parameters[:1]]
    )


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Start it."""
    call = editor.find(anchor.span, cst.Call)
    if call is None or not isinstance(call.func, cst.Attribute) or call.args:
        return None
    edits = (editor.replace(call.func.attr, "start"),)
    # What is started must be joined.
    return Fix("Call `start()`", Applicability.UNSAFE, edits, reveals=("CON101", "CON501"))
