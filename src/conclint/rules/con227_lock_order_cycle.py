"""CON227: see docs/rules/CON227.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model.alarm import Alarm, Related
from conclint.model.rule import Category, Rule
from conclint.project.lock_order import Cycle, Edge
from conclint.project.project import Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON227",
    name="lock-order-cycle",
    summary="locks are taken in opposite orders",
    help="take the locks in the same order everywhere",
    category=Category.DEADLOCK,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report locks that two threads may hold while each waits for that of the other."""
    for cycle in project.lock_order.cycles:
        first = cycle.edges[0]
        step = first.steps[0]
        yield project.alarm(step.module, RULE.code, step.span, _describe(cycle), *_iter_trace(project, cycle))


def _describe(cycle: Cycle) -> str:
    first = cycle.edges[0]
    if len(cycle.edges) == 2:
        return f"`{first.held_name}` and `{first.taken_name}` are taken in opposite orders"
    names = ", ".join(f"`{edge.held_name}`" for edge in cycle.edges)
    return f"{names} are taken in orders that go in a circle"


def _iter_trace(project: Project, cycle: Cycle) -> Iterator[Related]:
    for number, edge in enumerate(cycle.edges):
        function = edge.steps[0].function.rpartition(".")[2]
        yield project.related(edge.module, edge.acquired, f"`{function}` takes `{edge.held_name}`")
        yield from _iter_steps(project, edge, skip_first=number == 0)


def _iter_steps(project: Project, edge: Edge, *, skip_first: bool) -> Iterator[Related]:
    *calls, last = edge.steps
    for index, step in enumerate(calls):
        if index or not skip_first:
            yield project.related(step.module, step.span, f"`{step.function.rpartition('.')[2]}` calls on")
    if calls or not skip_first:
        yield project.related(last.module, last.span, f"then waits for `{edge.taken_name}`")
