"""CON305: see docs/rules/CON305.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.catalog.rows import Kind, Role
from conclint.model.alarm import Alarm
from conclint.model.facts import Acquisition
from conclint.model.rule import Category, Rule
from conclint.model.values import Attribute
from conclint.project.jobs import Jobs
from conclint.project.lifetime import Made
from conclint.project.objects import Object, Site
from conclint.project.order import precedes
from conclint.project.project import CallPlace, Project
from conclint.project.timeouts import find_timeout
from conclint.project.ways import relate_calls
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON305",
    name="timeout-does-not-bound",
    summary="a wait for a job has a timeout, in a `with` block of the executor that waits for the job without one",
    help="make the executor without `with`, and call `shutdown(wait=False, cancel_futures=True)` when the time is over",
    category=Category.TIMEOUT,
    since="0.1.0",
)

_ENDS_PROGRAM = frozenset({"os._exit", "os.abort", "os.kill", "os.killpg"})


class Block(NamedTuple):
    """A `with` statement that shuts an executor down, and waits for its jobs."""

    module: int
    entry: Acquisition

    def contains(self, place: CallPlace) -> bool:
        """Whether a call stands in its body."""
        if place.site.module != self.module or place.call.function != self.entry.function:
            return False
        return self.entry.span.line <= place.call.span.line <= self.entry.last_line


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report timed waits for jobs of an executor whose `with` block goes on waiting for them."""
    jobs = Jobs(project)
    for made in project.lifetimes.iter_made(Kind.EXECUTOR):
        blocks = _find_blocks(project, made)
        for wait, start in _iter_timed_waits(project, jobs, made) if blocks else ():
            for block in blocks:
                chain = _find_chain(project, block, wait)
                if chain is not None and not _knows_better(project, wait):
                    yield _describe(project, block, wait, start, chain)


def _find_blocks(project: Project, made: Made) -> list[Block]:
    """Return the blocks of an executor that nobody shuts down in another way as well."""
    operations = list(project.operations(made.found))
    if any(one.name == "shutdown" for one in operations):
        return []
    sites = [one.site for one in operations if one.name == "__exit__" and one.site.what == "acquisition"]
    return [Block(site.module, project.modules[site.module].acquisitions[site.index]) for site in sites]


def _iter_timed_waits(project: Project, jobs: Jobs, made: Made) -> Iterator[tuple[CallPlace, CallPlace]]:
    """Yield the calls that wait for a job for some time, each with the one that submits it."""
    seen: set[Site] = set()
    for operation in project.operations(made.found):
        if operation.name not in ("submit", "map") or operation.site.what != "call":
            continue
        start = project.call(operation.site)
        future = jobs.find_future(start)
        waits = [start] if future is None else [*_iter_asks(project, future.found), *jobs.iter_waits(future.found)]
        for wait in waits:
            if wait.site not in seen and _is_timed(project, wait):
                seen.add(wait.site)
                yield wait, start


def _iter_asks(project: Project, future: Object) -> Iterator[CallPlace]:
    if not any(one.name in ("done", "running") for one in project.operations(future)):
        yield from project.lifetimes.iter_calls(future, Role.RESULT)


def _is_timed(project: Project, wait: CallPlace) -> bool:
    rows = [row.timeout for _, row in project.rows(wait.site) if row.timeout is not None]
    given = find_timeout(wait, rows[0]) if rows else None
    constant = project.constant(wait.site.module, given.value) if given is not None else None
    return given is not None and (constant is None or bool(constant.value))


def _find_chain(project: Project, block: Block, wait: CallPlace) -> tuple[CallPlace, ...] | None:
    """Return the calls that lead from the body of the block to the wait, None where none do."""
    if block.contains(wait):
        return ()
    start = project.modules[block.module].functions[block.entry.function].symbol
    chain = project.call_graph.find_chain(start, wait.function.symbol)
    return chain if chain and block.contains(chain[0]) else None


def _knows_better(project: Project, wait: CallPlace) -> bool:
    """Whether the wait is one look of many, or over at once, or the job is told to stop afterwards (may)."""
    if wait.context.loops and _joins(project, wait):
        return True
    for place in project.calls_in(wait.function_place):
        if precedes(place.call.span, wait.call.span):
            if _joins(project, place) and not _is_timed(project, place):
                return True
        elif place.site != wait.site and _may_stop_job(project, place, wait):
            return True
    return False


def _joins(project: Project, place: CallPlace) -> bool:
    return any(row.role is Role.JOIN for _, row in project.rows(place.site))


def _may_stop_job(project: Project, place: CallPlace, wait: CallPlace) -> bool:
    """Whether a call after the wait may make the job return: it sets an event, ends a process, closes something."""
    targets, callees = project.externals(place.site), project.callees(place.site)
    if any(target.name in _ENDS_PROGRAM or _signals(project, target.receiver) for target in targets):
        return True
    if not targets and not callees:
        is_method = isinstance(place.facts.values[place.call.callee], Attribute)
        return is_method and len(place.context.branches) > len(wait.context.branches)
    reached = project.call_graph.reach(callee.function for callee in callees) if callees else ()
    places = [function for symbol in sorted(reached) if (function := project.place(symbol)) is not None]
    return any(
        _signals(project, target.receiver)
        for function in places
        for called in project.calls_in(function)
        for target in project.externals(called.site)
    )


def _signals(project: Project, receiver: Object | None) -> bool:
    row = project.class_row(receiver) if receiver is not None else None
    if receiver is None or row is None or not project.is_living(receiver):
        return False
    return row.kind not in (Kind.FUTURE, Kind.EXECUTOR)


def _describe(project: Project, block: Block, wait: CallPlace, start: CallPlace, chain: tuple[CallPlace, ...]) -> Alarm:
    callee = project.places.describe(wait.site.module, wait.call.callee)
    related = [project.related(block.module, block.entry.span, "leaving this block waits for all jobs, without end")]
    if start.site != wait.site:
        related.append(project.related(start.site.module, start.call.span, "the job is submitted here"))
    related += relate_calls(project, chain)
    message = f"`{callee}` gives up after its timeout, and the end of the `with` block waits for the job all the same"
    return project.alarm(wait.site.module, RULE.code, wait.call.span, message, *related)
