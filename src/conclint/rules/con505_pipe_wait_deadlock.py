"""CON505: see docs/rules/CON505.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Kind, Role
from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.model.span import Span
from conclint.model.values import Attribute, Name
from conclint.project.lifetime import Made
from conclint.project.order import precedes
from conclint.project.project import CallPlace, Project
from conclint.project.symbols import FunctionPlace
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
_READING = frozenset({"communicate", "__exit__"})


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report `wait()` on a program whose pipes nobody reads, and `call(stdout=PIPE)`, where nobody can."""
    for made in project.lifetimes.iter_made(Kind.POPEN):
        pipe = _find_pipe(made.place)
        waits = [one for one in project.lifetimes.iter_calls(made.found, Role.JOIN) if not one.call.arguments]
        if pipe and waits and not _may_be_read(project, made, waits[0]):
            opened = project.related(made.place.site.module, made.place.call.span, f"its `{pipe}` goes into a pipe")
            message = f"nobody reads `{pipe}` of this program until it ends: when the pipe is full, it never does"
            yield project.alarm(waits[0].site.module, RULE.code, waits[0].call.span, message, opened)
    for place in project.external_calls:
        pipe = _find_pipe(place) if _waits_for_ever(project, place) else ""
        if pipe:
            message = f"nobody can read `{pipe}` of this program: when the pipe is full, it never ends"
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


def _may_be_read(project: Project, made: Made, wait: CallPlace) -> bool:
    """Whether somebody reads a pipe before the wait ends; `process.wait()` and then `process.stdout.read()` is late."""
    names = {one.name for one in project.lifetimes.iter_operations(made.found)}
    if not _READING.isdisjoint(names) or project.lifetimes.is_out_of_sight(made.found):
        return True
    reads = list(_iter_reads(project, made))
    if not reads:
        return not project.loads(made.found).isdisjoint(_OUTPUTS)
    late = (where == wait.function_place and precedes(wait.call.span, span) for where, span in reads)
    return bool(wait.context.loops) or not all(late)


def _iter_reads(project: Project, made: Made) -> Iterator[tuple[FunctionPlace, Span]]:
    """Yield where the pipes of a program are read off it."""
    for module, facts in enumerate(project.modules):
        for access in facts.accesses:
            value = facts.values[access.target]
            if not isinstance(value, Attribute) or value.name not in _OUTPUTS:
                continue
            if made.found in project.objects(module, value.base):
                yield FunctionPlace(module, access.function), access.span
