"""CON507: see docs/rules/CON507.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import LOCK_KINDS, Kind, Spawn
from conclint.model.alarm import Alarm, Related
from conclint.model.facts import Argument
from conclint.model.rule import Category, Rule
from conclint.project.objects import Object, ObjectKind, Site
from conclint.project.parallel import OTHER_MEMORY
from conclint.project.project import CallPlace, Project
from conclint.project.start_methods import StartMethods, iter_passed
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON507",
    name="unpicklable-to-process",
    summary="what is given to another process cannot be pickled: the call fails",
    help="give it a function of the module, and plain data",
    category=Category.PROCESS,
    since="0.1.0",
)

_PICKLING = ("spawn", "forkserver")
_INHERITED = LOCK_KINDS | {Kind.EVENT, Kind.BARRIER, Kind.QUEUE}
_SHARED = ("multiprocessing.Value", "multiprocessing.Array")
_CODE = (ObjectKind.FUNCTION, ObjectKind.PARTIAL)
_IN_MEMORY = ("io.StringIO", "io.BytesIO")


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report functions and arguments which the call pickles, and which cannot be pickled."""
    methods: StartMethods | None = None
    for site in sorted(_collect_sites(project)):
        place = project.call(site)
        methods = methods or StartMethods(project)
        is_job = not any(_is_maker(project, found) for found in project.result(site))
        if not is_job and methods.find(place) not in _PICKLING:
            continue
        pickles_code = _pickles_code(project, site)
        for argument in _iter_pickled(project, place):
            objects = project.objects(site.module, argument.value)
            if pickles_code and any(found.kind in _CODE for found in objects):
                continue
            reasons = [_explain(project, found, is_job=is_job) for found in sorted(objects, key=repr)]
            if reasons and all(reasons):
                yield _report(project, place, argument, min(objects, key=repr), reasons[0])


def _report(project: Project, place: CallPlace, argument: Argument, found: Object, reason: str) -> Alarm:
    module = place.site.module
    name = project.places.describe(module, argument.value)
    callee = project.places.describe(module, place.call.callee)
    subject = reason if "…" in name or "<" in name else f"`{name}`, {reason},"
    message = f"{subject} cannot be pickled, as `{callee}` has to do"
    return project.alarm(module, RULE.code, argument.span, message, *_relate(project, module, argument, found))


def _relate(project: Project, module: int, argument: Argument, found: Object) -> Iterator[Related]:
    """Yield where a function is defined, if that is not at the call itself."""
    where = project.place(found.symbol) if found.kind is ObjectKind.FUNCTION else None
    span = project.symbols.function(where).span if where is not None else argument.span
    if where is not None and (where.module, span) != (module, argument.span):
        yield project.related(where.module, span, "it is defined here")


def _collect_sites(project: Project) -> set[Site]:
    """Return the calls that give work to other processes, and to nothing else (must)."""
    found = {spawn.site for spawn in project.links.spawns if spawn.runs_in in OTHER_MEMORY}
    found |= {root.site for root in project.roots if root.runs_in in OTHER_MEMORY}
    others = {root.site for root in project.roots if root.runs_in not in OTHER_MEMORY}
    calls = {site for site in found - others if site.what == "call" and not project.callees(site)}
    return {site for site in calls if all(_spawn_of(project, site))}


def _spawn_of(project: Project, site: Site) -> list[Spawn | None]:
    rows = [project.find_row(target) for target in project.externals(site)]
    return [row.spawn if row is not None else None for row in rows]


def _pickles_code(project: Project, site: Site) -> bool:
    """Whether an executor that a call may give work to pickles functions by what they do."""
    receivers = [target.receiver for target in project.externals(site) if target.receiver is not None]
    rows = [project.class_row(found) for found in receivers]
    return any(row is not None and row.pickles_code for row in rows)


def _is_maker(project: Project, found: Object) -> bool:
    """Whether a call makes a process or a pool: that one only pickles if it does not fork."""
    row = project.class_row(found)
    return row is not None and row.kind in (Kind.PROCESS, Kind.POOL, Kind.EXECUTOR)


def _iter_pickled(project: Project, place: CallPlace) -> Iterator[Argument]:
    spawn = next((one for one in _spawn_of(project, place.site) if one is not None), None)
    if spawn is None:
        return
    function = place.find_argument(spawn.keyword, spawn.position)
    if function is not None:
        yield function
    yield from iter_passed(project, place, spawn)


def _explain(project: Project, found: Object, *, is_job: bool) -> str:
    """Return what an object is that cannot be pickled, "" for one that can, or of which that is not known."""
    if found.kind is ObjectKind.FUNCTION:
        if "<lambda" in found.symbol:
            return "a lambda"
        return "a nested function" if "<locals>" in found.symbol else ""
    if found.kind is ObjectKind.GENERATOR:
        return "a generator"
    if found.kind is ObjectKind.PARTIAL and found.site is not None:
        return _explain_partial(project, found.site, is_job=is_job)
    row = project.class_row(found)
    if row is None or found.symbol in project.symbols.classes:
        return ""
    if "io.IOBase" in row.bases and row.names[0] not in _IN_MEMORY:
        return "an open file"
    # A process gets these when it is started, and at no other time.
    is_inherited = row.kind in _INHERITED or row.names[0] in _SHARED
    is_plain = row.names[0].startswith("multiprocessing.") and "managers" not in row.names[0]
    return f"a `{row.names[0]}`" if is_job and is_inherited and is_plain else ""


def _explain_partial(project: Project, site: Site, *, is_job: bool) -> str:
    for argument in project.call(site).call.arguments:
        objects = project.objects(site.module, argument.value)
        reasons = [_explain(project, one, is_job=is_job) for one in objects if one.kind is not ObjectKind.PARTIAL]
        if reasons and all(reasons):
            return f"a `partial` with {min(reasons)}"
    return ""
