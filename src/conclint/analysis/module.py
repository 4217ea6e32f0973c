"""One `Source` → facts and local alarms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from conclint.analysis.collector import Collector
from conclint.analysis.names import BindingKind, NameTable, build_tables
from conclint.analysis.scope import View
from conclint.analysis.traverse import Checks, Traversal
from conclint.analysis.types import Types
from conclint.model.alarm import Alarm
from conclint.model.facts import ModuleFacts
from conclint.model.result import Failure
from conclint.source import Source


@dataclass(frozen=True, slots=True)
class Analysis:
    """What one module says, and what the local rules say of it."""

    facts: ModuleFacts
    alarms: tuple[Alarm, ...]
    failures: tuple[Failure, ...]


def analyse(source: Source, checks: Checks) -> Analysis:
    """Traverse `source` once, running `checks`, which are grouped by the node type that they want."""
    has_walrus = ":=" in source.text
    table = build_tables(source.tree, source.module, is_package=source.is_package, has_walrus=has_walrus)
    types = Types(table)
    collector = Collector(source, types, table)
    view = View(source, types, {}, collector.contexts, collector.acquisitions, [])
    traversal = Traversal(view, collector, checks)
    traversal.run(source.tree, table)
    facts = ModuleFacts(
        path=source.path,
        module=source.module,
        is_package=source.is_package,
        values=tuple(collector.values),
        contexts=tuple(collector.contexts),
        functions=tuple(collector.functions),
        classes=tuple(collector.classes),
        calls=tuple(collector.calls),
        flows=tuple(collector.flows),
        accesses=tuple(collector.accesses),
        acquisitions=tuple(collector.acquisitions),
        yields=tuple(collector.yields),
        sequences=tuple(collector.sequences),
        aliases=tuple(_iter_aliases(table)),
        star_imports=tuple(table.star_imports),
        main_guard=any(context.main_guard for context in collector.contexts),
        raises=tuple(collector.raises),
        declarations=tuple(collector.declarations),
        stale_writes=tuple(collector.stale_writes),
        handlers=tuple(collector.handlers),
        polls=tuple(collector.polls),
        rounds=tuple(collector.rounds),
    )
    table.release()
    return Analysis(facts, tuple(sorted(traversal.alarms)), tuple(traversal.failures))


def _iter_aliases(table: NameTable) -> Iterator[tuple[str, str]]:
    """Yield the module-level imports: the name here, and what it stands for."""
    for name, bindings in table.bindings.items():
        yield from ((name, binding.symbol) for binding in bindings if binding.kind is BindingKind.IMPORT)
