"""CON216: see docs/rules/CON216.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Role
from conclint.model.alarm import Alarm, Related
from conclint.model.rule import Category, Rule
from conclint.project.class_state import ClassCollection, iter_class_collections
from conclint.project.confinement import is_of_self
from conclint.project.parallel import Control
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


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report the first change of each such collection, by `self`, in a thread and without a lock."""
    for collection in iter_class_collections(project):
        # That of a `threading.local` is CON118; a class that a function makes lives no longer than its objects.
        is_local = project.symbols.find_external_base(collection.owner) == "threading.local"
        if is_local or collection.flow.function:
            continue
        found = next(_iter_changes(project, collection), None)
        if found is not None:
            access, control = found
            name = project.places.describe(access.module, access.target).removesuffix("[…]")
            owner = collection.place.owner.rpartition(".")[2]
            made = project.related(collection.module, collection.flow.span, f"all instances of `{owner}` share it")
            steps = _relate(project, control, access)
            message = f"`{name}` is changed in a thread, and all instances share it"
            yield project.alarm(access.module, RULE.code, access.span, message, made, *steps)


def _iter_changes(project: Project, collection: ClassCollection) -> Iterator[tuple[SharedAccess, Control]]:
    if project.declarations.is_settled(collection.place):
        return
    for access in collection.changes:
        if access.lockset or project.shared.is_quiet(access.function):
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
