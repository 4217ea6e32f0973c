"""CON502: see docs/rules/CON502.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.closing import enter
from conclint.analysis.editor import Editor
from conclint.catalog.rows import Kind, Role
from conclint.model.alarm import Alarm
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.model.values import Constant
from conclint.project.lifetime import Made
from conclint.project.project import CallPlace, Project
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON502",
    name="popen-not-waited",
    summary="a program is started and nobody waits for its end",
    help="use `subprocess.run(...)`, or `with Popen(...)`; or detach it for good with `start_new_session=True`",
    category=Category.PROCESS,
    since="0.1.0",
)

_POPEN = "subprocess.Popen"
_ENDS = frozenset({Role.JOIN, Role.CLOSE, Role.RESULT})
_DETACHING = ("start_new_session", "process_group", "preexec_fn", "creationflags")
_REAPING = frozenset({"os.wait", "os.wait3", "os.wait4", "os.waitpid", "psutil.wait_procs"})


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report programs that are started, not detached, and waited for by nobody."""
    lifetimes = project.lifetimes
    if _reaps_others(project):
        return
    for made in lifetimes.iter_made(Kind.POPEN):
        if made.row.names[0] != _POPEN or _is_waited_for(project, made) or _is_detached(made.place):
            continue
        if not lifetimes.is_out_of_sight(made.found):
            yield _report(project, made)


def _report(project: Project, made: Made) -> Alarm:
    name = project.lifetimes.describe(made)
    subject = f"the program {name}" if name else "this program"
    message = f"{subject} is started, but nobody waits for its end"
    ended = list(project.lifetimes.iter_calls(made.found, Role.CANCEL))[:1]
    related = [project.related(one.site.module, one.call.span, "it is only told to end here") for one in ended]
    return project.alarm(made.place.site.module, RULE.code, made.place.call.span, message, *related)


def _is_waited_for(project: Project, made: Made) -> bool:
    """Whether somebody waits, polls, or may do so through what it reads off the object (may)."""
    lifetimes = project.lifetimes
    return (
        not _ENDS.isdisjoint(lifetimes.find_roles(made.found))
        or not {"returncode", "pid"}.isdisjoint(project.loads(made.found))
        or lifetimes.is_singleton(made.found)
    )


def _is_detached(place: CallPlace) -> bool:
    """Whether the program is meant to outlive this one."""
    given = [(keyword, place.find_argument(keyword)) for keyword in _DETACHING]
    values = [(keyword, place.facts.values[one.value]) for keyword, one in given if one is not None]
    # `process_group=0` asks for a new group.
    off = {keyword for keyword, value in values if isinstance(value, Constant) and not value.value}
    return place.has_stars or any(keyword not in off - {"process_group"} for keyword, _ in values)


def _reaps_others(project: Project) -> bool:
    """Whether the program waits for children of which it knows only the numbers."""
    return any(project.calls_to(_REAPING))


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Use it in a `with` statement, which waits for its end; a loop that starts one after the other goes on."""
    call = editor.find(anchor.span, cst.Call)
    if call is None or editor.around(call, (cst.For, cst.While)) is not None:
        return None
    edits = enter(editor, call, lambda _: True)
    title = "Wait for its end with a `with` statement"
    return Fix(title, Applicability.UNSAFE, edits) if edits is not None else None
