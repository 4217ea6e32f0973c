"""CON117: see docs/rules/CON117.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.catalog.rows import Kind, RunsIn
from conclint.model.alarm import Alarm
from conclint.model.facts import AccessKind
from conclint.model.rule import Category, Rule
from conclint.model.values import Attribute, Constant, Local, Name, Result, Value, ValueId
from conclint.project.confinement import Way, collect_own_ways, is_self
from conclint.project.handlers import RUNTIME_ERROR
from conclint.project.objects import Site
from conclint.project.order import precedes
from conclint.project.project import CallPlace, Project
from conclint.project.roots import Root
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON117",
    name="join-self",
    summary="a thread waits for its own end, which raises RuntimeError",
    help="join only `if thread is not threading.current_thread()`",
    category=Category.THREAD,
    since="0.1.0",
)

_THREADS = (RunsIn.THREAD, RunsIn.TIMER)
_CURRENT = "threading.current_thread"
_CAREFUL = frozenset({_CURRENT, "threading.currentThread", "threading.get_ident", "_thread.get_ident"})
"""What a function calls that may find out whether it is in the thread that it would join."""


class _Join(NamedTuple):
    """A call of `join` on a thread; `origin` is the thread as it is kept: `self`, `self._thread`, a global."""

    place: CallPlace
    origin: ValueId


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report joins of the current thread, and of the thread that runs the method around."""
    joins = list(_iter_joins(project))
    for join in joins:
        if _is_current(project, join):
            yield _report(project, join)
    careful = frozenset(_iter_careful(project)) if joins else frozenset()
    threads = [root for root in project.roots if root.runs_in in _THREADS] if joins else []
    own = [(root, collect_own_ways(project, root)) for root in threads]
    for join in joins:
        way = _find_way(project, join, own)
        if way is not None and not careful & set(way.functions(join.place.function.symbol)):
            yield _report(project, join, way)


def _report(project: Project, join: _Join, way: Way | None = None) -> Alarm:
    place = join.place
    base = project.places.split(place.site.module, place.call.callee)
    thread = project.places.describe(place.site.module, base[0]) if base is not None else "join"
    trace = way.relate(project) if way is not None else ()
    message = f"the thread `{thread}` waits for its own end here"
    return project.alarm(place.site.module, RULE.code, place.call.span, message, *trace)


def _iter_joins(project: Project) -> Iterator[_Join]:
    """Yield the joins of threads where nothing catches what joining oneself raises."""
    for place in project.external_calls:
        base = project.places.split(place.site.module, place.call.callee)
        if base is None or base[1] != "join" or project.callees(place.site):
            continue
        rows = [project.class_row(one.receiver) for one in project.externals(place.site) if one.receiver is not None]
        is_thread = bool(rows) and all(row is not None and row.kind in (Kind.THREAD, Kind.TIMER) for row in rows)
        origin = _find_origin(place, base[0]) if is_thread else None
        if origin is not None and not project.handlers.may_stop(place.site.module, place.call, RUNTIME_ERROR):
            yield _Join(place, origin)


def _find_origin(place: CallPlace, value: ValueId) -> ValueId | None:
    """Return the one value, other than None, that a local variable of the function is assigned; else the value."""
    found, facts = place.facts.values[value], place.facts
    if not isinstance(found, Local) or found.function != place.function.symbol or is_self(place.function, found):
        return value
    sources = {flow.source for flow in facts.flows if flow.target == value}
    sources = {source for source in sources if facts.values[source] != Constant(None)}
    return sources.pop() if len(sources) == 1 else None


def _is_current(project: Project, join: _Join) -> bool:
    made = join.place.facts.values[join.origin]
    if not isinstance(made, Result):
        return False
    externals = project.externals(Site(join.place.site.module, made.call))
    return bool(externals) and all(target.name == _CURRENT for target in externals)


def _find_way(project: Project, join: _Join, own: list[tuple[Root, dict[str, Way]]]) -> Way | None:
    for root, ways in own:
        way = ways.get(join.place.function.symbol)
        if way is not None and _is_own(project, join, root) and _is_certain(join, way):
            return way
    return None


def _is_own(project: Project, join: _Join, root: Root) -> bool:
    """Whether what is joined is the thread of the root, and not another one like it."""
    place, spawn = join.place, project.find_call(root.site)
    origin = place.facts.values[join.origin]
    if is_self(place.function, origin):
        return _is_run_by_itself(project, root)
    if spawn is None or spawn.context.loops or not _is_kept_once(project, join, root):
        return False
    if isinstance(origin, Attribute):
        return is_self(place.function, place.facts.values[origin.base]) and _is_target_own(spawn, root)
    return isinstance(origin, Name | Local)


def _is_run_by_itself(project: Project, root: Root) -> bool:
    """Whether the object with which the root began is the thread itself: its `run`, or a target it gives its base."""
    row = project.class_row(root.receiver) if root.receiver is not None else None
    if row is None or row.kind not in (Kind.THREAD, Kind.TIMER):
        return False
    is_given = any(target.name.endswith(".__init__") for target in project.externals(root.site))
    return is_given or (root.receiver is not None and root.receiver.site == root.site)


def _is_kept_once(project: Project, join: _Join, root: Root) -> bool:
    """Whether nothing but the threads of the root's function is ever kept where the joined one comes from."""
    module = join.place.site.module
    sites = {one.site for one in project.roots if one.function == root.function and one.runs_in in _THREADS}
    objects = project.objects(module, join.origin)
    return bool(objects) and root.site in sites and all(found.site in sites for found in objects)


def _is_target_own(spawn: CallPlace, root: Root) -> bool:
    """Whether the thread is given a method of the `self` that makes it."""
    facts = spawn.facts
    for argument in spawn.call.arguments:
        found: Value = facts.values[argument.value]
        if isinstance(found, Attribute) and is_self(spawn.function, facts.values[found.base]):
            return root.function.endswith(f".{found.name}")
    return False


def _is_certain(join: _Join, way: Way) -> bool:
    """Whether the calls after the root depend on nothing but the thread that is joined."""
    return all(_asks_nothing(place, None) for place in way.calls[1:]) and _asks_nothing(
        join.place, join.origin, is_root=not way.calls
    )


def _asks_nothing(place: CallPlace, origin: ValueId | None, *, is_root: bool = False) -> bool:
    context = place.context
    if is_root or not (context.branches or context.after_return):
        return True
    # What a parameter, or other state, says may be what keeps the thread itself away.
    checked = {
        access.target
        for access in place.facts.accesses
        if access.function == place.call.function
        and access.kind is AccessKind.CHECK
        and precedes(access.span, place.call.span)
    }
    return origin is not None and len(place.function.parameters) <= 1 and checked <= {origin}


def _iter_careful(project: Project) -> Iterator[str]:
    return (place.function.symbol for place in project.calls_to(_CAREFUL))
