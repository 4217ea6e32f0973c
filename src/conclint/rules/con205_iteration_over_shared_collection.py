"""CON205: see docs/rules/CON205.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.editor import Editor
from conclint.model.alarm import Alarm, Related
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.project.iterations import Disturbed
from conclint.project.project import Project
from conclint.project.roots import relate_begin
from conclint.project.ways import follow
from conclint.rules.declare import fixer, project_rule

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
    come_and_go = project.related(change.module, change.span, f"elements come or go here{holding}")
    if len(found.roots) > 1:
        # One of them iterates, and the other one changes.
        for way, root in enumerate(found.roots, 1):
            yield from follow(way, [relate_begin(project, root)])
        yield from follow(2, [come_and_go])
        return
    yield come_and_go
    for root in found.roots:
        yield relate_begin(project, root)


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Iterate over a copy."""
    found: cst.CSTNode | None = editor.find(anchor.span, cst.BaseExpression)
    view = editor.parent(found) if found is not None else None
    if isinstance(view, cst.Attribute) and view.attr.value in _VIEWS:
        called = editor.parent(view)
        found = called if isinstance(called, cst.Call) and not called.args else None
    if found is None or not _is_iterated(editor, found):
        return None
    if editor.scope(found).resolve(cst.Name("list")) != "builtins.list":
        return None
    start, end = editor.outer(found)
    return Fix("Iterate over a copy", Applicability.SAFE, (editor.insert(start, "list("), editor.insert(end, ")")))


_VIEWS = frozenset({"items", "keys", "values"})


def _is_iterated(editor: Editor, found: cst.CSTNode) -> bool:
    around = editor.parent(found)
    if isinstance(around, cst.For | cst.CompFor):
        return around.iter is found and around.asynchronous is None
    call = editor.parent(around) if isinstance(around, cst.Arg) and not around.star else None
    # A copy whose length is taken is gone before its elements are asked for.
    return isinstance(call, cst.Call) and editor.scope(call).resolve(call.func) != "builtins.len"
