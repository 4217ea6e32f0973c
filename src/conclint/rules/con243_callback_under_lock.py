"""CON243: see docs/rules/CON243.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Domain, Kind
from conclint.model.alarm import Alarm
from conclint.model.facts import Acquisition, ModuleFacts, Use
from conclint.model.ids import ContextId
from conclint.model.rule import Category, Rule
from conclint.model.values import Attribute, Item, Local, Name, Result, ValueId
from conclint.project.objects import Object, ObjectKind, Site
from conclint.project.project import Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON243",
    name="callback-under-lock",
    summary="a callback is called with a lock held, and may need that lock itself",
    help="copy what is to be called with the lock held, and call it after the lock is released",
    category=Category.DEADLOCK,
    since="0.1.0",
    default=False,
)

_FUTURES = frozenset({"concurrent.futures.Future.set_result", "concurrent.futures.Future.set_exception"})


_DEEPEST = 3


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report calls of callables that somebody has registered, and of what runs done-callbacks."""
    for module, facts in enumerate(project.modules):
        locked = {index for index, context in enumerate(facts.contexts) if context.lockset}
        for number, call in enumerate(facts.calls) if locked else ():
            # What gives a value is rather a factory, or a clock.
            if call.context not in locked or call.use not in (Use.DROPPED, Use.AWAITED):
                continue
            if not _completes_future(project, Site(module, number)) and not _is_stored(project, module, call.callee):
                continue
            entry = _find_lock(project, module, call.context)
            if entry is not None:
                name = project.places.describe(module, call.callee)
                lock = project.places.describe(module, entry.value)
                message = f"`{name}` runs code of others with `{lock}` held, which that code may need"
                taken = project.related(module, entry.span, f"`{lock}` is acquired here")
                yield project.alarm(module, RULE.code, call.span, message, taken)


def _completes_future(project: Project, site: Site) -> bool:
    names = {target.name for target in project.externals(site)}
    return bool(names) and names <= _FUTURES


def _is_stored(project: Project, module: int, value: ValueId, depth: int = 0) -> bool:
    """Whether a callable was registered: it comes from a collection that is state, or from a parameter kept there."""
    facts = project.modules[module]
    found = facts.values[value]
    if isinstance(found, Item):
        return _is_state(project, module, found.base, depth)
    if isinstance(found, Attribute):
        return _is_given(project, module, value, found)
    if not isinstance(found, Local) or depth == _DEEPEST:
        return False
    sources = _find_sources(facts, value)
    return bool(sources) and all(_is_stored(project, module, source, depth + 1) for source in sources)


def _is_state(project: Project, module: int, value: ValueId, depth: int) -> bool:
    """Whether a collection is an attribute or a global that is stored somewhere, or a copy or view of such."""
    facts = project.modules[module]
    found = facts.values[value]
    if isinstance(found, Result) and depth < _DEEPEST:
        call = facts.calls[found.call]
        callee = facts.values[call.callee]
        base = call.arguments[0].value if call.arguments else callee.base if isinstance(callee, Attribute) else None
        return base is not None and _is_state(project, module, base, depth + 1)
    if isinstance(found, Item):
        return _is_state(project, module, found.base, depth)
    place = project.places.find(module, value) if isinstance(found, Attribute | Name) else None
    return place is not None and project.places.is_stored(place)


def _is_given(project: Project, module: int, value: ValueId, found: Attribute) -> bool:
    """Whether some object of the project keeps a parameter under that name, which is none of its methods."""
    for owner in project.objects(module, found.base):
        if owner.symbol not in project.symbols.classes or project.symbols.find_method(owner.symbol, found.name):
            return False
    is_kept = any(
        isinstance(kept, Local) and _is_parameter(project, kept)
        for owner in project.objects(module, found.base)
        for kept in project.assigned(owner, found.name)
    )
    # What is kept hides a method of a base outside the project.
    callbacks = project.objects(module, value)
    hidden = {one for one in callbacks if one.kind is ObjectKind.METHOD and one.symbol == found.name}
    return is_kept and not _take_no_lock(project, callbacks - hidden)


def _take_no_lock(project: Project, callbacks: frozenset[Object]) -> bool:
    """Whether the program gives nothing but functions of its own, and none is seen to take any lock (may)."""
    if not callbacks or any(one.kind not in (ObjectKind.FUNCTION, ObjectKind.BOUND) for one in callbacks):
        return False
    reached = project.call_graph.reach(one.symbol for one in callbacks)
    return not any(
        facts.functions[entry.function].symbol in reached and project.locks.find(module, entry.value) is not None
        for module, facts in enumerate(project.modules)
        for entry in facts.acquisitions
    )


def _is_parameter(project: Project, value: Local) -> bool:
    function = project.function(value.function)
    return function is not None and any(one.name == value.name for one in function.parameters)


def _find_sources(facts: ModuleFacts, value: ValueId) -> list[ValueId]:
    return [flow.source for flow in facts.flows if flow.target == value]


def _find_lock(project: Project, module: int, context: ContextId) -> Acquisition | None:
    """Return what waits for a lock that its own thread cannot take twice."""
    for lock, entry in project.locks.held(module, context):
        if lock.kind is Kind.LOCK and lock.domain is Domain.THREAD and not entry.bounded:
            return entry
    return None
