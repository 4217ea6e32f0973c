"""CON505: see docs/rules/CON505.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Kind, Role
from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.model.values import Name
from conclint.project.lifetime import Made
from conclint.project.project import CallPlace, Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON505",
    name="pipe-wait-deadlock",
    summary="a program's output goes into a pipe that nobody reads while its end is waited for",
    help="use `communicate()` or `subprocess.run(capture_output=True)`; or send the output to `subprocess.DEVNULL`",
    category=Category.DEADLOCK,
    since="0.1.0",
)

_PIPE = Name("subprocess.PIPE")
_CALLS = frozenset({"subprocess.call", "subprocess.check_call"})
_OUTPUTS = ("stdout", "stderr")
_READING = frozenset({"communicate", "stdout", "stderr", "__exit__"})


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report `wait()` on a program whose pipes nobody reads, and `call(stdout=PIPE)`, where nobody can."""
    for made in project.lifetimes.iter_made(Kind.POPEN):
        pipe = _find_pipe(made.place)
        waits = [one for one in project.lifetimes.iter_calls(made.found, Role.JOIN) if not one.call.arguments]
        if pipe and waits and not _may_be_read(project, made):
            opened = project.related(made.place.site.module, made.place.call.span, f"its `{pipe}` goes into a pipe")
            message = (
                f"nobody reads `{pipe}` of this program: it stops when the pipe is full, and is waited for forever"
            )
            yield project.alarm(waits[0].site.module, RULE.code, waits[0].call.span, message, opened)
    for place in project.calls:
        pipe = _find_pipe(place) if _waits_for_ever(project, place) else ""
        if pipe:
            message = f"nobody can read `{pipe}` of this program: it stops when the pipe is full, and is waited for"
            yield project.alarm(place.site.module, RULE.code, place.call.span, message)


def _waits_for_ever(project: Project, place: CallPlace) -> bool:
    """Whether a call is `subprocess.call`, or `check_call`, without a timeout."""
    targets = project.externals(place.site)
    return bool(targets) and all(one.name in _CALLS for one in targets) and place.find_argument("timeout") is None


def _find_pipe(place: CallPlace) -> str:
    """Return the output that goes into a pipe of its own, "" where none does."""
    for output in _OUTPUTS:
        argument = place.find_argument(output)
        if argument is not None and place.facts.values[argument.value] == _PIPE:
            return output
    return ""


def _may_be_read(project: Project, made: Made) -> bool:
    names = {one.name for one in project.lifetimes.iter_operations(made.found)} | project.loads(made.found)
    return not _READING.isdisjoint(names) or project.lifetimes.is_out_of_sight(made.found)
