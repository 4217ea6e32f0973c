"""CON114: see docs/rules/CON114.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Domain, Kind
from conclint.model.alarm import Alarm
from conclint.model.facts import ModuleFacts
from conclint.model.naming import is_test_code
from conclint.model.rule import Category, Rule
from conclint.model.values import Attribute, Collection, Item, Local, Name, Result, Value, ValueId
from conclint.project.objects import Object, Site
from conclint.project.project import CallPlace, Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON114",
    name="function-local-thread-local",
    summary="a `threading.local()` is made and kept within one call, which only one thread ever runs",
    help="make it once, at module level or as an attribute; or use a plain variable",
    category=Category.THREAD,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report thread-local objects that never get out of the call that makes them."""
    for place in project.calls:
        # `cls()` makes what the caller likes.
        if not place.call.function or not isinstance(place.facts.values[place.call.callee], Name):
            continue
        if is_test_code(place.function.symbol):
            # A test of thread-local objects has to make some.
            continue
        for found in sorted(project.result(place.site), key=lambda one: one.symbol):
            row = project.class_row(found)
            made_here = (
                row is not None
                and row.kind is Kind.THREAD_LOCAL
                and row.domain is Domain.THREAD
                and found.site == place.site
            )
            name = _find_variable(project, place, found) if made_here else ""
            if name:
                message = f"each call makes its own `{name}`, which only the calling thread ever sees"
                yield project.alarm(place.site.module, RULE.code, place.call.span, message)


def _find_variable(project: Project, place: CallPlace, found: Object) -> str:
    """Return the one local variable that holds the object, "" if anything else may hold it, or get hold of it."""
    module, facts, function = place.site.module, place.facts, place.function.symbol
    names: set[str] = set()
    for flow in facts.flows:
        if found in project.objects(module, flow.source):
            target = facts.values[flow.target]
            made = facts.values[flow.source] == Result(place.site.index)
            if not made or not isinstance(target, Local) or target.function != function:
                return ""
            names.add(target.name)
    if len(names) != 1 or project.escapes.has_escaped(found) or _is_handed_on(project, module, facts, found):
        return ""
    (name,) = names
    variable = Local(function, name)
    is_used = any(isinstance(one, Attribute) and facts.values[one.base] == variable for one in facts.values)
    return name if is_used and not _is_captured(facts, variable, place.call.function) else ""


def _is_handed_on(project: Project, module: int, facts: ModuleFacts, found: Object) -> bool:
    """Whether a function that may keep it gets the object, a collection holds it, or a caller gets it."""
    calls = (call for number, call in enumerate(facts.calls) if not _keeps_nothing(project, Site(module, number)))
    values = [argument.value for call in calls for argument in call.arguments]
    values += [item for value in facts.values if isinstance(value, Collection) for item in value.items]
    values += [value for function in facts.functions for value in function.returns]
    values += [one.value for one in facts.yields]
    return any(found in project.objects(module, value) for value in dict.fromkeys(values))


def _keeps_nothing(project: Project, site: Site) -> bool:
    rows = [project.find_row(target) for target in project.externals(site)]
    return bool(rows) and all(row is not None and not row.keeps and row.spawn is None for row in rows)


def _is_captured(facts: ModuleFacts, variable: Local, function: int) -> bool:
    """Whether a nested function uses the variable, which another thread may run."""
    return any(
        access.function != function and _find_base(facts, access.target) == variable for access in facts.accesses
    )


def _find_base(facts: ModuleFacts, value: ValueId) -> Value:
    found: Value = facts.values[value]
    while isinstance(found, Attribute | Item):
        found = facts.values[found.base]
    return found
