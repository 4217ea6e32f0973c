"""CON504: see docs/rules/CON504.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.blocks import wrap
from conclint.analysis.editor import Editor
from conclint.analysis.fields import iter_nodes
from conclint.catalog.rows import Domain, Kind, Role
from conclint.model.alarm import Alarm
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.model.values import Constant
from conclint.project.lifetime import Made
from conclint.project.objects import Site
from conclint.project.project import CallPlace, Project
from conclint.project.starts import collect_scripts, iter_import_starts
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON504",
    name="missing-main-guard",
    summary='a script starts processes without `if __name__ == "__main__":`',
    help='move the call under `if __name__ == "__main__":`',
    category=Category.PROCESS,
    since="0.1.0",
)

_NOUNS = {Kind.PROCESS: "a process", Kind.POOL: "a pool of processes", Kind.EXECUTOR: "a pool of processes"}


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report processes that a script starts whenever it is imported, directly or through its functions."""
    if _is_forked_everywhere(project):
        return
    starts = dict(_iter_starts(project))
    if not starts:
        return
    # `__main__.py` is not imported again by the children of `python -m package`.
    scripts = {index for index in collect_scripts(project) if project.modules[index].module != "__main__"}
    for place, *way in iter_import_starts(project, starts, scripts):
        end = (place, *way)[-1]
        message = f"this starts {starts[end.site]} whenever the module is imported, so in each child process too"
        trace = [project.related(end.site.module, end.call.span, "it is started here")] if way else []
        yield project.alarm(place.site.module, RULE.code, place.call.span, message, *trace)


def _iter_starts(project: Project) -> Iterator[tuple[Site, str]]:
    """Yield the calls that start processes, with what they start; for pools that is their creation."""
    for made in project.lifetimes.iter_made(*_NOUNS):
        if made.row.domain is not Domain.PROCESS or "Interpreter" in made.row.names[0] or _is_forked(project, made):
            continue
        if made.row.kind is not Kind.PROCESS:
            yield made.place.site, _NOUNS[made.row.kind]
        for start in project.lifetimes.iter_calls(made.found, Role.START):
            yield start.site, _NOUNS[made.row.kind]


def _is_forked_everywhere(project: Project) -> bool:
    return any(_has_constant(place, "fork") for place in project.calls_to({"multiprocessing.set_start_method"}))


def _is_forked(project: Project, made: Made) -> bool:
    """Whether the object may come from `get_context("fork")`: one in the same module is taken for its context."""
    has_context = any(target.receiver is not None for target in project.externals(made.place.site))
    given = made.place.find_argument("mp_context") or made.place.find_argument("context")
    return (has_context or given is not None) and any(
        target.name.endswith("get_context") and _has_constant(place, "fork")
        for place in project.external_calls
        if place.site.module == made.place.site.module
        for target in project.externals(place.site)
    )


def _has_constant(place: CallPlace, text: str) -> bool:
    return any(place.facts.values[argument.value] == Constant(text) for argument in place.call.arguments)


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Guard the rest of the module, from the statement on that starts a process, if it defines nothing."""
    call = editor.find(anchor.span, cst.Call)
    statements = list(editor.source.tree.body)
    number = next((number for number, one in enumerate(statements) if call in set(iter_nodes(one))), None)
    if number is None or any(_defines(one) for one in statements[number:]):
        return None
    edits = wrap(editor, statements[number:], 'if __name__ == "__main__":')
    return Fix("Guard it", Applicability.UNSAFE, edits) if edits is not None else None


def _defines(statement: cst.CSTNode) -> bool:
    """Whether the children, or other modules, need what the statement defines."""
    return any(
        isinstance(one, cst.FunctionDef | cst.ClassDef | cst.Import | cst.ImportFrom) for one in iter_nodes(statement)
    )
