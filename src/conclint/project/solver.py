"""Propagation of abstract objects along the flows of the program, to a fixed point.

An inclusion-based points-to analysis (Andersen 1994): flow- and context-insensitive, attributes told apart by class.
A node that gathers more than `CROWDED` objects says nothing any more and stops growing, which keeps the cost linear.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator

from conclint.project.objects import Object

NodeId = int
Reaction = Callable[[Object], None]

CROWDED = 24


class Solver:
    """Nodes with sets of objects, edges between them, and reactions to the objects that arrive."""

    def __init__(self) -> None:
        # In the order of arrival, since that decides what a crowded node does not take.
        self.objects: list[dict[Object, None]] = []
        # Most nodes have neither edges nor reactions.
        self._edges: dict[NodeId, list[NodeId]] = {}
        self._reactions: dict[NodeId, list[Reaction]] = {}
        self._nodes: dict[Hashable, NodeId] = {}
        self._pending: deque[tuple[NodeId, Object]] = deque()
        self.crowded: set[NodeId] = set()
        self.lost: set[Object] = set()
        """The objects that a crowded node did not take: where they go from there is not known."""

    def node(self, key: Hashable) -> NodeId:
        """Return the node of `key`, new where it is not known yet."""
        found = self._nodes.get(key)
        if found is None:
            found = self._nodes[key] = self.new_node()
        return found

    def find_node(self, key: Hashable) -> NodeId | None:
        """Return the node of `key`, None where there is none."""
        return self._nodes.get(key)

    def iter_named(self) -> Iterator[tuple[Hashable, NodeId]]:
        """Yield the keys with their nodes, in the order in which they were made."""
        yield from self._nodes.items()

    def new_node(self) -> NodeId:
        """Return a node without a key."""
        self.objects.append({})
        return len(self.objects) - 1

    def add(self, node: NodeId, found: Object) -> None:
        """Put an object into a node."""
        objects = self.objects[node]
        if found in objects:
            return
        if len(objects) >= CROWDED:
            self.crowded.add(node)
            self.lost.add(found)
            return
        objects[found] = None
        self._pending.append((node, found))

    def add_all(self, node: NodeId, found: Iterable[Object]) -> None:
        """Put several objects into a node."""
        for one in found:
            self.add(node, one)

    def connect(self, source: NodeId, target: NodeId) -> None:
        """Let everything that reaches `source` reach `target`."""
        edges = self._edges.setdefault(source, [])
        if source == target or target in edges:
            return
        edges.append(target)
        if self.objects[source]:
            self.add_all(target, tuple(self.objects[source]))

    def react(self, node: NodeId, reaction: Reaction) -> None:
        """Call `reaction` with every object that reaches `node`, now and later."""
        self._reactions.setdefault(node, []).append(reaction)
        for found in tuple(self.objects[node]):
            reaction(found)

    def solve(self) -> None:
        """Propagate until nothing changes."""
        pending, objects = self._pending, self.objects
        while pending:
            node, found = pending.popleft()
            for target in self._edges.get(node, ()):
                if found not in objects[target]:
                    self.add(target, found)
            if reactions := self._reactions.get(node):
                for reaction in tuple(reactions):
                    reaction(found)
