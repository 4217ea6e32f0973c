"""Outgoing requests: which coroutines open connections or start programs, with the calls that lead there."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from conclint.catalog.rows import Effect
from conclint.project.blocking import returns_at_once

if TYPE_CHECKING:
    from conclint.catalog.rows import CallRow
    from conclint.project.link import ExternalTarget
    from conclint.project.objects import Site
    from conclint.project.project import CallPlace, Project

_ONE_CONNECTION = tuple(
    """
    .drain .wait_closed .send .sendto .sock_sendall .sock_sendfile .sock_sendto .sendfile .send_str .send_bytes
    .send_json .send_frame .ping .pong .receive .receive_str .receive_bytes .receive_json .recv .read .readline
    .readexactly .readuntil .text .json .close .start_tls .sock_recv .sock_accept .communicate .wait
    """.split()
)
"""What goes on with a connection or program that is there already, in an order that matters."""


class Outgoing:
    """Answers which calls make a request of their own."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def find(self, site: Site) -> tuple[CallPlace, ...] | None:
        """Return the calls, beginning with the one at `site`, that lead to a request (may); None where none does."""
        place = self._project.find_call(site)
        if place is None:
            return None
        if self._is_request(site):
            return (place,)
        chains = self._project.call_graph.collect_chains([one.function for one in self._project.callees(site)])
        ways = [(*chains[symbol], self._requests[symbol]) for symbol in chains if symbol in self._requests]
        return (place, *min(ways, key=len)) if ways else None

    def reach(self, site: Site) -> set[str]:
        """Return the functions that a call runs, once it is awaited."""
        return self._project.call_graph.reach(one.function for one in self._project.callees(site))

    @cached_property
    def _requests(self) -> dict[str, CallPlace]:
        """The first call of each coroutine function that makes a request."""
        found: dict[str, CallPlace] = {}
        for place in self._project.external_calls:
            if place.function.is_async and self._is_request(place.site):
                found.setdefault(place.function.symbol, place)
        return found

    def _is_request(self, site: Site) -> bool:
        if self._project.callees(site):
            return False
        return any(self._goes_out(site, target, row) for target, row in self._project.rows(site))

    def _goes_out(self, site: Site, target: ExternalTarget, row: CallRow) -> bool:
        if not row.coroutine or not row.effects & (Effect.NETWORK | Effect.SUBPROCESS):
            return False
        owner = self._project.class_row(target.receiver) if target.receiver is not None else None
        if row.names[0].endswith(_ONE_CONNECTION) or (owner is not None and owner.serial):
            return False
        return not returns_at_once(self._project, self._project.call(site), row)
