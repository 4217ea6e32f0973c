"""Exceptions: whether something around a place may stop one, so that the callers never see it."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from conclint.model.facts import Context
from conclint.model.values import Result, ValueId
from conclint.project.objects import Object, ObjectKind, Site

if TYPE_CHECKING:
    from conclint.project.project import Project

RUNTIME_ERROR = ("builtins.RuntimeError", "builtins.Exception", "builtins.BaseException")
SYSTEM_EXIT = ("builtins.SystemExit", "builtins.BaseException")
ASSERTION_ERROR = ("builtins.AssertionError", "builtins.Exception", "builtins.BaseException")
"""An exception, and the further names under which a handler catches it."""


def may_stop(project: Project, module: int, context: Context, names: tuple[str, ...]) -> bool:
    """Return whether a handler or a `with` of the same function may catch an exception (may).

    A handler counts even if it raises it again, and so does what is not known.
    """
    if any(_may_catch(project, project.objects(module, value), names) for value in context.catches):
        return True
    acquisitions = project.modules[module].acquisitions
    return any(_may_suppress(project, module, acquisitions[index].value, names) for index in context.lockset)


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
            one.function == place.index and may_stop(project, place.module, facts.contexts[one.context], names)
            for place in project.symbols.functions.get(found.symbol, ())
            for facts in (project.modules[place.module],)
            for one in facts.yields
        )
    if found.symbol not in project.symbols.classes:
        return False
    leave = project.symbols.find_method(found.symbol, "__exit__")
    function = project.function(leave) if leave is not None else None
    return function is None or bool(function.returns)
