"""CON207: see docs/rules/CON207.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model.alarm import Alarm, Related
from conclint.model.rule import Category, Rule
from conclint.project.instance_locks import InstanceLocks, Misguarded
from conclint.project.project import Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON207",
    name="instance-lock-guards-class-state",
    summary="state that all instances share is changed under a lock that each instance has for itself",
    help="make one lock for all instances, in the class body or at module level",
    category=Category.DATA_RACE,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report changes that a method of another instance, with its own lock, may come between."""
    for found in InstanceLocks(project).iter_misguarded():
        message = f"`{found.state}` is shared by all instances, but each has its own `{found.lock}`"
        yield project.alarm(found.module, RULE.code, found.span, message, *_relate(project, found))


def _relate(project: Project, found: Misguarded) -> Iterator[Related]:
    span = project.call(found.made).call.span
    yield project.related(found.made.module, span, f"each instance makes its `{found.lock}` here")
    for site in found.instances:
        text = "an instance is made here" if len(found.instances) > 1 else "instances are made here, in a loop"
        yield project.related(site.module, project.call(site).call.span, text)
