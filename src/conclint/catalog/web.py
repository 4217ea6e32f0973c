"""What web frameworks mean: the decorators of their applications make a coroutine function a request handler."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Domain, Kind


def _class(*names: str) -> ClassRow:
    return ClassRow(names=names, kind=Kind.OTHER, domain=Domain.TASK)


CLASSES: tuple[ClassRow, ...] = (
    _class("aiohttp.web.RouteTableDef", "aiohttp.web_routedef.RouteTableDef"),
    _class("fastapi.FastAPI", "fastapi.applications.FastAPI"),
    _class("fastapi.APIRouter", "fastapi.routing.APIRouter"),
    _class("quart.Quart", "quart.app.Quart"),
    _class("quart.Blueprint", "quart.blueprints.Blueprint"),
    _class("sanic.Sanic", "sanic.app.Sanic"),
    _class("sanic.Blueprint", "sanic.blueprints.Blueprint"),
)

CALLS: tuple[CallRow, ...] = ()

ROUTES: frozenset[str] = frozenset(
    f"{row.names[0]}.{method}"
    for row in CLASSES
    for method in ("api_route", "delete", "get", "head", "options", "patch", "post", "put", "route", "websocket")
)
"""The methods that give a decorator for handlers; several requests are handled at once."""
