"""CON804: see docs/rules/CON804.md."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from conclint.model.alarm import Alarm, Related
from conclint.model.facts import AccessKind, Argument, Call, Flow, Use
from conclint.model.rule import Category, Rule
from conclint.model.span import Span
from conclint.model.values import Attribute, Constant, Item, Local, Name, Result, Value, ValueId
from conclint.project.gil_reliant import find_test
from conclint.project.objects import ObjectKind, Site
from conclint.project.parallel import Control
from conclint.project.places import Place, PlaceKind
from conclint.project.project import CallPlace, Project
from conclint.project.shared import SharedAccess
from conclint.project.ways import follow, relate_way
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON804",
    name="shared-iterator",
    summary="several threads take the items of one generator or iterator",
    help="hold a lock around `next(...)`, or put the items into a `queue.Queue`",
    category=Category.FREE_THREADING,
    since="0.1.0",
    default=False,
)

_ITERATORS = frozenset(
    {
        *("builtins.iter", "builtins.map", "builtins.filter", "builtins.zip", "builtins.enumerate", "csv.reader"),
        *("itertools.chain", "itertools.cycle", "itertools.islice", "itertools.chain.from_iterable"),
    }
)
"""`itertools.count` is left out: its step is atomic with the GIL, and from 3.14 on without it."""


class _Take(NamedTuple):
    """Where an item is taken, in a function that a thread runs."""

    module: int
    span: Span
    function: str
    control: Control


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report iterators from which two threads, or several of one root, take items without a common lock."""
    made = _collect_made(project)
    takes: dict[Place, dict[SharedAccess, None]] = {}
    for place, access in _iter_taken(project, made):
        takes.setdefault(place, {})[access] = None
    for place, accesses in takes.items():
        pair = _find_pair(project, place, list(accesses))
        if pair is not None:
            yield _report(project, *pair, project.related(*made[place], "it is made here"))
    for take in _iter_given(project):
        yield _report(project, take, take)


def _report(project: Project, first: _Take, second: _Take, *steps: Related) -> Alarm:
    message = "several threads take the items of this iterator, which only one of them may ask at a time"
    related = list(steps)
    for way, take in enumerate(dict.fromkeys((first, second)), 1):
        related += follow(way, relate_way(project, take.control, take.function))
    if second.span != first.span:
        end = project.related(second.module, second.span, "another thread takes items here")
        related += follow(2, [end])
    return project.alarm(first.module, RULE.code, first.span, message, *dict.fromkeys(related))


def _collect_made(project: Project) -> dict[Place, tuple[int, Span]]:
    """Return the variables and attributes that hold iterators and nothing else, with where one is made."""
    found: dict[Place, tuple[int, Span]] = {}
    iterators = [frozenset(_iter_iterators(project, module)) for module in range(len(project.modules))]
    for module, facts in enumerate(project.modules):
        for flow in facts.flows if iterators[module] else ():
            place = project.places.find(module, flow.target) if flow.source in iterators[module] else None
            if place is not None and not place.element:
                found.setdefault(place, (module, flow.span))
    names = {place.name for place in found}
    for module, facts in enumerate(project.modules):
        for flow in facts.flows if names else ():
            if flow.source in iterators[module] or _name(facts.values[flow.target]) not in names:
                continue
            if facts.values[flow.source] != Constant(None) and (place := project.places.find(module, flow.target)):
                found.pop(place, None)
    return found


def _iter_iterators(project: Project, module: int) -> Iterator[ValueId]:
    """Yield what is assigned and certainly is an iterator that remembers where it is."""
    facts = project.modules[module]
    for index in {flow.source for flow in facts.flows}:
        value = facts.values[index]
        if isinstance(value, Result) and _is_iterator(project, Site(module, value.call)):
            yield index


def _name(target: Value) -> str:
    if isinstance(target, Name):
        return target.symbol.rpartition(".")[2]
    return target.name if isinstance(target, Attribute | Local) else ""


def _is_iterator(project: Project, site: Site) -> bool:
    """Whether a call makes an iterator that remembers where it is (must)."""
    if project.callees(site):
        result = project.result(site)
        return bool(result) and all(found.kind is ObjectKind.GENERATOR for found in result)
    targets = project.externals(site)
    return bool(targets) and all(target.name in _ITERATORS for target in targets)


def _iter_taken(project: Project, made: Mapping[Place, object]) -> Iterator[tuple[Place, SharedAccess]]:
    for place in made:
        for access in project.shared.by_place.get(place, ()):
            if access.kind is AccessKind.ITERATE and not access.place.element:
                yield place, access
    for call, argument in _iter_next(project):
        module = call.site.module
        found = project.places.find(module, argument.value)
        taken = find_test(project, found, module, argument.span) if found is not None and found in made else None
        if found is not None and taken is not None:
            yield found, taken


def _iter_next(project: Project) -> Iterator[tuple[CallPlace, Argument]]:
    for call in project.calls_to({"builtins.next"}):
        if call.call.arguments:
            yield call, call.call.arguments[0]


def _find_pair(project: Project, place: Place, accesses: list[SharedAccess]) -> tuple[_Take, _Take] | None:
    """Find two accesses that two threads, or several of one root, make without a common lock."""
    if project.declarations.is_settled(place):
        return None
    loud = [one for one in accesses if not project.shared.is_quiet(one.function)]
    for first, second in itertools.combinations_with_replacement(loud, 2):
        controls = project.races.find_pair(place, first, second) if not first.lockset & second.lockset else None
        if controls is None or (place.kind is PlaceKind.CLOSURE and not _are_begun_there(project, place, controls)):
            continue
        takes = zip((first, second), controls, strict=True)
        one, other = (_Take(access.module, access.span, access.function, control) for access, control in takes)
        return one, other
    return None


def _are_begun_there(project: Project, place: Place, controls: tuple[Control, Control]) -> bool:
    """Whether the function whose variable it is begins the threads itself, and does not wait for each of them."""
    spawns = [project.find_call(one.root.site) for one in controls if one.root is not None]
    return all(
        spawn is not None and spawn.function.symbol == place.owner and spawn.call.use is not Use.AWAITED
        for spawn in spawns
    )


def _iter_given(project: Project) -> Iterator[_Take]:
    """Yield where each of several threads takes items of the one generator that it was given as an argument."""
    for module, facts in enumerate(project.modules):
        for flow in facts.flows:
            source = facts.values[flow.source]
            if isinstance(source, Item) and isinstance(facts.values[source.base], Local):
                yield from _iter_common(project, module, flow, source.base)
    for call, argument in _iter_next(project):
        if isinstance(call.facts.values[argument.value], Local):
            yield from _iter_common(project, call.site.module, call.call, argument.value)


def _iter_common(project: Project, module: int, fact: Flow | Call, value: ValueId) -> Iterator[_Take]:
    """Yield the threads that take items of the same generator by one variable of the function."""
    symbol = project.modules[module].functions[fact.function].symbol
    controls = [one for one in project.parallel.controls(symbol) if one.root is not None]
    objects = project.objects(module, value) if controls else frozenset()
    if not objects or any(found.kind is not ObjectKind.GENERATOR for found in objects):
        return
    if project.shared.is_quiet(symbol) or project.locks.lockset(module, fact.function, fact.context):
        return
    for control in controls:
        if control.root is not None and project.races.handles.is_same(control.root, module, value):
            yield _Take(module, fact.span, symbol, control)
            return
