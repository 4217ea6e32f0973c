"""CON420: see docs/rules/CON420.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model.alarm import Alarm
from conclint.model.facts import Function, Use
from conclint.model.naming import is_test_code
from conclint.model.rule import Category, Rule
from conclint.project.project import Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON420",
    name="async-without-await",
    summary="a coroutine function never awaits anything",
    help="make it a plain function, and call it without `await`",
    category=Category.ASYNC,
    since="0.1.0",
    default=False,
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report coroutine functions without an await point that the project alone calls, and always awaits."""
    found = {
        function.symbol: (module, function)
        for module, facts in enumerate(project.modules)
        for function in facts.functions
        if _never_awaits(function) and _is_own(project, function)
    }
    for symbol, (module, function) in found.items():
        # Tasks that begin with it are among them.
        places = [project.find_call(site) for site in project.call_graph.sites(symbol)]
        awaited = [place for place in places if place is not None and place.call.use is Use.AWAITED]
        if not awaited or len(awaited) < len(places) or any(len(project.callees(one.site)) > 1 for one in awaited):
            continue
        first = awaited[0]
        related = project.related(first.site.module, first.call.span, f"`{function.name}` is awaited here for nothing")
        message = f"`{function.name}` never awaits anything, so it need not be a coroutine function"
        yield project.alarm(module, RULE.code, function.span, message, related)


def _never_awaits(function: Function) -> bool:
    if not function.is_async or function.has_await_point or function.is_generator or function.is_stub:
        return False
    return not function.decorators and not is_test_code(function.symbol)


def _is_own(project: Project, function: Function) -> bool:
    """Whether only the project calls a function, and nothing but that function is meant where it does (must)."""
    is_private = function.name.startswith("_") and not function.name.endswith("__")
    if not (is_private or "<locals>" in function.symbol) or function.symbol in project.call_graph.passed_functions:
        return False
    if not function.owner:
        return True
    symbols = project.symbols
    if symbols.has_unknown_base(function.owner) or function.name in project.escapes.unknown_attributes:
        return False
    # An override is what its base, or another subclass, has made of it.
    family = (*symbols.linearise(function.owner)[1:], *symbols.subclasses.get(function.owner, ()))
    return not any(function.name in symbols.methods.get(one, {}) for one in family)
