"""CON234: see docs/rules/CON234.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.project.blocking import returns_at_once
from conclint.project.conditions import Use, iter_uses
from conclint.project.project import Project
from conclint.project.stalls import Bystander, Waiting
from conclint.project.testing import is_test
from conclint.project.ways import Ways, relate_steps
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON234",
    name="wait-with-two-locks",
    summary="`Condition.wait()` gives one lock away, and keeps another one that is held too",
    help="release the other lock before waiting, or make the Condition from it: `threading.Condition(lock)`",
    category=Category.DEADLOCK,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report waits for a Condition under a lock that is not its own, and that others take too."""
    uses = {use.place.site: use for use in iter_uses(project) if use.waits and _may_wait(project, use)}
    # A wait stands in a loop, often with a `return` where the time is up.
    ways = Ways(project, lambda place: place.site in uses, is_taken=lambda context: not context.branches)
    for place in project.calls if uses else ():
        step = ways.find(place) if place.context.lockset and not is_test(place) else None
        if step is None:
            continue
        use = uses[step.last.site]
        for waiting in project.stalls.iter_held(place, step, domains=(use.lock.domain,)):
            taker = _find_taker(project, waiting, use) if waiting.lock.identity != use.lock.identity else None
            if taker is not None:
                yield _report(project, waiting, use=use, taker=taker[0], notifies=taker[1])
                break


def _may_wait(project: Project, use: Use) -> bool:
    return not any(returns_at_once(project, use.place, row) for _, row in project.rows(use.place.site))


def _find_taker(project: Project, waiting: Waiting, use: Use) -> tuple[Bystander, bool] | None:
    """Return who else takes the lock, and whether to notify: only so does the wait end at all."""
    bystander = None
    for taker in project.stalls.iter_takers(waiting):
        called = _find_called(project, taker, use)
        if any(name.startswith("notify") for name in called):
            return taker, True
        # Those who wait as well are there to do it one after the other.
        if not called and bystander is None:
            bystander = taker, False
    return bystander


def _find_called(project: Project, taker: Bystander, use: Use) -> set[str]:
    """Return the methods of the Condition that a critical section calls, also through functions."""
    section = project.stalls.section(taker)
    sites = {place.site for place in section}
    inner = project.call_graph.reach(target.function for place in section for target in project.callees(place.site))
    return {
        operation.name
        for found in use.conditions
        for operation in project.operations(found)
        if operation.site.what == "call"
        and (operation.site in sites or project.call(operation.site).function.symbol in inner)
    }


def _report(project: Project, waiting: Waiting, *, use: Use, taker: Bystander, notifies: bool) -> Alarm:
    module, first = waiting.module, waiting.step.place
    lock = project.places.describe(module, waiting.entry.value)
    callee = project.places.describe(first.site.module, first.call.callee)
    way = "" if first.site == use.place.site else f" ends in `{use.condition}.{use.name}`, which"
    message = f"`{callee}`{way} waits for a notification while `{lock}` is held"
    name = project.modules[taker.module].functions[taker.entry.function].name
    why = f"`{name}` needs `{lock}` to notify" if notifies else f"meanwhile, `{name}` cannot go on"
    related = (
        project.related(module, waiting.entry.span, f"`{lock}` is acquired here"),
        *relate_steps(project, waiting.step, "waits in"),
        project.related(taker.module, taker.entry.span, why),
    )
    return project.alarm(module, RULE.code, first.call.span, message, *related)
