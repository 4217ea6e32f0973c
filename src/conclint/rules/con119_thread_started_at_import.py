"""CON119: see docs/rules/CON119.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Kind, Role
from conclint.model.alarm import Alarm, Related
from conclint.model.naming import is_test_code
from conclint.model.rule import Category, Rule
from conclint.project.objects import Site
from conclint.project.project import CallPlace, Project
from conclint.project.starts import collect_scripts, iter_import_starts
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON119",
    name="thread-started-at-import",
    summary="importing a module starts a thread, process or pool",
    help="start it in a function that the program calls, or when it is first needed",
    category=Category.THREAD,
    since="0.1.0",
    default=False,
)

_NOUNS = {
    Kind.THREAD: "a thread",
    Kind.TIMER: "a timer",
    Kind.PROCESS: "a process",
    Kind.POOL: "a pool",
    Kind.EXECUTOR: "a job of an executor",
}
_SUBMITS = frozenset({"submit", "map"})
_NOT_IMPORTED = frozenset({"__main__", "conftest", "setup", "conf"})


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report the calls of a module's body that start something, directly or through functions."""
    starts = dict(_iter_starts(project))
    libraries = _collect_libraries(project) if starts else frozenset()
    for place, *way in iter_import_starts(project, starts, libraries, certain=True):
        end = (place, *way)[-1]
        message = f"importing `{place.facts.module}` starts {starts[end.site]}"
        trace = [_relate(project, step, is_start=step is end) for step in way]
        yield project.alarm(place.site.module, RULE.code, place.call.span, message, *trace)


def _relate(project: Project, place: CallPlace, *, is_start: bool) -> Related:
    callee = project.places.describe(place.site.module, place.call.callee)
    message = "it is started here" if is_start else f"`{place.function.name}` calls `{callee}`"
    return project.related(place.site.module, place.call.span, message)


def _iter_starts(project: Project) -> Iterator[tuple[Site, str]]:
    """Yield the calls that start something, with what they start: for a pool its creation, for an executor a job."""
    for made in project.lifetimes.iter_made(*_NOUNS):
        noun = _NOUNS[made.row.kind]
        if made.row.kind is Kind.POOL:
            yield made.place.site, noun
        elif made.row.kind is Kind.EXECUTOR:
            sites = (one.site for one in project.operations(made.found) if one.name in _SUBMITS)
            yield from ((site, noun) for site in sites if site.what == "call")
        else:
            yield from ((start.site, noun) for start in project.lifetimes.iter_calls(made.found, Role.START))


def _collect_libraries(project: Project) -> frozenset[int]:
    """Return the modules that are imported rather than run: neither scripts nor tests."""
    modules = enumerate(facts.module for facts in project.modules)
    found = (
        index for index, name in modules if name.rpartition(".")[2] not in _NOT_IMPORTED and not is_test_code(name)
    )
    return frozenset(found) - collect_scripts(project)
