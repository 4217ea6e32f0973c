"""CON419: see docs/rules/CON419.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import LOCK_KINDS
from conclint.model.alarm import Alarm
from conclint.model.facts import How
from conclint.model.naming import is_test_code
from conclint.model.rule import Category, Rule
from conclint.model.values import Attribute, Collection, Item, Local, Name, Result, ValueId
from conclint.project.iteration import find_items
from conclint.project.objects import ObjectKind
from conclint.project.outgoing import Outgoing
from conclint.project.project import CallPlace, Project
from conclint.project.ways import relate_calls
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON419",
    name="unbounded-gather",
    summary="a request is made for every item at once, however many items there are",
    help="let a semaphore in the coroutine, or batches of items, limit how many run at a time",
    category=Category.ASYNC,
    since="0.1.0",
    default=False,
)

_GATHER = frozenset({"asyncio.gather"})


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report `gather` over as many coroutines as there are items, each of which makes a request without a limit."""
    outgoing = Outgoing(project)
    for place in project.calls_to(_GATHER):
        # In a loop, it takes one batch after the other.
        if place.context.loops or is_test_code(place.function.symbol):
            continue
        for made in _iter_made(project, place):
            calls = outgoing.find(made.site)
            if calls is None or _is_limited(project, outgoing, made):
                continue
            callee = project.places.describe(made.site.module, made.call.callee)
            message = f"all calls of `{callee}` begin at once, one for each item, and each makes a request"
            related = project.related(made.site.module, made.call.span, "this is called for each item")
            steps = relate_calls(project, calls[1:])
            yield project.alarm(place.site.module, RULE.code, place.call.span, message, related, *steps)
            break


def _iter_made(project: Project, place: CallPlace) -> Iterator[CallPlace]:
    """Yield the calls that make a coroutine for each item of something whose size is not known."""
    for argument in place.call.arguments:
        if argument.keyword != "*":
            continue
        for found in sorted(project.objects(place.site.module, argument.value), key=repr):
            for element in sorted(project.elements(found), key=repr):
                made = project.find_call(element.site) if element.kind is ObjectKind.COROUTINE else None
                if made is not None and made.function_place == place.function_place and _is_for_each(made):
                    yield made


def _is_for_each(made: CallPlace) -> bool:
    """Whether a call is repeated for the items of a collection that comes from elsewhere."""
    if not made.context.loops:
        return False
    facts, loop = made.facts, made.context.loops[-1]
    items = find_items(facts, loop)
    sources = (facts.values[flow.source] for flow in facts.flows if flow.target in items)
    return any(isinstance(one, Item) and _is_of_any_size(made, one.base) for one in sources)


def _is_of_any_size(made: CallPlace, base: ValueId) -> bool:
    """Whether a collection is not written down here: a parameter, an attribute, what a call gives."""
    facts = made.facts
    value = facts.values[base]
    while isinstance(value, Item):
        base = value.base
        value = facts.values[base]
    if isinstance(value, Result):
        callee = facts.values[facts.calls[value.call].callee]
        # `range(3)`; but `enumerate(urls)` is as large as `urls`.
        return not isinstance(callee, Name) or callee.symbol != "builtins.range"
    if isinstance(value, Local):
        bound = [flow.source for flow in facts.flows if flow.target == base]
        return all(not isinstance(facts.values[source], Collection) for source in bound)
    return isinstance(value, Attribute | Name)


def _is_limited(project: Project, outgoing: Outgoing, made: CallPlace) -> bool:
    """Whether anything on the way may limit how many run at once: `async with` what is, or may be, a lock."""
    reached = outgoing.reach(made.site)
    for module, facts in enumerate(project.modules):
        for entry in facts.acquisitions:
            if facts.functions[entry.function].symbol not in reached or entry.how is How.WITH:
                continue
            objects = project.objects(module, entry.value)
            if not objects and not isinstance(facts.values[entry.value], Result):
                return True
            rows = (project.class_row(one) for one in objects)
            if any(row is not None and row.kind in LOCK_KINDS for row in rows):
                return True
    return False
