"""CON309: see docs/rules/CON309.md."""

from __future__ import annotations

from collections.abc import Iterator

from conclint import catalog
from conclint.catalog.rows import CallRow, Effect, Kind, Wait
from conclint.model.alarm import Alarm
from conclint.model.facts import Argument, Use
from conclint.model.rule import Category, Rule
from conclint.model.values import Name
from conclint.project.link import ExternalTarget
from conclint.project.objects import Site
from conclint.project.places import Place
from conclint.project.project import CallPlace, Project
from conclint.project.testing import is_test
from conclint.rules.declare import project_rule

RULE = Rule(
    code="CON309",
    name="asyncio-wait-without-timeout",
    summary="a coroutine waits for the network, and no timeout ends that",
    help="put it into `async with asyncio.timeout(…)`, or use `asyncio.wait_for`",
    category=Category.TIMEOUT,
    since="0.1.0",
    default=False,
)

_WAIT_FOR = frozenset({"asyncio.wait_for", "asyncio.tasks.wait_for"})
_BOUNDED = tuple(
    """
    .drain .wait_closed .send .sendto .sock_sendall .sock_sendfile .sock_sendto .sendfile .getaddrinfo .getnameinfo
    .start_tls .create_datagram_endpoint .create_unix_connection .open_unix_connection
    """.split()
)
"""What only sends, has a limit of its own by default, or asks somebody on this machine."""

_HOSTS = {
    "asyncio.open_connection": 0,
    "asyncio.AbstractEventLoop.create_connection": 1,
    "asyncio.start_server": 1,
    "asyncio.AbstractEventLoop.create_server": 1,
}
"""Where the host stands among the arguments; the port is the next one."""
_LISTENS = frozenset({"asyncio.start_server", "asyncio.AbstractEventLoop.create_server"})
_OWN_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
_CANCELLED = frozenset({"asyncio.CancelledError", "asyncio.exceptions.CancelledError"})


@project_rule(RULE)
def check(project: Project) -> Iterator[Alarm]:
    """Report awaited connections and reads in functions that neither they nor their callers give a timeout."""
    found = [place for place in project.external_calls if place.call.use is Use.AWAITED and _waits(project, place)]
    limited = _find_limited(project) if found else set()
    for place in found:
        if place.function.symbol not in limited and not is_test(place) and not _connects_soon(project, place):
            callee = project.places.describe(place.site.module, place.call.callee)
            message = f"`{callee}` waits for as long as it takes: no timeout is around it"
            yield project.alarm(place.site.module, RULE.code, place.call.span, message)


def _waits(project: Project, place: CallPlace) -> bool:
    targets = project.externals(place.site)
    if not targets or project.callees(place.site):
        return False
    return all((row := project.find_row(target)) is not None and _is_endless(place, row) for target in targets)


def _is_endless(place: CallPlace, row: CallRow) -> bool:
    if not row.coroutine or not row.effects & Effect.NETWORK or row.names[0].endswith(_BOUNDED):
        return False
    if row.timeout is None or row.timeout.keyword or row.timeout.default is not Wait.FOREVER:
        return False
    # Who reads in a loop serves, and waits for the next request as long as it takes.
    return (_connects(row) or not place.context.loops) and place.find_argument("sock") is None


def _connects(row: CallRow) -> bool:
    return bool(row.returns_items) or row.names[0].endswith("_connect")


def _connects_soon(project: Project, place: CallPlace) -> bool:
    """Whether a connection leads to this machine, or somebody cancels the attempt; the system ends it some day."""
    rows = [row for _, row in project.rows(place.site)]
    if not rows or not all(map(_connects, rows)):
        return False
    caught = (project.value(place.site.module, one) for one in project.handlers.collect_caught(place))
    if any(isinstance(one, Name) and one.symbol in _CANCELLED for one in caught):
        return True
    host, address = _find_address(project, place)
    given = project.constant(place.site.module, host.value) if host is not None else None
    if given is not None:
        return given.value in _OWN_HOSTS
    served = (_find_address(project, one)[1] for one in project.calls_to(_LISTENS)) if all(address) else ()
    return address in served


def _find_address(project: Project, place: CallPlace) -> tuple[Argument | None, tuple[Place | None, Place | None]]:
    """Return the argument that names the host, and where host and port are kept."""
    position = next((_HOSTS[one.name] for one in project.externals(place.site) if one.name in _HOSTS), None)
    if position is None:
        return None, (None, None)
    host, port = place.find_argument("host", position), place.find_argument("port", position + 1)
    kept = [project.places.find(place.site.module, one.value) if one is not None else None for one in (host, port)]
    return host, (kept[0], kept[1])


def _find_limited(project: Project) -> set[str]:
    """Return the functions that use a timeout in any way, or are called below one (may)."""
    starts = {root.function for root in project.roots if root.site.what == "call" and _limits(project, root.site)}
    careful: set[str] = set()
    for site, targets in project.links.externals.items():
        if site.what == "call" and any(target.name in _WAIT_FOR for target in targets):
            careful.add(project.call(site).function.symbol)
        elif site.what == "call" and any(_makes_scope(project, target) for target in targets):
            starts.add(project.call(site).function.symbol)
    helpers = {symbol for symbol in starts if not _is_async(project, symbol)}
    starts |= {caller for symbol in helpers for caller, _, _ in project.call_graph.callers.get(symbol, ())}
    return careful | project.call_graph.reach(starts)


def _limits(project: Project, site: Site) -> bool:
    return any(target.name in _WAIT_FOR for target in project.externals(site))


def _makes_scope(project: Project, target: ExternalTarget) -> bool:
    row = project.find_row(target)
    made = catalog.find_class(row.returns) if row is not None and row.returns else None
    return made is not None and made.kind is Kind.CANCEL_SCOPE


def _is_async(project: Project, symbol: str) -> bool:
    function = project.function(symbol)
    return function is not None and function.is_async
