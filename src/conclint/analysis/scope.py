"""What a rule may ask about the place of a node: a frozen `Scope`, handed down by the traversal."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from conclint import catalog
from conclint.analysis.names import NameTable
from conclint.analysis.presence import is_present
from conclint.analysis.types import Types
from conclint.catalog.rows import LOCK_KINDS, ClassRow, Domain, Kind
from conclint.model.alarm import Alarm, Related
from conclint.model.facts import Acquisition, Context
from conclint.model.span import Span
from conclint.source import Comments, Source


@dataclass(frozen=True, slots=True)
class Held:
    """A lock held here on every way (must): how it is written, where it is acquired, and what it is."""

    name: str
    span: Span
    kind: Kind
    domain: Domain


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One module under analysis, as the scopes of all its places see it."""

    source: Source
    types: Types
    parents: dict[cst.CSTNode, cst.CSTNode]
    contexts: list[Context]
    acquisitions: list[Acquisition]
    acquired: list[tuple[cst.BaseExpression, NameTable]]
    """The expression entered or acquired by the acquisition of the same index, and the table of its place."""


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """The surroundings of one node: names, types, function, lockset."""

    view: View
    table: NameTable
    function: int
    context: int

    @property
    def lockset(self) -> tuple[Held, ...]:
        """The locks held here on every way (must), whose class is known, outermost first."""
        held = (self.find_lock(index) for index in self.view.contexts[self.context].lockset)
        return tuple(lock for lock in held if lock is not None)

    @property
    def surroundings(self) -> Context:
        """The loops, branches and guards around."""
        return self.view.contexts[self.context]

    def find_lock(self, acquisition: int) -> Held | None:
        """Return the lock that an acquisition takes, None where it is no lock or not known to be one."""
        node, table = self.view.acquired[acquisition]
        row = self.class_of(node, table)
        if row is None or row.kind not in LOCK_KINDS:
            return None
        return Held(self.code(node), self.view.acquisitions[acquisition].span, row.kind, row.domain)

    def resolve(self, node: cst.CSTNode) -> str | None:
        """Return the qualified name of the module, class or function that `node` refers to, or None."""
        return self.view.types.resolve(node, self.table)

    def type_of(self, node: cst.CSTNode) -> str | None:
        """Return the qualified name of the class of the value of `node`, or None."""
        return self.view.types.type_of(node, self.table)

    def class_of(self, node: cst.CSTNode, table: NameTable | None = None) -> ClassRow | None:
        """Return the catalog's class of the value of `node`; of a project's subclass, its base in the catalog."""
        symbol = self.view.types.type_of(node, table or self.table)
        if symbol is None:
            return None
        rows = (catalog.find_class(ancestor) for ancestor in self.view.types.iter_ancestors(symbol))
        return next((row for row in rows if row is not None), None)

    def is_present(self, node: cst.BaseExpression) -> bool:
        """Return whether the value of `node` is certainly an object that this module makes or annotates, never None."""
        return is_present(self.view.types, node, self.table)

    def code(self, node: cst.CSTNode) -> str:
        """Return the source text of `node`, on one line."""
        start, end = self.view.source.place(node)
        return " ".join(self.view.source.text[start:end].split())

    def has_parentheses(self, node: cst.BaseExpression) -> bool:
        """Return whether `node` stands in parentheses; those of a call count for its only argument."""
        return self.view.source.has_parentheses(node)

    def find_comments(self, node: cst.CSTNode) -> Comments:
        """Return where comments stand around a statement or suite."""
        return self.view.source.find_comments(node)

    def span(self, node: cst.CSTNode) -> Span:
        """Return where `node` stands."""
        return self.view.source.span(node)

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """Return the syntax node directly around `node`."""
        return self.view.parents.get(node)

    def alarm(self, node: cst.CSTNode, message: str, *related: Related, help: str = "") -> Alarm:
        """Return an alarm at `node`; the traversal adds the code of the rule."""
        return Alarm(self.view.source.path, self.span(node), "", message, related, help)

    def related(self, node: cst.CSTNode | Span, message: str) -> Related:
        """Return another end of an alarm in this file."""
        span = node if isinstance(node, Span) else self.span(node)
        return Related(self.view.source.path, span, message)
