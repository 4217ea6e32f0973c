"""CON214: see docs/rules/CON214.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Domain, Kind
from conclint.model.alarm import Alarm
from conclint.model.facts import Access
from conclint.model.rule import Category, Rule
from conclint.model.values import ValueId
from conclint.project.objects import Object, ObjectKind
from conclint.project.project import Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON214",
    name="thread-local-in-async",
    summary="a coroutine uses `threading.local`, which all tasks of an event loop share",
    help="use a `contextvars.ContextVar`: each task has its own value",
    category=Category.DATA_RACE,
    since="0.1.0",
    default=False,
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report attributes of a `threading.local` that a coroutine reads or writes."""
    for module, facts in enumerate(project.modules):
        for access in facts.accesses:
            function = facts.functions[access.function]
            if not function.is_async:
                continue
            split = project.places.split(module, access.target)
            if split is None or not _is_thread_local(project, module, split[0]):
                continue
            if not _is_cache(project, module, access, split):
                name = project.places.describe(module, access.target)
                message = (
                    f"`{name}` belongs to the thread: all tasks of the event loop that runs `{function.name}` share it"
                )
                yield project.alarm(module, RULE.code, access.span, message)


def _is_thread_local(project: Project, module: int, value: ValueId) -> bool:
    rows = [project.class_row(found) for found in project.objects(module, value)]
    return bool(rows) and all(
        row is not None and row.kind is Kind.THREAD_LOCAL and row.domain is Domain.THREAD for row in rows
    )


def _is_cache(project: Project, module: int, access: Access, split: tuple[ValueId, str]) -> bool:
    """Whether the attribute holds what each thread has one of: a client, a connection, an event loop (may)."""
    held = set(project.objects(module, access.target))
    for owner in project.objects(module, split[0]):
        for source_module, value in project.links.assigned.get((owner, split[1]), ()):
            held |= project.objects(source_module, value)
    return any(_is_client(project, found) for found in held)


def _is_client(project: Project, found: Object) -> bool:
    return project.is_living(found) or (found.kind is ObjectKind.INSTANCE and found.symbol in project.symbols.classes)
