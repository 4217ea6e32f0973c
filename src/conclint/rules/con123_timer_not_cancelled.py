"""CON123: see docs/rules/CON123.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Kind, Role
from conclint.model.alarm import Alarm
from conclint.model.facts import AccessKind, Flow
from conclint.model.rule import Category, Rule
from conclint.model.values import Attribute, Value
from conclint.project.confinement import is_self
from conclint.project.lifetime import Made
from conclint.project.places import Place
from conclint.project.project import CallPlace, Project
from conclint.project.testing import is_test
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON123",
    name="timer-not-cancelled",
    summary="a timer takes the place of an earlier one, which nobody can cancel any more",
    help="cancel the earlier timer first",
    category=Category.THREAD,
    since="0.1.0",
    default=False,
)

_ONCE = ("start", "open", "run", "begin", "enter", "enable", "setup", "connect")
"""What a method is called that others call once, or once more after its counterpart."""


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report timers that are kept where an earlier one may stand, and of which only the last is ever cancelled."""
    for made in project.lifetimes.iter_made(Kind.TIMER):
        cancel = next(project.lifetimes.iter_calls(made.found, Role.CANCEL), None)
        start = next(project.lifetimes.iter_calls(made.found, Role.START), None)
        # Without any cancel, the timer is CON101.
        if cancel is None or start is None or is_test(made.place) or project.lifetimes.may_be_daemon(made):
            continue
        kept = _find_kept(project, made)
        if kept is None or _is_first(project, made, kept[1]):
            continue
        module, name = made.place.site.module, project.places.describe(made.place.site.module, kept[0].target)
        message = f"`{name}` may still wait when this timer takes its place, and nobody can cancel it then"
        last = project.related(cancel.site.module, cancel.call.span, "only the last one is cancelled here")
        yield project.alarm(module, RULE.code, made.place.call.span, message, last)


def _find_kept(project: Project, made: Made) -> tuple[Flow, Place] | None:
    """Return where the function that makes a timer keeps it: in an attribute, a global or a variable around."""
    module, facts = made.place.site.module, made.place.facts
    for flow in facts.flows:
        if flow.function != made.place.call.function or made.found not in project.objects(module, flow.source):
            continue
        kept = project.places.find(module, flow.target)
        if kept is not None and not kept.element and _outlives(made.place, facts.values[flow.target], kept):
            return flow, kept
    return None


def _outlives(place: CallPlace, target: Value, kept: Place) -> bool:
    """Whether the function finds there, when it is called again, what it has left: its own object is the same."""
    if isinstance(target, Attribute):
        return is_self(place.function, place.facts.values[target.base])
    return kept.owner != place.function.symbol


def _is_first(project: Project, made: Made, kept: Place) -> bool:
    """Whether no earlier timer can still wait: it is made once, looked at, ended, or calls for the next itself."""
    place, symbol = made.place, made.place.function.symbol
    if place.context.branches or place.context.after_return or project.shared.is_alone(symbol):
        return True
    if _is_looked_at(project, place, kept) or _ends_earlier(project, made, symbol):
        return True
    callbacks = [root.function for root in project.roots if root.site == place.site or root.receiver == made.found]
    return symbol in project.call_graph.reach(callbacks) or not _may_run_again(project, made)


def _is_looked_at(project: Project, place: CallPlace, kept: Place) -> bool:
    return any(
        access.kind in (AccessKind.CHECK, AccessKind.DELETE) and access.place == kept
        for access in project.shared.by_place.get(kept, ())
        if access.function == place.function.symbol
    )


def _ends_earlier(project: Project, made: Made, symbol: str) -> bool:
    """Whether a function, or one that it calls, does anything to the timer besides to start it (may)."""
    touching = {
        project.call(one.site).function.symbol
        for one in project.lifetimes.iter_operations(made.found)
        if one.site.what == "call" and one.name != "start"
    }
    return not touching.isdisjoint(project.call_graph.reach([symbol]))


def _may_run_again(project: Project, made: Made) -> bool:
    """Whether the function that makes the timer may be called while that still waits.

    For a method that means: by the methods of one class, since two others may well call it on two objects.
    """
    function = made.place.function
    callers = project.call_graph.callers.get(function.symbol, ())
    if not callers:
        is_root = function.symbol in project.root_functions
        is_open = project.call_graph.is_open(function.symbol) and not function.name.strip("_").startswith(_ONCE)
        return is_root or is_open
    owners: list[str] = []
    for caller, module, context in callers:
        around = project.function(caller)
        owner = around.owner if around is not None else ""
        if not _ends_earlier(project, made, caller) and (owner or not function.owner):
            is_again = owner in ("", function.owner) and project.modules[module].contexts[context].loops
            owners += [owner, owner] if is_again else [owner]
    return len(set(owners)) < len(owners)
