"""Tasks: which calls start one, or a job on the loop's executor, that only its handle keeps alive and reports on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from conclint import catalog
from conclint.catalog.rows import CallRow, ClassRow, Domain, Kind, RunsIn
from conclint.model.values import Attribute, Await, Item, Name, Result
from conclint.project.callables import is_transparent
from conclint.project.objects import Object, ObjectKind, Site
from conclint.project.symbols import FunctionPlace

if TYPE_CHECKING:
    from conclint.project.link import ExternalTarget
    from conclint.project.project import CallPlace, Project

_HANDLES = (Kind.TASK, Kind.FUTURE)
_WEAK_ADD = "weakref.WeakSet.add"


def starts_task(project: Project, site: Site) -> bool:
    """Return whether a call starts a task or a job whose handle is its result, whatever else it may be (must)."""
    targets = [target for target in project.externals(site) if _can_have(project, target)]
    return bool(targets) and not project.callees(site) and all(_is_start(project, target) for target in targets)


def _can_have(project: Project, target: ExternalTarget) -> bool:
    """Whether an object may have a method at all (may): what has none is there only since calls are not told apart."""
    receiver, symbols = target.receiver, project.symbols
    if receiver is None or project.find_row(target) is not None:
        return True
    rows = [catalog.find_class(base) for base in symbols.linearise(receiver.symbol) if base not in symbols.classes]
    return (
        symbols.has_unknown_base(receiver.symbol)
        or any(row is not None and row.kind not in _HANDLES for row in rows)
        or symbols.find_method(receiver.symbol, "__getattr__") is not None
    )


def _is_start(project: Project, target: ExternalTarget) -> bool:
    row = project.find_row(target)
    if row is None or not gives_handle(row, target.name):
        return False
    # A task group, or the portal of one, keeps its tasks itself.
    receiver = project.class_row(target.receiver) if target.receiver is not None else None
    return receiver is None or receiver.kind is Kind.LOOP


def gives_handle(row: CallRow, name: str) -> bool:
    """Return whether a function starts a task or a job on an event loop, and gives its handle."""
    made: ClassRow | None = catalog.find_class(row.returns or name)
    if made is None or made.kind not in _HANDLES or row.spawn is None or row.coroutine or row.role is not None:
        return False
    return row.spawn.runs_in is RunsIn.TASK or (row.spawn.runs_in is RunsIn.EXECUTOR and made.domain is Domain.TASK)


def gives_fresh_task(project: Project, site: Site, starts: Callable[[Project, Site], bool] = starts_task) -> bool:
    """Return whether a call of a project's function gives a task that it has started and keeps nowhere (must).

    With another `starts`, the same for what else starts something and gives a handle.
    """
    callees, given = project.callees(site), project.result(site)
    made = [one for one in given if not _is_promised(project, one)]
    if not callees or not made or project.externals(site):
        return False
    if not all(_is_started(project, one, starts) for one in made) or any(map(_is_plain_future, given)):
        return False
    functions = {target.function for target in callees}
    if not all(is_transparent(project, symbol) and _gives_something(project, symbol) for symbol in functions):
        return False
    return not any(_is_kept(project, one, functions) for one in made)


def _is_promised(project: Project, found: Object) -> bool:
    """Whether an object only stands for a return annotation, `-> asyncio.Task[None]`: what is returned says more."""
    if found.site is None or found.site.what != "annotation":
        return False
    functions = project.modules[found.site.module].functions
    return any(function.returns_annotation == found.site.index for function in functions)


def _gives_something(project: Project, symbol: str) -> bool:
    """Whether a function returns anything that is known: another worker's `flush()` may only wait."""
    place, function = project.place(symbol), project.function(symbol)
    if place is None or function is None:
        return False
    return function.is_stub or any(project.objects(place.module, value) for value in function.returns)


def _is_plain_future(found: Object) -> bool:
    # Who promises a Future only, not a Task, offers it to those who care for the end: `-> Future[None]` of a stream.
    return found.site is not None and found.site.what == "annotation" and found.symbol != "asyncio.Task"


def _is_started(project: Project, found: Object, starts: Callable[[Project, Site], bool]) -> bool:
    if found.kind is not ObjectKind.INSTANCE or found.site is None or found.site.what != "call":
        return False
    return starts(project, found.site)


def _is_kept(project: Project, found: Object, functions: set[str]) -> bool:
    """Whether the function that makes the handle, or passes it on, stores it or hands it to somebody (may)."""
    assert found.site is not None
    around = functions | {project.call(found.site).function.symbol}
    return any(_keeps(project, symbol, found, frozenset(around)) for symbol in around)


def _keeps(project: Project, symbol: str, found: Object, seen: frozenset[str]) -> bool:
    """Whether a function stores a handle, or hands it to somebody but the functions in `seen` (may)."""
    place = project.place(symbol)
    if place is None:
        return True
    facts = project.modules[place.module]
    for flow in facts.flows:
        stored = flow.function == place.index and isinstance(facts.values[flow.target], Attribute | Item | Name)
        if stored and found in project.objects(place.module, flow.source):
            return True
    for number, call in enumerate(facts.calls):
        given = call.function == place.index and any(
            found in project.objects(place.module, argument.value) for argument in call.arguments
        )
        if given and _takes(project, Site(place.module, number), found, seen | {symbol}):
            return True
    # A callback that is told of the end sees the exception.
    return any(
        operation.name == "add_done_callback" and _is_within(project, operation.site, place)
        for operation in project.operations(found)
    )


def _takes(project: Project, site: Site, found: Object, seen: frozenset[str]) -> bool:
    """Whether a call that is given a handle keeps it (may): a function of the project may only give it a name."""
    targets, symbols = project.externals(site), {target.function for target in project.callees(site)}
    if any(target.name != _WEAK_ADD for target in targets) or not (targets or symbols):
        return True
    return any(_may_take(project, symbol, found, seen) for symbol in sorted(symbols - seen))


def _may_take(project: Project, symbol: str, found: Object, seen: frozenset[str]) -> bool:
    place, function = project.place(symbol), project.function(symbol)
    if place is None or function is None or function.is_async or function.is_generator or function.is_stub:
        return True
    has_closures = any(other.parent == place.index for other in project.modules[place.module].functions[1:])
    return has_closures or not is_transparent(project, symbol) or _keeps(project, symbol, found, seen)


def iter_weakly_kept(project: Project) -> Iterator[tuple[CallPlace, CallPlace]]:
    """Yield the calls that start a task which nothing but a `WeakSet` keeps, each with the `add` to that set (must)."""
    for place in project.calls_to({_WEAK_ADD}):
        is_weak = {target.name for target in project.externals(place.site)} == {_WEAK_ADD}
        if not is_weak or project.callees(place.site) or not place.call.arguments:
            continue
        for found in sorted(project.objects(place.site.module, place.call.arguments[0].value), key=repr):
            if _is_started(project, found, starts_task) and not _is_held(project, found, place):
                assert found.site is not None
                yield project.call(found.site), place


def _is_held(project: Project, found: Object, place: CallPlace) -> bool:
    """Whether the function that puts a task into a weak set keeps it, waits for it or gives it away otherwise (may)."""
    assert found.site is not None
    module, facts = place.site.module, project.modules[place.site.module]
    if project.call(found.site).function_place != place.function_place:
        return True
    if isinstance(facts.values[place.call.arguments[0].value], Result):
        return False
    has_closures = any(other.parent == place.call.function for other in facts.functions[1:])
    # A variable of a coroutine keeps the task until that ends.
    if has_closures or place.function.is_async:
        return True
    given = (*place.function.returns, *(value.base for value in facts.values if isinstance(value, Await)))
    if any(found in project.objects(module, value) for value in given):
        return True
    return _keeps(project, place.function.symbol, found, frozenset())


def _is_within(project: Project, site: Site, place: FunctionPlace) -> bool:
    return site.what == "call" and (site.module, project.call(site).call.function) == place
