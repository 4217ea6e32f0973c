"""CON213: see docs/rules/CON213.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model.alarm import Alarm
from conclint.model.naming import has_test_name
from conclint.model.rule import Category, Rule
from conclint.model.values import Local, Result
from conclint.project.project import CallPlace, Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON213",
    name="contextvar-in-function",
    summary="a `ContextVar` is made inside a function, where each call makes another one that is never freed",
    help="make it once, at the top level of the module",
    category=Category.DATA_RACE,
    since="0.1.0",
)

_VARIABLE = "contextvars.ContextVar"


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report context variables that are made, and used, by each call of a function."""
    for place in project.calls_to({_VARIABLE}):
        if _is_local(project, place) and _is_repeated(project, place.function.symbol):
            message = (
                f"each call of `{place.function.name}` makes a new `ContextVar`, and contexts keep every one of them"
            )
            yield project.alarm(place.site.module, RULE.code, place.call.span, message)


def _is_local(project: Project, place: CallPlace) -> bool:
    """Whether the variable never leaves the call that makes it: else that may be the way in which it is kept."""
    facts, made = place.facts, Result(place.site.index)
    names = {flow.target for flow in facts.flows if facts.values[flow.source] == made}
    if not all(isinstance(facts.values[name], Local) for name in names):
        return False
    # Local names have no accesses but those of nested functions.
    leaving = {access.target for access in facts.accesses}
    leaving.update(flow.source for flow in facts.flows if not isinstance(facts.values[flow.target], Local))
    leaving.update(argument.value for call in facts.calls for argument in call.arguments)
    leaving.update(value for function in facts.functions for value in function.returns)
    return not names & leaving and not any(facts.values[value] == made for value in leaving)


def _is_repeated(project: Project, symbol: str) -> bool:
    """Whether a function is no part of a test, cached by no decorator, and not only called at import time."""
    pending, seen = [symbol], {symbol}
    while pending:
        current = pending.pop()
        if has_test_name(current) or project.decorators(current):
            return False
        callers = {caller for caller, _, _ in project.call_graph.callers.get(current, ())}
        if not callers and not current.endswith(".<module>"):
            return True
        pending += callers - seen
        seen |= callers
    return False
