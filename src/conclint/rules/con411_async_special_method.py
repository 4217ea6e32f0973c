"""CON411: see docs/rules/CON411.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model.alarm import Alarm
from conclint.model.facts import Function, ModuleFacts
from conclint.model.rule import Category, Rule
from conclint.model.values import Await, Choice, Collection, ValueId
from conclint.project.project import Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON411",
    name="async-special-method",
    summary="Python calls this method by itself and never awaits it",
    help="make it a plain method, and await in a classmethod, an `__aenter__`, or a method of another name",
    category=Category.ASYNC,
    since="0.1.0",
)

_NEVER_AWAITED = frozenset(
    f"__{name}__"
    for name in """
    bool bytes complex contains del delattr delete delitem dir enter eq exit float format ge getstate gt hash index init
    init_subclass int iter le len length_hint lt ne next post_init reduce reduce_ex repr reversed set set_name setattr
    setitem setstate sizeof str
    """.split()
)
"""Methods whose result Python uses or drops at once. `await obj[key]`, `await obj(x)` and the like do work."""


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report `async def` special methods, and loads of `async def` properties that are not awaited."""
    for module, facts in enumerate(project.modules):
        for function in facts.functions:
            if function.is_async and function.owner and not function.is_stub and _is_broken(project, function):
                message = f"`{function.name}` is called by Python, which never awaits it: its body does not run"
                yield project.alarm(module, RULE.code, function.span, message)
    yield from _check_properties(project)


def _is_broken(project: Project, function: Function) -> bool:
    if function.name not in _NEVER_AWAITED or (function.is_generator and function.name in ("__iter__", "__reversed__")):
        return False
    # `async def __new__`, or a metaclass, may await `__init__` itself.
    symbols = project.symbols
    makes_itself = symbols.find_method(function.owner, "__new__") or symbols.has_unknown_base(function.owner)
    return function.name != "__init__" or not makes_itself


def _check_properties(project: Project) -> Iterator[Alarm]:
    loads = [
        place
        for place, getters in project.property_loads.values()
        if all(_gives_coroutine(project, symbol) for symbol in getters)
    ]
    # There are few such properties, and what a module does with its values takes a look at all of them.
    passed_on = {module: _collect_passed_on(project.modules[module]) for module in {one.site.module for one in loads}}
    for place in loads:
        module, loaded = place.site.module, place.call.callee
        if loaded not in passed_on[module]:
            name = project.places.describe(module, loaded)
            message = f"`{name}` is an `async def` property, and nothing awaits it"
            yield project.alarm(module, RULE.code, place.call.span, message)


def _gives_coroutine(project: Project, symbol: str) -> bool:
    function = project.function(symbol)
    return function is not None and function.is_async and not function.is_generator


def _collect_passed_on(facts: ModuleFacts) -> frozenset[ValueId]:
    """Return the values that are awaited, bound, returned or given to somebody (may)."""
    found = {flow.source for flow in facts.flows}
    found.update(argument.value for call in facts.calls for argument in call.arguments)
    found.update(value for function in facts.functions for value in function.returns)
    found.update(produced.value for produced in facts.yields)
    found.update(entry.value for entry in facts.acquisitions)
    for value in facts.values:
        if isinstance(value, Await):
            found.add(value.base)
        elif isinstance(value, Collection | Choice):
            found.update(value.items if isinstance(value, Collection) else value.options)
    return frozenset(found)
