"""CON113: see docs/rules/CON113.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.model.alarm import Alarm
from conclint.model.facts import ModuleFacts
from conclint.model.rule import Category, Rule
from conclint.model.span import Span
from conclint.model.values import Item, Name, ValueId
from conclint.project.confinement import collect_confined
from conclint.project.project import Project
from conclint.project.roots import PARALLEL_KINDS
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON113",
    name="process-wide-state-in-thread",
    summary="a thread changes something that belongs to the whole process, under the other threads",
    help="change it once, before the threads start; or pass the value along, or use a child process",
    category=Category.THREAD,
    since="0.1.0",
)

_STREAMS = ("sys.stdout", "sys.stderr", "sys.stdin")
_ENVIRONMENT = ("os.environ", "os.environb")
_FILTERS = "warnings.catch_warnings"
_CONTEXT_AWARE = "sys.flags.context_aware_warnings"
"""From Python 3.14 on, the filters of `catch_warnings` may belong to the thread; who asks for this flag knows."""


class _Change(NamedTuple):
    module: int
    function: str
    span: Span
    what: str


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report the first change of each kind to the process in functions that only threads run."""
    changes = [*_iter_calls(project), *_iter_assignments(project)]
    ways = collect_confined(project, lambda root: root.runs_in in PARALLEL_KINDS) if changes else {}
    # A change is often undone by another one in the same function, or when a `with` is left.
    first = {(one.function.replace("__exit__", "__enter__"), one.what): one for one in sorted(changes, reverse=True)}
    for change in first.values():
        way = ways.get(change.function)
        if way is not None:
            message = f"this changes {change.what} for all threads of the process"
            yield project.alarm(change.module, RULE.code, change.span, message, *way.relate(project))


def _iter_calls(project: Project) -> Iterator[_Change]:
    for place in project.external_calls:
        rows = project.rows(place.site)
        known = len(rows) == len(project.externals(place.site)) and not project.callees(place.site)
        if not known or not all(row.changes for _, row in rows):
            continue
        if any(target.name == _FILTERS for target, _ in rows) and _are_filters_local(project):
            continue
        yield _Change(place.site.module, place.function.symbol, place.call.span, rows[0][1].changes)


def _are_filters_local(project: Project) -> bool:
    # Without the GIL, Python sets the flag by itself.
    oldest = min(project.hints.versions, default=(3, 0))
    return _CONTEXT_AWARE in project.symbols.names or (not project.hints.gil and oldest >= (3, 14))


def _iter_assignments(project: Project) -> Iterator[_Change]:
    """Yield assignments to `os.environ[…]` and `sys.stdout`."""
    for module, facts in enumerate(project.modules):
        for flow in facts.flows:
            what = _find_assigned(project, module, facts, flow.target)
            if what:
                yield _Change(module, facts.functions[flow.function].symbol, flow.span, what)


def _find_assigned(project: Project, module: int, facts: ModuleFacts, target: ValueId) -> str:
    found = facts.values[target]
    if isinstance(found, Name):
        return f"`{found.symbol}`" if found.symbol in _STREAMS else ""
    if not isinstance(found, Item):
        return ""
    while isinstance(found, Item):
        target = found.base
        found = facts.values[target]
    objects = project.objects(module, target)
    return "the environment" if objects and all(one.symbol in _ENVIRONMENT for one in objects) else ""
