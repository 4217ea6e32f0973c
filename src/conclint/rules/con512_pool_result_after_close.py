"""CON512: see docs/rules/CON512.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.catalog.rows import Kind
from conclint.model.alarm import Alarm
from conclint.model.facts import How
from conclint.model.rule import Category, Rule
from conclint.model.span import Span
from conclint.model.values import Attribute, Collection, Item, Result, ValueId
from conclint.project.lifetime import Made
from conclint.project.objects import Object
from conclint.project.project import CallPlace, Project
from conclint.project.symbols import FunctionPlace
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON512",
    name="pool-result-after-close",
    summary="the result of a pool is asked for after the pool was terminated: it may never come",
    help="ask within the `with` block; or `close()` and `join()` the pool at its end",
    category=Category.PROCESS,
    since="0.1.0",
)

_ITERATORS = frozenset({"imap", "imap_unordered"})
_JOBS = frozenset({"apply_async", "map_async", "starmap_async"}) | _ITERATORS

_PLAIN = ("builtins.", "collections.")


class Body(NamedTuple):
    """The body of `with Pool() as pool:`, whose end terminates the pool."""

    made: Made
    where: FunctionPlace
    opened: Span
    last_line: int

    def contains(self, where: FunctionPlace, span: Span) -> bool:
        """Return whether something of a function stands within the body."""
        return where == self.where and self.opened.line <= span.line <= self.last_line


class Use(NamedTuple):
    """A place where a result is asked for, waited for or looked at."""

    where: FunctionPlace
    span: Span


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report jobs of a pool that nobody waits for while the pool lives, and somebody afterwards."""
    for made in project.lifetimes.iter_made(Kind.POOL):
        operations = project.operations(made.found)
        names = {operation.name for operation in operations}
        bodies = list(_iter_bodies(project, made)) if names & _JOBS and "join" not in names else []
        for operation in operations if len(bodies) == 1 else ():
            if operation.name not in _JOBS or operation.site.what != "call":
                continue
            job = project.call(operation.site)
            if bodies[0].contains(job.function_place, job.call.span):
                yield from _check_job(project, bodies[0], job, is_iterator=operation.name in _ITERATORS)


def _check_job(project: Project, body: Body, job: CallPlace, *, is_iterator: bool) -> Iterator[Alarm]:
    uses = sorted(set(_iter_iterations(project, job) if is_iterator else _iter_asks(project, job)))
    if any(body.contains(use.where, use.span) for use in uses) or _is_handed_on(project, body, job, uses):
        return
    module, callee = job.site.module, project.places.describe(job.site.module, job.call.callee)
    ended = project.related(body.where.module, body.opened, "the end of this `with` terminates the pool")
    if _is_returned(project, job):
        message = f"what `{callee}` gives is returned out of the `with` block, which terminates the pool"
        yield project.alarm(module, RULE.code, job.call.span, message, ended)
    elif uses:
        begun = project.related(module, job.call.span, "the job is submitted here")
        message = f"the result of `{callee}` is asked for after the pool was terminated: it may never come"
        yield project.alarm(uses[0].where.module, RULE.code, uses[0].span, message, begun, ended)


def _is_handed_on(project: Project, body: Body, job: CallPlace, uses: list[Use]) -> bool:
    """Whether a function that is called in the block asks for the result, or gets it and is not known."""
    asking = {project.symbols.function(use.where).symbol for use in uses}
    made = set(_find_results(project, job))
    for place in project.calls_in(body.where):
        if not body.contains(body.where, place.call.span):
            continue
        callees = {target.function for target in project.callees(place.site)}
        if callees and not asking.isdisjoint(project.call_graph.reach(callees)):
            return True
        targets = project.externals(place.site)
        if not callees and not (targets and all(target.name.startswith(_PLAIN) for target in targets)):
            given = {one for value in place.call.arguments for one in project.objects(place.site.module, value.value)}
            held = {one for found in given for one in project.elements(found)}
            if made & (given | held):
                return True
    return False


def _iter_bodies(project: Project, made: Made) -> Iterator[Body]:
    module = made.place.site.module
    for acquisition in project.modules[module].acquisitions:
        value = project.value(module, acquisition.value)
        # `closing(pool)` does not terminate it.
        is_other = isinstance(value, Result) and value.call != made.place.site.index
        if acquisition.how is How.WITH and not is_other and made.found in project.objects(module, acquisition.value):
            where = FunctionPlace(module, acquisition.function)
            yield Body(made, where, acquisition.span, acquisition.last_line)


def _iter_asks(project: Project, job: CallPlace) -> Iterator[Use]:
    """Yield the calls of methods of the result, whatever they do."""
    for found in _find_results(project, job):
        for operation in project.operations(found):
            if operation.site.what == "call":
                place = project.call(operation.site)
                yield Use(place.function_place, place.call.span)


def _find_results(project: Project, job: CallPlace) -> list[Object]:
    return [found for found in project.result(job.site) if found.site == job.site]


def _iter_iterations(project: Project, job: CallPlace) -> Iterator[Use]:
    """Yield where an iterator is gone over, or given to what may do so, in the function that makes it."""
    facts, names = job.facts, _find_names(job)
    for flow in facts.flows:
        source = facts.values[flow.source]
        if isinstance(source, Item) and source.base in names:
            yield Use(FunctionPlace(job.site.module, flow.function), flow.span)
    for call in facts.calls:
        callee = facts.values[call.callee]
        given = any(argument.value in names for argument in call.arguments)
        if given or (isinstance(callee, Attribute) and callee.base in names):
            yield Use(FunctionPlace(job.site.module, call.function), call.span)


def _find_names(job: CallPlace) -> frozenset[ValueId]:
    """Return the result of a call as a value, and the variables that hold it."""
    facts = job.facts
    made = Result(job.site.index)
    results = {index for index, value in enumerate(facts.values) if value == made}
    return frozenset(results | {flow.target for flow in facts.flows if flow.source in results})


def _is_returned(project: Project, job: CallPlace) -> bool:
    """Whether the function hands out the result, or a list of them."""
    names, values = _find_names(job), job.facts.values
    for returned in job.function.returns:
        value = values[returned]
        if returned in names or (isinstance(value, Collection) and not names.isdisjoint(value.items)):
            return True
        if any(made in project.objects(job.site.module, returned) for made in _find_results(project, job)):
            return True
    return False
