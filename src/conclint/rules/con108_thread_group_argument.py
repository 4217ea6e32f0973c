"""CON108: see docs/rules/CON108.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.editor import Editor
from conclint.catalog.rows import Kind
from conclint.model.alarm import Alarm
from conclint.model.facts import Argument
from conclint.model.fix import ANY_RULE, Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.model.values import Constant
from conclint.project.lifetime import Made
from conclint.project.objects import ObjectKind
from conclint.project.project import Project
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON108",
    name="thread-group-argument",
    summary="the first positional argument of a thread or process is its group, not its target",
    help="pass the function as `target=`",
    category=Category.THREAD,
    since="0.1.0",
)

_CALLABLE = (ObjectKind.FUNCTION, ObjectKind.BOUND, ObjectKind.METHOD, ObjectKind.PARTIAL, ObjectKind.CLASS)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report `Thread(f)`: the library raises AssertionError for any group but None."""
    for made in project.lifetimes.iter_made(Kind.THREAD, Kind.PROCESS):
        argument = made.place.find_argument("", 0)
        if argument is None or project.symbols.find_method(made.found.symbol, "__init__") is not None:
            continue
        if not _takes_group(project, made):
            continue
        if _is_no_group(project, made, argument) and not project.symbols.has_unknown_base(made.found.symbol):
            name = project.places.describe(made.place.site.module, argument.value)
            subject = f"`{name}`" if "…" not in name else "the first argument"
            message = f"{subject} is passed as the `group` of the {made.row.kind.value}, which must be None"
            yield project.alarm(made.place.site.module, RULE.code, argument.span, message)


def _takes_group(project: Project, made: Made) -> bool:
    """Whether what makes the thread takes its target as the second argument, as those of the standard library do."""
    spawns = [row.spawn for _, row in project.rows(made.place.site) if row.spawn is not None]
    return not project.externals(made.place.site) or any(spawn.position == 1 for spawn in spawns)


def _is_no_group(project: Project, made: Made, argument: Argument) -> bool:
    """Whether the argument is certainly not None."""
    module = made.place.site.module
    constant = project.constant(module, argument.value)
    if isinstance(constant, Constant):
        return constant.value is not None
    objects = project.objects(module, argument.value)
    return bool(objects) and all(found.kind in _CALLABLE or found.kind is ObjectKind.EXTERNAL for found in objects)


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Name the parameter."""
    argument = editor.find(anchor.span, cst.BaseExpression)
    call = editor.around(argument, cst.Call) if argument is not None else None
    if argument is None or call is None or call.args[0].value is not argument or call.args[0].star:
        return None
    others = call.args[1:]
    if any(one.keyword is None or one.keyword.value == "target" for one in others):
        return None
    edits = (editor.insert_before(argument, "target="),)
    return Fix("Pass it as `target`", Applicability.SAFE, edits, reveals=ANY_RULE)
