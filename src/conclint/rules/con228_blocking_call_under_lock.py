"""CON228: see docs/rules/CON228.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Effect
from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.project.project import Project
from conclint.project.stalls import Bystander, Waiting
from conclint.project.ways import relate_steps
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON228",
    name="blocking-call-under-lock",
    summary="a call waits while a lock is held that others need for something quick",
    help="release the lock before waiting; take out under the lock what the wait needs",
    category=Category.DEADLOCK,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report calls that sleep, or wait for a thread, process or queue, while others wait for the lock."""
    joins = project.stalls.joins
    # What never ends is CON229.
    reported = {found.waiting.step.place.site for found in joins.standstills}
    for waiting in project.stalls.all:
        site = waiting.step.place.site
        awaited = project.call_graph.reach(root.function for root in joins.find_roots(waiting.step.last))
        bystander = project.stalls.find_bystander(waiting, awaited) if site not in reported else None
        if bystander is not None:
            reported.add(site)
            yield _report(project, waiting, bystander)


def _report(project: Project, waiting: Waiting, bystander: Bystander) -> Alarm:
    module, first, last = waiting.module, waiting.step.place, waiting.step.last
    lock = project.places.describe(module, waiting.entry.value)
    callee = project.places.describe(module, first.call.callee)
    end = project.places.describe(last.site.module, last.call.callee)
    found = project.stalls.find_waiting(last)
    verb = "sleeps" if found is not None and found.row.effects & Effect.SLEEP else "waits"
    subject = f"`{callee}` {verb}" if first is last else f"`{callee}` ends in `{end}`, which {verb}"
    related = (
        project.related(module, waiting.entry.span, f"`{lock}` is acquired here"),
        *relate_steps(project, waiting.step, "waits in"),
        project.related(bystander.module, bystander.entry.span, f"meanwhile, {_name(project, bystander)} cannot go on"),
    )
    return project.alarm(module, RULE.code, first.call.span, f"{subject} while `{lock}` is held", *related)


def _name(project: Project, bystander: Bystander) -> str:
    return f"`{project.modules[bystander.module].functions[bystander.entry.function].name}`"
