"""CON413: see docs/rules/CON413.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.editor import Editor
from conclint.model.alarm import Alarm
from conclint.model.fix import ANY_RULE, Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.project.objects import Object, ObjectKind
from conclint.project.project import CallPlace, Project
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON413",
    name="asyncio-wait-on-coroutines",
    summary="`asyncio.wait` is given coroutines, and takes tasks only",
    help="make tasks of them: `asyncio.wait([asyncio.create_task(f()) for f in …])`, or use `asyncio.gather`",
    category=Category.ASYNC,
    since="0.1.0",
)

_WAIT = frozenset({"asyncio.wait", "asyncio.tasks.wait"})


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report `asyncio.wait` on collections of coroutines."""
    for place in project.calls:
        targets = project.externals(place.site)
        if not targets or any(target.name not in _WAIT for target in targets):
            continue
        held = _collect_elements(project, place)
        if held and all(found.kind is ObjectKind.COROUTINE for found in held):
            name = min(found.symbol for found in held).rpartition(".")[2]
            message = (
                f"`{project.places.describe(place.site.module, place.call.callee)}` gets the coroutine of `{name}`"
            )
            yield project.alarm(place.site.module, RULE.code, place.call.span, f"{message}, not a task: a TypeError")


def _collect_elements(project: Project, place: CallPlace) -> frozenset[Object]:
    given = place.find_argument("fs", 0)
    collections = project.objects(place.site.module, given.value) if given is not None else frozenset()
    return frozenset(found for collection in collections for found in project.elements(collection))


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Make a task of each coroutine."""
    call = editor.find(anchor.span, cst.Call)
    given = (
        next((one.value for one in call.args if one.keyword is None or one.keyword.value == "fs"), None)
        if call
        else None
    )
    reference = editor.refer("asyncio.create_task", call) if call is not None and editor.may_await(call) else None
    if given is None or reference is None:
        return None
    if isinstance(given, cst.ListComp | cst.SetComp | cst.GeneratorExp):
        made = [given.elt]
    elif isinstance(given, cst.List | cst.Set | cst.Tuple):
        made = [element.value for element in given.elements if isinstance(element, cst.Element)]
        if len(made) < len(given.elements):
            return None
    else:
        return None
    if not all(isinstance(one, cst.Call) for one in made):
        return None
    pairs = [(editor.insert_before(one, f"{reference.text}("), editor.insert_after(one, ")")) for one in made]
    edits = (*reference.edits, *(edit for pair in pairs for edit in pair))
    return Fix("Make tasks of the coroutines", Applicability.SAFE, edits, reveals=ANY_RULE)
