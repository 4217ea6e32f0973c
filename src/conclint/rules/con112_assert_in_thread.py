"""CON112: see docs/rules/CON112.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from conclint.catalog.collections_ import MUTATORS
from conclint.catalog.rows import RunsIn
from conclint.model.alarm import Alarm
from conclint.model.facts import Call
from conclint.model.naming import is_test_module
from conclint.model.observations import Raise
from conclint.model.rule import Category, Rule
from conclint.model.values import Local, Name, Value
from conclint.project.confinement import collect_confined
from conclint.project.handlers import ASSERTION_ERROR
from conclint.project.objects import ObjectKind
from conclint.project.order import precedes
from conclint.project.project import CallPlace, Project
from conclint.project.roots import Root
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON112",
    name="assert-in-thread",
    summary="a test asserts in a thread, where a failure does not fail the test",
    help="hand the result to the test and assert there, or use an executor and `future.result()`",
    category=Category.THREAD,
    since="0.1.0",
)

_LOSE = (RunsIn.THREAD, RunsIn.TIMER)
"""What loses exceptions; executors keep them for `result()`."""
_TEST_CASES = frozenset(
    """
    unittest.TestCase unittest.case.TestCase unittest.IsolatedAsyncioTestCase django.test.SimpleTestCase
    django.test.TestCase django.test.TransactionTestCase django.test.LiveServerTestCase testtools.TestCase
    twisted.trial.unittest.TestCase
    """.split()
)
_FAIL = frozenset({"pytest.fail", "_pytest.outcomes.fail"})
_SIGNALS = frozenset("set notify notify_all put put_nowait release wait send set_result set_exception".split())
_HOOK = Name("threading.excepthook")


class _Assert(NamedTuple):
    module: int
    function: str
    place: Call | Raise
    text: str


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report assertions in functions of tests that only threads run, where nothing on the way catches them."""

    def passes(module: int, place: Call | Raise) -> bool:
        return not project.handlers.may_stop(module, place, ASSERTION_ERROR)

    asserts = list(_iter_asserts(project))
    if not asserts or _has_hook(project):
        return
    ways = collect_confined(project, lambda root: _is_start(project, root), passes)
    for found in asserts:
        way = ways.get(found.function)
        if way is not None and passes(found.module, found.place) and not _tells_later(project, found):
            message = f"if `{found.text}` fails here, in a thread, the test does not notice"
            yield project.alarm(found.module, RULE.code, found.place.span, message, *way.relate(project))


def _has_hook(project: Project) -> bool:
    return any(facts.values[flow.target] == _HOOK for facts in project.modules for flow in facts.flows)


def _is_start(project: Project, root: Root) -> bool:
    """Whether a test starts the root in a thread that lets exceptions go: no subclass whose `run` is in between."""
    if root.runs_in not in _LOSE or not is_test_module(project.modules[root.site.module].module):
        return False
    made = [found for found in project.result(root.site) if found.site == root.site]
    runs = {project.symbols.find_method(found.symbol, "run") for found in made}
    return runs <= {None, root.function}


def _tells_later(project: Project, found: _Assert) -> bool:
    """Whether the function tells the test that it got beyond the assertion: the test may well ask for that."""
    facts = project.modules[found.module]
    stores = any(
        precedes(found.place.span, flow.span) and not _is_own_variable(facts.values[flow.target], found.function)
        for flow in facts.flows
        if facts.functions[flow.function].symbol == found.function
    )
    return stores or any(
        _tells(project, place)
        for function in project.symbols.functions[found.function]
        for place in project.calls_in(function)
        if precedes(found.place.span, place.call.span) and not place.context.finally_body
    )


def _tells(project: Project, place: CallPlace) -> bool:
    """Whether a call changes what comes from outside of the function: a list, an event, a queue."""
    base = project.places.split(place.site.module, place.call.callee)
    if base is None or (base[1] not in MUTATORS and base[1] not in _SIGNALS):
        return False
    found, function = place.facts.values[base[0]], place.function
    given = any(found == Local(function.symbol, one.name) for one in function.parameters)
    return given or not _is_own_variable(found, function.symbol)


def _is_own_variable(value: Value, function: str) -> bool:
    return isinstance(value, Local) and value.function == function


def _iter_asserts(project: Project) -> Iterator[_Assert]:
    """Yield what asserts in modules of tests."""
    tests = {module for module, facts in enumerate(project.modules) if is_test_module(facts.module)}
    for module in sorted(tests):
        facts = project.modules[module]
        for raised in facts.raises:
            if facts.values[raised.value] == Name(ASSERTION_ERROR[0]):
                yield _Assert(module, facts.functions[raised.function].symbol, raised, "assert")
    for place in project.calls:
        name = _find_assertion(project, place) if place.site.module in tests else ""
        if name:
            yield _Assert(place.site.module, place.function.symbol, place.call, name)


def _find_assertion(project: Project, place: CallPlace) -> str:
    """Return the method of a test case, or function of a test framework, that a call asserts with; "" for others."""
    externals = project.externals(place.site)
    if externals and all(target.name in _FAIL for target in externals):
        return "pytest.fail"
    base = project.places.split(place.site.module, place.call.callee)
    if base is None or not (base[1].startswith("assert") or base[1] == "fail"):
        return ""
    # An attribute of a subclassed thread might also be a method of it.
    objects = [one for one in project.objects(place.site.module, base[0]) if one.kind is not ObjectKind.METHOD]
    is_case = bool(objects) and all(
        found.kind is ObjectKind.INSTANCE and not _TEST_CASES.isdisjoint(project.symbols.linearise(found.symbol))
        for found in objects
    )
    return f"self.{base[1]}" if is_case else ""
