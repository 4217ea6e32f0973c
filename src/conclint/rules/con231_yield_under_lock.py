"""CON231: see docs/rules/CON231.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import LOCK_KINDS, Domain, Kind
from conclint.model.alarm import Alarm
from conclint.model.rule import Category, Rule
from conclint.project.callables import is_transparent
from conclint.project.project import Project
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON231",
    name="yield-under-lock",
    summary="a generator yields with a lock held, which its consumer keeps for as long as it likes",
    help="collect what is to be yielded under the lock, and yield it after the lock is released",
    category=Category.DEADLOCK,
    since="0.1.0",
)

_EXCLUSIVE = LOCK_KINDS - {Kind.SEMAPHORE}


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report generators that hand out elements while they hold a lock of threads or processes."""
    reported = set()
    for module, facts in enumerate(project.modules):
        for produced in facts.yields:
            function = facts.functions[produced.function]
            if not _is_plain_generator(project, function.symbol):
                continue
            for lock, entry in project.locks.held(module, produced.context):
                if lock.kind not in _EXCLUSIVE or lock.domain is Domain.TASK or (module, entry.span) in reported:
                    continue
                reported.add((module, entry.span))
                name = project.places.describe(module, entry.value)
                message = f"`{name}` stays held while the caller of `{function.name}` has its turn"
                related = project.related(module, entry.span, f"`{name}` is acquired here")
                yield project.alarm(module, RULE.code, produced.span, message, related)


def _is_plain_generator(project: Project, symbol: str) -> bool:
    """Whether a generator is there to be iterated over: no context manager, fixture or coroutine, nor part of one."""
    if not is_transparent(project, symbol) or symbol in project.call_graph.passed_functions:
        return False
    callers = {caller for caller, _, _ in project.call_graph.callers.get(symbol, ())}
    return all(is_transparent(project, caller) or not _is_generator(project, caller) for caller in callers)


def _is_generator(project: Project, symbol: str) -> bool:
    function = project.function(symbol)
    return function is not None and function.is_generator
