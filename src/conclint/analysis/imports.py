"""Which imports of a module have certainly been made when a place of it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import libcst as cst

from conclint.analysis.fields import iter_nodes
from conclint.analysis.names import absolute_module, dotted_name


@dataclass(frozen=True, slots=True)
class Imports:
    """The imports of one module that stand under no condition: for type checkers, or for another system."""

    tree: cst.Module
    parents: Mapping[cst.CSTNode, cst.CSTNode]
    module: str

    def iter_visible(self, node: cst.CSTNode) -> Iterator[tuple[str, str]]:
        """Yield name and qualified name of what is imported in the module, and in the functions around the node.

        Whether the name still stands for it, the caller must ask.
        """
        bodies: list[cst.CSTNode] = [self.tree]
        current = self.parents.get(node)
        while current is not None:
            if isinstance(current, cst.FunctionDef):
                bodies.append(current.body)
            current = self.parents.get(current)
        for found in iter_nodes(self.tree):
            if isinstance(found, cst.Import | cst.ImportFrom):
                line = self.parents.get(found)
                if line is not None and self.parents.get(line) in bodies:
                    yield from self._iter_names(found)

    def iter_all(self) -> Iterator[tuple[str, str]]:
        """Yield name and qualified name of what is imported anywhere in the file."""
        for found in iter_nodes(self.tree):
            if isinstance(found, cst.Import | cst.ImportFrom):
                yield from self._iter_names(found)

    def _iter_names(self, node: cst.Import | cst.ImportFrom) -> Iterator[tuple[str, str]]:
        if isinstance(node.names, cst.ImportStar):
            return
        # What a relative import gives is of the project, and no library.
        origin = absolute_module(node, self.module, is_package=False) if isinstance(node, cst.ImportFrom) else ""
        for alias in node.names:
            name = dotted_name(alias.name) or ""
            symbol = f"{origin}.{name}" if origin else name
            if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
                yield alias.asname.name.value, symbol
            elif origin:
                yield name, symbol
            else:
                # `import concurrent.futures` binds `concurrent`, and gives both.
                yield name.partition(".")[0], name.partition(".")[0]
