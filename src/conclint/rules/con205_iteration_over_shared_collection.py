"""CON205: see docs/rules/CON205.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model.alarm import Alarm, Related
from conclint.model.rule import Category, Rule
from conclint.project.iterations import Disturbed
from conclint.project.project import Project
from conclint.project.roots import relate_begin
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON205",
    name="iteration-over-shared-collection",
    summary="a collection is iterated over while another thread, or task, may add or remove elements",
    help="iterate over a copy, made by `list(...)`, or hold one lock around the loop and the changes",
    category=Category.DATA_RACE,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report iterations over collections that do not stay as they are."""
    for found in project.iterations.disturbed:
        access = found.access
        yield project.alarm(access.module, RULE.code, access.span, _describe(found), *_relate(project, found))


def _describe(found: Disturbed) -> str:
    if found.is_by_task:
        return f"`{found.state}` is iterated over with `await` in the loop, when another task may change it"
    without = f" without `{found.lock}`" if found.lock else ""
    return f"`{found.state}` is iterated over{without} while another thread may change it"


def _relate(project: Project, found: Disturbed) -> Iterator[Related]:
    change = found.change
    holding = f", with `{found.lock}` held" if found.lock else ""
    yield project.related(change.module, change.span, f"elements come or go here{holding}")
    for root in found.roots:
        yield relate_begin(project, root)
