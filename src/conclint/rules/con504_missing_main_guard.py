"""CON504: see docs/rules/CON504.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Domain, Kind, Role
from conclint.model.alarm import Alarm
from conclint.model.facts import ModuleFacts
from conclint.model.rule import Category, Rule
from conclint.model.values import Constant
from conclint.project.lifetime import Made
from conclint.project.objects import Site
from conclint.project.project import CallPlace, Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON504",
    name="missing-main-guard",
    summary='a script starts processes without `if __name__ == "__main__":`',
    help='move the call under `if __name__ == "__main__":`',
    category=Category.PROCESS,
    since="0.1.0",
)

_NOUNS = {Kind.PROCESS: "a process", Kind.POOL: "a pool of processes", Kind.EXECUTOR: "a pool of processes"}
_DEEPEST = 6


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report processes that a script starts whenever it is imported, directly or through its functions."""
    if _is_forked_everywhere(project):
        return
    starts = dict(_iter_starts(project))
    scripts = {index for index, facts in enumerate(project.modules) if _may_be_run(project, facts)}
    for place in project.calls if starts else ():
        if place.call.function or place.context.main_guard or place.site.module not in scripts:
            continue
        found = _find_start(project, place, starts, frozenset())
        if found is not None:
            message = f"this starts {starts[found]} whenever the module is imported, so in each child process too"
            end = project.call(found)
            trace = [project.related(found.module, end.call.span, "it is started here")] if found != place.site else []
            yield project.alarm(place.site.module, RULE.code, place.call.span, message, *trace)


def _iter_starts(project: Project) -> Iterator[tuple[Site, str]]:
    """Yield the calls that start processes, with what they start; for pools that is their creation."""
    for made in project.lifetimes.iter_made(*_NOUNS):
        if made.row.domain is not Domain.PROCESS or "Interpreter" in made.row.names[0] or _is_forked(project, made):
            continue
        if made.row.kind is not Kind.PROCESS:
            yield made.place.site, _NOUNS[made.row.kind]
        for start in project.lifetimes.iter_calls(made.found, Role.START):
            yield start.site, _NOUNS[made.row.kind]


def _find_start(project: Project, place: CallPlace, starts: dict[Site, str], seen: frozenset[str]) -> Site | None:
    """Return the first start that a call leads to in its own thread."""
    if place.site in starts:
        return place.site
    for target in project.callees(place.site) if len(seen) < _DEEPEST else ():
        function = project.place(target.function)
        if function is None or target.function in seen:
            continue
        for inner in project.calls_in(function):
            found = _find_start(project, inner, starts, seen | {target.function})
            if found is not None:
                return found
    return None


def _may_be_run(project: Project, facts: ModuleFacts) -> bool:
    """Whether a module is a script: not part of a package, and imported by no other module.

    `__main__.py` is not imported again by the children of `python -m package`.
    """
    imported = {symbol for other in project.modules if other is not facts for _, symbol in other.aliases}
    is_library = any(symbol == facts.module or symbol.startswith(f"{facts.module}.") for symbol in imported)
    return "." not in facts.module and not facts.is_package and facts.module != "__main__" and not is_library


def _is_forked_everywhere(project: Project) -> bool:
    return any(_has_constant(place, "fork") for place in project.calls_to({"multiprocessing.set_start_method"}))


def _is_forked(project: Project, made: Made) -> bool:
    """Whether the object may come from `get_context("fork")`: one in the same module is taken for its context."""
    has_context = any(target.receiver is not None for target in project.externals(made.place.site))
    given = made.place.find_argument("mp_context") or made.place.find_argument("context")
    return (has_context or given is not None) and any(
        target.name.endswith("get_context") and _has_constant(place, "fork")
        for place in project.external_calls
        if place.site.module == made.place.site.module
        for target in project.externals(place.site)
    )


def _has_constant(place: CallPlace, text: str) -> bool:
    return any(place.facts.values[argument.value] == Constant(text) for argument in place.call.arguments)
