"""One file, as those who fix alarms see it: nodes by place, what they mean, and edits of the text around them.

An edit touches nothing but what it must: comments, quotes and layout stay as they are written.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import libcst as cst

from conclint.analysis.fields import iter_nodes
from conclint.analysis.imports import Imports
from conclint.analysis.names import NameTable, build_tables
from conclint.analysis.scope import Scope, View
from conclint.analysis.types import Types
from conclint.model.fix import Edit
from conclint.model.span import NEWLINE, Span
from conclint.source import Source

Node = TypeVar("Node", bound=cst.CSTNode)
Definition = cst.FunctionDef | cst.Lambda
Statement = cst.SimpleStatementLine | cst.BaseCompoundStatement


@dataclass(frozen=True, slots=True)
class Reference:
    """How something of a library is written at some place, and the import that this needs, if there is none."""

    text: str
    edits: tuple[Edit, ...]


class Editor:
    """Finds nodes by their place, and makes edits around them."""

    def __init__(self, source: Source, *, default_timeout: str = "10") -> None:
        """Take a parsed file; `default_timeout` is what new timeouts shall be, in seconds."""
        self.source, self.default_timeout = source, default_timeout
        has_walrus = ":=" in source.text
        self._table = build_tables(source.tree, source.module, is_package=source.is_package, has_walrus=has_walrus)
        self._view = View(source, Types(self._table), dict(self._iter_parents()), [], [], [])

    def _iter_parents(self) -> Iterator[tuple[cst.CSTNode, cst.CSTNode]]:
        for parent in iter_nodes(self.source.tree):
            for child in parent.children:
                yield child, parent

    # Nodes

    def find(self, span: Span, kind: type[Node] | tuple[type[Node], ...]) -> Node | None:
        """Return the outermost node of that kind that stands exactly there."""
        start, end = self.offset(span.line, span.column), self.offset(span.end_line, span.end_column)
        found = (node for node in self._by_offsets.get((start, end), ()) if isinstance(node, kind))
        return next(found, None)

    @cached_property
    def _by_offsets(self) -> dict[tuple[int, int], list[cst.CSTNode]]:
        found: dict[tuple[int, int], list[cst.CSTNode]] = {}
        for node in iter_nodes(self.source.tree):
            if node in self.source.offsets:
                found.setdefault(self.source.offsets[node], []).append(node)
        return found

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """Return the node directly around."""
        return self._view.parents.get(node)

    def iter_around(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """Yield the nodes around, the nearest first."""
        around = self.parent(node)
        while around is not None:
            yield around
            around = self.parent(around)

    def around(self, node: cst.CSTNode, kind: type[Node] | tuple[type[Node], ...]) -> Node | None:
        """Return the nearest node of that kind around."""
        return next((found for found in self.iter_around(node) if isinstance(found, kind)), None)

    def function(self, node: cst.CSTNode) -> Definition | None:
        """Return the function, method or lambda in whose body the node stands."""
        inner = node
        for found in self.iter_around(node):
            if isinstance(found, Definition) and inner is found.body:
                return found
            inner = found
        return None

    def may_await(self, node: cst.CSTNode) -> bool:
        """Return whether `await` may stand in the place of the node."""
        function = self.function(node)
        if not isinstance(function, cst.FunctionDef) or function.asynchronous is None:
            return False
        return all(not isinstance(found, cst.BaseComp | cst.ClassDef) for found in self._iter_up_to(node, function))

    def _iter_up_to(self, node: cst.CSTNode, end: cst.CSTNode) -> Iterator[cst.CSTNode]:
        for found in self.iter_around(node):
            if found is end:
                return
            yield found

    def is_changed_in(self, block: cst.CSTNode, name: str) -> bool:
        """Return whether a block assigns to what is written as `name`, or to an element of it."""
        targets = (node.target for node in iter_nodes(block) if isinstance(node, cst.AssignTarget | cst.AnnAssign))
        codes = (self.code(target.value if isinstance(target, cst.Subscript) else target) for target in targets)
        return name in codes

    def is_read_in(self, node: cst.CSTNode, name: str) -> bool:
        """Return whether what is written as `name` stands somewhere below a node."""
        parts = (part for part in iter_nodes(node) if isinstance(part, cst.Name | cst.Attribute))
        return any(self.code(part) == name for part in parts)

    def line_of(self, node: cst.CSTNode) -> cst.SimpleStatementLine | None:
        """Return the line around a small statement, or around an expression in one, if it holds nothing else."""
        line = self.around(node, cst.SimpleStatementLine)
        return line if line is not None and len(line.body) == 1 else None

    # Meaning

    def scope(self, node: cst.CSTNode) -> Scope:
        """Return what names, types and classes are at the place of the node; its locks are not known."""
        return Scope(self._view, self._find_table(node), 0, 0)

    def _find_table(self, node: cst.CSTNode) -> NameTable:
        ways = [node, *self.iter_around(node)]
        table = self._table
        for inner, found in zip(reversed(ways[:-1]), reversed(ways), strict=False):
            # Defaults and decorators belong to the place of the definition.
            if isinstance(found, cst.FunctionDef | cst.ClassDef) and inner is found.body and found in table.tables:
                table = table.tables[found]
        return table

    def is_free(self, name: str) -> bool:
        """Return whether nothing in the file is called so."""
        return re.search(rf"\b{name}\b", self.source.text) is None

    def is_unbound(self, name: str, node: cst.CSTNode) -> bool:
        """Return whether the name means nothing at the place of the node."""
        return self._find_table(node).find_owner(name) is None

    def is_global(self, name: str, node: cst.CSTNode) -> bool:
        """Return whether the name means a variable of the module at the place of the node."""
        return self._find_table(node).find_owner(name) is self._table

    def refer(self, symbol: str, node: cst.CSTNode) -> Reference | None:
        """Return how `asyncio.to_thread` is written at the place of the node; None where the names are taken.

        An import that is there is used, under the name that it gives; else one is added.
        """
        scope = self.scope(node)
        visible = Imports(self.source.tree, self._view.parents, self.source.module).iter_visible(node)
        for name, found in sorted(visible, key=lambda one: one[1] != symbol):
            is_meant = symbol == found or symbol.startswith(f"{found}.")
            if is_meant and scope.resolve(cst.Name(name)) == found:
                return Reference(name + symbol[len(found) :], ())
        module = symbol.partition(".")[0]
        if scope.table.find_owner(module) is not None:
            return None
        imported = symbol.rpartition(".")[0]
        return Reference(symbol, (self._add_import(imported),))

    def is_ambiguous(self, name: str) -> bool:
        """Return whether the file imports different things under one name, as where one is a substitute."""
        imports = Imports(self.source.tree, self._view.parents, self.source.module)
        return len({found for one, found in imports.iter_all() if one == name}) > 1

    def _add_import(self, module: str) -> Edit:
        """Return the edit that adds `import module`: to the first group, after the docstring and `__future__`."""
        body = self.source.tree.body
        place = 0
        for number, line in enumerate(body):
            part = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
            is_future = isinstance(part, cst.ImportFrom) and self.code(part).startswith("from __future__")
            if isinstance(part, cst.Import | cst.ImportFrom) and not is_future:
                return self.insert(self._find_place_among(list(self._iter_group(number)), module), f"import {module}\n")
            if not is_future and not (number == 0 and isinstance(part, cst.Expr) and _is_string(part.value)):
                break
            place = self.end_of_line(line)
        if place or not body:
            return self.insert(place, f"\nimport {module}\n")
        gap = "\n\n" if isinstance(body[0], cst.FunctionDef | cst.ClassDef) else "\n"
        return self.insert(self.start_of_line(body[0]), f"import {module}\n{gap}")

    def _iter_group(self, number: int) -> Iterator[cst.SimpleStatementLine]:
        """Yield the imports that follow each other from a statement of the module on, up to an empty line."""
        body = self.source.tree.body
        for index, line in enumerate(body[number:]):
            part = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
            is_apart = index > 0 and any(above.comment is None for above in getattr(line, "leading_lines", ()))
            if is_apart or not isinstance(part, cst.Import | cst.ImportFrom):
                return
            assert isinstance(line, cst.SimpleStatementLine)
            yield line

    def _find_place_among(self, group: Sequence[cst.SimpleStatementLine], module: str) -> int:
        """Return where `import module` goes in a group: in alphabetical order, before what begins with `from`."""
        place = self.start_of_line(group[0])
        for line in group:
            part = line.body[0]
            if isinstance(part, cst.Import) and self.code(part.names[0].name).lower() < module:
                place = self.end_of_line(line)
        return place

    # Text

    def code(self, node: cst.CSTNode) -> str:
        """Return the text of the node, with its parentheses, exactly as it is written."""
        start, end = self.outer(node)
        return self.source.text[start:end]

    def outer(self, node: cst.CSTNode) -> tuple[int, int]:
        """Return where the node begins and ends, with the parentheses around an expression."""
        start, end = self.source.offsets[node]
        if isinstance(node, cst.BaseExpression) and node.lpar:
            start, end = self.source.offsets[node.lpar[0]][0], self.source.offsets[node.rpar[-1]][1]
        return start, end

    def start_of_line(self, node: cst.CSTNode, *, with_comments: bool = False) -> int:
        """Return where the line begins in which a statement begins; or the comments above that belong to it."""
        starts = self.source.line_starts
        line = bisect.bisect_right(starts, self.source.offsets[node][0])
        above = len(getattr(node, "leading_lines", ())) if with_comments else 0
        return starts[line - 1 - above]

    def end_of_line(self, node: cst.CSTNode) -> int:
        """Return where the line after the one begins in which a statement ends; the end of the text after the last."""
        return self._end_of_line_at(self.source.offsets[node][1])

    def _end_of_line_at(self, place: int) -> int:
        starts = self.source.line_starts
        line = bisect.bisect_right(starts, place)
        return starts[line] if line < len(starts) else len(self.source.text)

    def lines(self, node: cst.CSTNode) -> tuple[int, int]:
        """Return the number of the first line of a node, and of the one after its last."""
        start, end = self.source.offsets[node]
        starts = self.source.line_starts
        return bisect.bisect_right(starts, start), bisect.bisect_right(starts, end) + 1

    def line_at(self, place: int) -> tuple[int, int]:
        """Return where the line around an offset begins, and where the next one does."""
        starts = self.source.line_starts
        return starts[bisect.bisect_right(starts, place) - 1], self._end_of_line_at(place)

    def indent(self, node: cst.CSTNode) -> str | None:
        """Return the whitespace before a statement; None where something else stands before it."""
        before = self.source.text[self.start_of_line(node) : self.source.offsets[node][0]]
        return before if not before.strip() else None

    def open_bracket(self, call: cst.Call) -> int:
        """Return where the `(` of a call stands."""
        return self.source.text.index("(", self.outer(call.func)[1])

    # Edits

    def edit(self, start: int, end: int, content: str) -> Edit:
        """Return the edit that replaces the text between two offsets; lines of `content` end in a newline."""
        starts = self.source.line_starts
        line, end_line = bisect.bisect_right(starts, start), bisect.bisect_right(starts, end)
        span = Span(line, start - starts[line - 1] + 1, end_line, end - starts[end_line - 1] + 1)
        return Edit(self.source.path, span, NEWLINE.sub(self.source.tree.default_newline, content))

    def insert(self, place: int, content: str) -> Edit:
        """Return the edit that inserts text at an offset; a new line at the end of a text that lacks its newline."""
        text = self.source.text
        is_after_end = place == len(text) and content.endswith("\n") and text and not text.endswith(("\n", "\r"))
        return self.edit(place, place, f"\n{content[:-1]}" if is_after_end else content)

    def replace(self, node: cst.CSTNode, content: str) -> Edit:
        """Return the edit that replaces a node, with the parentheses around it."""
        return self.edit(*self.outer(node), content)

    def insert_before(self, node: cst.CSTNode, content: str) -> Edit:
        """Return the edit that inserts text right before a node and its parentheses."""
        return self.insert(self.outer(node)[0], content)

    def insert_after(self, node: cst.CSTNode, content: str) -> Edit:
        """Return the edit that inserts text right after a node and its parentheses."""
        return self.insert(self.outer(node)[1], content)

    def add_argument(self, call: cst.Call, argument: str) -> Edit | None:
        """Return the edit that adds an argument at the end of a call, laid out as the others are."""
        if not call.args:
            return self.insert(self.open_bracket(call) + 1, argument)
        last = call.args[-1]
        if isinstance(last.value, cst.GeneratorExp) and len(call.args) == 1 and not last.value.lpar:
            return None
        start, end = self.source.offsets[last][0], self.outer(last.value)[1]
        before = self.source.text[self.start_of_line(last) : start]
        is_on_own_line = not before.strip() and start > self.open_bracket(call)
        return self.insert(end, f",\n{before}{argument}" if is_on_own_line else f", {argument}")

    def call_with(self, call: cst.Call, function: str) -> tuple[Edit, Edit]:
        """Return the edits that turn `f(x, y)` into `function(f, x, y)`."""
        place = self.open_bracket(call)
        gap = ""
        if call.args:
            gap = "," if self.source.text[place + 1 : place + 2].isspace() else ", "
        return self.insert_before(call.func, f"{function}("), self.edit(place, place + 1, gap)

    def remove_argument(self, call: cst.Call, argument: cst.Arg) -> Edit:
        """Return the edit that takes an argument out of a call, with its line if it has one of its own."""
        text, number = self.source.text, list(call.args).index(argument)
        start, end = self.source.offsets[argument][0], self.outer(argument.value)[1]
        if isinstance(argument.comma, cst.Comma):
            end = text.index(",", end) + 1
        line, next_line = self.start_of_line(argument), self._end_of_line_at(end)
        rest = text[end:next_line].strip()
        if line > self.open_bracket(call) and not text[line:start].strip() and (not rest or rest.startswith("#")):
            return self.edit(line, next_line, "")
        if number + 1 < len(call.args):
            after = self.source.offsets[call.args[number + 1]][0]
            return self.edit(start, after if not text[end:after].strip(" ") else end, "")
        before = self.outer(call.args[number - 1].value)[1] if number else start
        if number == 0 or "#" in text[before:start]:
            return self.edit(start, end, "")
        # A comma at the end of the call stays, behind what is then the last one.
        return self.edit(before, self.outer(argument.value)[1], "")

    def offset(self, line: int, column: int) -> int:
        """Return the offset of a place, both counted from 1; -1 behind the last line."""
        starts = self.source.line_starts
        return starts[line - 1] + column - 1 if line <= len(starts) else -1


def _is_string(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.SimpleString | cst.ConcatenatedString)
