"""CON208: see docs/rules/CON208.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.catalog.rows import Domain
from conclint.model.alarm import Alarm, Related
from conclint.model.observations import StaleWrite
from conclint.model.rule import Category, Rule
from conclint.project.guards import find_witness
from conclint.project.interleaving import Interleaving, Start
from conclint.project.locks import find_lock_sites
from conclint.project.objects import Object
from conclint.project.places import Place
from conclint.project.project import Project
from conclint.project.shared import SharedAccess
from conclint.project.ways import relate_calls
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON208",
    name="stale-read-across-await",
    summary="state is written by what was read of it before an `await`",
    help="hold an `asyncio.Lock` around both, or read the state again after the `await`",
    category=Category.DATA_RACE,
    since="0.1.0",
)


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report writes that may undo what another task wrote while this one was suspended."""
    interleaving = Interleaving(project)
    names = {
        lock.identity: project.places.describe(module, entry.value)
        for module, _, entry, lock in find_lock_sites(project)
        if lock.domain is Domain.TASK
    }
    for module, facts in enumerate(project.modules):
        for stale in facts.stale_writes:
            place = project.places.find(module, stale.target)
            symbol = facts.functions[stale.function].symbol
            if place is None or project.declarations.is_settled(place) or project.shared.is_quiet(symbol):
                continue
            if _is_locked(project, module, stale):
                continue
            start = interleaving.find(symbol, place, module, stale.target)
            if start is not None:
                yield _report(project, module, stale, _trace(project, start, symbol))
            elif (found := _find_witness(project, place, symbol, names)) is not None:
                access, lock = found
                message = f"`{lock}` is held here around the same state"
                yield _report(project, module, stale, [project.related(access.module, access.span, message)])


def _report(project: Project, module: int, stale: StaleWrite, evidence: list[Related]) -> Alarm:
    state = project.places.describe(module, stale.target)
    what = "tested" if stale.tested else "read"
    outcome = "may have set it" if stale.tested else "may have changed it"
    message = f"`{state}` is written by what was {what} before the `await`: another task {outcome} in between"
    return project.alarm(
        module,
        RULE.code,
        stale.write,
        message,
        project.related(module, stale.read, f"it is {what} here"),
        project.related(module, stale.suspension, "other tasks run here"),
        *evidence,
    )


def _is_locked(project: Project, module: int, stale: StaleWrite) -> bool:
    """Whether a lock, or what may be one, is held from the read to the write (may)."""
    facts = project.modules[module]
    before, after = facts.contexts[stale.read_context].lockset, facts.contexts[stale.write_context].lockset
    kept = {facts.acquisitions[index] for index in set(before) & set(after)}
    if any(entry in kept for _, entry in project.locks.held(module, stale.write_context)):
        return True
    # What is held on entry is held all along.
    symbol = facts.functions[stale.function].symbol
    return bool(project.locks.lockset(module, stale.function, 0)) or project.locks.is_locked_by_name(symbol)


def _trace(project: Project, start: Start, symbol: str) -> list[Related]:
    name = start.function.rpartition(".")[2]
    begun = project.related(start.module, start.span, f"several tasks run `{name}` from here")
    return [begun, *relate_calls(project, project.call_graph.find_chain(start.function, symbol) or ())]


def _find_witness(
    project: Project, place: Place, symbol: str, names: dict[Object | Place, str]
) -> tuple[SharedAccess, str] | None:
    """Return a write of the same state under an asyncio lock, which most of its other accesses hold too.

    Who takes a lock knows that several tasks come here.
    """
    accesses = project.shared.by_place.get(place._replace(element=False), ())
    elsewhere = [one for one in accesses if one.function != symbol and not project.shared.is_quiet(one.function)]
    for lock in sorted({lock for one in elsewhere for lock in one.lockset} & names.keys(), key=lambda one: names[one]):
        witness = find_witness(elsewhere, lock)
        if witness is not None:
            return witness, names[lock]
    return None
