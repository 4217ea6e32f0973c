"""Callables: which ones are handed over to run elsewhere, and whether calling a function gives another callable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from conclint import catalog
from conclint.catalog.rows import CallRow, Effect, RunsIn, Spawn
from conclint.model.facts import Argument
from conclint.model.values import Choice, Collection, Constant, Result, ValueId
from conclint.project.objects import Object, ObjectKind, Site
from conclint.project.symbols import FunctionPlace

if TYPE_CHECKING:
    from conclint.project.link import ExternalTarget
    from conclint.project.project import CallPlace, Project

_TRANSPARENT = frozenset(
    """
    builtins.staticmethod builtins.classmethod functools.wraps functools.lru_cache functools.cache abc.abstractmethod
    typing.override typing_extensions.override typing.final typing.no_type_check
    """.split()
)
"""Decorators that leave a function's result as it is."""
_GIVE_DATA = frozenset(
    {"time.sleep"}
    | {
        f"builtins.{name}"
        for name in "abs all any bool bytes chr float hash input int len ord print repr round str sum".split()
    }
)
"""Functions outside the project that return None, a number or a string."""
TELLS_APART = frozenset(
    {
        "asyncio.iscoroutine",
        "asyncio.iscoroutinefunction",
        "inspect.isawaitable",
        "inspect.iscoroutine",
        "inspect.iscoroutinefunction",
    }
)
"""What a function calls that treats coroutines and other things, each in their own way."""
_INIT = ".__init__"
_RESULT_IS_LOST = frozenset(
    {RunsIn.THREAD, RunsIn.TIMER, RunsIn.PROCESS, RunsIn.LOOP_CALLBACK, RunsIn.SIGNAL, RunsIn.ATEXIT, RunsIn.FINALIZER}
)


class Handover(NamedTuple):
    """A call that takes a callable, or a coroutine, to run it elsewhere or at its own time."""

    place: CallPlace
    taker: str
    """Qualified name of what takes it."""
    row: CallRow
    spawn: Spawn
    argument: Argument

    @property
    def loses_result(self) -> bool:
        """Whether nobody gets what the callable returns (must)."""
        return self.spawn.runs_in in _RESULT_IS_LOST and not (self.waits or self.spawn.awaits)

    @property
    def waits(self) -> bool:
        """Whether the call itself waits for the callable, as `anyio.from_thread.run` does."""
        return bool(self.row.effects & Effect.WAIT)


def iter_handovers(project: Project) -> Iterator[Handover]:
    """Yield what each call hands over, where all that the call may run takes a callable there."""
    takers = ((place, _find_takers(project, place)) for place in project.calls)
    for place, taker in takers:
        if taker is None:
            continue
        name, row, spawn = taker
        if spawn.variadic and spawn.position is not None:
            given = [one for one in place.call.arguments if one.keyword == ""][spawn.position :]
        else:
            argument = place.find_argument(spawn.keyword, spawn.position)
            given = [argument] if argument is not None else []
        for argument in given:
            yield Handover(place, name, row, spawn, argument)


def _find_takers(project: Project, place: CallPlace) -> tuple[str, CallRow, Spawn] | None:
    targets = project.externals(place.site)
    if not targets:
        return _find_base_constructor(project, place.site)
    if project.callees(place.site):
        return None
    targets = tuple(sorted(targets, key=lambda target: target.name))
    rows = [_find_row(project, target) for target in targets]
    first = rows[0]
    if first is None or first.spawn is None or any(row is None or row.spawn is None for row in rows):
        return None
    return targets[0].name.removesuffix(_INIT), first, first.spawn


def _find_row(project: Project, target: ExternalTarget) -> CallRow | None:
    # `super().__init__(target=f)` takes what the constructor takes.
    if target.name.endswith(_INIT):
        return catalog.find_call(target.name.removesuffix(_INIT))
    return project.find_row(target)


def _find_base_constructor(project: Project, site: Site) -> tuple[str, CallRow, Spawn] | None:
    """Return the constructor that a subclass without one of its own inherits: `Worker(target=f)`."""
    made = [found for found in project.result(site) if found.site == site and found.symbol in project.symbols.classes]
    if len(made) != 1 or project.symbols.find_method(made[0].symbol, "__init__") is not None:
        return None
    base = project.symbols.find_external_base(made[0].symbol)
    row = catalog.find_call(base) if base is not None else None
    return (made[0].symbol, row, row.spawn) if row is not None and row.spawn is not None else None


def iter_functions(project: Project, found: Object) -> Iterator[str]:
    """Yield the functions of the project that calling an object runs, those of a `functools.partial` too."""
    if found.kind in (ObjectKind.FUNCTION, ObjectKind.BOUND):
        yield found.symbol
    elif found.kind is ObjectKind.PARTIAL and found.site is not None:
        made = project.call(found.site)
        if made.call.arguments:
            for inner in sorted(project.objects(found.site.module, made.call.arguments[0].value), key=repr):
                if inner.kind is not ObjectKind.PARTIAL:
                    yield from iter_functions(project, inner)


def is_coroutine_function(project: Project, symbol: str) -> bool:
    """Return whether calling a function always gives a coroutine and runs nothing of it (must)."""
    return is_transparent(project, symbol) and all(
        function.is_async and not function.is_generator
        for function in map(project.symbols.function, _places(project, symbol))
    )


def is_transparent(project: Project, symbol: str) -> bool:
    """Return whether calling a function of the project gives what its body returns: no decorator interferes."""
    return symbol in project.symbols.functions and all(name in _TRANSPARENT for name in project.decorators(symbol))


def gives_coroutine(project: Project, site: Site) -> bool:
    """Return whether a call gives a coroutine, and nothing else, in this project and its known subclasses (must)."""
    callees = project.callees(site)
    rows = [project.find_row(target) for target in project.externals(site)]
    if not callees:
        return bool(rows) and all(row is not None and row.coroutine for row in rows)
    if rows or _hands_out_else(project, site):
        return False
    return all(
        is_coroutine_function(project, target.function) and not _has_plain_override(project, target.function)
        for target in callees
    )


def hands_out_coroutine(project: Project, site: Site) -> bool:
    """Return whether a call runs plain functions only, which hand out a coroutine unless they return None (must)."""
    callees = project.callees(site)
    if not callees or project.externals(site) or _hands_out_else(project, site):
        return False
    return all(
        returns_coroutine(project, target.function) and not _is_overridden(project, target.function)
        for target in callees
    )


def _hands_out_else(project: Project, site: Site) -> bool:
    return any(found.kind is not ObjectKind.COROUTINE for found in project.result(site))


def _is_overridden(project: Project, symbol: str) -> bool:
    owner, _, name = symbol.rpartition(".")
    return any(name in project.symbols.methods.get(one, {}) for one in project.symbols.subclasses.get(owner, ()))


def _has_plain_override(project: Project, symbol: str) -> bool:
    owner, _, name = symbol.rpartition(".")
    overrides = (project.symbols.methods.get(one, {}).get(name) for one in project.symbols.subclasses.get(owner, ()))
    return any(found is not None and not is_coroutine_function(project, found) for found in overrides)


def returns_coroutine(project: Project, symbol: str) -> bool:
    """Return whether a plain function, such as a lambda, hands out a coroutine that it does not await (must)."""
    places = _places(project, symbol)
    if len(places) != 1 or not is_transparent(project, symbol):
        return False
    function = project.symbols.function(places[0])
    if function.is_async or function.is_generator or not function.returns:
        return False
    found = [one for value in function.returns for one in project.objects(places[0].module, value) or (None,)]
    return all(one is not None and one.kind is ObjectKind.COROUTINE for one in found)


def gives_no_callable(project: Project, site: Site) -> bool:
    """Return whether what a call returns cannot be called (must)."""
    callees, externals = project.callees(site), project.externals(site)
    if not callees:
        return bool(externals) and all(target.name in _GIVE_DATA for target in externals)
    callee_kinds = {found.kind for found in project.objects(site.module, project.call(site).call.callee)}
    return (
        not externals
        and callee_kinds <= {ObjectKind.FUNCTION, ObjectKind.BOUND}
        and all(returns_no_callable(project, target.function) for target in callees)
    )


def returns_no_callable(project: Project, symbol: str) -> bool:
    """Return whether a function of the project returns nothing that could be called (must)."""
    if not is_transparent(project, symbol):
        return False
    for place in _places(project, symbol):
        function = project.symbols.function(place)
        if function.is_stub:
            return False
        if function.is_async or function.is_generator:
            continue
        if not all(_is_no_callable(project, place.module, value) for value in function.returns):
            return False
    return True


def _is_no_callable(project: Project, module: int, value: ValueId) -> bool:
    found = project.value(module, value)
    if isinstance(found, Constant | Collection):
        return True
    if isinstance(found, Choice):
        return all(_is_no_callable(project, module, option) for option in found.options)
    if isinstance(found, Result) and gives_no_callable(project, Site(module, found.call)):
        return True
    objects = project.objects(module, value)
    return bool(objects) and not any(_may_be_called(project, one) for one in objects)


def _may_be_called(project: Project, found: Object) -> bool:
    if found.kind in (ObjectKind.COROUTINE, ObjectKind.GENERATOR, ObjectKind.MODULE):
        return False
    if found.kind is not ObjectKind.INSTANCE:
        return True
    if found.symbol in project.symbols.classes:
        unknown = project.symbols.has_unknown_base(found.symbol)
        return unknown or project.symbols.find_method(found.symbol, "__call__") is not None
    return catalog.find_method(found.symbol, "__call__") is not None


def _places(project: Project, symbol: str) -> list[FunctionPlace]:
    return project.symbols.functions.get(symbol, [])
