"""Propagation of abstract objects along the flows of the program, to a fixed point.

An inclusion-based points-to analysis (Andersen 1994): flow- and context-insensitive, attributes told apart by class.
A node that gathers more than `CROWDED` objects says nothing any more and stops growing, which keeps the cost linear.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterator

from conclint.project.objects import Object

NodeId = int
Reaction = Callable[[Object], None]

CROWDED = 24
_FEW = 8
"""Edges that are looked through one by one as fast as they are looked up."""
_NOTHING: frozenset[Object] = frozenset()


class Solver:
    """Nodes with sets of objects, edges between them, and reactions to the objects that arrive."""

    def __init__(self) -> None:
        # Objects are numbered: as nested tuples they would be hashed again at each step.
        self._numbers: dict[Object, int] = {}
        self._numbered: list[Object] = []
        # Tuples, since there are millions of nodes, and most hold nothing, or one object, and have one edge or none.
        self._held: list[tuple[int, ...]] = []
        """In the order of arrival, since that decides what a crowded node does not take."""
        self._sets: dict[tuple[int, ...], frozenset[Object]] = {}
        """What has been asked for by `objects`: many nodes hold the same."""
        self._edges: list[tuple[NodeId, ...] | dict[NodeId, None]] = []
        self._reactions: list[list[Reaction] | None] = []
        self._nodes: dict[Hashable, NodeId] = {}
        self._pending: deque[tuple[NodeId, int]] = deque()
        self._lost: set[int] = set()

    @property
    def lost(self) -> frozenset[Object]:
        """The objects that a crowded node did not take: where they go from there is not known."""
        return frozenset(map(self._numbered.__getitem__, self._lost))

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
        self._held.append(())
        self._edges.append(())
        self._reactions.append(None)
        return len(self._held) - 1

    def objects(self, node: NodeId | None) -> frozenset[Object]:
        """Return what a node holds, nothing for None."""
        held = self._held[node] if node is not None else ()
        if not held:
            return _NOTHING
        known = self._sets.get(held)
        if known is None:
            known = self._sets[held] = frozenset(map(self._numbered.__getitem__, held))
        return known

    def add(self, node: NodeId, found: Object) -> None:
        """Put an object into a node."""
        number = self._numbers.get(found)
        if number is None:
            number = self._numbers[found] = len(self._numbered)
            self._numbered.append(found)
        self._add(node, number)

    def _add(self, node: NodeId, number: int) -> None:
        held = self._held[node]
        if number in held:
            return
        if len(held) >= CROWDED:
            self._lost.add(number)
            return
        self._held[node] = (*held, number)
        self._pending.append((node, number))

    def connect(self, source: NodeId, target: NodeId) -> None:
        """Let everything that reaches `source` reach `target`."""
        edges = self._edges[source]
        if source == target or target in edges:
            return
        if isinstance(edges, dict):
            edges[target] = None
        elif len(edges) < _FEW:
            self._edges[source] = (*edges, target)
        else:
            self._edges[source] = dict.fromkeys((*edges, target))
        for number in self._held[source]:
            self._add(target, number)

    def react(self, node: NodeId, reaction: Reaction) -> None:
        """Call `reaction` with every object that reaches `node`, now and later."""
        reactions = self._reactions[node]
        if reactions is None:
            self._reactions[node] = [reaction]
        else:
            reactions.append(reaction)
        for number in self._held[node]:
            reaction(self._numbered[number])

    def solve(self) -> None:
        """Propagate until nothing changes."""
        pending, held = self._pending, self._held
        while pending:
            node, number = pending.popleft()
            for target in self._edges[node]:
                if number not in held[target]:
                    self._add(target, number)
            if reactions := self._reactions[node]:
                found = self._numbered[number]
                for reaction in tuple(reactions):
                    reaction(found)
