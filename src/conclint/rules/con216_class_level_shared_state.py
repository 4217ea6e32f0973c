"""CON216: see docs/rules/CON216.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Kind, Role
from conclint.model.alarm import Alarm, Related
from conclint.model.facts import Flow
from conclint.model.rule import Category, Rule
from conclint.model.values import Collection, Name
from conclint.project.confinement import is_of_self
from conclint.project.parallel import Control
from conclint.project.places import Place
from conclint.project.project import Project
from conclint.project.roots import relate_begin
from conclint.project.shared import SharedAccess
from conclint.project.ways import relate_calls
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON216",
    name="class-level-shared-state",
    summary="a thread changes a collection that all instances of a class share",
    help="make it in `__init__` if each object needs its own, or guard it with a lock of the class",
    category=Category.DATA_RACE,
    since="0.1.0",
    default=False,
)

_MUTABLE = frozenset({"list", "dict", "set"})


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report the first change of each such collection, by `self`, in a thread and without a lock."""
    for place, (module, flow) in _collect_class_level(project).items():
        accesses = project.shared.by_place.get(place, ())
        # What methods assign to is an attribute of the instance from then on.
        if any(one.is_write and not one.place.element and one.span != flow.span for one in accesses):
            continue
        found = next(_iter_changes(project, place, accesses), None)
        if found is not None:
            access, control = found
            name = project.places.describe(access.module, access.target).removesuffix("[…]")
            made = project.related(module, flow.span, f"all instances of `{place.owner.rpartition('.')[2]}` share it")
            steps = _relate(project, control, access)
            message = f"`{name}` is changed in a thread, and all instances share it"
            yield project.alarm(access.module, RULE.code, access.span, message, made, *steps)


def _collect_class_level(project: Project) -> dict[Place, tuple[int, Flow]]:
    """Return the mutable collections in the bodies of classes, with what makes them."""
    found: dict[Place, tuple[int, Flow]] = {}
    for module, facts in enumerate(project.modules):
        for flow in facts.flows if facts.classes else ():
            target = facts.values[flow.target]
            if flow.function or not isinstance(target, Name):
                continue
            owner = target.symbol.rpartition(".")[0]
            if owner not in project.symbols.classes or not _is_mutable(project, module, flow):
                continue
            place = project.places.find(module, flow.target)
            # That of a `threading.local` is CON118.
            if place is not None and project.symbols.find_external_base(owner) != "threading.local":
                found[place] = (module, flow)
    return found


def _is_mutable(project: Project, module: int, flow: Flow) -> bool:
    made = project.value(module, flow.source)
    if isinstance(made, Collection):
        return made.kind in _MUTABLE
    rows = [project.class_row(found) for found in project.objects(module, flow.source)]
    return bool(rows) and all(row is not None and row.kind is Kind.COLLECTION for row in rows)


def _iter_changes(
    project: Project, place: Place, accesses: tuple[SharedAccess, ...]
) -> Iterator[tuple[SharedAccess, Control]]:
    if project.declarations.is_settled(place):
        return
    for access in accesses:
        if not (access.is_write and access.place.element) or access.lockset or project.shared.is_quiet(access.function):
            continue
        if is_of_self(project, access.module, access.target):
            controls = project.parallel.controls(access.function)
            yield from ((access, control) for control in controls if _is_thread(project, control))


def _is_thread(project: Project, control: Control) -> bool:
    """Whether it certainly is another thread: a done-callback runs there only if the future is not done yet."""
    if control.root is None or control.root.site.what != "call":
        return control.root is not None
    return all(row.role is not Role.CALLBACK for _, row in project.rows(control.root.site))


def _relate(project: Project, control: Control, access: SharedAccess) -> Iterator[Related]:
    """Yield where the thread begins, and the calls from there to the change."""
    if control.root is None:
        return
    yield relate_begin(project, control.root)
    yield from relate_calls(project, project.call_graph.find_chain(control.root.function, access.function) or ())
