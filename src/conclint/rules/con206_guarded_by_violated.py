"""CON206: see docs/rules/CON206.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import RunsIn
from conclint.model.alarm import Alarm, Related
from conclint.model.facts import AccessKind
from conclint.model.naming import has_test_name
from conclint.model.rule import Category, Rule
from conclint.project.declarations import Declared
from conclint.project.guards import Guard
from conclint.project.project import CallPlace, Project
from conclint.project.roots import Root
from conclint.project.shared import SharedAccess
from conclint.project.ways import relate_unlocked
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON206",
    name="guarded-by-violated",
    summary="something is used without the lock that a comment or an annotation demands",
    help="hold the lock here, or correct what is declared",
    category=Category.DATA_RACE,
    since="0.1.0",
)

_VERBS = {
    AccessKind.READ: "read",
    AccessKind.CHECK: "tested",
    AccessKind.ITERATE: "iterated over",
    AccessKind.DELETE: "deleted",
}


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report what contradicts the locks that the program declares, and declarations that make no sense."""
    for mistake in project.declarations.mistakes:
        yield project.alarm(mistake.module, RULE.code, mistake.declaration.span, mistake.reason, help="correct it")
    for guard in project.guards.declared:
        for access in guard.unguarded:
            yield _report_access(project, guard, access)
    required = project.declarations.required
    if required:
        sites = {site for symbol in required for site in project.call_graph.sites(symbol) if site.what == "call"}
        for place in map(project.call, sorted(sites)):
            for symbol in dict.fromkeys(target.function for target in project.callees(place.site)):
                for demand in required.get(symbol, ()):
                    yield from _check_call(project, place, symbol, demand)
        for root in project.roots:
            for demand in required.get(root.function, ()):
                yield from _check_root(project, root, demand)


def _report_access(project: Project, guard: Guard, access: SharedAccess) -> Alarm:
    assert guard.declared is not None
    verb = _VERBS.get(access.kind, "changed")
    message = f"`{guard.state}` is {verb} without `{guard.lock}`, which is declared to guard it"
    steps = _relate_way(project, access.function, guard.declared)
    declared = _relate_declaration(project, guard.declared)
    return project.alarm(access.module, RULE.code, access.span, message, declared, *steps, help=_advise(guard.lock))


def _check_call(project: Project, place: CallPlace, symbol: str, demand: Declared) -> Iterator[Alarm]:
    """Report the call of a function without the lock that it requires."""
    caller = place.function.symbol
    if not project.call_graph.runs_at_once(place.site, symbol) or _is_held(project, place, demand):
        return
    if project.shared.is_alone(caller) or has_test_name(caller):
        return
    if project.locks.find_way_without(caller, demand.lock.identity, strict=True) is not None:
        message = f"`{_name(symbol)}` is called without `{demand.name}`, which it requires"
        related = (_relate_declaration(project, demand), *_relate_way(project, caller, demand))
        help = _advise(demand.name)
        yield project.alarm(place.site.module, RULE.code, place.call.span, message, *related, help=help)


def _check_root(project: Project, root: Root, demand: Declared) -> Iterator[Alarm]:
    """Report a function that begins to run on its own though its callers must hold a lock."""
    place = project.find_call(root.site)
    if place is None:
        return
    if root.runs_in is not RunsIn.HERE or not _is_held(project, place, demand):
        message = f"`{_name(root.function)}` begins to run here without `{demand.name}`, which it requires"
        declared = _relate_declaration(project, demand)
        yield project.alarm(root.site.module, RULE.code, place.call.span, message, declared)


def _is_held(project: Project, place: CallPlace, demand: Declared) -> bool:
    held = project.locks.lockset(place.site.module, place.call.function, place.call.context)
    return demand.lock.identity in held


def _relate_way(project: Project, symbol: str, demand: Declared) -> Iterator[Related]:
    return relate_unlocked(project, symbol, demand.lock.identity, demand.name, strict=True)


def _relate_declaration(project: Project, demand: Declared) -> Related:
    return project.related(demand.module, demand.span, f"`{demand.name}` is demanded here")


def _advise(lock: str) -> str:
    return f"hold `{lock}` here, or let the function say `# requires-lock: {lock}`"


def _name(symbol: str) -> str:
    return symbol.rpartition(".")[2]
