"""Which calls of a module are made under a lock that other threads may wait for."""

from __future__ import annotations

import libcst as cst

from conclint.analysis.collector import Collector
from conclint.analysis.names import build_tables
from conclint.analysis.scope import Scope, View
from conclint.analysis.traverse import Traversal
from conclint.analysis.types import Types
from conclint.catalog.rows import LOCK_KINDS, Domain
from conclint.model.facts import How
from conclint.source import Source

_OF_TASKS = (How.ASYNC_WITH, How.AWAITED_ACQUIRE)


class _Recorder(Traversal):
    """Remembers the scope of each call."""

    def __init__(self, view: View, collector: Collector) -> None:
        super().__init__(view, collector, {cst.Call: ()})
        self.scopes: dict[cst.CSTNode, Scope] = {}

    def run_checks(self, node: cst.CSTNode, scope: Scope) -> None:
        if isinstance(node, cst.Call):
            self.scopes[node] = scope


def collect_locked_calls(source: Source) -> frozenset[cst.CSTNode]:
    """Return the calls that are made while a thread lock is held (may): what a `with` enters by name may be one."""
    has_walrus = ":=" in source.text
    table = build_tables(source.tree, source.module, is_package=source.is_package, has_walrus=has_walrus)
    types = Types(table)
    collector = Collector(source, types, table)
    view = View(source, types, {}, collector.contexts, collector.acquisitions, [])
    recorder = _Recorder(view, collector)
    recorder.run(source.tree, table)
    return frozenset(node for node, scope in recorder.scopes.items() if _is_locked(scope))


def _is_locked(scope: Scope) -> bool:
    return any(_may_lock_threads(scope, index) for index in scope.surroundings.lockset)


def _may_lock_threads(scope: Scope, index: int) -> bool:
    entered, table = scope.view.acquired[index]
    row = scope.class_of(entered, table)
    if row is not None:
        return row.kind in LOCK_KINDS and row.domain is not Domain.TASK
    is_asynchronous = scope.view.acquisitions[index].how in _OF_TASKS
    # `with open(path):` makes what it enters; what has a name is kept, as locks are.
    return (
        not is_asynchronous and not isinstance(entered, cst.Call) and scope.view.types.type_of(entered, table) is None
    )
