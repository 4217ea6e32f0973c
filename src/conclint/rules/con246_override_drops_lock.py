"""CON246: see docs/rules/CON246.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.model.alarm import Alarm
from conclint.model.naming import is_test_code
from conclint.model.rule import Category, Rule
from conclint.model.values import Attribute
from conclint.project.confinement import is_self
from conclint.project.places import Place, PlaceKind
from conclint.project.project import Project
from conclint.project.shared import SharedAccess
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON246",
    name="override-drops-lock",
    summary="an override uses state without the lock under which the method of the parent class uses it",
    help="take the lock in the override too",
    category=Category.DATA_RACE,
    since="0.1.0",
    default=False,
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report the first access of each override that does so, unless it calls the method that it overrides."""
    seen: set[str] = set()
    for place, accesses in project.shared.by_place.items():
        guarded = {one.function: one for one in accesses if one.lockset} if place.kind is PlaceKind.ATTRIBUTE else {}
        if not guarded or not any(one.is_write and not project.shared.is_quiet(one.function) for one in accesses):
            continue
        for access in accesses:
            original = _find_original(project, place, access, guarded) if access.function not in seen else None
            if original is None:
                continue
            seen.add(access.function)
            name = project.places.describe(access.module, access.target)
            *_, owner, method = original.function.split(".")
            message = f"`{name}` is used without the lock that `{owner}.{method}` takes for it"
            end = project.related(original.module, original.span, "the method that is overridden holds a lock here")
            yield project.alarm(access.module, RULE.code, access.span, message, end)


def _find_original(
    project: Project, place: Place, access: SharedAccess, guarded: dict[str, SharedAccess]
) -> SharedAccess | None:
    """Return the access, by the method that is overridden, which holds a lock that this access does not."""
    owner, _, method = access.function.rpartition(".")
    if access.function in guarded or owner not in project.symbols.classes or project.shared.is_quiet(access.function):
        return None
    bases = [one for one in project.symbols.linearise(owner)[1:] if f"{one}.{method}" in project.symbols.functions]
    original = guarded.get(f"{bases[0]}.{method}") if bases else None
    if original is None or is_test_code(access.function) or project.declarations.is_settled(place):
        return None
    calls_parent = original.function in project.call_graph.called_by(access.function)
    if calls_parent or project.locks.is_locked_by_name(access.function):
        return None
    return original if _holds_own_lock(project, original) else None


def _holds_own_lock(project: Project, original: SharedAccess) -> bool:
    """Whether a lock that the object keeps itself is certainly held: that of another one may guard something else."""
    where = project.place(original.function)
    if where is None:
        return False
    facts = project.modules[where.module]
    function = facts.functions[where.index]
    for access in facts.accesses:
        # A call that changes a collection begins where it is read.
        begins = (access.span.line, access.span.column) == (original.span.line, original.span.column)
        if access.function == where.index and begins:
            for lock, entry in project.locks.held(where.module, access.context):
                value = facts.values[entry.value]
                if lock.is_known and isinstance(value, Attribute) and is_self(function, facts.values[value.base]):
                    return True
    return False
