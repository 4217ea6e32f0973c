"""CON522: see docs/rules/CON522.md."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from conclint.analysis.editor import Editor
from conclint.catalog.rows import CallRow, Kind
from conclint.model.alarm import Alarm
from conclint.model.facts import Use
from conclint.model.fix import Anchor, Applicability, Fix
from conclint.model.rule import Category, Rule
from conclint.project.callables import is_transparent
from conclint.project.link import ExternalTarget
from conclint.project.objects import Site
from conclint.project.project import CallPlace, Project
from conclint.project.results import iter_results
from conclint.rules.declare import fixer, project_rule

RULE = Rule(
    code="CON522",
    name="map-result-unused",
    summary="nobody iterates over the results of an executor's `map`: the exceptions of its jobs are lost",
    help="iterate over the results, even if they are None: `for _ in executor.map(...): pass`",
    category=Category.PROCESS,
    since="0.1.0",
)

_ITERATOR = "multiprocessing.pool.IMapIterator"


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report calls of `map` and `imap` whose iterator is dropped, also by way of a helper."""
    unread = project.unread_results
    for place in project.calls:
        name = unread.get(place.site, "")
        if place.call.use is not Use.DROPPED and not name:
            continue
        starts = [place] if _is_lazy_map(project, place.site) else _find_returned(project, place)
        if starts:
            fate = f"are bound to `{name}`, which is never read" if name else "are dropped"
            yield _report(project, place, starts[0], fate)


def _report(project: Project, place: CallPlace, start: CallPlace, fate: str) -> Alarm:
    callee = project.places.describe(place.site.module, place.call.callee)
    message = f"the results of `{callee}` {fate}, and with them the exceptions of its jobs"
    steps = [] if start is place else [project.related(start.site.module, start.call.span, "the jobs begin here")]
    return project.alarm(place.site.module, RULE.code, place.call.span, message, *steps)


def _is_lazy_map(project: Project, site: Site) -> bool:
    """Whether a call gives an iterator over the results of jobs, whatever it may run (must)."""
    targets = project.externals(site)
    rows = [(target, row) for target, row in project.rows(site) if _gives_iterator(project, target, row)]
    return bool(targets) and len(rows) == len(targets) and not project.callees(site)


def _gives_iterator(project: Project, target: ExternalTarget, row: CallRow) -> bool:
    if row.spawn is None or not row.spawn.maps or target.receiver is None:
        return False
    # Those of `multiprocessing` that are called `map` give a list, and raise what a job raises.
    receiver = project.class_row(target.receiver)
    return row.returns == _ITERATOR or (receiver is not None and receiver.kind is Kind.EXECUTOR)


def _find_returned(project: Project, place: CallPlace) -> list[CallPlace]:
    """Return the maps whose iterators a helper of the project gives; none where it may give something else."""
    found: list[CallPlace] = []
    for target in project.callees(place.site):
        where, function = project.place(target.function), project.function(target.function)
        if where is None or function is None or function.is_async or not is_transparent(project, target.function):
            return []
        facts = project.modules[where.module]
        for value in function.returns:
            sites = [Site(where.module, number) for number in iter_results(facts, value)]
            if not sites or not all(_is_lazy_map(project, site) for site in sites):
                return []
            found += map(project.call, sites)
    return found


@fixer(RULE)
def fix(editor: Editor, anchor: Anchor) -> Fix | None:
    """Take all results, which raises what a job has raised."""
    call = editor.find(anchor.span, cst.Call)
    if call is None or not isinstance(editor.parent(call), cst.Expr):
        return None
    if editor.scope(call).resolve(cst.Name("list")) != "builtins.list":
        return None
    edits = (editor.insert_before(call, "list("), editor.insert_after(call, ")"))
    return Fix("Take all results", Applicability.UNSAFE, edits)
