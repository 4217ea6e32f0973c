"""Timeouts: whether a call says how long it may wait, or its default, its client or the program does."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from conclint import catalog
from conclint.catalog.rows import CallRow, Timeout, Wait
from conclint.model.facts import Argument
from conclint.model.fix import Anchor
from conclint.model.values import Result
from conclint.project.objects import Object, Site

if TYPE_CHECKING:
    from conclint.project.link import ExternalTarget
    from conclint.project.project import CallPlace, Project

_SET_DEFAULT = "setdefaulttimeout"
_PLAIN_ADAPTER = "requests.adapters.HTTPAdapter"
_SENDING = frozenset({"request", "send"})
"""Methods by which a client sends everything: one that is replaced may bring a timeout along."""


class Limit(enum.Enum):
    """How long a call waits at most."""

    LIMITED = "limited"
    """For a time that is given, or it is not known for how long."""
    MISSING = "missing"
    """For ever (must), because no timeout is given."""
    INFINITE = "infinite"
    """For ever (must), because the timeout that is given says so."""


class Timeouts:
    """Answers how long the calls of a program wait."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def find_limit(self, place: CallPlace, target: ExternalTarget, row: CallRow) -> Limit:
        """Return how long the call waits when it runs `target`, whose row is `row`."""
        timeout = row.timeout
        if timeout is None or any(self._is_constant(place, *nonblocking) for nonblocking in timeout.nonblocking):
            return Limit.LIMITED
        if timeout.default is Wait.SOCKET_DEFAULT and self._is_own_address(place):
            return Limit.LIMITED
        given = find_timeout(place, timeout)
        if given is not None:
            return Limit.INFINITE if self._is_infinite(place, timeout, given) else Limit.LIMITED
        return Limit.LIMITED if _may_be_hidden(place, timeout) else self.find_default(target, timeout)

    def find_default(self, target: ExternalTarget, timeout: Timeout) -> Limit:
        """Return how long `target` waits where its call gives no timeout."""
        if timeout.default in (Wait.FINITE, Wait.NONE):
            return Limit.LIMITED
        library = "socket" if timeout.default is Wait.SOCKET_DEFAULT else target.name.partition(".")[0]
        if library in self._defaulted_libraries:
            return Limit.LIMITED
        if target.receiver is not None and self._may_client_limit(target.receiver):
            return Limit.LIMITED
        return Limit.MISSING

    @cached_property
    def _defaulted_libraries(self) -> frozenset[str]:
        """The libraries whose `setdefaulttimeout` is called anywhere in the program."""
        names = (target.name for targets in self._project.links.externals.values() for target in targets)
        return frozenset(name.partition(".")[0] for name in names if name.endswith(f".{_SET_DEFAULT}"))

    def _is_own_address(self, place: CallPlace) -> bool:
        """Whether it connects to what `listener.getsockname()` says: the kernel answers, and this very program."""
        address = place.find_argument("address", 0)
        found = self._project.value(place.site.module, address.value) if address is not None else None
        if not isinstance(found, Result):
            return False
        targets = self._project.externals(Site(place.site.module, found.call))
        return any(target.name == "socket.socket.getsockname" for target in targets)

    def _is_constant(self, place: CallPlace, keyword: str, position: int | None, expected: object) -> bool:
        argument = place.find_argument(keyword, position)
        found = self._project.constant(place.site.module, argument.value) if argument is not None else None
        return found is not None and found.value == expected

    def _is_infinite(self, place: CallPlace, timeout: Timeout, given: Argument) -> bool:
        found = self._project.constant(place.site.module, given.value)
        # `0 == False` in Python, but nobody writes a bool for a time.
        return found is not None and found.value in timeout.infinite and not isinstance(found.value, bool)

    # Clients

    def _may_client_limit(self, client: Object) -> bool:
        """Whether the client that a method is called on may bring a timeout of its own."""
        project = self._project
        overridden = (project.symbols.find_method(client.symbol, name) for name in _SENDING)
        if client.symbol in project.symbols.classes and any(overridden):
            return True
        if any(project.assigned(client, name) for name in _SENDING) or self._may_adapter_limit(client):
            return True
        row = catalog.find_call(project.symbols.find_external_base(client.symbol) or client.symbol)
        if row is None or row.timeout is None or row.timeout.default is not Wait.NONE:
            return False
        return not self._is_made_without(client)

    def _may_adapter_limit(self, client: Object) -> bool:
        """Whether an adapter that may set a timeout is mounted on the client; on any, if this one is made elsewhere."""
        is_foreign = client.site is None or client.site.what != "call"
        return any(self._limiting_mounts.values()) if is_foreign else self._limiting_mounts.get(client, False)

    @cached_property
    def _limiting_mounts(self) -> dict[Object, bool]:
        """The objects on which something is mounted, and whether that may be an adapter that sets a timeout."""
        return {
            found: any(not self._is_plain(self._project.call(one.site)) for one in mounts)
            for found, operations in self._project.links.operations.items()
            if (mounts := [one for one in operations if one.name == "mount" and one.site.what == "call"])
        }

    def _is_plain(self, mount: CallPlace) -> bool:
        adapter = mount.find_argument("adapter", 1)
        found = self._project.objects(mount.site.module, adapter.value) if adapter is not None else frozenset()
        return bool(found) and all(self._sends_plainly(one) for one in found)

    def _sends_plainly(self, adapter: Object) -> bool:
        symbols = self._project.symbols
        base = symbols.find_external_base(adapter.symbol)
        return base == _PLAIN_ADAPTER and symbols.find_method(adapter.symbol, "send") is None

    def _is_made_without(self, client: Object) -> bool:
        """Whether the call that makes the client gives no timeout, or one without end (must)."""
        if client.site is None or client.site.what != "call":
            return False
        made = self._project.call(client.site)
        found = [row.timeout for _, row in self._project.rows(made.site) if row.timeout is not None]
        if len(found) != 1 or self._project.callees(made.site):
            return False
        given = find_timeout(made, found[0])
        if given is not None:
            return self._is_infinite(made, found[0], given)
        return not _may_be_hidden(made, found[0])


def find_timeout(place: CallPlace, timeout: Timeout) -> Argument | None:
    """Return the argument that sets the timeout."""
    for keyword in (timeout.keyword, *timeout.aliases):
        found = place.find_argument(keyword, timeout.position) if keyword else None
        if found is not None:
            return found
    return None


def find_anchors(project: Project, place: CallPlace, row: CallRow) -> Iterator[Anchor]:
    """Yield where a timeout goes: into the call, or in the place of the one that says "for ever"."""
    if row.timeout is not None and row.timeout.keyword:
        given = find_timeout(place, row.timeout)
        span = given.span if given is not None else place.call.span
        yield project.anchor(place.site.module, span, row.timeout.keyword)


def _may_be_hidden(place: CallPlace, timeout: Timeout) -> bool:
    """Whether `*args` or `**kwargs` may carry the timeout."""
    stars = {argument.keyword for argument in place.call.arguments}
    return bool(timeout.keyword) and ("**" in stars or ("*" in stars and timeout.position is not None))
