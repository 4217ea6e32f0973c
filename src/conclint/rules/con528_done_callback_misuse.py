"""CON528: see docs/rules/CON528.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Domain, Effect, Kind, Role, RunsIn
from conclint.model.alarm import Alarm
from conclint.model.facts import Function
from conclint.model.rule import Category, Rule
from conclint.model.values import Attribute, Local
from conclint.project.blocking import find_blocking
from conclint.project.confinement import collect_ways
from conclint.project.project import CallPlace, Project
from conclint.project.roots import Root
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON528",
    name="done-callback-misuse",
    summary="a done-callback raises what its job raised, or holds up the worker that calls it",
    help="handle the error in the callback; leave long work to a job of its own",
    category=Category.PROCESS,
    since="0.1.0",
    default=False,
)

_STOPPING = Effect.SLEEP | Effect.NETWORK | Effect.SUBPROCESS


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report callbacks of an executor's futures that ask for a result without a `try`, or that block."""
    for root in project.roots:
        if root.runs_in is not RunsIn.EXECUTOR_THREAD or root.site.what != "call" or not _is_callback(project, root):
            continue
        where, function = project.place(root.function), project.function(root.function)
        for place in project.calls_in(where) if where is not None and function is not None else ():
            if function is not None and _raises(project, place, function):
                yield _report_raise(project, place, root)
        for symbol, way in collect_ways(project, [root]).items():
            reached = project.place(symbol)
            for place in project.calls_in(reached) if reached is not None else ():
                blocking = find_blocking(project, place, _STOPPING)
                if blocking is not None:
                    message = f"`{blocking.name}` holds up a worker of the executor: a done-callback runs there"
                    yield project.alarm(place.site.module, RULE.code, place.call.span, message, *way.relate(project))


def _report_raise(project: Project, place: CallPlace, root: Root) -> Alarm:
    module = place.site.module
    name = project.places.describe(module, place.call.callee)
    given = project.related(root.site.module, project.call(root.site).call.span, "it is registered here")
    message = f"what `{name}` raises in this done-callback is only logged: nobody handles it"
    return project.alarm(module, RULE.code, place.call.span, message, given)


def _is_callback(project: Project, root: Root) -> bool:
    """Whether a root is called by the future of an executor, not by a task of an event loop (must)."""
    rows = [row for _, row in project.rows(root.site)]
    receivers = [project.class_row(target.receiver) for target in project.externals(root.site) if target.receiver]
    return (
        bool(rows)
        and all(row.role is Role.CALLBACK for row in rows)
        and all(row is not None and row.kind is Kind.FUTURE and row.domain is Domain.THREAD for row in receivers)
    )


def _raises(project: Project, place: CallPlace, function: Function) -> bool:
    """Whether a callback asks its own future, for whose failure it is not prepared."""
    parameters = [one.name for one in function.parameters if one.default is None]
    callee = place.facts.values[place.call.callee]
    if not parameters or not isinstance(callee, Attribute) or callee.name != "result":
        return False
    if project.handlers.collect_caught(place):
        return False
    future = Local(function.symbol, parameters[-1])
    names = {one.name for one in place.facts.values if isinstance(one, Attribute) and one.base == callee.base}
    # Whoever looks at the exception, or for the cancellation, knows whether there is a result.
    return place.facts.values[callee.base] == future and names.isdisjoint({"exception", "cancelled"})
