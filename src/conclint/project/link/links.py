"""What linking finds out: who calls whom, what is done to an object, what is spawned."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from conclint.catalog.rows import RunsIn
from conclint.model.facts import Argument, Call
from conclint.model.values import (
    ValueId,
)
from conclint.project.objects import Object, Site
from conclint.project.solver import NodeId


class Target(NamedTuple):
    """A function of the project that a call may run, and the object it is bound to."""

    function: str
    receiver: Object | None


class ExternalTarget(NamedTuple):
    """A function outside the project that a call may run: qualified name, or method of the receiver's class."""

    name: str
    receiver: Object | None


class Operation(NamedTuple):
    """A method called on an object whose class is not of the project: `join` at a call or acquisition."""

    name: str
    site: Site


class SpawnSite(NamedTuple):
    """A call that has something run elsewhere."""

    site: Site
    runs_in: RunsIn
    callable: NodeId
    receiver: Object | None
    """The executor, loop or task group, or the subclassed thread itself."""


@dataclass(slots=True)
class Links:
    """What linking finds out, besides the objects of every value."""

    callees: dict[Site, tuple[Target, ...]] = field(default_factory=dict)
    externals: dict[Site, tuple[ExternalTarget, ...]] = field(default_factory=dict)
    operations: dict[Object, dict[Operation, None]] = field(default_factory=dict)
    assigned: dict[tuple[Object, str], list[tuple[int, ValueId]]] = field(default_factory=dict)
    loads: dict[Object, dict[str, None]] = field(default_factory=dict)
    """The attributes of an object that are read anywhere, called or not, and are not of the project."""
    promised: set[tuple[str, str]] = field(default_factory=set)
    """The parameters, by function and name, that a library fills with objects which the catalog tells."""
    spawns: list[SpawnSite] = field(default_factory=list)
    factories: dict[Site, Site] = field(default_factory=dict)
    """Calls of functions that make a lock and return it, each time a new one: the call in the function, by the call."""

    # Tuples, since they are read by every rule and written once.

    def add_callee(self, site: Site, target: Target) -> None:
        """Note that a call may run a function of the project."""
        known = self.callees.get(site, ())
        if target not in known:
            self.callees[site] = (*known, target)

    def add_external(self, site: Site, target: ExternalTarget) -> None:
        """Note that a call may run a function from outside."""
        known = self.externals.get(site, ())
        if target not in known:
            self.externals[site] = (*known, target)


def find_argument(call: Call, keyword: str, position: int | None) -> Argument | None:
    """Return the argument given by keyword or at `position`; None where it is not given, or hidden by a star."""
    if keyword:
        for argument in call.arguments:
            if argument.keyword == keyword:
                return argument
    if position is None:
        return None
    for index, argument in enumerate(call.arguments):
        if argument.keyword != "":
            return None
        if index == position:
            return argument
    return None
