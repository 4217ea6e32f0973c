"""CON603: see docs/rules/CON603.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.catalog.rows import Kind, Role, RunsIn
from conclint.model.alarm import Alarm
from conclint.model.facts import Access, AccessKind
from conclint.model.rule import Category, Rule
from conclint.project.confinement import Way, collect_ways
from conclint.project.exceptions import Exceptions
from conclint.project.lifetime import Made
from conclint.project.order import precedes
from conclint.project.project import CallPlace, Project
from conclint.project.shared import SharedAccess
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON603",
    name="worker-error-lost",
    summary="the result of a thread is read after `join()`, which does not tell that the thread failed",
    help="use an executor: `future.result()` raises what the job raised",
    category=Category.ERROR,
    since="0.1.0",
    default=False,
)

_READS = frozenset({AccessKind.READ, AccessKind.CHECK, AccessKind.ITERATE})


class Read(NamedTuple):
    """A place where state is read."""

    module: int
    access: Access


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report state that a thread writes, unless it fails, and its starter reads after the join."""
    errors: Exceptions | None = None
    writes: dict[str, list[SharedAccess]] | None = None
    for made in project.lifetimes.iter_made(Kind.THREAD):
        joins = list(project.lifetimes.iter_calls(made.found, Role.JOIN))
        roots = [
            root
            for root in project.roots
            if root.runs_in is RunsIn.THREAD and (root.site == made.place.site or root.receiver == made.found)
        ]
        if not joins or len({root.function for root in roots}) != 1:
            continue
        errors = errors or Exceptions(project)
        failing = errors.find_failing(roots[0].function)
        ways = collect_ways(project, roots[:1]) if failing is not None else {}
        if ways and writes is None:
            writes = _collect_writes(project)
        found = _find_read(project, joins, ways, writes) if writes is not None else None
        if failing is not None and found is not None:
            yield _report(project, failing, found, made)


def _report(project: Project, failing: CallPlace, pair: tuple[SharedAccess, Read], made: Made) -> Alarm:
    write, read = pair
    name = project.places.describe(read.module, read.access.target)
    message = f"`{name}` is read although the thread that sets it may have failed: `join()` does not tell"
    callee = project.places.describe(failing.site.module, failing.call.callee)
    steps = (
        project.related(made.place.site.module, made.place.call.span, "the thread is made here"),
        project.related(failing.site.module, failing.call.span, f"`{callee}` may fail, and nothing catches that"),
        project.related(write.module, write.span, "what is not reached then"),
    )
    return project.alarm(read.module, RULE.code, read.access.span, message, *steps)


def _collect_writes(project: Project) -> dict[str, list[SharedAccess]]:
    """Return what each function changes."""
    found: dict[str, list[SharedAccess]] = {}
    for accesses in project.shared.by_place.values():
        for one in accesses:
            if one.is_write:
                found.setdefault(one.function, []).append(one)
    return found


def _find_read(
    project: Project, joins: list[CallPlace], ways: dict[str, Way], writes: dict[str, list[SharedAccess]]
) -> tuple[SharedAccess, Read] | None:
    """Return what the thread sets, and a read of the same in a function that has joined the thread before."""
    written = {one.place._replace(element=False): one for symbol in ways for one in writes.get(symbol, ())}
    for join in joins if written else ():
        for access in join.facts.accesses:
            if access.function != join.call.function or access.kind not in _READS:
                continue
            place = project.places.find(join.site.module, access.target)
            write = written.get(place._replace(element=False)) if place is not None else None
            if write is not None and precedes(join.call.span, access.span):
                return write, Read(join.site.module, access)
    return None
