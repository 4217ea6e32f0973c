"""CON515: see docs/rules/CON515.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import RunsIn
from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.project.confinement import collect_ways
from conclint.project.objects import Site
from conclint.project.parallel import OTHER_MEMORY
from conclint.project.project import CallPlace, Project
from conclint.project.roots import Root
from conclint.project.start_methods import StartMethods
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON515",
    name="random-state-duplicated",
    summary="forked processes draw the same random numbers: each has a copy of the same generator",
    help="give each process a generator of its own: `numpy.random.default_rng()`",
    category=Category.PROCESS,
    since="0.1.0",
    default=False,
)

_NUMPY = "numpy.random."
_SEEDING = frozenset({"seed", "set_state"})
_MAKING = frozenset({"default_rng", "get_state", "get_bit_generator", "set_bit_generator"})
_SPAWNING = ("spawn", "forkserver")


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report uses of NumPy's global generator in what several forked processes run."""
    draws = list(_iter_draws(project))
    if not draws:
        return
    roots = [root for root in project.roots if root.runs_in in OTHER_MEMORY and root.site.what == "call"]
    if not roots or _is_spawned(project, roots):
        return
    seeding = {place.function.symbol for name, place in draws if name in _SEEDING}
    if not seeding.isdisjoint(collect_ways(project, roots)):
        return
    ways = collect_ways(project, (root for root in roots if _is_many(project, root)))
    for name, place in draws:
        way = ways.get(place.function.symbol)
        if way is not None and name not in _SEEDING:
            callee = project.places.describe(place.site.module, place.call.callee)
            message = f"`{callee}` gives the same numbers in each forked process: all have the same random state"
            yield project.alarm(place.site.module, RULE.code, place.call.span, message, *way.relate(project))


def _iter_draws(project: Project) -> Iterator[tuple[str, CallPlace]]:
    """Yield the calls that use, or seed, NumPy's global generator."""
    for place in project.external_calls:
        found = (target.name for target in project.externals(place.site))
        names = {one.removeprefix(_NUMPY) for one in found if one.startswith(_NUMPY)}
        name = min(names, default="")
        # Classes, and what belongs to them, have no part in the global state.
        if name and name == name.lower() and "." not in name and name not in _MAKING:
            yield name, place


def _is_spawned(project: Project, roots: list[Root]) -> bool:
    """Whether some process of the program is started afresh, with a state of its own."""
    methods = StartMethods(project)
    made = {site for root in roots for site in _iter_makers(project, root)}
    return any(methods.find(project.call(site)) in _SPAWNING for site in made)


def _iter_makers(project: Project, root: Root) -> Iterator[Site]:
    """Yield the calls that make the process, or the pool, of a root."""
    yield root.site
    for target in project.externals(root.site):
        if target.receiver is not None and target.receiver.site is not None and target.receiver.site.what == "call":
            yield target.receiver.site


def _is_many(project: Project, root: Root) -> bool:
    return root.runs_in is RunsIn.EXECUTOR_PROCESS or bool(project.call(root.site).context.loops)
