"""Declarations: what the author says of state, functions and classes, in comments and in `Annotated` types."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from conclint.analysis.fields import iter_nodes
from conclint.analysis.names import dotted_name
from conclint.comments import Comment, read_lines
from conclint.model.ids import FunctionId
from conclint.model.observations import Declaration, DeclarationKind
from conclint.model.span import Span
from conclint.model.values import Name, ValueId

if TYPE_CHECKING:
    from conclint.analysis.scope import Scope
    from conclint.analysis.traverse import Traversal

_CANDIDATE = re.compile(r"#[^\n]*(?:guarded-by|requires-lock)[ \t]*:|#[ \t]*(?:thread-safe|single-threaded)")
_LOCK = re.compile(r"\b(?P<kind>guarded-by|requires-lock)[ \t]*:[ \t]*(?P<lock>\w+(?:\.\w+)*)?")
_TRUST = re.compile(r"#[ \t]*(?P<kind>thread-safe|single-threaded)[ \t]*(?:$|[:;,.(\[#-])")
"""The whole comment, or what a reason or another comment follows: `# thread-safe version of x` promises nothing."""
_ANNOTATION = "GuardedBy"

Remarks = dict[int, list["Remark"]]
"""What comments say, by the first line of the statement that they speak of."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment that declares something; `lock` is "" where it names none."""

    kind: DeclarationKind
    lock: str
    span: Span


def find_remarks(text: str) -> Remarks:
    """Return the remarks of a file: those in a statement's own lines, and those on the lines just above it."""
    found: Remarks = {}
    if not _CANDIDATE.search(text):
        return found
    waiting: list[Remark] = []
    for line in read_lines(text):
        here = [remark for comment in line.comments for remark in _parse(comment)]
        if line.statement and not line.decorator:
            found.setdefault(line.first, []).extend((*waiting, *here))
            waiting = []
        elif line.statement or line.comments:
            waiting += here
        else:
            # An empty line ends what stands above a statement; these speak of nothing.
            found.setdefault(0, []).extend(waiting)
            waiting = []
    found.setdefault(0, []).extend(waiting)
    return {first: remarks for first, remarks in found.items() if remarks}


def _parse(comment: Comment) -> Iterator[Remark]:
    match = _LOCK.search(comment.text) or _TRUST.match(comment.text)
    if match is not None:
        first, last = match.span()
        span = Span(comment.line, comment.column + first + 1, comment.line, comment.column + last + 1)
        yield Remark(DeclarationKind(match["kind"]), match.groupdict().get("lock") or "", span)


def declare_state(
    walk: Traversal, node: cst.Assign | cst.AnnAssign, targets: list[cst.BaseExpression], scope: Scope
) -> None:
    """Note what is said of the state that a statement assigns."""
    if not walk.remarks and not walk.has_annotations:
        return
    subjects = [walk.collector.evaluate(name, scope.table) for target in targets for name in _iter_names(target)]
    for remark in walk.remarks.get(walk.view.source.span(node).line, ()):
        if remark.kind is not DeclarationKind.REQUIRES_LOCK:
            walk.declared.add(remark)
            _add(walk, remark, subjects, scope.function)
    if isinstance(node, cst.AnnAssign) and walk.has_annotations:
        for remark in _iter_annotated(node.annotation.annotation, scope):
            _add(walk, remark, subjects, scope.function)


def _iter_names(target: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """Yield what an assignment sets: both names of `self.hits, self.misses = 0, 0`."""
    if isinstance(target, cst.Tuple | cst.List):
        for element in target.elements:
            yield from _iter_names(element.value)
    else:
        yield target


def declare_definition(
    walk: Traversal, node: cst.FunctionDef | cst.ClassDef, symbol: str, function: FunctionId
) -> None:
    """Note what is said of a function or class."""
    if not walk.remarks:
        return
    # The statement begins with its decorators, the logical line of `def` does not.
    for remark in walk.remarks.get(walk.view.source.span(node.name).line, ()):
        needs_function = remark.kind is DeclarationKind.REQUIRES_LOCK
        if remark.kind is not DeclarationKind.GUARDED_BY and (not needs_function or isinstance(node, cst.FunctionDef)):
            walk.declared.add(remark)
            _add(walk, remark, [walk.collector.intern(Name(symbol))], function)


def declare_nothing(walk: Traversal) -> None:
    """Note the remarks that stand where nothing can be declared."""
    for remark in (one for remarks in walk.remarks.values() for one in remarks if one not in walk.declared):
        if remark.kind in (DeclarationKind.GUARDED_BY, DeclarationKind.REQUIRES_LOCK):
            _add(walk, remark, [None], 0)


def _add(walk: Traversal, remark: Remark, subjects: Iterable[ValueId | None], function: FunctionId) -> None:
    walk.collector.declarations.extend(
        Declaration(remark.kind, function, subject, remark.lock, remark.span) for subject in subjects
    )


def has_annotations(text: str) -> bool:
    """Return whether a file may hold `Annotated[T, GuardedBy("_lock")]`."""
    return _ANNOTATION in text


def _iter_annotated(node: cst.BaseExpression, scope: Scope) -> Iterator[Remark]:
    if isinstance(node, cst.SimpleString | cst.ConcatenatedString):
        parsed = _parse_text(node)
        if parsed is not None:
            # The parts of an annotation in quotes have no place of their own.
            yield from (Remark(one.kind, one.lock, scope.span(node)) for one in _iter_marks(parsed, None))
    else:
        yield from _iter_marks(node, scope)


def _iter_marks(node: cst.BaseExpression, scope: Scope | None) -> Iterator[Remark]:
    for part in iter_nodes(node):
        if isinstance(part, cst.Call) and (dotted_name(part.func) or "").rpartition(".")[2] == _ANNOTATION:
            lock = _find_lock_name(part)
            span = scope.span(part) if scope is not None else Span(0, 0, 0, 0)
            yield Remark(DeclarationKind.GUARDED_BY, lock, span)


def _find_lock_name(node: cst.Call) -> str:
    """Return the name given as a string, or written as it is: `GuardedBy(_lock)`."""
    if not node.args:
        return ""
    given = node.args[0].value
    if isinstance(given, cst.SimpleString):
        value = given.evaluated_value
        return value if isinstance(value, str) else ""
    return dotted_name(given) or ""


def _parse_text(node: cst.SimpleString | cst.ConcatenatedString) -> cst.BaseExpression | None:
    text = node.evaluated_value
    try:
        return cst.parse_expression(text) if isinstance(text, str) else None
    except cst.ParserSyntaxError:
        return None
