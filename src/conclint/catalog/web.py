"""What web frameworks mean: their handlers run for several requests at once, as tasks or in threads."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Domain, Kind, RunsIn, Spawn

_METHODS = ("api_route", "delete", "get", "head", "options", "patch", "post", "put", "route", "websocket")
_DJANGO_VIEW = "django.views.View"


def _class(*names: str, domain: Domain = Domain.TASK) -> ClassRow:
    return ClassRow(names=names, kind=Kind.OTHER, domain=domain)


_FASTAPI = (
    _class("fastapi.FastAPI", "fastapi.applications.FastAPI"),
    _class("fastapi.APIRouter", "fastapi.routing.APIRouter"),
)
_ASYNC = (
    *_FASTAPI,
    _class("aiohttp.web.RouteTableDef", "aiohttp.web_routedef.RouteTableDef"),
    _class("quart.Quart", "quart.app.Quart"),
    _class("quart.Blueprint", "quart.blueprints.Blueprint"),
    _class("sanic.Sanic", "sanic.app.Sanic"),
    _class("sanic.Blueprint", "sanic.blueprints.Blueprint"),
)
_FLASK = (
    _class("flask.Flask", "flask.app.Flask", domain=Domain.THREAD),
    _class("flask.Blueprint", "flask.blueprints.Blueprint", domain=Domain.THREAD),
)
_DJANGO = (
    # Each request gets a view of its own.
    ClassRow(
        names=(_DJANGO_VIEW, "django.views.generic.View", "django.views.generic.base.View"),
        kind=Kind.OTHER,
        runs=("delete", "dispatch", "get", "head", "options", "patch", "post", "put"),
        runs_in=RunsIn.REQUEST_THREAD,
    ),
    *(
        ClassRow(names=(f"django.views.generic.{name}",), kind=Kind.OTHER, bases=(_DJANGO_VIEW,))
        for name in ("CreateView", "DeleteView", "DetailView", "FormView", "ListView", "TemplateView", "UpdateView")
    ),
)

CLASSES: tuple[ClassRow, ...] = _ASYNC + _FLASK + _DJANGO

CALLS: tuple[CallRow, ...] = tuple(
    CallRow(
        names=(f"django.urls.{name}", f"django.urls.conf.{name}"),
        spawn=Spawn(runs_in=RunsIn.REQUEST_THREAD, keyword="view", position=1, awaits=True),
    )
    for name in ("path", "re_path")
)

ROUTES: frozenset[str] = frozenset(f"{row.names[0]}.{method}" for row in _ASYNC for method in _METHODS)
"""The methods that give a decorator for coroutine functions; several requests are handled at once."""

THREADED: tuple[ClassRow, ...] = (*_FLASK, *_FASTAPI)
"""The applications that run plain functions in threads."""

THREADED_ROUTES: frozenset[str] = frozenset(f"{row.names[0]}.{method}" for row in THREADED for method in _METHODS)
"""The methods that give a decorator for plain functions, which run in threads."""

REQUEST_DATA = ("flask.request.", "flask.g.", "flask.session.", "flask.globals.")
"""Beginnings of the names of what is another thing for each request, each with a dot at its end."""
