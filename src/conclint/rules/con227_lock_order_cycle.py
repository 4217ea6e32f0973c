"""CON227: see docs/rules/CON227.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model.alarm import Alarm, Related
from conclint.model.rule import Category, Rule
from conclint.project.lock_order import Cycle, Edge, Step
from conclint.project.project import Project
from conclint.project.ways import follow
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
    for way, edge in enumerate(cycle.edges, 1):
        yield from follow(way, _iter_steps(project, edge))


def _iter_steps(project: Project, edge: Edge) -> Iterator[Related]:
    *calls, last = edge.steps
    function = _name(edge.steps[0])
    yield project.related(edge.module, edge.acquired, f"`{function}` takes `{edge.held_name}`")
    for step, following in zip(calls, edge.steps[1:], strict=True):
        yield project.related(step.module, step.span, f"`{_name(step)}` calls `{_name(following)}`")
    yield project.related(last.module, last.span, f"then waits for `{edge.taken_name}`")


def _name(step: Step) -> str:
    return step.function.rpartition(".")[2]
