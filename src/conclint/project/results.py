"""Results: what becomes of what a call returns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from conclint.model.facts import ModuleFacts
from conclint.model.values import Choice, Collection, Local, Result, ValueId
from conclint.project.objects import Site

if TYPE_CHECKING:
    from conclint.project.project import Project


def collect_unread(project: Project) -> Mapping[Site, str]:
    """Return the calls whose results are bound to a local variable that is never read, with its name (must).

    A call within a collection, `tasks = [start(job) for job in jobs]`, counts too.
    """
    found: dict[Site, str] = {}
    for module, facts in enumerate(project.modules):
        unread = {(function.symbol, name) for function in facts.functions for name in function.unread}
        for flow in facts.flows:
            target = facts.values[flow.target]
            if isinstance(target, Local) and (target.function, target.name) in unread:
                for call in iter_results(facts, flow.source):
                    found[Site(module, call)] = target.name
    return found


def iter_results(facts: ModuleFacts, value: ValueId) -> Iterator[int]:
    """Yield the calls whose result a value is, may be (`a() or b()`), or holds (`[a(), b()]`)."""
    found = facts.values[value]
    if isinstance(found, Result):
        yield found.call
    for part in found.options if isinstance(found, Choice) else found.items if isinstance(found, Collection) else ():
        yield from iter_results(facts, part)
