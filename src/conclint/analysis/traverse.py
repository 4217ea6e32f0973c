"""The one traversal: runs the local rules and collects the facts of a module.

Its only state is what it hands down: a frozen `Scope` per place. Statements that change the lockset
(`acquire()`, an early return) give back the context of the statement after them. What it does at a kind of node stands
in `statements`, `assignments`, `accesses`, `expressions` and `definitions`.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import libcst as cst
import msgspec

from conclint.analysis import accesses, assignments, definitions, expressions, statements
from conclint.analysis.collector import Collector
from conclint.analysis.cost import LOOPS
from conclint.analysis.declarations import Remark, declare_nothing, find_remarks, has_annotations
from conclint.analysis.fields import iter_children
from conclint.analysis.locksets import Locksets
from conclint.analysis.names import NameTable
from conclint.analysis.scope import Scope, View
from conclint.analysis.sequences import find_sequences
from conclint.analysis.tests import Test
from conclint.model.alarm import Alarm
from conclint.model.facts import AccessKind, Function
from conclint.model.ids import ContextId
from conclint.model.result import Failure
from conclint.model.rule import LocalCheck
from conclint.model.values import ValueId

Checks = Mapping[type[cst.CSTNode], Sequence[LocalCheck[Any, Any]]]


class Traversal:
    """Walks one module once."""

    def __init__(self, view: View, collector: Collector, checks: Checks) -> None:
        self.view, self.collector, self.checks = view, collector, checks
        self.locksets = Locksets(view, collector)
        self.alarms: list[Alarm] = []
        self.failures: list[Failure] = []
        self.returned: set[int] = set()
        """The functions in which a `return` has been met."""
        self.returns: dict[int, list[ValueId]] = {}
        """What each function returns, by its index."""
        self.generators: set[int] = set()
        self.kinds: dict[cst.CSTNode, AccessKind] = {}
        """The expressions below the current one that do more than read."""
        self.awaits: Counter[int] = Counter()
        """How many await points of each function have been met."""
        self.tests: list[Test] = []
        self.loops: dict[int, list[cst.CSTNode]] = {}
        """The loops and comprehensions of each function, outer ones first."""
        self.remarks = find_remarks(view.source.text)
        self.declared: set[Remark] = set()
        """The remarks whose subject has been met."""
        self.has_annotations = has_annotations(view.source.text)
        self._serial = 0

    def run(self, tree: cst.Module, table: NameTable) -> None:
        """Traverse the module: its body is function 0."""
        self.collector.functions.append(Function(f"{table.symbol}.<module>", "<module>", self.view.source.span(tree)))
        scope = Scope(self.view, table, 0, 0)
        self.run_checks(tree, scope)
        statements.visit_block(self, tree.body, tree, scope)
        declare_nothing(self)
        self.collector.sequences.extend(find_sequences(self.tests, self.collector))

    def visit(self, node: cst.CSTNode, parent: cst.CSTNode, scope: Scope) -> None:
        """Traverse `node` and everything below it."""
        self.view.parents[node] = parent
        if type(node) in LOOPS:
            self.loops.setdefault(scope.function, []).append(node)
        if type(node) in self.checks:
            self.run_checks(node, scope)
        handler = _HANDLERS.get(type(node))
        if handler is not None:
            handler(self, node, scope)
        else:
            for child in iter_children(node):
                self.visit(child, node, scope)

    def run_checks(self, node: cst.CSTNode, scope: Scope) -> None:
        """Run the rules that want nodes of this kind."""
        for check in self.checks.get(type(node), ()):
            code = check.rule.code
            try:
                for alarm in check.run(node, scope):
                    self.alarms.append(msgspec.structs.replace(alarm, code=code))
            except Exception as error:  # noqa: BLE001  # a bug in one rule must not cost the others' alarms
                path = self.view.source.path
                self.failures.append(Failure(path, code, repr(error), traceback.format_exc()))

    def derive(self, scope: Scope, **changes: Any) -> Scope:
        """Return the scope with another context: the same but for `changes`."""
        context = msgspec.structs.replace(self.view.contexts[scope.context], **changes)
        return Scope(scope.view, scope.table, scope.function, self.collector.add_context(context))

    def branch(self, scope: Scope, **changes: Any) -> Scope:
        """Return the scope of a new arm."""
        branches = (*self.view.contexts[scope.context].branches, self._next())
        return self.derive(scope, branches=branches, **changes)

    def enter_loop(self, scope: Scope) -> Scope:
        """Return the scope within a new loop."""
        return self.derive(scope, loops=(*self.view.contexts[scope.context].loops, self._next()))

    def set_after(self, node: cst.CSTNode, scope: Scope, after: ContextId) -> None:
        """Say what holds after `node`: of the context `after`, only the lockset outlives a statement."""
        lockset = self.view.contexts[after].lockset
        if lockset != self.view.contexts[scope.context].lockset:
            self.locksets.after[node] = self.derive(scope, lockset=lockset).context

    def take_after(self, node: cst.CSTNode, scope: Scope) -> ContextId:
        """Return, once, the context after a statement or suite that was traversed in `scope`."""
        return self.locksets.after.pop(node, scope.context)

    def _next(self) -> int:
        self._serial += 1
        return self._serial


Handler = Callable[[Traversal, Any, Scope], None]
"""What is done at a node; it visits what is below itself."""


def _ignore(walk: Traversal, node: cst.CSTNode, scope: Scope) -> None:
    """Names in imports and declarations are no uses."""


_IGNORED = (
    *(cst.Import, cst.ImportFrom, cst.LazyImport, cst.LazyImportFrom, cst.Global, cst.Nonlocal, cst.TypeAlias),
    *(cst.SimpleString, cst.Integer, cst.Float),
)

_HANDLERS: dict[type[cst.CSTNode], Handler] = {
    **statements.HANDLERS,
    **assignments.HANDLERS,
    **accesses.HANDLERS,
    **expressions.HANDLERS,
    **definitions.HANDLERS,
    **dict.fromkeys(_IGNORED, _ignore),
}
