"""CON604: see docs/rules/CON604.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Kind, Role
from conclint.model.alarm import Alarm
from conclint.model.facts import Yield
from conclint.model.rule import Category, Rule
from conclint.project.lifetime import Made
from conclint.project.order import precedes
from conclint.project.project import CallPlace, Project
from conclint.project.symbols import FunctionPlace
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON604",
    name="cleanup-not-in-finally",
    summary="a context manager does not end its threads or processes when the `with` block raises",
    help="put `yield` into a `try` block, and what ends them into its `finally`",
    category=Category.ERROR,
    since="0.1.0",
)

_KINDS = (Kind.THREAD, Kind.TIMER, Kind.PROCESS, Kind.POPEN, Kind.POOL, Kind.EXECUTOR)
_ENDS = (Role.JOIN, Role.CANCEL, Role.CLOSE)
_DECORATORS = frozenset({"contextlib.contextmanager", "contextlib.asynccontextmanager"})


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report `yield`s of context managers after which, but not in a `finally`, something is ended."""
    managers = {
        FunctionPlace(module, one.function): one
        for module, facts in enumerate(project.modules)
        for one in facts.yields
        if not _DECORATORS.isdisjoint(project.decorators(facts.functions[one.function].symbol))
    }
    reported: set[FunctionPlace] = set()
    for made in project.lifetimes.iter_made(*_KINDS) if managers else ():
        for end in (call for role in _ENDS for call in project.lifetimes.iter_calls(made.found, role)):
            produced = managers.get(end.function_place)
            if produced is None or end.function_place in reported or not _is_skipped(produced, end):
                continue
            reported.add(end.function_place)
            yield _report(project, produced, made, end)


def _report(project: Project, produced: Yield, made: Made, end: CallPlace) -> Alarm:
    callee = project.places.describe(end.site.module, end.call.callee)
    message = f"`{callee}` is not called when the `with` block raises: the exception comes out of this `yield`"
    left = project.related(end.site.module, end.call.span, "this is left out")
    begun = project.related(made.place.site.module, made.place.call.span, f"the {made.row.kind.value} is made here")
    return project.alarm(end.site.module, RULE.code, produced.span, message, left, begun)


def _is_skipped(produced: Yield, end: CallPlace) -> bool:
    """Whether an exception out of the `yield` goes past what ends the object, which is done without a condition."""
    around = end.facts.contexts[produced.context]
    if around.protected or end.context.finally_body or end.context.branches != around.branches:
        return False
    return precedes(produced.span, end.call.span)
