"""CON122: see docs/rules/CON122.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Kind
from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.model.values import Constant
from conclint.project.confinement import Way, collect_ways
from conclint.project.lifetime import Made
from conclint.project.project import CallPlace, Project
from conclint.project.testing import is_test
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON122",
    name="daemon-thread-with-resources",
    summary="a daemon thread that nobody joins writes a file or a database, and is cut off when the program ends",
    help="tell the thread to stop and `join()` it before the program ends",
    category=Category.THREAD,
    since="0.1.0",
    default=False,
)

_WRITERS = frozenset({"pathlib.Path.write_text", "pathlib.Path.write_bytes"})
_OPENERS = {"builtins.open": 1, "io.open": 1, "codecs.open": 1, "gzip.open": 1, "pathlib.Path.open": 0}
_COMMIT = ".commit"


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report daemons whose thread leads to a call that writes."""
    writes = {place.function.symbol: place for place in _iter_writes(project)}
    for made in project.lifetimes.iter_made(Kind.THREAD) if writes else ():
        if is_test(made.place) or not _is_daemon(project, made) or project.lifetimes.may_be_joined(made):
            continue
        roots = [root for root in project.roots if root.site == made.place.site]
        reached = collect_ways(project, roots)
        symbol = next((symbol for symbol in reached if symbol in writes), None)
        if symbol is not None:
            yield _report(project, made, reached[symbol], writes[symbol])


def _report(project: Project, made: Made, way: Way, write: CallPlace) -> Alarm:
    name = project.lifetimes.describe(made)
    subject = f"the daemon thread {name}" if name else "this daemon thread"
    callee = project.places.describe(write.site.module, write.call.callee)
    end = project.related(write.site.module, write.call.span, f"`{callee}` writes here")
    message = f"{subject} writes, and is cut off when the program ends: nobody joins it"
    return project.alarm(made.place.site.module, RULE.code, made.place.call.span, message, *way.relate(project), end)


def _iter_writes(project: Project) -> Iterator[CallPlace]:
    for site, targets in project.links.externals.items():
        if site.what != "call":
            continue
        names = {target.name for target in targets}
        if names <= _WRITERS or all(name.endswith(_COMMIT) for name in names):
            yield project.call(site)
        elif names <= _OPENERS.keys():
            place = project.call(site)
            mode = place.find_argument("mode", _OPENERS[min(names)])
            found = project.constant(site.module, mode.value) if mode is not None else None
            if found is not None and isinstance(found.value, str) and not set("wax+").isdisjoint(found.value):
                yield place


def _is_daemon(project: Project, made: Made) -> bool:
    """Whether it certainly is one: by argument, or by what is assigned to its attribute."""
    given = made.place.find_argument("daemon")
    said = list(project.assigned(made.found, "daemon"))
    if given is not None:
        said.append(made.place.facts.values[given.value])
    return bool(said) and all(value == Constant(True) for value in said)
