"""CON506: see docs/rules/CON506.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.catalog.rows import Kind, Role, RunsIn
from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.project.confinement import Way, collect_ways
from conclint.project.lifetime import Made
from conclint.project.objects import Object
from conclint.project.order import find_leading, precedes
from conclint.project.project import CallPlace, Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON506",
    name="join-before-queue-drain",
    summary="a process is joined before its queue is read: with enough in the queue, it never ends",
    help="read the queue first, and join the process then",
    category=Category.DEADLOCK,
    since="0.1.0",
)

_QUEUES = frozenset({"multiprocessing.Queue", "multiprocessing.JoinableQueue", "multiprocessing.SimpleQueue"})
_PUTS = frozenset({"put", "put_nowait"})
_GETS = frozenset({"get", "get_nowait"})


class Traffic(NamedTuple):
    """A queue that the program itself makes, and all calls that fill and read it."""

    queue: Object
    puts: tuple[CallPlace, ...]
    gets: tuple[CallPlace, ...]


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report joins of processes that fill a queue which is read only afterwards."""
    queues = list(_iter_traffic(project))
    if not queues:
        return
    for made in project.lifetimes.iter_made(Kind.PROCESS):
        ways = _find_ways(project, made)
        joins = [place for place in project.lifetimes.iter_calls(made.found, Role.JOIN) if not place.call.arguments]
        for traffic in queues if ways and joins else ():
            puts = [(place, ways[place.function.symbol]) for place in traffic.puts if place.function.symbol in ways]
            put = next((one for one in puts if _is_much(project, *one)), None)
            join = next((one for one in joins if put and _comes_first(project, one, traffic.gets)), None)
            if put is not None and join is not None:
                yield _report(project, join, put[0], traffic, put[1])


def _report(project: Project, join: CallPlace, put: CallPlace, traffic: Traffic, way: Way) -> Alarm:
    read = min(traffic.gets, key=lambda place: place.site)
    names = [project.places.describe(place.site.module, place.call.callee) for place in (join, put, read)]
    message = f"`{names[0]}` waits for a process that waits until `{names[2]}` makes room in its queue"
    steps = [
        *way.relate(project),
        project.related(put.site.module, put.call.span, f"`{names[1]}` fills the queue"),
        project.related(read.site.module, read.call.span, "the queue is read only after the join"),
    ]
    return project.alarm(join.site.module, RULE.code, join.call.span, message, *steps)


def _iter_traffic(project: Project) -> Iterator[Traffic]:
    """Yield the queues between processes of which all users are seen."""
    operated = project.links.operations.items()
    queues = [one for one in operated if one[0].symbol in _QUEUES and one[0].site and one[0].site.what == "call"]
    roots = [root for root in project.roots if root.runs_in is RunsIn.PROCESS] if queues else []
    in_children = collect_ways(project, roots)
    for queue, operations in queues if in_children else ():
        if any(one.name == "cancel_join_thread" for one in operations) or project.escapes.has_escaped(queue):
            continue
        used = sorted((one.site, one.name) for one in operations if one.site.what == "call")
        calls = [(name, project.call(site)) for site, name in used]
        gets = tuple(place for name, place in calls if name in _GETS)
        if gets and not any(place.function.symbol in in_children for place in gets):
            yield Traffic(queue, tuple(place for name, place in calls if name in _PUTS), gets)


def _find_ways(project: Project, made: Made) -> dict[str, Way]:
    """Return what the process runs."""
    roots = [root for root in project.roots if made.place.site == root.site or made.found == root.receiver]
    return collect_ways(project, [root for root in roots if root.runs_in is RunsIn.PROCESS])


def _is_much(project: Project, put: CallPlace, way: Way) -> bool:
    """Whether more may be put than a pipe takes at once: one item after the other, or a collection of them (must)."""
    if put.context.loops or any(place.context.loops for place in way.calls):
        return True
    item = put.find_argument("obj", 0)
    objects = project.objects(put.site.module, item.value) if item is not None else frozenset()
    rows = [project.class_row(found) for found in objects]
    return bool(rows) and all(row is not None and row.kind is Kind.COLLECTION for row in rows)


def _comes_first(project: Project, join: CallPlace, gets: tuple[CallPlace, ...]) -> bool:
    """Whether all reads come after the join, in the function that does both, itself or by what it calls (must)."""
    symbol = join.function.symbol
    for function in (symbol, *sorted({caller for caller, _, _ in project.call_graph.callers.get(symbol, ())})):
        reads = [find_leading(project, function, get) for get in gets]
        joins = find_leading(project, function, join)
        if joins and all(reads):
            branches = [set(place.context.branches) for place in (join, *gets) if place.function.symbol == function]
            is_conditional = join.function.symbol == function and any(branches[0] - one for one in branches[1:])
            return not is_conditional and all(
                precedes(joins[0].call.span, read.call.span) for places in reads for read in places
            )
    return False
