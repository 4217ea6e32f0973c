"""Roots: the functions where a thread, process, task, job, timer, handler or callback begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from conclint import catalog
from conclint.catalog.django_ import MIDDLEWARE, MIDDLEWARE_HOOKS
from conclint.catalog.rows import CallRow, Domain, Kind, RunsIn
from conclint.catalog.signals import HOOKS
from conclint.model.alarm import Related
from conclint.model.span import Span
from conclint.model.values import Collection, Constant, Name, Result, ValueId
from conclint.project.link.links import ExternalTarget
from conclint.project.objects import Object, ObjectKind, Site

if TYPE_CHECKING:
    from conclint.project.link import SpawnSite
    from conclint.project.project import Project

PARALLEL_KINDS = frozenset(
    {RunsIn.THREAD, RunsIn.EXECUTOR_THREAD, RunsIn.TIMER, RunsIn.REQUEST_THREAD, RunsIn.CALLBACK_THREAD}
)
"""Roots that run in another thread of this process."""
INTERRUPTING_KINDS = frozenset({RunsIn.SIGNAL, RunsIn.FINALIZER})
"""Roots that begin within a thread that is at something else, and may hold locks: never in parallel with it."""

_WHERE = {
    RunsIn.PROCESS: "in a process",
    RunsIn.EXECUTOR_PROCESS: "in a process",
    RunsIn.TASK: "as a task",
    RunsIn.LOOP_CALLBACK: "in an event loop",
}


class Root(NamedTuple):
    """A function that begins to run because of what stands at `site`, bound to `receiver` if it is a method.

    `site` is a call; a flow, for what is assigned to a hook; or the function itself, for a method that the
    interpreter or a library runs by its name, and for one whose decorator says so.
    """

    function: str
    receiver: Object | None
    runs_in: RunsIn
    site: Site


def collect_roots(project: Project) -> tuple[Root, ...]:
    """Return all roots, sorted."""
    found: dict[Root, None] = dict.fromkeys(_iter_spawned(project))
    # The methods of a class get some instance of it, and the very ones that are made: these say more.
    exact = {
        root._replace(receiver=None) for root in found if root.receiver is not None and root.receiver.site is not None
    }
    roots = [root for root in found if not _is_vague(root) or root._replace(receiver=None) not in exact]
    known = {root.function for root in roots}
    roots += (root for root in _iter_overrides(project) if root.function not in known)
    roots += (*_iter_finalizers(project), *_iter_decorated(project), *_iter_hooks(project), *_iter_configured(project))
    return tuple(sorted(roots, key=lambda root: (root.site, root.function, root.runs_in.value, repr(root.receiver))))


def _iter_spawned(project: Project) -> Iterator[Root]:
    """Yield what is handed to a call that has it run."""
    for spawn in project.links.spawns:
        runs_in = spawn.runs_in
        if runs_in is RunsIn.EXECUTOR:
            runs_in = _executor_kind(project, _find_executor(project, spawn))
        elif runs_in is RunsIn.REQUEST and spawn.receiver is not None:
            runs_in = _server_kind(project, spawn.receiver)
        elif _is_done_on_loop(project, spawn):
            runs_in = RunsIn.LOOP_CALLBACK
        for candidate in _iter_callables(project, project.spawned_objects(spawn.callable)):
            if _is_awaited(project, candidate.symbol, runs_in):
                continue
            yield Root(candidate.symbol, candidate.receiver, runs_in, spawn.site)


def _is_awaited(project: Project, symbol: str, runs_in: RunsIn) -> bool:
    """Whether a handler of requests is a coroutine function: those run on an event loop instead."""
    function = project.function(symbol) if runs_in is RunsIn.REQUEST_THREAD else None
    return function is not None and function.is_async


def _iter_overrides(project: Project) -> Iterator[Root]:
    """Yield methods that a library runs on objects of subclasses: `Thread.run`, `BaseRequestHandler.handle`."""
    for symbol in project.symbols.classes:
        runner = project.symbols.find_runner(symbol)
        if runner is not None and runner.runs_in is not None:
            for method in project.symbols.find_run_methods(symbol):
                own = method in project.symbols.methods.get(symbol, {}).values()
                if own and not _is_awaited(project, method, runner.runs_in):
                    root = _make_own(project, method, symbol, runner.runs_in)
                    yield root._replace(receiver=None) if runner.shared else root


def _iter_finalizers(project: Project) -> Iterator[Root]:
    for symbol in project.symbols.classes:
        method = project.symbols.methods.get(symbol, {}).get("__del__")
        if method is not None:
            yield _make_own(project, method, symbol, RunsIn.FINALIZER)


def _make_own(project: Project, method: str, owner: str, runs_in: RunsIn) -> Root:
    place = project.symbols.functions[method][0]
    receiver = Object(ObjectKind.INSTANCE, owner)
    return Root(method, receiver, runs_in, Site(place.module, place.index, "function"))


def _iter_decorated(project: Project) -> Iterator[Root]:
    """Yield functions below `@atexit.register`, `@app.route("/")`, and what the settings call root decorators."""
    hinted = {*project.hints.root_decorators, *map(project.symbols.qualify, project.hints.root_decorators)}
    for module, facts in enumerate(project.modules):
        for index, function in enumerate(facts.functions):
            for value in function.decorators:
                site = Site(module, index, "function")
                if hinted and hinted & _name_decorator(project, module, value):
                    yield Root(function.symbol, None, RunsIn.REQUEST_THREAD, site)
                elif (runs_in := _find_decorated(project, module, value, is_async=function.is_async)) is not None:
                    yield Root(function.symbol, None, runs_in, site)


def _find_decorated(project: Project, module: int, decorator: ValueId, *, is_async: bool) -> RunsIn | None:
    """Return where a library runs the functions below a decorator, None where it is not said."""
    found = project.modules[module].values[decorator]
    if isinstance(found, Result):
        rows = list(project.rows(Site(module, found.call)))
        told = next(((target.receiver, row.decorates) for target, row in rows if row.decorates is not None), None)
    else:
        plain = _iter_plain_decorators(project, module, decorator)
        ways = ((receiver, _find_plain(row)) for receiver, row in plain)
        told = next(((receiver, runs_in) for receiver, runs_in in ways if runs_in is not None), None)
    if told is None or not is_async or told[1] is not RunsIn.REQUEST_THREAD:
        return told[1] if told is not None else None
    # Coroutine functions are tasks of an event loop, where the library has one.
    row = project.class_row(told[0]) if told[0] is not None else None
    return RunsIn.TASK if row is not None and row.domain is Domain.TASK else None


def _find_plain(row: CallRow) -> RunsIn | None:
    """Return where the function runs that a decorator is given: `@atexit.register`, `@app.task`."""
    if row.spawn is not None:
        return row.spawn.runs_in if row.spawn.position == 0 else None
    return row.decorates


def _iter_plain_decorators(project: Project, module: int, value: ValueId) -> Iterator[tuple[Object | None, CallRow]]:
    """Yield what a decorator that is not called may be: functions, and methods with their objects."""
    for name in sorted(_name_decorator(project, module, value)):
        if (row := catalog.find_call(name)) is not None:
            yield None, row
    for one in sorted(project.objects(module, value), key=repr):
        if one.kind is ObjectKind.METHOD and one.receiver is not None:
            target = ExternalTarget(
                f"{project.symbols.find_external_base(one.receiver.symbol)}.{one.symbol}", one.receiver
            )
            if (row := project.find_row(target)) is not None:
                yield one.receiver, row


def _name_decorator(project: Project, module: int, value: ValueId) -> set[str]:
    """Return the qualified names of a decorator, or of the function that makes it: as it is written, and what it is."""
    facts = project.modules[module]
    found = facts.values[value]
    if isinstance(found, Result):
        value = facts.calls[found.call].callee
        found = facts.values[value]
    names = {one.symbol for one in project.objects(module, value) if one.kind is not ObjectKind.METHOD}
    if isinstance(found, Name):
        names |= {found.symbol, project.symbols.qualify(found.symbol)}
    return names


def _iter_hooks(project: Project) -> Iterator[Root]:
    """Yield what is assigned to `sys.excepthook` and the like."""
    if project.symbols.names.isdisjoint(HOOKS):
        return
    for module, facts in enumerate(project.modules):
        hooks = {index for index, one in enumerate(facts.values) if isinstance(one, Name) and one.symbol in HOOKS}
        for number, flow in enumerate(facts.flows if hooks else ()):
            if flow.target in hooks:
                for one in _iter_callables(project, project.objects(module, flow.source)):
                    yield Root(one.symbol, one.receiver, RunsIn.HOOK, Site(module, number, "flow"))


def _iter_configured(project: Project) -> Iterator[Root]:
    """Yield the middleware that the settings of Django name: `MIDDLEWARE = ["shop.middleware.Counting"]`."""
    for module, facts in enumerate(project.modules):
        setting = Name(f"{facts.module}.{MIDDLEWARE}")
        if setting.symbol not in project.symbols.names:
            continue
        for number, flow in enumerate(facts.flows):
            given = facts.values[flow.source]
            if facts.values[flow.target] == setting and isinstance(given, Collection):
                values = (facts.values[item] for item in given.items)
                named = [value.value for value in values if isinstance(value, Constant)]
                for symbol in (symbol for name in named for symbol in _iter_middleware(project, str(name))):
                    if not _is_awaited(project, symbol, RunsIn.REQUEST_THREAD):
                        yield Root(symbol, None, RunsIn.REQUEST_THREAD, Site(module, number, "flow"))


def _iter_middleware(project: Project, name: str) -> Iterator[str]:
    """Yield the functions that run at each request, of a class, or of a function that returns one."""
    name = project.symbols.qualify(name)
    place, function = project.place(name), project.function(name)
    if name in project.symbols.classes and project.symbols.find_runner(name) is None:
        found = (project.symbols.find_method(name, hook) for hook in MIDDLEWARE_HOOKS)
        yield from (method for method in found if method is not None)
    elif place is not None and function is not None:
        objects = (one for value in function.returns for one in project.objects(place.module, value))
        yield from sorted(one.symbol for one in objects if one.kind is ObjectKind.FUNCTION)


def find_begin(project: Project, root: Root) -> Span:
    """Return where the code says that a root begins: a call, an assignment, or the name of the function."""
    facts = project.modules[root.site.module]
    if root.site.what == "function":
        return facts.functions[root.site.index].span
    return (facts.flows if root.site.what == "flow" else facts.calls)[root.site.index].span


def relate_begin(project: Project, root: Root, *, again: bool = False) -> Related:
    """Return where a root begins, as a step of the trace of an alarm; `again` says that it does so several times."""
    function = project.function(root.function)
    name = function.name if function is not None else root.function.rpartition(".")[2]
    message = f"`{name}` begins to run {_WHERE.get(root.runs_in, 'in a thread')} here{', several times' * again}"
    return project.related(root.site.module, find_begin(project, root), message)


def _iter_callables(
    project: Project, objects: Iterable[Object], seen: frozenset[Object] = frozenset()
) -> Iterator[Object]:
    """Yield the functions among what is spawned, those of a `functools.partial` and of `__call__` too."""
    for found in objects:
        if found.kind in (ObjectKind.FUNCTION, ObjectKind.BOUND, ObjectKind.COROUTINE):
            yield found
        elif found.kind is ObjectKind.INSTANCE and (method := project.symbols.find_method(found.symbol, "__call__")):
            yield Object(ObjectKind.BOUND, method, receiver=found)
        elif found.kind is ObjectKind.PARTIAL and found.site is not None and found not in seen:
            made = project.call(found.site)
            if made.call.arguments:
                inner = project.objects(found.site.module, made.call.arguments[0].value)
                yield from _iter_callables(project, inner, seen | {found})


def _is_vague(root: Root) -> bool:
    receiver = root.receiver
    return receiver is not None and receiver.kind is ObjectKind.INSTANCE and receiver.site is None


def _find_executor(project: Project, spawn: SpawnSite) -> Object | None:
    """Return the executor of a spawn: its receiver, or what `loop.run_in_executor` is told to use."""
    row = project.class_row(spawn.receiver) if spawn.receiver is not None else None
    if row is None or row.kind is not Kind.LOOP or spawn.site.what != "call":
        return spawn.receiver
    place = project.call(spawn.site)
    given = place.find_argument("executor", 0)
    found = project.objects(spawn.site.module, given.value) if given is not None else frozenset()
    # A process pool among them decides: what runs there shares nothing.
    return max(found, key=lambda one: ("Process" in one.symbol, one.symbol), default=spawn.receiver)


def _server_kind(project: Project, server: Object) -> RunsIn:
    """Return where a server runs its handlers: the constructor that it inherits first knows, as the mix-ins do."""
    base = project.symbols.find_external_base(server.symbol)
    row = catalog.find_call(base) if base is not None else None
    return row.spawn.runs_in if row is not None and row.spawn is not None else RunsIn.REQUEST


def _is_done_on_loop(project: Project, spawn: SpawnSite) -> bool:
    """Whether a callback waits for a future that an event loop ends, not a worker: `run_coroutine_threadsafe`."""
    made = spawn.receiver.site if spawn.receiver is not None else None
    if spawn.runs_in is not RunsIn.EXECUTOR_THREAD or made is None or made.what != "call" or made == spawn.site:
        return False
    return any(row.spawn is not None and row.spawn.runs_in is RunsIn.TASK for _, row in project.rows(made))


def _executor_kind(project: Project, executor: Object | None) -> RunsIn:
    if executor is not None and (row := project.class_row(executor)) is not None:
        apart = "Process" in row.names[0] or "Interpreter" in row.names[0]
        return RunsIn.EXECUTOR_PROCESS if apart else RunsIn.EXECUTOR_THREAD
    return RunsIn.EXECUTOR_THREAD
