"""Functions: their parameters, receivers and results, and how arguments reach them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from conclint import catalog
from conclint.catalog.rows import LOCK_KINDS, Domain
from conclint.model.facts import Argument, Function, ModuleFacts, ParameterKind
from conclint.model.values import Constant, Name, Result, Unknown, ValueId
from conclint.project.link.elements import react_item
from conclint.project.link.links import Target
from conclint.project.objects import Object, ObjectKind, Site

if TYPE_CHECKING:
    from conclint.project.link.linker import Linker

_HARMLESS_DECORATORS = frozenset(
    """
    builtins.staticmethod builtins.classmethod builtins.property functools.wraps abc.abstractmethod typing.override
    typing_extensions.override typing.final typing.overload functools.lru_cache functools.cache
    functools.cached_property contextlib.contextmanager contextlib.asynccontextmanager
    """.split()
)
_FRESH_DECORATORS = frozenset({"builtins.staticmethod", "builtins.classmethod"})
_CONTEXT_MANAGERS = ("contextlib.contextmanager", "contextlib.asynccontextmanager")
MOST_SUBCLASSES = 16
"""A class with more subclasses hands its methods only its own instances: the rest would crowd every node."""


def add_functions(linker: Linker, module: int, facts: ModuleFacts) -> None:
    """Add parameters with their defaults and annotations, results and yields of the functions of a module."""
    for function in facts.functions:
        for parameter in function.parameters:
            node = linker.solver.node(("l", function.symbol, parameter.name))
            for value in (parameter.default, parameter.annotation):
                if value is not None:
                    linker.solver.connect(linker.value_node(module, value), node)
        result = linker.solver.node(("r", function.symbol))
        for value in function.returns:
            linker.solver.connect(linker.value_node(module, value), result)
        if function.returns_annotation is not None and not function.is_generator:
            linker.solver.connect(linker.value_node(module, function.returns_annotation), result)
    for produced in facts.yields:
        symbol = facts.functions[produced.function].symbol
        linker.solver.connect(linker.value_node(module, produced.value), linker.solver.node(("y", symbol)))


def add_receivers(linker: Linker, first: int) -> None:
    """Hand methods their own class's instances, and those of the subclasses that inherit it, from class `first` on."""
    for symbol in itertools.islice(linker.symbols.classes, first, None):
        receiver = Object(ObjectKind.INSTANCE, symbol)
        names = {
            name for ancestor in linker.symbols.linearise(symbol) for name in linker.symbols.methods.get(ancestor, ())
        }
        for name in sorted(names):
            method = linker.symbols.find_method(symbol, name)
            if method is None:
                continue
            owner = method.rpartition(".")[0]
            if owner == symbol or len(linker.symbols.subclasses.get(owner, ())) <= MOST_SUBCLASSES:
                linker.bind_receiver(method, receiver)


def bind(linker: Linker, module: int, arguments: Sequence[Argument], target: Target, *, skip: int = 0) -> None:
    """Let the arguments of a call reach the parameters of the function, but for the first `skip` ones."""
    if target.receiver is not None:
        linker.bind_receiver(target.function, target.receiver)
        skip += 1
    for place in linker.symbols.functions[target.function]:
        _bind_arguments(linker, module, arguments, linker.symbols.function(place), skip)


def _bind_arguments(linker: Linker, module: int, arguments: Sequence[Argument], function: Function, skip: int) -> None:
    positional = [one.name for one in function.parameters if one.kind is ParameterKind.POSITIONAL]
    names = {one.name for one in function.parameters if one.kind in (ParameterKind.POSITIONAL, ParameterKind.KEYWORD)}
    rest = next((one.name for one in function.parameters if one.kind is ParameterKind.STAR), None)
    following = iter(positional[skip:])
    for argument in arguments:
        if argument.keyword == "":
            name = next(following, None)
            if name is not None:
                _pass(linker, module, argument.value, function.symbol, name)
            elif rest is not None:
                _pass_rest(linker, module, argument.value, function, rest)
        elif argument.keyword == "*":
            for name in following:
                item = linker.solver.new_node()
                react_item(linker, linker.value_node(module, argument.value), item)
                linker.solver.connect(item, linker.solver.node(("l", function.symbol, name)))
        elif argument.keyword in names:
            _pass(linker, module, argument.value, function.symbol, argument.keyword)


def _pass(linker: Linker, module: int, value: ValueId, function: str, parameter: str) -> None:
    if not isinstance(linker.modules[module].values[value], Constant | Unknown):
        linker.solver.connect(linker.value_node(module, value), linker.solver.node(("l", function, parameter)))


def _pass_rest(linker: Linker, module: int, value: ValueId, function: Function, parameter: str) -> None:
    place = linker.symbols.functions[function.symbol][0]
    rest = Object(ObjectKind.INSTANCE, "builtins.tuple", Site(place.module, place.index, "star"))
    linker.solver.add(linker.solver.node(("l", function.symbol, parameter)), rest)
    linker.solver.connect(linker.value_node(module, value), linker.elements(rest))


def bind_partial(
    linker: Linker, module: int, arguments: Sequence[Argument], origin: Site, on_target: Callable[[Target], None]
) -> None:
    """Let the arguments of the partial made at `origin`, and those of its call, reach its function."""
    made = linker.modules[origin.module].calls[origin.index].arguments
    if not made:
        return
    given = sum(argument.keyword == "" for argument in made[1:])

    def on_callee(found: Object) -> None:
        if found.kind in (ObjectKind.FUNCTION, ObjectKind.BOUND):
            target = Target(found.symbol, found.receiver)
            bind(linker, origin.module, made[1:], target)
            bind(linker, module, arguments, target, skip=given)
            on_target(target)

    linker.solver.react(linker.value_node(origin.module, made[0].value), on_callee)


def connect_result(linker: Linker, site: Site, function: str) -> None:
    """Let the result of a call become what calling the function gives."""
    facts = linker.symbols.function(linker.symbols.functions[function][0])
    decorators = linker.decorators(function)
    result = linker.result(site)
    if any(name in _CONTEXT_MANAGERS for name in decorators):
        linker.solver.add(result, Object(ObjectKind.GENERATOR, function))
    elif any(name not in _HARMLESS_DECORATORS for name in decorators):
        # What an unknown decorator makes of the result is unknown.
        return
    elif facts.is_generator:
        linker.solver.add(result, Object(ObjectKind.GENERATOR, function))
    elif facts.is_async:
        linker.solver.add(result, Object(ObjectKind.COROUTINE, function, site))
    elif (made := _find_made_lock(linker, function, decorators)) is not None:
        linker.links.factories[site] = made
        linker.solver.react(linker.result(made), lambda found: linker.solver.add(result, _make_anew(found, made, site)))
    else:
        linker.solver.connect(linker.solver.node(("r", function)), result)


def _find_made_lock(linker: Linker, symbol: str, decorators: tuple[str, ...]) -> Site | None:
    """Return the call by which a function makes the lock that it returns, None where it does anything else."""
    place = linker.symbols.functions[symbol][0]
    facts, function = linker.modules[place.module], linker.symbols.function(place)
    made = facts.values[function.returns[0]] if len(function.returns) == 1 else None
    # A cached function returns the same one again.
    if not isinstance(made, Result) or not _FRESH_DECORATORS.issuperset(decorators):
        return None
    callee = facts.values[facts.calls[made.call].callee]
    name = linker.symbols.qualify(callee.symbol) if isinstance(callee, Name) else ""
    base = linker.symbols.find_external_base(name)
    row = catalog.find_class(base) if base is not None else None
    # A lock between processes may well be told by its name.
    is_fresh = row is not None and row.kind in LOCK_KINDS and row.domain in (Domain.THREAD, Domain.TASK)
    return Site(place.module, made.call) if is_fresh else None


def _make_anew(found: Object, made: Site, site: Site) -> Object:
    """Return the lock made at `made` as the one that the call at `site` gets."""
    return found._replace(site=site) if found.site == made else found
