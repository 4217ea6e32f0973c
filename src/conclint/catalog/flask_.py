"""What `flask` (3) and `quart` mean: plain functions run in threads, for several requests at once."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Domain, Kind, RunsIn, Spawn

_VIEWS = ("delete", "dispatch_request", "get", "head", "options", "patch", "post", "put")

_FLASK = (("flask.Flask", "flask.app.Flask"), ("flask.Blueprint", "flask.blueprints.Blueprint"))
_QUART = (("quart.Quart", "quart.app.Quart"), ("quart.Blueprint", "quart.blueprints.Blueprint"))

CLASSES: tuple[ClassRow, ...] = (
    *(ClassRow(names=names, kind=Kind.OTHER) for names in _FLASK),
    # Its coroutine functions are tasks of one event loop.
    *(ClassRow(names=names, kind=Kind.OTHER, domain=Domain.TASK) for names in _QUART),
    # Each request gets a view of its own.
    ClassRow(names=("flask.views.View",), kind=Kind.OTHER, runs=_VIEWS, runs_in=RunsIn.REQUEST_THREAD),
    ClassRow(names=("flask.views.MethodView",), kind=Kind.OTHER, bases=("flask.views.View",)),
)

_ROUTES = ("delete", "errorhandler", "get", "patch", "post", "put", "route")
"""Methods that give a decorator."""
_HOOKS = (
    "after_request",
    "before_request",
    "context_processor",
    "teardown_request",
    "url_defaults",
    "url_value_preprocessor",
)
"""Methods that are decorators, or are given a function, which they run at each request."""
# Flask has `before_first_request` no more, since its version 2.3.
_OF_APPS = ("before_first_request", "teardown_appcontext")
_OF_BLUEPRINTS = (
    "after_app_request",
    "app_context_processor",
    "before_app_request",
    "teardown_app_request",
)
_TEMPLATE = ("template_filter", "template_global", "template_test")


def _handler(keyword: str, position: int) -> Spawn:
    return Spawn(runs_in=RunsIn.REQUEST_THREAD, keyword=keyword, position=position, awaits=True)


CALLS: tuple[CallRow, ...] = tuple(
    row
    for (app, _), (blueprint, _) in (_FLASK, _QUART)
    for row in (
        *(
            CallRow(names=(f"{owner}.{name}",), decorates=RunsIn.REQUEST_THREAD)
            for owner, names in (
                (app, (*_ROUTES, *_TEMPLATE)),
                (blueprint, (*_ROUTES, "app_errorhandler")),
            )
            for name in names
        ),
        *(
            CallRow(names=(f"{owner}.{name}",), spawn=_handler("f", 0))
            for owner, names in ((app, (*_HOOKS, *_OF_APPS)), (blueprint, (*_HOOKS, *_OF_BLUEPRINTS)))
            for name in names
        ),
        *(
            row
            for owner in (app, blueprint)
            for row in (
                CallRow(names=(f"{owner}.add_url_rule",), spawn=_handler("view_func", 2)),
                CallRow(names=(f"{owner}.register_error_handler",), spawn=_handler("f", 1)),
            )
        ),
    )
) + tuple(
    CallRow(names=(f"quart.{name}.websocket",), decorates=RunsIn.REQUEST_THREAD) for name in ("Quart", "Blueprint")
)

REQUEST_DATA = ("flask.request.", "flask.g.", "flask.session.", "flask.globals.")
"""Beginnings of the names of what is another thing for each request, each with a dot at its end."""
