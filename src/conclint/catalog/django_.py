"""What `django` (5) means: views run in threads, each request with an object of its own; middleware is one object."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Kind, RunsIn, Spawn

_VIEW = "django.views.View"
_SIGNAL = "django.dispatch.Signal"
_VIEWS = (
    "CreateView",
    "DeleteView",
    "DetailView",
    "FormView",
    "ListView",
    "RedirectView",
    "TemplateView",
    "UpdateView",
)
_RUNS = (
    "delete",
    "dispatch",
    "form_invalid",
    "form_valid",
    "get",
    "get_context_data",
    "get_object",
    "get_queryset",
    "head",
    "options",
    "patch",
    "post",
    "put",
)
_REST_VIEWS = """
generics.CreateAPIView generics.DestroyAPIView generics.GenericAPIView generics.ListAPIView generics.ListCreateAPIView
generics.RetrieveAPIView generics.RetrieveDestroyAPIView generics.RetrieveUpdateAPIView
generics.RetrieveUpdateDestroyAPIView generics.UpdateAPIView
viewsets.GenericViewSet viewsets.ModelViewSet viewsets.ReadOnlyModelViewSet viewsets.ViewSet
""".split()
_REST_RUNS = """
create destroy list partial_update perform_create perform_destroy perform_update retrieve update
""".split()
_SIGNALS = {
    "db.models.signals": "class_prepared m2m_changed post_delete post_init post_save pre_delete pre_init pre_save",
    "core.signals": "got_request_exception request_finished request_started setting_changed",
    "contrib.auth.signals": "user_logged_in user_logged_out user_login_failed",
}

MIDDLEWARE = "MIDDLEWARE"
"""The setting that lists the qualified names of the middleware: classes, or functions that return functions."""
MIDDLEWARE_HOOKS = ("__call__", "process_exception", "process_template_response", "process_view")

CLASSES: tuple[ClassRow, ...] = (
    ClassRow(
        names=(_VIEW, "django.views.generic.View", "django.views.generic.base.View"),
        kind=Kind.OTHER,
        runs=_RUNS,
        runs_in=RunsIn.REQUEST_THREAD,
    ),
    *(ClassRow(names=(f"django.views.generic.{name}",), kind=Kind.OTHER, bases=(_VIEW,)) for name in _VIEWS),
    # The server makes each middleware once.
    ClassRow(
        names=("django.utils.deprecation.MiddlewareMixin",),
        kind=Kind.OTHER,
        runs=("__call__", "process_*"),
        runs_in=RunsIn.REQUEST_THREAD,
        shared=True,
    ),
    ClassRow(names=(_SIGNAL, "django.dispatch.dispatcher.Signal"), kind=Kind.OTHER),
    # Django REST framework
    ClassRow(names=("rest_framework.views.APIView",), kind=Kind.OTHER, bases=(_VIEW,)),
    *(
        ClassRow(
            names=(f"rest_framework.{name}",),
            kind=Kind.OTHER,
            bases=("rest_framework.views.APIView",),
            runs=(*_RUNS, *_REST_RUNS),
            runs_in=RunsIn.REQUEST_THREAD,
        )
        for name in _REST_VIEWS
    ),
)

_RECEIVER = Spawn(runs_in=RunsIn.HOOK, keyword="receiver", position=0, awaits=True)

CALLS: tuple[CallRow, ...] = (
    *(
        CallRow(
            names=(f"django.urls.{name}", f"django.urls.conf.{name}"),
            spawn=Spawn(runs_in=RunsIn.REQUEST_THREAD, keyword="view", position=1, awaits=True),
        )
        for name in ("path", "re_path")
    ),
    # A receiver runs in whatever thread sends the signal.
    CallRow(names=(f"{_SIGNAL}.connect",), spawn=_RECEIVER),
    *(
        CallRow(names=(f"django.{module}.{name}.connect",), spawn=_RECEIVER)
        for module, names in _SIGNALS.items()
        for name in names.split()
    ),
    # With arguments always: `@api_view(["GET"])`, `@action(detail=True)`.
    *(
        CallRow(names=(f"rest_framework.decorators.{name}",), decorates=RunsIn.REQUEST_THREAD)
        for name in ("action", "api_view")
    ),
    CallRow(names=("django.dispatch.receiver", "django.dispatch.dispatcher.receiver"), decorates=RunsIn.HOOK),
)
