"""What `fastapi` and `starlette` mean: plain functions run in threads, coroutine functions as tasks, many at once."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Domain, Kind, RunsIn, Spawn

_APP = "fastapi.FastAPI"
_ROUTER = "fastapi.APIRouter"
_TASKS = "starlette.background.BackgroundTasks"
_ENDPOINT = ("delete", "get", "head", "options", "patch", "post", "put")


def _class(*names: str) -> ClassRow:
    return ClassRow(names=names, kind=Kind.OTHER, domain=Domain.TASK)


CLASSES: tuple[ClassRow, ...] = (
    _class(_APP, "fastapi.applications.FastAPI"),
    _class(_ROUTER, "fastapi.routing.APIRouter"),
    _class("starlette.applications.Starlette"),
    _class("starlette.routing.Router"),
    _class(_TASKS, "fastapi.BackgroundTasks", "fastapi.background.BackgroundTasks"),
    # Each request gets an endpoint of its own.
    ClassRow(
        names=("starlette.endpoints.HTTPEndpoint",),
        kind=Kind.OTHER,
        domain=Domain.TASK,
        runs=_ENDPOINT,
        runs_in=RunsIn.REQUEST_THREAD,
    ),
    ClassRow(
        names=("starlette.middleware.base.BaseHTTPMiddleware",),
        kind=Kind.OTHER,
        domain=Domain.TASK,
        runs=("dispatch",),
        runs_in=RunsIn.TASK,
        shared=True,
    ),
)

# Starlette itself has `route` no more, since its version 1.
_ROUTES = ("api_route", "delete", "get", "head", "options", "patch", "post", "put", "route", "trace", "websocket")


def _handler(keyword: str, position: int) -> Spawn:
    return Spawn(runs_in=RunsIn.REQUEST_THREAD, keyword=keyword, position=position, awaits=True)


CALLS: tuple[CallRow, ...] = (
    *(
        CallRow(names=(f"{owner}.{name}",), decorates=RunsIn.REQUEST_THREAD)
        for owner, names in ((_APP, (*_ROUTES, "exception_handler", "middleware")), (_ROUTER, _ROUTES))
        for name in names
    ),
    *(CallRow(names=(f"{owner}.add_api_route",), spawn=_handler("endpoint", 1)) for owner in (_APP, _ROUTER)),
    *(CallRow(names=(f"{owner}.add_api_websocket_route",), spawn=_handler("endpoint", 1)) for owner in (_APP, _ROUTER)),
    CallRow(names=("starlette.routing.Route",), spawn=_handler("endpoint", 1)),
    CallRow(names=("starlette.routing.WebSocketRoute",), spawn=_handler("endpoint", 1)),
    CallRow(names=("starlette.applications.Starlette.add_route",), spawn=_handler("route", 1)),
    # What a handler depends on runs as it would itself.
    *(
        CallRow(names=(f"fastapi.{name}", f"fastapi.param_functions.{name}"), spawn=_handler("dependency", 0))
        for name in ("Depends", "Security")
    ),
    # It begins once, before the first request, and goes on after the last one.
    *(
        CallRow(names=(name,), spawn=Spawn(runs_in=RunsIn.TASK, keyword="lifespan", position=position, awaits=True))
        for name, position in ((_APP, None), ("starlette.applications.Starlette", 4))
    ),
    # After the request, in a thread, or as a task; an error is that of the request.
    CallRow(
        names=(f"{_TASKS}.add_task",),
        spawn=Spawn(runs_in=RunsIn.REQUEST_THREAD, keyword="func", position=0, arguments_from=1, awaits=True),
    ),
    CallRow(
        names=("starlette.concurrency.run_in_threadpool", "fastapi.concurrency.run_in_threadpool"),
        spawn=Spawn(runs_in=RunsIn.EXECUTOR_THREAD, keyword="func", position=0, arguments_from=1),
        coroutine=True,
    ),
)
