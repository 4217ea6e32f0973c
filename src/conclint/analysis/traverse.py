"""The one traversal: runs the local rules and collects the facts of a module.

Its only state is what it hands down: a frozen `Scope` per place. Statements that change the lockset
(`acquire()`, an early return) give back the context of the statement after them.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import libcst as cst
import msgspec

from conclint.analysis.collector import Collector
from conclint.analysis.constants import find_truth
from conclint.analysis.cost import estimate_cost
from conclint.analysis.fields import iter_children, iter_nodes
from conclint.analysis.locksets import Locksets, ends_block
from conclint.analysis.names import Binding, BindingKind, NameTable, bind_parameters, has_decorator, nested_symbol
from conclint.analysis.scope import Scope, View
from conclint.analysis.sequences import Test, find_sequences, iter_tests
from conclint.model.alarm import Alarm
from conclint.model.facts import AccessKind, Acquisition, Class, Context, Function, How, ParameterKind, Use, Yield
from conclint.model.result import Failure
from conclint.model.rule import LocalCheck
from conclint.model.span import FILE_START
from conclint.model.values import Attribute, Constant, Entered, Instance, Item, Local, Name, ValueId

_PLACEHOLDER = Function("", "", FILE_START)
"""Keeps a function's index until its body has been traversed."""

Checks = Mapping[type[cst.CSTNode], Sequence[LocalCheck[Any, Any]]]
ContextId = int


class Traversal:
    """Walks one module once."""

    def __init__(self, view: View, collector: Collector, checks: Checks) -> None:
        self.view, self.collector, self.checks = view, collector, checks
        self.locksets = Locksets(view, collector)
        self.alarms: list[Alarm] = []
        self.failures: list[Failure] = []
        self._returns: dict[int, list[ValueId]] = {}
        self._generators: set[int] = set()
        self._kinds: dict[cst.CSTNode, AccessKind] = {}
        self._tests: list[Test] = []
        self._serial = 0

    def run(self, tree: cst.Module, table: NameTable) -> None:
        """Traverse the module: its body is function 0."""
        self.collector.functions.append(
            Function(f"{table.symbol}.<module>", "<module>", self.view.source.span(tree))
        )
        scope = Scope(self.view, table, 0, 0)
        self._run_checks(tree, scope)
        self._visit_block(tree.body, tree, scope)
        self.collector.sequences.extend(find_sequences(self._tests, self.collector))

    def visit(self, node: cst.CSTNode, parent: cst.CSTNode, scope: Scope) -> None:
        """Traverse `node` and everything below it."""
        self.view.parents[node] = parent
        if type(node) in self.checks:
            self._run_checks(node, scope)
        handler = _HANDLERS.get(type(node))
        if handler is not None:
            handler(self, node, scope)
        else:
            for child in iter_children(node):
                self.visit(child, node, scope)

    def _run_checks(self, node: cst.CSTNode, scope: Scope) -> None:
        for check in self.checks.get(type(node), ()):
            code = check.rule.code
            try:
                self.alarms.extend(msgspec.structs.replace(alarm, code=code) for alarm in check.run(node, scope))
            except Exception as error:  # noqa: BLE001  # a bug in one rule must not cost the others' alarms
                path = self.view.source.path
                self.failures.append(Failure(path, code, repr(error), traceback.format_exc()))

    # Blocks and statements

    def _visit_block(self, body: Sequence[cst.CSTNode], parent: cst.CSTNode, scope: Scope) -> ContextId:
        """Traverse statements in order; return the context after the last one."""
        for statement in body:
            self.visit(statement, parent, scope)
            after = self.locksets.after.pop(statement, scope.context)
            if after != scope.context:
                scope = Scope(scope.view, scope.table, scope.function, after)
        return scope.context

    def _visit_suite(self, node: cst.IndentedBlock | cst.SimpleStatementSuite | cst.SimpleStatementLine, scope: Scope) -> None:
        after = self._visit_block(node.body, node, scope)
        self._set_after(node, scope, after)

    def _set_after(self, node: cst.CSTNode, scope: Scope, after: ContextId) -> None:
        # Only the lockset outlives a statement; branches and loops end with it.
        lockset = self.view.contexts[after].lockset
        if lockset != self.view.contexts[scope.context].lockset:
            self.locksets.after[node] = self._derive(scope, lockset=lockset).context

    def _suite_after(self, suite: cst.CSTNode, scope: Scope) -> ContextId:
        return self.locksets.after.pop(suite, scope.context)

    def _derive(self, scope: Scope, **changes: Any) -> Scope:
        context = msgspec.structs.replace(self.view.contexts[scope.context], **changes)
        return Scope(scope.view, scope.table, scope.function, self.collector.add_context(context))

    def _next(self) -> int:
        self._serial += 1
        return self._serial

    def _branch(self, scope: Scope, **changes: Any) -> Scope:
        branches = (*self.view.contexts[scope.context].branches, self._next())
        return self._derive(scope, branches=branches, **changes)

    def _enter_loop(self, scope: Scope) -> Scope:
        return self._derive(scope, loops=(*self.view.contexts[scope.context].loops, self._next()))

    def _visit_simple(self, node: cst.Expr, scope: Scope) -> None:
        self.visit(node.value, node, scope)
        after = self.locksets.apply_statement(node.value, scope)
        self._set_after(node, scope, after)

    def _visit_if(self, node: cst.If, scope: Scope) -> None:
        if (truth := find_truth(node.test, scope.table)) is not None:
            self._visit_decided(node, scope, node.body if truth else node.orelse)
            return
        self._mark_checks(node.test)
        self.visit(node.test, node, scope)
        guard = _is_main_guard(node.test) and scope.function == 0
        taken, missed = self.locksets.apply_test(node.test, scope)
        body_scope = self._branch(Scope(scope.view, scope.table, scope.function, taken), **({"main_guard": True} if guard else {}))
        else_scope = self._branch(Scope(scope.view, scope.table, scope.function, missed))
        self.visit(node.body, node, body_scope)
        ends = [] if ends_block(node.body) else [self._suite_after(node.body, body_scope)]
        if node.orelse is None:
            ends.append(else_scope.context)
        else:
            self.visit(node.orelse, node, else_scope)
            if not ends_block(node.orelse):
                ends.append(self._suite_after(node.orelse, else_scope))
        self._tests.extend(iter_tests(node, scope, self.collector))
        self._meet(node, scope, ends)

    def _visit_decided(self, node: cst.If, scope: Scope, taken: cst.CSTNode | None) -> None:
        """Traverse the one arm that ever runs; the names that the other one reads are no unread ones."""
        self.visit(node.test, node, scope)
        for arm in (node.body, node.orelse):
            if arm is not None and arm is not taken:
                for name in (one.value for one in iter_nodes(arm) if isinstance(one, cst.Name)):
                    if (owner := scope.table.find_owner(name)) is not None:
                        owner.loads.add(name)
        if taken is not None:
            self.visit(taken, node, scope)
            self._set_after(node, scope, self._suite_after(taken, scope))

    def _visit_assert(self, node: cst.Assert, scope: Scope) -> None:
        self.visit(node.test, node, scope)
        if node.msg is not None:
            self.visit(node.msg, node, scope)
        held, _ = self.locksets.apply_test(node.test, scope)
        self._set_after(node, scope, held)

    def _meet(self, node: cst.CSTNode, scope: Scope, ends: list[ContextId]) -> None:
        if ends:
            lockset = self.locksets.intersect(ends)
            self._set_after(node, scope, self._derive(scope, lockset=lockset).context)

    def _visit_else(self, node: cst.Else | cst.Finally, scope: Scope) -> None:
        self.visit(node.body, node, scope)
        self._set_after(node, scope, self._suite_after(node.body, scope))

    def _visit_while(self, node: cst.While, scope: Scope) -> None:
        loop = self._enter_loop(scope)
        self._mark_checks(node.test)
        self.visit(node.test, node, loop)
        taken, missed = self.locksets.apply_test(node.test, loop)
        self.visit(node.body, node, Scope(scope.view, scope.table, scope.function, taken))
        if node.orelse is not None:
            self.visit(node.orelse, node, scope)
        self._set_after(node, scope, missed)

    def _visit_for(self, node: cst.For, scope: Scope) -> None:
        self._mark(node.iter, AccessKind.ITERATE)
        self.visit(node.iter, node, scope)
        loop = self._enter_loop(scope)
        self._visit_target(node.target, node, loop)
        self._bind_element(node.target, node.iter, scope, loop)
        self.visit(node.body, node, loop)
        if node.orelse is not None:
            self.visit(node.orelse, node, scope)

    def _bind_element(self, target: cst.BaseExpression, source: cst.BaseExpression, outer: Scope, scope: Scope) -> None:
        item = self.collector.intern(Item(self.collector.evaluate(source, outer.table)))
        self._assign(target, item, scope)

    def _visit_with(self, node: cst.With, scope: Scope) -> None:
        how = How.ASYNC_WITH if node.asynchronous is not None else How.WITH
        inner = scope
        for item in node.items:
            self.view.parents[item] = node
            if cst.WithItem in self.checks:
                self._run_checks(item, inner)
            self.visit(item.item, item, inner)
            inner = self.locksets.acquire(item.item, item.item, how, inner, bounded=False)
            if item.asname is not None:
                entered = self.collector.intern(Entered(self.collector.evaluate(item.item, scope.table)))
                self._visit_target(item.asname.name, item, inner)
                self._assign(item.asname.name, entered, inner)
        self.visit(node.body, node, inner)
        body_after = self._suite_after(node.body, inner)
        kept = self.locksets.leave(body_after, inner.context, scope.context)
        self._set_after(node, scope, self._derive(scope, lockset=kept).context)

    def _visit_try(self, node: cst.Try | cst.TryStar, scope: Scope) -> None:
        body_scope = self._derive(scope, protected=True)
        self.visit(node.body, node, body_scope)
        ends = [] if ends_block(node.body) else [self._suite_after(node.body, body_scope)]
        if node.orelse is not None:
            start = ends[0] if ends else scope.context
            self.visit(node.orelse, node, Scope(scope.view, scope.table, scope.function, start))
            if ends:
                ends = [] if ends_block(node.orelse) else [self._suite_after(node.orelse, Scope(scope.view, scope.table, scope.function, start))]
        for handler in node.handlers:
            self._visit_handler(handler, node, scope, ends)
        lockset = self.locksets.intersect(ends) if ends else self.view.contexts[scope.context].lockset
        if node.finalbody is not None:
            final = self._derive(scope, lockset=lockset, finally_body=True)
            self.visit(node.finalbody, node, final)
            lockset = self.view.contexts[self._suite_after(node.finalbody, final)].lockset
        self._set_after(node, scope, self._derive(scope, lockset=lockset).context)

    def _visit_handler(
        self, handler: cst.ExceptHandler | cst.ExceptStarHandler, parent: cst.CSTNode, scope: Scope, ends: list[ContextId]
    ) -> None:
        self.view.parents[handler] = parent
        if type(handler) in self.checks:
            self._run_checks(handler, scope)
        branch = self._branch(scope)
        if handler.type is not None:
            self.visit(handler.type, handler, branch)
        self.visit(handler.body, handler, branch)
        if not ends_block(handler.body):
            ends.append(self._suite_after(handler.body, branch))

    def _visit_match(self, node: cst.Match, scope: Scope) -> None:
        self.visit(node.subject, node, scope)
        ends = [] if _is_catch_all(node.cases[-1]) else [scope.context]
        for case in node.cases:
            self.view.parents[case] = node
            branch = self._branch(scope)
            self.visit(case.pattern, case, branch)
            if case.guard is not None:
                self.visit(case.guard, case, branch)
            self.visit(case.body, case, branch)
            if not ends_block(case.body):
                ends.append(self._suite_after(case.body, branch))
        self._meet(node, scope, ends)

    def _visit_capture(
        self, node: cst.MatchAs | cst.MatchStar | cst.MatchMapping | cst.MatchKeywordElement, scope: Scope
    ) -> None:
        # The names in these patterns are bound, or those of attributes; none is used.
        for child in iter_children(node):
            if not isinstance(child, cst.Name):
                self.visit(child, node, scope)

    # Assignments

    def _visit_assign(self, node: cst.Assign, scope: Scope) -> None:
        reads = len(self.collector.accesses)
        self.visit(node.value, node, scope)
        value = self.collector.evaluate(node.value, scope.table)
        read = {access.target for access in self.collector.accesses[reads:]}
        for target in node.targets:
            self.view.parents[target] = node
            self._visit_target(target.target, target, scope)
            self._assign(target.target, value, scope, node.value, read)
        self._set_after(node, scope, self.locksets.apply_statement(node.value, scope, bounded=True))

    def _visit_annotated(self, node: cst.AnnAssign, scope: Scope) -> None:
        self._visit_target(node.target, node, scope)
        annotation = self.collector.annotation_value(node.annotation.annotation, scope.table)
        if node.value is not None:
            self.visit(node.value, node, scope)
            self._assign(node.target, self.collector.evaluate(node.value, scope.table), scope, node.value)
        if annotation is not None:
            # The annotation speaks where the value does not: `self.lock: Lock | None = None`.
            target = self._target_value(node.target, scope)
            if target is not None:
                self.collector.add_flow(target, annotation, node.target, scope.function, scope.context)

    def _visit_augmented(self, node: cst.AugAssign, scope: Scope) -> None:
        self.visit(node.value, node, scope)
        self._visit_target(node.target, node, scope)
        target = self._target_value(node.target, scope)
        if target is None:
            return
        if isinstance(node.target, cst.Name):
            scope.table.loads.add(node.target.value)
        self._add_access(target, AccessKind.UPDATE, node.target, scope)
        items = self.collector.intern(Item(self.collector.evaluate(node.value, scope.table)))
        self.collector.add_flow(self.collector.intern(Item(target)), items, node, scope.function, scope.context)

    def _visit_delete(self, node: cst.Del, scope: Scope) -> None:
        targets = [node.target]
        if isinstance(node.target, cst.Tuple | cst.List):
            targets = [element.value for element in node.target.elements]
        for target in targets:
            self._visit_target(target, node, scope)
            value = self._target_value(target, scope)
            if value is not None:
                self._add_access(value, AccessKind.DELETE, target, scope)

    def _visit_walrus(self, node: cst.NamedExpr, scope: Scope) -> None:
        self.visit(node.value, node, scope)
        self.view.parents[node.target] = node
        self._assign(node.target, self.collector.evaluate(node.value, scope.table), scope, node.value)

    def _visit_target(self, target: cst.BaseExpression, parent: cst.CSTNode, scope: Scope) -> None:
        """Traverse what an assignment target reads: `a.b` in `a.b.c = 1`, `k` in `d[k] = 1`."""
        self.view.parents[target] = parent
        if isinstance(target, cst.Attribute):
            self.visit(target.value, target, scope)
        elif isinstance(target, cst.Subscript):
            self.visit(target.value, target, scope)
            for element in target.slice:
                self.visit(element, target, scope)
        elif isinstance(target, cst.Tuple | cst.List):
            for element in target.elements:
                self.view.parents[element] = target
                self._visit_target(element.value, element, scope)
        elif isinstance(target, cst.StarredElement):
            self._visit_target(target.value, target, scope)

    def _assign(
        self,
        target: cst.BaseExpression,
        value: ValueId,
        scope: Scope,
        source: cst.BaseExpression | None = None,
        read: frozenset[ValueId] | set[ValueId] = frozenset(),
    ) -> None:
        if isinstance(target, cst.Tuple | cst.List):
            self._unpack(target, value, scope, source, read)
            return
        place = self._target_value(target, scope)
        if place is None:
            return
        self.collector.add_flow(place, value, target, scope.function, scope.context)
        if (key := _find_made_key(target)) is not None:
            made = self.collector.evaluate(key, scope.table)
            self.collector.add_flow(place, made, target, scope.function, scope.context)
        self._add_access(place, AccessKind.UPDATE if self._is_read(place, read) else AccessKind.WRITE, target, scope)

    def _is_read(self, place: ValueId, read: frozenset[ValueId] | set[ValueId]) -> bool:
        """Whether what is assigned depends on the place itself, or on the collection: `d[k] = d.get(k, 0) + 1`."""
        found = self.collector.values[place]
        return place in read or (isinstance(found, Item) and found.base in read)

    def _unpack(
        self,
        target: cst.Tuple | cst.List,
        value: ValueId,
        scope: Scope,
        source: cst.BaseExpression | None,
        read: frozenset[ValueId] | set[ValueId],
    ) -> None:
        parts: list[cst.BaseExpression] = []
        if isinstance(source, cst.Tuple | cst.List) and len(source.elements) == len(target.elements):
            parts = [element.value for element in source.elements if isinstance(element, cst.Element)]
        item = self.collector.intern(Item(value))
        for index, element in enumerate(target.elements):
            if isinstance(element, cst.StarredElement):
                self._assign(element.value, self.collector.new_collection("list", (item,)), scope)
            elif len(parts) == len(target.elements):
                part = self.collector.evaluate(parts[index], scope.table)
                self._assign(element.value, part, scope, parts[index], read)
            else:
                self._assign(element.value, item, scope)

    def _target_value(self, target: cst.BaseExpression, scope: Scope) -> ValueId | None:
        if isinstance(target, cst.Name):
            return self.collector.name_value(target.value, scope.table)
        if isinstance(target, cst.Attribute | cst.Subscript):
            return self.collector.evaluate(target, scope.table)
        return None

    # Accesses

    def _mark(self, node: cst.BaseExpression, kind: AccessKind) -> None:
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
            # `for k in self.d.items()` iterates over `self.d`.
            if not node.args and node.func.attr.value in ("items", "keys", "values"):
                self._mark(node.func.value, kind)
        else:
            self._kinds[node] = kind

    def _mark_checks(self, test: cst.BaseExpression) -> None:
        stack: list[cst.CSTNode] = [test]
        while stack:
            node = stack.pop()
            if isinstance(node, cst.Attribute | cst.Name):
                self._kinds[node] = AccessKind.CHECK
            elif not isinstance(node, cst.Call | cst.Lambda):
                stack.extend(iter_children(node))

    def _add_access(self, value: ValueId, kind: AccessKind, node: cst.CSTNode, scope: Scope) -> None:
        if self._is_shared(value, scope):
            self.collector.add_access(value, kind, node, scope.function, scope.context)

    def _is_shared(self, value: ValueId, scope: Scope) -> bool:
        """Whether others may see what is accessed: not the plain locals of this function."""
        found = self.collector.values[value]
        while isinstance(found, Item):
            found = self.collector.values[found.base]
        if isinstance(found, Local):
            return found.function != scope.table.symbol
        if isinstance(found, Name):
            return found.symbol.startswith(scope.table.module().symbol + ".")
        return isinstance(found, Attribute)

    def _visit_name(self, node: cst.Name, scope: Scope) -> None:
        owner = scope.table.find_owner(node.value)
        if owner is None:
            return
        owner.loads.add(node.value)
        if owner is scope.table and owner.is_function:
            return
        if all(binding.kind in (BindingKind.IMPORT, BindingKind.DEFINITION) for binding in owner.bindings[node.value]):
            return
        kind = self._kinds.pop(node, AccessKind.READ)
        self._add_access(self.collector.evaluate(node, scope.table), kind, node, scope)

    def _visit_attribute(self, node: cst.Attribute, scope: Scope) -> None:
        self.visit(node.value, node, scope)
        kind = self._kinds.pop(node, AccessKind.READ)
        self._add_access(self.collector.evaluate(node, scope.table), kind, node, scope)

    # Expressions

    def _visit_call(self, node: cst.Call, scope: Scope) -> None:
        self.visit(node.func, node, scope)
        for argument in node.args:
            self.view.parents[argument] = node
            self.visit(argument.value, argument, scope)
        self.collector.add_call(node, scope.table, scope.function, scope.context, self._find_use(node))

    def _find_use(self, node: cst.CSTNode) -> Use:
        parent = self.view.parents[node]
        if isinstance(parent, cst.Expr):
            return Use.DROPPED
        if isinstance(parent, cst.Await):
            return Use.AWAITED
        if isinstance(parent, cst.If | cst.While | cst.IfExp | cst.Assert) and parent.test is node:
            return Use.TESTED
        if isinstance(parent, cst.UnaryOperation) and isinstance(parent.operator, cst.Not):
            return Use.TESTED
        if isinstance(parent, cst.ListComp | cst.SetComp | cst.IfExp | cst.BooleanOperation):
            return Use.DROPPED if self._find_use(parent) is Use.DROPPED else Use.USED
        return Use.USED

    def _visit_lambda(self, node: cst.Lambda, scope: Scope) -> None:
        span = self.view.source.span(node)
        symbol = nested_symbol(scope.table, f"<lambda:{span.line}:{span.column}>")
        table = NameTable(cst.Lambda, symbol, scope.table, node)
        bind_parameters(node.params, table)
        self._visit_defaults(node.params, scope)
        inner = self._open_function(table, scope)
        self.visit(node.body, node, inner)
        value = self.collector.evaluate(node.body, table)
        parameters = self.collector.build_parameters(node.params, table, scope.table)
        self.collector.functions[inner.function] = Function(
            symbol,
            "<lambda>",
            span,
            parent=scope.function,
            parameters=parameters,
            returns=(value,),
            cost=estimate_cost(node, inner),
            context=scope.context,
        )
        self.collector.define(node, self.collector.intern(Name(symbol)))

    def _visit_comprehension(
        self, node: cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp | cst.StarredDictComp, scope: Scope
    ) -> None:
        inner = scope
        for_in: cst.CompFor | None = node.for_in
        parent: cst.CSTNode = node
        while for_in is not None:
            self.view.parents[for_in] = parent
            if cst.CompFor in self.checks:
                self._run_checks(for_in, inner)
            self._mark(for_in.iter, AccessKind.ITERATE)
            self.visit(for_in.iter, for_in, inner)
            outer, inner = inner, self._enter_loop(inner)
            self._bind_comprehension(for_in, outer, inner)
            for test in for_in.ifs:
                self.visit(test, for_in, inner)
                inner = self._branch(inner)
            parent, for_in = for_in, for_in.inner_for_in
        element = node.value if isinstance(node, cst.DictComp | cst.StarredDictComp) else node.elt
        if isinstance(node, cst.DictComp):
            self.visit(node.key, node, inner)
        self.visit(element, node, inner)
        kind = _COMPREHENSIONS[type(node)]
        if isinstance(element, cst.StarredElement):
            value = self.collector.intern(Item(self.collector.evaluate(element.value, scope.table)))
        else:
            value = self.collector.evaluate(element, scope.table)
        if isinstance(node, cst.StarredDictComp):
            value = self.collector.intern(Item(value))
        keys: tuple[ValueId, ...] = ()
        if isinstance(node, cst.DictComp) and isinstance(node.key, cst.Call):
            keys = (self.collector.evaluate(node.key, scope.table),)
        self.collector.define(node, self.collector.new_collection(kind, (value, *keys)))

    def _bind_comprehension(self, for_in: cst.CompFor, outer: Scope, inner: Scope) -> None:
        # The variables are kept in the table of the function around: a name used for both is joined.
        targets: list[cst.BaseExpression] = [for_in.target]
        for target in targets:
            if isinstance(target, cst.Tuple | cst.List):
                targets.extend(element.value for element in target.elements)
            elif isinstance(target, cst.Name):
                inner.table.bind(target.value, Binding(BindingKind.ELEMENT, node=for_in.iter))
                inner.table.loads.add(target.value)
        self._visit_target(for_in.target, for_in, inner)
        self._bind_element(for_in.target, for_in.iter, outer, inner)

    def _visit_yield(self, node: cst.Yield, scope: Scope) -> None:
        self._generators.add(scope.function)
        value = self.collector.unknown
        if node.value is not None:
            self.visit(node.value, node, scope)
            inner = node.value.item if isinstance(node.value, cst.From) else node.value
            value = self.collector.evaluate(inner, scope.table)
            if isinstance(node.value, cst.From):
                value = self.collector.intern(Item(value))
        span = self.view.source.span(node)
        self.collector.yields.append(Yield(scope.function, value, span, scope.context))

    def _visit_return(self, node: cst.Return, scope: Scope) -> None:
        if node.value is None:
            return
        self.visit(node.value, node, scope)
        value = self.collector.evaluate(node.value, scope.table)
        if self.collector.values[value] != Constant(None):
            self._returns.setdefault(scope.function, []).append(value)

    # Definitions

    def _open_function(self, table: NameTable, scope: Scope) -> Scope:
        function = len(self.collector.functions)
        self.collector.functions.append(_PLACEHOLDER)
        return Scope(self.view, table, function, 0)

    def _visit_defaults(self, parameters: cst.Parameters, scope: Scope) -> None:
        self.view.parents[parameters] = parameters
        for child in iter_children(parameters):
            default = getattr(child, "default", None)
            self.view.parents[child] = parameters
            if default is not None:
                self.visit(default, child, scope)

    def _visit_function(self, node: cst.FunctionDef, scope: Scope) -> None:
        for decorator in node.decorators:
            self.view.parents[decorator] = node
            self.visit(decorator.decorator, decorator, scope)
        self._visit_defaults(node.params, scope)
        self.view.parents[node.params] = node
        table = scope.table.tables[node]
        inner = self._open_function(table, scope)
        self.visit(node.body, node, inner)
        self.locksets.after.pop(node.body, None)
        self.collector.functions[inner.function] = self._build_function(node, table, inner.function, scope)

    def _build_function(self, node: cst.FunctionDef, table: NameTable, function: int, scope: Scope) -> Function:
        suffix = next((f".{name}" for name in ("setter", "deleter") if has_decorator(node, name)), "")
        outer = scope.table
        returns = node.returns.annotation if node.returns is not None else None
        unread = (
            name
            for name, bindings in table.bindings.items()
            if name not in table.loads and any(_is_assigned(binding) for binding in bindings)
        )
        return Function(
            symbol=table.symbol + suffix,
            name=node.name.value,
            span=self.view.source.span(node.name),
            owner=outer.symbol if outer.kind is cst.ClassDef else "",
            parent=scope.function,
            is_async=node.asynchronous is not None,
            is_generator=function in self._generators,
            is_stub=_is_stub(node),
            parameters=self.collector.build_parameters(node.params, table, outer),
            decorators=tuple(self.collector.evaluate(item.decorator, outer) for item in node.decorators),
            returns=tuple(dict.fromkeys(self._returns.get(function, ()))),
            returns_annotation=self.collector.annotation_value(returns, outer),
            unread=tuple(sorted(unread)),
            cost=estimate_cost(node, Scope(self.view, table, function, 0)),
            context=scope.context,
        )

    def _visit_class(self, node: cst.ClassDef, scope: Scope) -> None:
        for decorator in node.decorators:
            self.view.parents[decorator] = node
            self.visit(decorator.decorator, decorator, scope)
        for argument in (*node.bases, *node.keywords):
            self.view.parents[argument] = node
            self.visit(argument.value, argument, scope)
        table = scope.table.tables[node]
        self.collector.classes.append(
            Class(
                table.symbol,
                node.name.value,
                self.view.source.span(node.name),
                tuple(self.collector.evaluate(base, scope.table) for base in table.bases),
                tuple(self.collector.evaluate(item.decorator, scope.table) for item in node.decorators),
                scope.function,
            )
        )
        self.visit(node.body, node, Scope(self.view, table, scope.function, scope.context))
        self.locksets.after.pop(node.body, None)


_Handler = Callable[[Traversal, Any, Scope], None]


def _ignore(traversal: Traversal, node: cst.CSTNode, scope: Scope) -> None:
    """Names in imports and declarations are no uses."""


_HANDLERS: dict[type[cst.CSTNode], _Handler] = {
    cst.SimpleStatementLine: Traversal._visit_suite,
    cst.SimpleStatementSuite: Traversal._visit_suite,
    cst.IndentedBlock: Traversal._visit_suite,
    cst.Expr: Traversal._visit_simple,
    cst.If: Traversal._visit_if,
    cst.Else: Traversal._visit_else,
    cst.Finally: Traversal._visit_else,
    cst.While: Traversal._visit_while,
    cst.For: Traversal._visit_for,
    cst.With: Traversal._visit_with,
    cst.Try: Traversal._visit_try,
    cst.TryStar: Traversal._visit_try,
    cst.Match: Traversal._visit_match,
    cst.MatchAs: Traversal._visit_capture,
    cst.MatchStar: Traversal._visit_capture,
    cst.MatchMapping: Traversal._visit_capture,
    cst.MatchKeywordElement: Traversal._visit_capture,
    cst.Assert: Traversal._visit_assert,
    cst.Assign: Traversal._visit_assign,
    cst.AnnAssign: Traversal._visit_annotated,
    cst.AugAssign: Traversal._visit_augmented,
    cst.Del: Traversal._visit_delete,
    cst.NamedExpr: Traversal._visit_walrus,
    cst.Name: Traversal._visit_name,
    cst.Attribute: Traversal._visit_attribute,
    cst.Call: Traversal._visit_call,
    cst.Lambda: Traversal._visit_lambda,
    cst.ListComp: Traversal._visit_comprehension,
    cst.SetComp: Traversal._visit_comprehension,
    cst.GeneratorExp: Traversal._visit_comprehension,
    cst.DictComp: Traversal._visit_comprehension,
    cst.StarredDictComp: Traversal._visit_comprehension,
    cst.Yield: Traversal._visit_yield,
    cst.Return: Traversal._visit_return,
    cst.FunctionDef: Traversal._visit_function,
    cst.ClassDef: Traversal._visit_class,
    cst.Import: _ignore,
    cst.ImportFrom: _ignore,
    cst.LazyImport: _ignore,
    cst.LazyImportFrom: _ignore,
    cst.Global: _ignore,
    cst.Nonlocal: _ignore,
    cst.TypeAlias: _ignore,
    cst.SimpleString: _ignore,
    cst.Integer: _ignore,
    cst.Float: _ignore,
}

_COMPREHENSIONS = {
    cst.ListComp: "list",
    cst.SetComp: "set",
    cst.GeneratorExp: "generator",
    cst.DictComp: "dict",
    cst.StarredDictComp: "dict",
}


def _is_assigned(binding: Binding) -> bool:
    annotated = binding.kind is BindingKind.ANNOTATION and binding.node is not None
    return annotated or binding.kind is BindingKind.VALUE


def _find_made_key(target: cst.BaseExpression) -> cst.Call | None:
    """Return a key that is made on the spot, and so is an element too: `urls[executor.submit(fetch, url)] = url`."""
    if not isinstance(target, cst.Subscript) or len(target.slice) != 1:
        return None
    index = target.slice[0].slice
    return index.value if isinstance(index, cst.Index) and isinstance(index.value, cst.Call) else None


def _is_main_guard(test: cst.BaseExpression) -> bool:
    if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1:
        return False
    right = test.comparisons[0].comparator
    pair = (test.left, right) if isinstance(test.left, cst.Name) else (right, test.left)
    name, text = pair
    named = isinstance(name, cst.Name) and name.value == "__name__"
    return named and isinstance(text, cst.SimpleString) and text.evaluated_value == "__main__"


def _is_catch_all(case: cst.MatchCase) -> bool:
    pattern = case.pattern
    return case.guard is None and isinstance(pattern, cst.MatchAs) and pattern.pattern is None


def _is_stub(node: cst.FunctionDef) -> bool:
    if isinstance(node.body, cst.SimpleStatementSuite):
        return all(_does_nothing(statement) for statement in node.body.body)
    lines = node.body.body
    return all(isinstance(line, cst.SimpleStatementLine) and all(map(_does_nothing, line.body)) for line in lines)


def _does_nothing(statement: cst.CSTNode) -> bool:
    if isinstance(statement, cst.Raise):
        raised = statement.exc.func if isinstance(statement.exc, cst.Call) else statement.exc
        return isinstance(raised, cst.Name) and raised.value == "NotImplementedError"
    if isinstance(statement, cst.Expr):
        return isinstance(statement.value, cst.SimpleString | cst.ConcatenatedString | cst.Ellipsis)
    return isinstance(statement, cst.Pass)
