"""CON510: see docs/rules/CON510.md."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import NamedTuple

from conclint.catalog.rows import Kind
from conclint.model.alarm import Alarm
from conclint.model.facts import AccessKind
from conclint.model.rule import Category, Rule
from conclint.model.span import Span
from conclint.model.values import Collection, Constant, Item, Result, ValueId
from conclint.project.confinement import Way, collect_confined, collect_ways, goes_own_way, is_of_self
from conclint.project.objects import ObjectKind, Site
from conclint.project.order import precedes
from conclint.project.parallel import OTHER_MEMORY
from conclint.project.places import Place, PlaceKind
from conclint.project.project import Project
from conclint.project.shared import SharedAccess
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON510",
    name="global-changed-in-child",
    summary="a process changes its own copy of a variable: its parent never sees that",
    help="return the result (`ProcessPoolExecutor`), or send it through a `multiprocessing.Queue` or `Pipe`",
    category=Category.PROCESS,
    since="0.1.0",
)

_MOST_ROOTS = 3
_PLAIN = ("builtins.", "collections.")
_READS = frozenset({AccessKind.READ, AccessKind.CHECK, AccessKind.ITERATE})


class Read(NamedTuple):
    """A place where a variable is read."""

    module: int
    function: str
    span: Span


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report state that only child processes change, and only their parent reads."""
    confined = collect_confined(project, lambda root: root.runs_in in OTHER_MEMORY and goes_own_way(project, root))
    ways = {symbol: way for symbol, way in confined.items() if _is_work(project, way)}
    reached = collect_ways(project, [root for root in project.roots if root.runs_in in OTHER_MEMORY]) if ways else {}
    for place, accesses in project.shared.by_place.items() if ways else ():
        changes = [one for one in accesses if one.is_write and one.function in ways]
        change = next((one for one in changes if _is_of_parent(project, place, one, ways[one.function])), None)
        if change is None or any(_replaces(project, one, reached) for one in accesses):
            continue
        way = ways[change.function]
        reads = (one for one in _iter_reads(project, place) if _comes_after(project, one, way, reached))
        read = next(reads, None)
        if read is not None:
            yield _report(project, change, read, way)


def _report(project: Project, change: SharedAccess, read: Read, way: Way) -> Alarm:
    name = project.places.describe(change.module, change.target)
    message = f"`{name}` is changed in a process of its own: the parent process never sees that"
    seen = project.related(read.module, read.span, "the parent process reads its own, unchanged one here")
    return project.alarm(change.module, RULE.code, change.span, message, *way.relate(project), seen)


def _is_work(project: Project, way: Way) -> bool:
    """Whether the root is no initializer of a pool, which is there to set up the globals of each process.

    Nor is it one of many that a general helper starts, of which nobody knows who waits for which.
    """
    if sum(root.site == way.root.site for root in project.roots) > _MOST_ROOTS:
        return False
    rows = (project.class_row(found) for found in project.result(way.root.site))
    return not any(row is not None and row.kind in (Kind.POOL, Kind.EXECUTOR) for row in rows)


def _is_of_parent(project: Project, place: Place, change: SharedAccess, way: Way) -> bool:
    """Whether the parent has the same variable, and what it holds is not shared by other means (must)."""
    target = project.value(change.module, change.target)
    base = change.target if change.method else target.base if isinstance(target, Item) else None
    if base is not None:
        # Any attribute of a subclass of `Process` may also be one of its methods.
        objects = [one for one in project.objects(change.module, base) if one.kind is not ObjectKind.METHOD]
        if not objects or not all(found.symbol.startswith(_PLAIN) for found in objects):
            return False
    if place.kind is PlaceKind.GLOBAL:
        return True
    root = project.function(way.root.function)
    if place.kind is not PlaceKind.ATTRIBUTE or root is None or place.owner not in _line(project, root.owner):
        return False
    # Another object of the class would be another matter.
    steps = [(call.site.module, call.call.callee) for call in way.calls]
    return all(is_of_self(project, *step) for step in [*steps, (change.module, change.target)])


def _line(project: Project, owner: str) -> tuple[str, ...]:
    return project.symbols.linearise(owner) if owner else ()


def _replaces(project: Project, access: SharedAccess, reached: Container[str]) -> bool:
    """Whether the parent gives the variable a value of its own (may); a first one that is empty does not count."""
    if not access.is_write or access.function in reached:
        return False
    facts = project.modules[access.module]
    sources = [flow.source for flow in facts.flows if flow.target == access.target and flow.span == access.span]
    return not sources or not all(_is_empty(project, access.module, source) for source in sources)


def _is_empty(project: Project, module: int, source: ValueId) -> bool:
    found = project.value(module, source)
    if isinstance(found, Result):
        arguments = project.modules[module].calls[found.call].arguments
        made = project.result(Site(module, found.call))
        # The one argument of `defaultdict(int)` is no content.
        empty = {"collections.defaultdict"} if arguments else {one.symbol for one in made}
        return bool(made) and all(one.symbol.startswith(_PLAIN) and one.symbol in empty for one in made)
    return isinstance(found, Constant) or (isinstance(found, Collection) and not found.items)


def _iter_reads(project: Project, place: Place) -> Iterator[Read]:
    """Yield where a variable is read, also of an object that the reading function has made itself."""
    for module, facts in enumerate(project.modules):
        for access in facts.accesses:
            found = project.places.find(module, access.target) if access.kind in _READS else None
            if found is not None and found._replace(element=False) == place:
                yield Read(module, facts.functions[access.function].symbol, access.span)


def _comes_after(project: Project, read: Read, way: Way, reached: Container[str]) -> bool:
    """Whether the parent reads there after it has started the process, as far as the order is seen."""
    start = project.find_call(way.root.site)
    if start is None:
        return False
    if read.function == start.function.symbol:
        return precedes(start.call.span, read.span)
    if read.function in reached or project.shared.is_quiet(read.function):
        return False
    return read.function in _collect_parents(project, start.function.symbol)


def _collect_parents(project: Project, starter: str) -> set[str]:
    """Return what may run in the parent: the callers of the function that starts the process, and what they call."""
    return project.call_graph.reach(project.call_graph.collect_callers([starter]))
