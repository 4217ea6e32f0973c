"""CON118: see docs/rules/CON118.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Kind
from conclint.model.alarm import Alarm
from conclint.model.facts import Flow
from conclint.model.rule import Category, Rule
from conclint.model.values import Collection, Name, Result
from conclint.project.objects import Site
from conclint.project.places import Place
from conclint.project.project import Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON118",
    name="thread-local-class-state",
    summary="a collection in the body of a `threading.local` subclass is shared by all threads",
    help="make it in `__init__`, which runs once in each thread",
    category=Category.THREAD,
    since="0.1.0",
)

_MUTABLE = frozenset({"list", "dict", "set"})
_FIXED = frozenset({"builtins.tuple", "builtins.frozenset"})
_TAKE_FACTORY = frozenset({"collections.defaultdict"})


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report such collections if they are empty at first, or changed anywhere, and no thread gets its own."""
    for module, flow, place in _iter_collections(project):
        accesses = project.shared.by_place.get(place, ())
        if any(one.is_write and not one.place.element and one.span != flow.span for one in accesses):
            continue
        change = next((one for one in accesses if one.is_write and one.place.element), None)
        if change is not None or _is_empty(project, module, flow):
            message = f"all threads share `{place.name}`, although its class is a `threading.local`"
            steps = [project.related(change.module, change.span, "it is changed here")] if change is not None else []
            yield project.alarm(module, RULE.code, flow.span, message, *steps)


def _iter_collections(project: Project) -> Iterator[tuple[int, Flow, Place]]:
    """Yield what makes the mutable collections that are attributes of thread-local classes."""
    local = frozenset(project.symbols.subclasses.get("threading.local", ()))
    for module, facts in enumerate(project.modules) if local else ():
        for flow in facts.flows:
            target = facts.values[flow.target]
            if isinstance(target, Name) and target.symbol.rpartition(".")[0] in local:
                place = project.places.find(module, flow.target)
                if place is not None and _is_collection(project, module, flow):
                    yield module, flow, place


def _is_collection(project: Project, module: int, flow: Flow) -> bool:
    made = project.value(module, flow.source)
    if isinstance(made, Collection):
        return made.kind in _MUTABLE
    rows = [project.class_row(found) for found in project.objects(module, flow.source)]
    return (
        isinstance(made, Result)
        and bool(rows)
        and all(row is not None and row.kind is Kind.COLLECTION and row.names[0] not in _FIXED for row in rows)
    )


def _is_empty(project: Project, module: int, flow: Flow) -> bool:
    made = project.value(module, flow.source)
    if not isinstance(made, Result):
        return isinstance(made, Collection) and not made.items
    site = Site(module, made.call)
    takes_factory = any(target.name in _TAKE_FACTORY for target in project.externals(site))
    return len(project.call(site).call.arguments) <= takes_factory
