"""CON304: see docs/rules/CON304.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.analysis.editor import Editor
from conclint.analysis.limiting import pass_timeout
from conclint.catalog.rows import Effect
from conclint.model.alarm import Alarm
from conclint.model.fix import Anchor, Fix
from conclint.model.naming import is_tool_code
from conclint.model.rule import Category, Rule
from conclint.model.values import Constant, Name
from conclint.project.blocking import find_blocking
from conclint.project.commands import Commands
from conclint.project.link import ExternalTarget
from conclint.project.objects import Object
from conclint.project.order import precedes
from conclint.project.project import CallPlace, Project
from conclint.project.starts import collect_script_functions
from conclint.project.timeouts import Limit, Timeouts, find_anchors
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON304",
    name="subprocess-without-timeout",
    summary="the program waits for another one, for as long as that runs",
    help="pass `timeout=`, and kill the program when the time is over",
    category=Category.TIMEOUT,
    since="0.1.0",
    default=False,
)

_CAPTURING = frozenset({"subprocess.check_output", "subprocess.Popen.communicate"})
_HIDING = frozenset({"subprocess.PIPE", "subprocess.DEVNULL"})
"""Where output goes that nobody at the terminal sees; `sys.stdout` is no such place."""
_STREAMS = ("stdin", "stdout", "stderr")
_ENDING = frozenset({"terminate", "kill", "send_signal", "poll", "communicate"})


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report waits for programs that nobody at a terminal watches, and that may take any time."""
    if all(not name.startswith("subprocess.") for name in project.symbols.names):
        return
    timeouts, commands, scripts = Timeouts(project), Commands(project), collect_script_functions(project)
    for site, targets in project.links.externals.items():
        if site.what != "call" or not targets or any(not one.name.startswith("subprocess.") for one in targets):
            continue
        place = project.call(site)
        if is_tool_code(place.function.symbol) or _is_by_hand(place, scripts):
            continue
        if any(_judge(project, timeouts, place, target) is Limit.LIMITED for target in targets):
            continue
        if not _is_left_alone(project, place, tuple(targets)) or not _may_hang(project, commands, place, targets):
            continue
        if find_blocking(project, place, Effect.SUBPROCESS):
            callee = project.places.describe(site.module, place.call.callee)
            message = f"`{callee}` waits until the other program ends, however long that takes"
            anchors = tuple(find_anchors(project, place, project.rows(site)[0][1]))
            yield project.alarm(site.module, RULE.code, place.call.span, message, anchors=anchors)


def _judge(project: Project, timeouts: Timeouts, place: CallPlace, target: ExternalTarget) -> Limit:
    row = project.find_row(target)
    if row is None or row.timeout is None or not row.timeout.keyword:
        return Limit.LIMITED
    return timeouts.find_limit(place, target, row)


def _is_by_hand(place: CallPlace, scripts: frozenset[str]) -> bool:
    """Whether a call is part of what somebody starts at a terminal."""
    return place.context.main_guard or place.function.symbol in scripts


def _may_hang(project: Project, commands: Commands, place: CallPlace, targets: tuple[ExternalTarget, ...]) -> bool:
    """Whether the program that is waited for is not known to end by itself."""
    made = [project.find_call(one.receiver.site) for one in targets if one.receiver is not None] or [place]
    return any(start is None or commands.may_hang(start) for start in made)


def _is_left_alone(project: Project, place: CallPlace, targets: tuple[ExternalTarget, ...]) -> bool:
    """Whether nobody at a terminal can see or stop the program (must): its output goes elsewhere."""
    receivers = [target.receiver for target in targets if target.receiver is not None]
    if not receivers:
        return targets[0].name in _CAPTURING or _redirects(project, place)
    if targets[0].name.endswith(".wait") and any("stdout" in project.loads(one) for one in receivers):
        # Who has read all of the output has waited there.
        return False
    return all(_is_hidden(project, one) and not _is_ended(project, place, one) for one in receivers)


def _is_hidden(project: Project, process: Object) -> bool:
    if process.site is None or process.site.what != "call":
        return False
    return _redirects(project, project.call(process.site))


def _redirects(project: Project, place: CallPlace) -> bool:
    module = place.site.module
    captured = place.find_argument("capture_output")
    if captured is not None and project.constant(module, captured.value) == Constant(True):
        return True
    output = [given for name in _STREAMS[1:] if (given := place.find_argument(name)) is not None]
    values = (project.value(module, one.value) for one in output)
    return any(isinstance(value, Name) and project.symbols.resolve(value.symbol).name in _HIDING for value in values)


def _is_ended(project: Project, place: CallPlace, process: Object) -> bool:
    """Whether the function asks the process to end, or whether it has, before it waits."""
    return any(
        one.name in _ENDING
        and one.site.what == "call"
        and project.call(one.site).function_place == place.function_place
        and precedes(project.call(one.site).call.span, place.call.span)
        for one in project.operations(process)
    )


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Pass the timeout that the settings want."""
    return pass_timeout(editor, anchor)
