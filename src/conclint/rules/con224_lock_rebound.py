"""CON224: see docs/rules/CON224.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.catalog.rows import LOCK_KINDS, Kind
from conclint.model.alarm import Alarm
from conclint.model.facts import Flow, Function
from conclint.model.naming import is_test_code
from conclint.model.rule import Category, Rule
from conclint.model.span import Span
from conclint.model.values import Result
from conclint.project.locks import find_lock_sites
from conclint.project.objects import Site
from conclint.project.parallel import OTHER_MEMORY
from conclint.project.places import Place, PlaceKind
from conclint.project.project import Project
from conclint.project.symbols import FunctionPlace
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON224",
    name="lock-rebound",
    summary="a lock is replaced while others may hold or wait for the old one",
    help="make the lock once, in `__init__` or at module level, and keep it",
    category=Category.DATA_RACE,
    since="0.1.0",
)

_EXCLUSIVE = LOCK_KINDS - {Kind.SEMAPHORE}
"""A semaphore may well be replaced by one of another size."""
_FIRST = frozenset({"__init__", "__new__", "__post_init__", "<module>", "__init_subclass__", "__set_name__"})
_ANEW = frozenset({"__setstate__", "__copy__", "__deepcopy__", "__reduce__", "__getnewargs__", "setUp", "tearDown"})


class _Making(NamedTuple):
    """A new lock is assigned to a place."""

    module: int
    flow: Flow
    function: Function


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report locks that are made again by another function than the one that makes them first."""
    first: dict[Place, _Making] = {}
    again: list[tuple[Place, _Making]] = []
    for place, making in _iter_makings(project):
        if making.function.name in _FIRST:
            first.setdefault(place, making)
        else:
            again.append((place, making))
    beginnings = _find_beginnings(project) if again else frozenset()
    takers: dict[Place | None, tuple[int, Span]] = {}
    for module, _, entry, _ in find_lock_sites(project):
        takers.setdefault(project.places.find(module, entry.value), (module, entry.span))
    for place, making in again:
        is_early = making.function.symbol in beginnings or _knows_process(project, making)
        if place in first and place in takers and not is_early:
            yield _report(project, making, first[place], *takers[place])


def _report(project: Project, making: _Making, first: _Making, module: int, taken: Span) -> Alarm:
    name = project.places.describe(making.module, making.flow.target)
    related = (
        project.related(first.module, first.flow.span, "it is made here first"),
        project.related(module, taken, "who holds the old lock here does not exclude who takes the new one"),
    )
    message = f"`{name}` is replaced by a new lock"
    return project.alarm(making.module, RULE.code, making.flow.span, message, *related)


def _iter_makings(project: Project) -> Iterator[tuple[Place, _Making]]:
    for module, facts in enumerate(project.modules):
        for flow in facts.flows:
            source = facts.values[flow.source]
            if not isinstance(source, Result):
                continue
            site = Site(module, source.call)
            made = [project.class_row(found) for found in project.result(site) if found.site == site]
            place = project.places.find(module, flow.target) if made else None
            if place is None or place.element or place.kind is PlaceKind.CLOSURE:
                continue
            if all(row is not None and row.kind in _EXCLUSIVE for row in made):
                yield place, _Making(module, flow, facts.functions[flow.function])


def _find_beginnings(project: Project) -> frozenset[str]:
    """Return the functions in which nobody can hold the lock yet: before the object is used, or in a new process.

    Those that are handed on are called at moments that are not known, such as after a fork.
    """
    processes = project.call_graph.reach(root.function for root in project.roots if root.runs_in in OTHER_MEMORY)
    found = {*processes, *project.call_graph.passed_functions}
    for symbol in project.symbols.functions:
        name = symbol.rpartition(".")[2]
        if name in _ANEW or "fork" in name or is_test_code(symbol):
            found.add(symbol)
    changed = True
    while changed:
        changed = False
        for symbol, callers in project.call_graph.callers.items():
            if symbol not in found and all(_is_first(caller, found) for caller, _, _ in callers):
                found.add(symbol)
                changed = True
    return frozenset(found)


def _is_first(symbol: str, found: set[str]) -> bool:
    return symbol in found or symbol.rpartition(".")[2] in _FIRST


def _knows_process(project: Project, making: _Making) -> bool:
    """Whether the function asks which process it is in: locks of the parent mean nothing in a child."""
    calls = project.calls_in(FunctionPlace(making.module, making.flow.function))
    return any(target.name == "os.getpid" for call in calls for target in project.externals(call.site))
