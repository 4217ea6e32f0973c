"""CON239: see docs/rules/CON239.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.catalog.rows import LOCK_KINDS, Domain, Kind
from conclint.model.alarm import Alarm
from conclint.model.facts import Flow, ModuleFacts
from conclint.model.rule import Category, Rule
from conclint.model.span import Span
from conclint.model.values import Attribute, Constant, Local, Name
from conclint.project.objects import Object, ObjectKind
from conclint.project.project import CallPlace, Project
from conclint.project.testing import is_test
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON239",
    name="lock-copied",
    summary="an object is copied or pickled with a lock in it, which raises TypeError",
    help="leave the lock out in `__getstate__`, and make a new one in `__setstate__`",
    category=Category.ERROR,
    since="0.1.0",
)

_PICKLING = frozenset({"__getstate__", "__reduce__", "__reduce_ex__"})
_COPIERS = {
    "copy.deepcopy": _PICKLING | {"__deepcopy__"},
    "pickle.dump": _PICKLING,
    "pickle.dumps": _PICKLING,
    "dataclasses.asdict": frozenset(),
    "dataclasses.astuple": frozenset(),
}
"""What copies all that an object holds, and the methods by which its class may prevent that."""
_OF_FIELDS = frozenset({"dataclasses.asdict", "dataclasses.astuple"})
_UNCOPIED = LOCK_KINDS | {Kind.EVENT, Kind.BARRIER, Kind.QUEUE}
_DATACLASS = "dataclasses.dataclass"


class _Held(NamedTuple):
    """An attribute in which each object of a class keeps a lock (must)."""

    name: str
    module: int
    span: Span
    is_field: bool


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report copies of objects that always hold a lock and say nothing of how to be copied."""
    held = dict(_iter_held(project))
    for place in project.calls_to(_COPIERS.keys()):
        names = {target.name for target in project.externals(place.site)}
        copier = names.pop() if len(names) == 1 and names <= _COPIERS.keys() else None
        if copier is None or place.context.protected or is_test(place) or project.callees(place.site):
            continue
        found = _find_locks(project, held, place, copier)
        if found:
            owner, lock = found[0]
            message = f"`{copier}` fails on `{owner.rpartition('.')[2]}`, which holds the lock `{lock.name}`"
            related = project.related(lock.module, lock.span, f"`{lock.name}` is made here")
            yield project.alarm(place.site.module, RULE.code, place.call.span, message, related)


def _find_locks(project: Project, held: dict[str, _Held], place: CallPlace, copier: str) -> list[tuple[str, _Held]]:
    """Return the classes of what is copied, with a lock of each; empty if any of them may do without."""
    argument = next((one for one in place.call.arguments if one.keyword in ("", "x", "obj")), None)
    objects = project.objects(place.site.module, argument.value) if argument is not None else frozenset()
    found = []
    for one in sorted(objects, key=repr):
        lock = _find_lock(project, held, one, copier)
        if lock is None:
            return []
        found.append((one.symbol, lock))
    return found


def _find_lock(project: Project, held: dict[str, _Held], found: Object, copier: str) -> _Held | None:
    symbols = project.symbols
    if found.kind is not ObjectKind.INSTANCE or found.symbol not in symbols.classes:
        return None
    if symbols.has_unknown_base(found.symbol):
        return None
    if any(symbols.find_method(found.symbol, name) is not None for name in _COPIERS[copier]):
        return None
    locks = (held[owner] for owner in symbols.linearise(found.symbol) if owner in held)
    lock = next((one for one in locks if one.is_field or copier not in _OF_FIELDS), None)
    # One that is put away before copying is none.
    given = project.assigned(found, lock.name) if lock is not None else ()
    return lock if not any(isinstance(value, Constant) for value in given) else None


def _iter_held(project: Project) -> Iterator[tuple[str, _Held]]:
    for module, facts in enumerate(project.modules):
        dataclasses = set(_iter_dataclasses(facts))
        for flow in facts.flows:
            target = facts.values[flow.target]
            owner, name, is_field = "", "", False
            if isinstance(target, Attribute):
                owner, name = _find_owner(facts, flow, target), target.name
            elif isinstance(target, Name) and flow.function == 0:
                owner, _, name = target.symbol.rpartition(".")
                owner, is_field = (owner, True) if owner in dataclasses else ("", False)
            if owner and _is_lock(project, module, flow):
                yield owner, _Held(name, module, flow.span, is_field)


def _find_owner(facts: ModuleFacts, flow: Flow, target: Attribute) -> str:
    """Return the class whose `__init__` always makes the assignment, on its own object."""
    function, base = facts.functions[flow.function], facts.values[target.base]
    context = facts.contexts[flow.context]
    is_certain = function.name == "__init__" and not context.branches and not context.after_return
    is_own = isinstance(base, Local) and base.name in [one.name for one in function.parameters[:1]]
    return function.owner if is_certain and is_own else ""


def _is_lock(project: Project, module: int, flow: Flow) -> bool:
    rows = [project.class_row(found) for found in project.objects(module, flow.source)]
    return bool(rows) and all(row is not None and row.kind in _UNCOPIED and row.domain is Domain.THREAD for row in rows)


def _iter_dataclasses(facts: ModuleFacts) -> Iterator[str]:
    for one in facts.classes:
        decorators = (facts.values[value] for value in one.decorators)
        if any(isinstance(value, Name) and value.symbol == _DATACLASS for value in decorators):
            yield one.symbol
