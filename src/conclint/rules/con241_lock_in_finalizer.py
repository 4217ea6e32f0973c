"""CON241: see docs/rules/CON241.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import RunsIn
from conclint.model.alarm import Alarm, Related
from conclint.model.rule import Category, Rule
from conclint.project.interrupts import Interrupt, Interrupts
from conclint.project.project import Project
from conclint.project.roots import find_begin
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON241",
    name="lock-in-finalizer",
    summary="a finalizer or signal handler waits for a lock that the interrupted thread may hold",
    help="only set a flag or use `queue.SimpleQueue` there, and do the work in ordinary code",
    category=Category.DEADLOCK,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report plain locks and queues that interrupting code and ordinary code share."""
    for found in Interrupts(project).iter_all():
        first, last = found.trace[0], found.trace[-1]
        kind = "signal handler" if found.root.runs_in is RunsIn.SIGNAL else "finalizer"
        name, lock = _name(found.root.function), found.taking.name
        if len(found.trace) == 1:
            what = f"waits for `{lock}`"
        else:
            what = f"calls what ends in {_name(last.function)}, which waits for `{lock}`"
        message = f"the {kind} {name} {what}, and may interrupt the thread that holds it"
        yield project.alarm(first.module, RULE.code, first.span, message, *_relate(project, found))


def _relate(project: Project, found: Interrupt) -> Iterator[Related]:
    root, holder = found.root, found.holder
    name = _name(root.function)
    if root.site.what == "call":
        yield project.related(root.site.module, find_begin(project, root), f"{name} is registered here")
    for step in found.trace[1:-1]:
        yield project.related(step.module, step.span, f"{_name(step.function)} calls on here")
    if len(found.trace) > 1:
        last = found.trace[-1]
        yield project.related(last.module, last.span, f"`{found.taking.name}` is waited for here")
    yield project.related(holder.step.module, holder.step.span, f"`{holder.name}` is held here by ordinary code")


def _name(symbol: str) -> str:
    """Return how a message calls a function."""
    name = symbol.rpartition(".<locals>.")[2].rpartition(".")[2]
    return "`lambda`" if name.startswith("<lambda") else f"`{name}`"
