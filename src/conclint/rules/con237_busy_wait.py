"""CON237: see docs/rules/CON237.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.project.polling import PolledPrimitive, PolledState, iter_polled_primitives, iter_polled_state
from conclint.project.project import Project
from conclint.project.roots import find_begin
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON237",
    name="busy-wait",
    summary="a loop asks again and again for what another thread does, instead of waiting for it",
    help="wait for it: with an `Event`, `join()`, `get()` or `result()`, and a timeout where needed",
    category=Category.THREAD,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report loops that do nothing but ask, or ask and sleep."""
    for found in iter_polled_primitives(project):
        yield _report_primitive(project, found)
    for state in iter_polled_state(project):
        yield _report_state(project, state)


def _report_primitive(project: Project, found: PolledPrimitive) -> Alarm:
    callee = project.places.describe(found.module, project.call(found.call).call.callee)
    name = callee.rpartition(".")[0]
    doing = "and sleep" if found.poll.pause is not None else "without a pause"
    timeout = "timeout=…" if found.is_limited else ""
    message = f"this loop does nothing but ask for `{callee}()` {doing}"
    help_line = f"wait by `{name}.{found.wait}({timeout})`"
    return project.alarm(found.module, RULE.code, found.poll.span, message, help=help_line)


def _report_state(project: Project, found: PolledState) -> Alarm:
    name = project.places.describe(found.module, found.state)
    begun = found.root.function.rpartition(".")[2]
    message = f"this loop takes a whole CPU until another thread sets `{name}`"
    start = project.related(
        found.root.site.module, find_begin(project, found.root), f"`{begun}` runs in another thread"
    )
    write = project.related(found.write.module, found.write.span, f"`{name}` is set here")
    help_line = f"make `{name}` a `threading.Event` and `wait()` for it"
    return project.alarm(found.module, RULE.code, found.poll.span, message, start, write, help=help_line)
