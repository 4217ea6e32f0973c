"""CON105: see docs/rules/CON105.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Kind, Role
from conclint.model.alarm import Alarm
from conclint.model.facts import AccessKind
from conclint.model.rule import Category, Rule
from conclint.model.values import Attribute
from conclint.project.lifetime import Made
from conclint.project.project import Project
from conclint.project.testing import is_test
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON105",
    name="thread-never-started",
    summary="a thread, timer or process is made and never started",
    help="call `start()` on it, or delete it",
    category=Category.THREAD,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report threads and processes that nobody can be found to start."""
    for made in project.lifetimes.iter_made(Kind.THREAD, Kind.TIMER, Kind.PROCESS):
        if not _may_be_started(project, made):
            name = project.lifetimes.describe(made)
            noun = made.row.kind.value
            subject = f"the {noun} {name}" if name else f"this {noun}"
            yield project.alarm(
                made.place.site.module, RULE.code, made.place.call.span, f"{subject} is made, but never started"
            )


def _may_be_started(project: Project, made: Made) -> bool:
    lifetimes = project.lifetimes
    if Role.START in lifetimes.find_roles(made.found) or lifetimes.is_out_of_sight(made.found):
        return True
    # Whoever uses the class or the module may start what stands there under a public name.
    if any(not name.startswith("_") for name in lifetimes.find_names(made.found)):
        return True
    if project.symbols.has_unknown_base(made.found.symbol):
        return True
    # `thread.run()` runs it after all: that is the business of CON104.
    if "run" in project.loads(made.found) or _runs_otherwise(project, made):
        return True
    return _is_inspected(project, made) or _is_tried(made)


def _is_inspected(project: Project, made: Made) -> bool:
    """Whether it serves as an object where it is made: `assert Worker(options).folder == "out"`."""
    facts, module = made.place.facts, made.place.site.module
    classes = project.symbols.linearise(made.found.symbol)
    own = {name for owner, name in project.links.assigned if owner.symbol in classes}
    read = (
        facts.values[access.target]
        for access in facts.accesses
        if access.kind is AccessKind.READ and access.function == made.place.call.function
    )
    return any(
        isinstance(one, Attribute) and one.name in own and made.found in project.objects(module, one.base)
        for one in read
    )


def _is_tried(made: Made) -> bool:
    """Whether a test makes it: to call its other methods, to read its name, or to see that it can be made."""
    return is_test(made.place)


def _runs_otherwise(project: Project, made: Made) -> bool:
    """Whether its `run` is called, or made the target of another thread."""
    method = project.symbols.find_method(made.found.symbol, "run")
    if method is None:
        return False
    if any(root.receiver == made.found and root.site != made.found.site for root in project.roots):
        return True
    return any(
        target.receiver == made.found and target.function == method
        for site in project.call_graph.sites(method)
        for target in project.callees(site)
    )
