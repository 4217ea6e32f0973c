"""CON303: see docs/rules/CON303.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.analysis.editor import Editor
from conclint.analysis.limiting import pass_timeout
from conclint.catalog.rows import RunsIn
from conclint.model.alarm import Alarm, Related
from conclint.model.fix import Anchor, Fix
from conclint.model.rule import Category, Rule
from conclint.project.final_waits import FinalWait
from conclint.project.project import Project
from conclint.project.roots import find_begin
from conclint.project.ways import relate_calls
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON303",
    name="unbounded-wait-in-shutdown",
    summary="a finalizer, exit handler or signal handler may wait for ever",
    help="pass `timeout=`, and tell the other thread to end first",
    category=Category.TIMEOUT,
    since="0.1.0",
)

_NOUNS = {RunsIn.FINALIZER: "finalizer", RunsIn.ATEXIT: "exit handler", RunsIn.SIGNAL: "signal handler"}
_NO_PARAMETER = "it takes no timeout: wait in ordinary code, or for an `Event` with a timeout"


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report waits without a timeout where the program should come to an end, or should go on at once."""
    for found in project.stalls.endless.final:
        place, name = found.wait.place, found.root.function.rpartition(".")[2]
        module = place.site.module
        callee = project.places.describe(module, place.call.callee)
        who = f"{_NOUNS[found.root.runs_in]} `{name}`" if not name.startswith("<lambda") else _NOUNS[found.root.runs_in]
        message = f"the {who} waits in `{callee}`, and {_say_why(project, found)}"
        help_line = "" if found.wait.keyword else _NO_PARAMETER
        anchors = found.wait.find_anchors(project)
        steps = _relate(project, found)
        yield project.alarm(module, RULE.code, place.call.span, message, *steps, help=help_line, anchors=anchors)


def _say_why(project: Project, found: FinalWait) -> str:
    if found.blocked is None:
        return "nothing limits that"
    inner = found.blocked.wait.place
    other = project.places.describe(inner.site.module, inner.call.callee)
    return f"the thread waits for ever in `{other}`"


def _relate(project: Project, found: FinalWait) -> Iterator[Related]:
    root, blocked = found.root, found.blocked
    if root.site.what == "call":
        yield project.related(root.site.module, find_begin(project, root), "it is registered here")
    yield from relate_calls(project, found.calls)
    if blocked is not None:
        yield from blocked.relate(project)
        return
    for waker in project.stalls.endless.find_wakers(found.wait)[:1]:
        yield project.related(waker.site.module, waker.call.span, "this would end it")


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Pass the timeout that the settings want."""
    return pass_timeout(editor, anchor)
