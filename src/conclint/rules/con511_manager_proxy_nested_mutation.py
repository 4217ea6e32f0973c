"""CON511: see docs/rules/CON511.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.collections_ import MUTATORS
from conclint.catalog.rows import Kind
from conclint.model.alarm import Alarm, Related
from conclint.model.facts import ModuleFacts
from conclint.model.rule import Category, Rule
from conclint.model.span import Span
from conclint.model.values import Attribute, Item, Result, ValueId
from conclint.project.objects import Object
from conclint.project.project import Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON511",
    name="manager-proxy-nested-mutation",
    summary="a copy of what a manager's dict or list holds is changed: the change is lost",
    help="assign the changed value to the proxy again, or put a proxy of its own there",
    category=Category.PROCESS,
    since="0.1.0",
)

_MANAGER = "multiprocessing.managers.SyncManager"
_PROXIES = frozenset({f"{_MANAGER}.dict", f"{_MANAGER}.list"})
_GETTERS = frozenset({"get", "setdefault"})


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report changes of what comes out of a proxy, which are made to a copy."""
    names = {target.name for targets in project.links.externals.values() for target in targets}
    if names.isdisjoint(_PROXIES):
        return
    for module, facts in enumerate(project.modules):
        for target, span, function in _iter_changes(facts):
            proxy = _find_proxy(project, module, target)
            if proxy is not None and not _is_stored_back(project, module, function, proxy):
                name, entry = (project.places.describe(module, value) for value in (proxy, target))
                subject = f"`{entry}`" if "…" not in entry.replace("[…]", "") else f"an entry of `{name}`"
                message = f"{subject} is a copy of what the manager holds: the change is lost"
                yield project.alarm(module, RULE.code, span, message, *_relate(project, module, proxy))


def _relate(project: Project, module: int, proxy: ValueId) -> Iterator[Related]:
    made = min(project.objects(module, proxy), key=repr)
    if made.site is not None and made.site.what == "call":
        place = project.call(made.site)
        yield project.related(made.site.module, place.call.span, "the manager makes it here")


def _iter_changes(facts: ModuleFacts) -> Iterator[tuple[ValueId, Span, int]]:
    """Yield what is changed in place, by method or by item, with the function around it."""
    for call in facts.calls:
        callee = facts.values[call.callee]
        if isinstance(callee, Attribute) and callee.name in MUTATORS:
            yield callee.base, call.span, call.function
    for flow in facts.flows:
        target = facts.values[flow.target]
        if not isinstance(target, Item):
            continue
        if not isinstance(facts.values[flow.source], Item):
            yield target.base, flow.span, flow.function
        elif isinstance(inner := facts.values[target.base], Item):
            # `d[k] += more` says that elements of `more` become elements of `d[k]`, which is assigned again.
            yield inner.base, flow.span, flow.function


def _find_proxy(project: Project, module: int, value: ValueId) -> ValueId | None:
    """Return the proxy that a value has been read from, where that gives plain collections only (must)."""
    facts = project.modules[module]
    found = facts.values[value]
    base: ValueId | None = None
    if isinstance(found, Item):
        base = found.base
    elif isinstance(found, Result):
        callee = facts.values[facts.calls[found.call].callee]
        base = callee.base if isinstance(callee, Attribute) and callee.name in _GETTERS else None
    if base is None:
        return None
    proxies = project.objects(module, base)
    if not proxies or not all(one.symbol in _PROXIES for one in proxies):
        return _find_proxy(project, module, base)
    held = [one for proxy in proxies for one in project.elements(proxy)]
    return base if held and all(_is_plain(project, one) for one in held) else None


def _is_plain(project: Project, found: Object) -> bool:
    row = project.class_row(found)
    return row is not None and row.kind is Kind.COLLECTION and found.symbol not in _PROXIES


def _is_stored_back(project: Project, module: int, function: int, proxy: ValueId) -> bool:
    """Whether the function assigns to the proxy what it has read from there: `d[k] = d[k]`, `d[k] = entry`."""
    facts = project.modules[module]
    for flow in facts.flows:
        target = facts.values[flow.target]
        if flow.function == function and isinstance(target, Item) and target.base == proxy:
            held = {one for found in project.objects(module, proxy) for one in project.elements(found)}
            source = facts.values[flow.source]
            if held & project.objects(module, flow.source) and isinstance(source, Item):
                return True
    return False
