"""Handlers: what around a place may stop an exception: an `except` clause, or a context manager."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import TYPE_CHECKING

from conclint.model.facts import Call, Yield
from conclint.model.observations import Handler, Raise
from conclint.model.values import Name, Result, ValueId
from conclint.project.objects import Object, ObjectKind, Site
from conclint.project.order import contains
from conclint.project.symbols import FunctionPlace

if TYPE_CHECKING:
    from conclint.project.project import CallPlace, Project

RUNTIME_ERROR = ("builtins.RuntimeError", "builtins.Exception", "builtins.BaseException")
SYSTEM_EXIT = ("builtins.SystemExit", "builtins.BaseException")
ASSERTION_ERROR = ("builtins.AssertionError", "builtins.Exception", "builtins.BaseException")
"""An exception, and the further names under which a handler catches it."""

_BROAD = (Name("builtins.Exception"), Name("builtins.BaseException"))


class Handlers:
    """Answers who in the same function handles an exception."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def in_function(self, where: FunctionPlace) -> list[Handler]:
        """Return the handlers of a function, in the order of the facts."""
        return self._by_function.get(where, [])

    @cached_property
    def _by_function(self) -> dict[FunctionPlace, list[Handler]]:
        found: dict[FunctionPlace, list[Handler]] = {}
        for module, facts in enumerate(self._project.modules):
            for handler in facts.handlers:
                found.setdefault(FunctionPlace(module, handler.function), []).append(handler)
        return found

    def around(self, module: int, place: Call | Raise | Yield) -> list[Handler]:
        """Return the handlers that guard a place (must)."""
        handlers = self.in_function(FunctionPlace(module, place.function))
        return [one for one in handlers if contains(one.guarded, place.span)]

    def collect_caught(self, place: CallPlace) -> tuple[ValueId, ...]:
        """Return the exceptions that the handlers around a call name (must)."""
        return tuple(value for handler in self.around(place.site.module, place.call) for value in handler.caught)

    def find_broad(self, place: CallPlace) -> Handler | None:
        """Return the innermost handler that gets whatever exception a call raises (must)."""
        module = place.site.module
        broad = (one for one in self.around(module, place.call) if is_broad(self._project, module, one))
        return max(broad, key=lambda one: one.guarded, default=None)

    def may_stop(self, module: int, place: Call | Raise | Yield, names: tuple[str, ...]) -> bool:
        """Return whether a handler or a `with` of the same function may catch what is raised at a place (may).

        A handler counts even if it raises it again, and so does what is not known.
        """
        project, handlers = self._project, self.around(module, place)
        if any(_may_catch(project, project.objects(module, value), names) for one in handlers for value in one.caught):
            return True
        facts = project.modules[module]
        acquisitions, context = facts.acquisitions, facts.contexts[place.context]
        return any(_may_suppress(project, module, acquisitions[index].value, names) for index in context.lockset)


def is_broad(project: Project, module: int, handler: Handler) -> bool:
    """Return whether a handler gets every `Exception` (must)."""
    return any(project.value(module, value) in _BROAD for value in handler.caught)


def _may_catch(project: Project, objects: Collection[Object], names: tuple[str, ...]) -> bool:
    """Whether an exception class, or a tuple of such, may be one that catches."""
    return not objects or any(
        found.symbol in names
        or (found.kind is ObjectKind.INSTANCE and _may_catch(project, project.elements(found), names))
        for found in objects
    )


def _may_suppress(project: Project, module: int, manager: ValueId, names: tuple[str, ...]) -> bool:
    """Whether a context manager may do so: of libraries, one that is told the exception, as `suppress` is."""
    made = project.value(module, manager)
    if isinstance(made, Result) and project.externals(Site(module, made.call)):
        arguments = project.modules[module].calls[made.call].arguments
        given = (project.objects(module, argument.value) for argument in arguments)
        return any(objects and _may_catch(project, objects, names) for objects in given)
    objects = project.objects(module, manager)
    return not objects or any(_may_swallow(project, found, names) for found in objects)


def _may_swallow(project: Project, found: Object, names: tuple[str, ...]) -> bool:
    """Whether an object of the project may: its generator catches where it yields, or its `__exit__` gives a result."""
    if found.kind is ObjectKind.GENERATOR:
        return any(
            one.function == place.index and project.handlers.may_stop(place.module, one, names)
            for place in project.symbols.functions.get(found.symbol, ())
            for facts in (project.modules[place.module],)
            for one in facts.yields
        )
    if found.symbol not in project.symbols.classes:
        return False
    leave = project.symbols.find_method(found.symbol, "__exit__")
    function = project.function(leave) if leave is not None else None
    return function is None or bool(function.returns)
