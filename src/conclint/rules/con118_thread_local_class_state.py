"""CON118: see docs/rules/CON118.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.model.values import Collection, Result
from conclint.project.class_state import iter_class_collections
from conclint.project.objects import Site
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

_TAKE_FACTORY = frozenset({"collections.defaultdict"})


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report such collections if they are empty at first, or changed anywhere, and no thread gets its own."""
    local = frozenset(project.symbols.subclasses.get("threading.local", ()))
    for found in iter_class_collections(project) if local else ():
        made = project.value(found.module, found.flow.source)
        if found.owner not in local or not isinstance(made, Collection | Result):
            continue
        change = next(found.changes, None)
        if change is not None or _is_empty(project, found.module, made):
            message = f"all threads share `{found.place.name}`, although its class is a `threading.local`"
            steps = [project.related(change.module, change.span, "it is changed here")] if change is not None else []
            yield project.alarm(found.module, RULE.code, found.flow.span, message, *steps)


def _is_empty(project: Project, module: int, made: Collection | Result) -> bool:
    if isinstance(made, Collection):
        return not made.items
    site = Site(module, made.call)
    takes_factory = any(target.name in _TAKE_FACTORY for target in project.externals(site))
    return len(project.call(site).call.arguments) <= takes_factory
