"""CON527: see docs/rules/CON527.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Domain, Kind, Role, RunsIn
from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.project.confinement import Way, collect_ways
from conclint.project.project import CallPlace, Project
from conclint.project.roots import Root
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON527",
    name="daemonic-child-spawns",
    summary="a daemon process starts processes, which is an AssertionError",
    help="make it no daemon, or use threads or `subprocess` within it",
    category=Category.PROCESS,
    since="0.1.0",
    default=False,
)

_POOL_JOBS = "multiprocessing.Pool."


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report processes and pools that are started in daemon processes, workers of a `Pool` among them."""
    starts = list(_iter_starts(project))
    roots = _collect_daemons(project) if starts else []
    ways = collect_ways(project, roots) if roots else {}
    for place in starts:
        way = ways.get(place.function.symbol)
        if way is not None:
            yield _report(project, place, way)


def _report(project: Project, place: CallPlace, way: Way) -> Alarm:
    callee = project.places.describe(place.site.module, place.call.callee)
    who = "a worker of a pool" if way.root.runs_in is RunsIn.EXECUTOR_PROCESS else "a daemon process"
    message = f"`{callee}` starts a process in {who}, which may have no children"
    return project.alarm(place.site.module, RULE.code, place.call.span, message, *way.relate(project))


def _iter_starts(project: Project) -> Iterator[CallPlace]:
    """Yield the calls that start processes of `multiprocessing`."""
    for made in project.lifetimes.iter_made(Kind.PROCESS, Kind.POOL):
        if made.row.domain is Domain.PROCESS and made.row.kind is Kind.PROCESS:
            yield from project.lifetimes.iter_calls(made.found, Role.START)
        elif made.row.domain is Domain.PROCESS:
            yield made.place


def _collect_daemons(project: Project) -> list[Root]:
    daemons = [made for made in project.lifetimes.iter_made(Kind.PROCESS) if project.lifetimes.is_said_daemon(made)]
    sites, objects = {made.place.site for made in daemons}, {made.found for made in daemons}
    return [
        root
        for root in project.roots
        if (
            root.runs_in is RunsIn.PROCESS
            and root.site.what == "call"
            and (root.site in sites or root.receiver in objects)
        )
        or (root.runs_in is RunsIn.EXECUTOR_PROCESS and _is_pool_job(project, root))
    ]


def _is_pool_job(project: Project, root: Root) -> bool:
    targets = project.externals(root.site)
    return bool(targets) and all(target.name.startswith(_POOL_JOBS) for target in targets)
