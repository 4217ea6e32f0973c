"""Exceptions: which calls and functions may let one out.

A call may fail if it is one of the project's functions that may, one that the catalog knows to reach outside, or one
that nothing is known of. What only computes, waits or logs is taken for safe: that errs towards silence.

A strict look asks for more: that the call reaches outside, or is awaited, or runs a function of a library that is not
known. Making an object is not enough, nor is a method of a class of which the catalog says what reaches outside.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conclint.catalog.rows import Effect, Kind
from conclint.model.facts import Use
from conclint.model.values import Attribute, Item, Local, Name, Result
from conclint.project.callables import is_transparent
from conclint.project.cpu import COMPUTING_MODULES, is_method_of_data
from conclint.project.handlers import is_broad
from conclint.project.objects import ObjectKind

if TYPE_CHECKING:
    from conclint.project.link import ExternalTarget
    from conclint.project.project import CallPlace, Project
    from conclint.project.symbols import FunctionPlace

_FAILING = Effect.NETWORK | Effect.FILE | Effect.SUBPROCESS
_SAFE_MODULES = frozenset(
    """
    _thread asyncio atexit builtins collections contextlib contextvars datetime functools gc itertools logging math
    queue random signal sys threading time traceback typing uuid warnings weakref
    """.split()
)
_DATA_MODULES = frozenset("inspect io msgpack orjson pprint simplejson types ujson".split())
"""Modules whose functions fail only for wrong arguments, as those that compute."""
_FAILING_BUILTINS = frozenset({f"builtins.{name}" for name in "__import__ compile eval exec input next open".split()})
_SAFE_FUNCTIONS = frozenset({"os._exit", "os.cpu_count", "os.fspath", "os.getpid", "os.getppid", "os.urandom"})
_LONGEST_CHAIN = 6
_LOGGING = frozenset("debug info warning warn error exception critical log".split())
"""Methods of loggers: believed of any object."""


class Exceptions:
    """Answers what may fail, and who handles it."""

    def __init__(self, project: Project, *, strict: bool = False) -> None:
        self._project = project
        self._strict = strict
        self._failing: dict[str, CallPlace | None] = {}

    def find_failing(self, symbol: str) -> CallPlace | None:
        """Return a call whose exception a function of the project lets out (may), the first one."""
        if symbol not in self._failing:
            # A cycle fails by nothing but what else is in it.
            self._failing[symbol] = None
            self._failing[symbol] = next(self._iter_failing(symbol), None)
        return self._failing[symbol]

    def may_fail(self, place: CallPlace) -> bool:
        """Return whether a call may raise an exception (may)."""
        targets = self._project.externals(place.site)
        if callees := self._project.callees(place.site):
            functions = (target.function for target in callees)
            return any(
                self.find_failing(one) for one in functions if self._project.call_graph.runs_at_once(place.site, one)
            )
        if targets:
            return any(self.is_failing(target) for target in targets)
        if self._makes_object(place) or _is_harmless(place) or self.is_handed_in(place):
            return False
        return place.call.use is Use.AWAITED or not self._strict

    def is_handed_in(self, place: CallPlace) -> bool:
        """Return whether a call runs a callable of which nothing is known, such as a parameter."""
        if self._project.callees(place.site) or self._project.externals(place.site):
            return False
        callee = place.facts.values[place.call.callee]
        if isinstance(callee, Attribute):
            owners = self._project.objects(place.site.module, callee.base)
            return any(owner.symbol in self._project.symbols.classes for owner in owners)
        return isinstance(callee, Local | Item | Result)

    def iter_chain(self, symbol: str) -> Iterator[CallPlace]:
        """Yield the calls that lead from a function to what fails, outermost first; no more than a reader takes in."""
        for _ in range(_LONGEST_CHAIN):
            place = self.find_failing(symbol)
            if place is None:
                return
            yield place
            failing = (one.function for one in self._project.callees(place.site) if self.find_failing(one.function))
            symbol = next(failing, "")

    def find_outside(self, place: CallPlace) -> tuple[CallPlace, ...]:
        """Return the calls from here to one that reaches outside, or runs another library; () where none is known to.

        The last one is that call. A method of an object of which nothing is known is none.
        """
        callees = sorted(target.function for target in self._project.callees(place.site))
        chain = (place, *(self.iter_chain(callees[0]) if callees else ()))
        targets = self._project.externals(chain[-1].site)
        exits = any(row.exits or not row.effects & _FAILING for _, row in self._project.rows(chain[-1].site))
        return chain if targets and all(map(self.is_failing, targets)) and not exits else ()

    def _iter_failing(self, symbol: str) -> Iterator[CallPlace]:
        where, function = self._project.place(symbol), self._project.function(symbol)
        if where is None or function is None or function.is_stub or function.is_generator:
            return
        # One broad handler is enough to show that the function knows what it does.
        if self._has_broad_handler(where) or not is_transparent(self._project, symbol):
            return
        for place in self._project.calls_in(where):
            if not self._is_guarded(place) and self.may_fail(place):
                yield place

    def _has_broad_handler(self, where: FunctionPlace) -> bool:
        return any(is_broad(self._project, where.module, one) for one in self._project.handlers.in_function(where))

    def _is_guarded(self, place: CallPlace) -> bool:
        """Whether some handler of the function gets what the call raises, if it catches that."""
        return bool(self._project.handlers.around(place.site.module, place.call))

    def is_failing(self, target: ExternalTarget) -> bool:
        """Return whether a function outside the project may raise: it reaches outside, or is not known at all."""
        row = self._project.find_row(target)
        if row is not None:
            # Files tell of errors when they are closed too, which nobody counts with.
            return bool(row.effects & _FAILING) and not (self._strict and row.names[0].endswith(".close"))
        owner = self._project.class_row(target.receiver) if target.receiver is not None else None
        if owner is not None:
            return owner.kind not in (Kind.COLLECTION, Kind.OTHER) and not self._strict
        name = target.name
        package = name.partition(".")[0]
        if name in _FAILING_BUILTINS:
            return True
        if self._strict and (package in COMPUTING_MODULES | _DATA_MODULES or _is_named_like_a_class(name)):
            return False
        return package not in _SAFE_MODULES and name not in _SAFE_FUNCTIONS

    def _makes_object(self, place: CallPlace) -> bool:
        """Whether the call makes an object of a class of the project that has no `__init__`."""
        made = self._project.result(place.site)
        return bool(made) and all(one.kind is ObjectKind.INSTANCE for one in made)


def last_name(place: CallPlace) -> str:
    """Return the last part of how the callee of a call is written."""
    callee = place.facts.values[place.call.callee]
    if isinstance(callee, Attribute):
        return callee.name
    return callee.symbol.rpartition(".")[2] if isinstance(callee, Name) else ""


def _is_named_like_a_class(name: str) -> bool:
    # Of a library that is not known, its name is all that tells a class from a function: that errs towards silence.
    return name.rpartition(".")[2].lstrip("_")[:1].isupper()


def _is_harmless(place: CallPlace) -> bool:
    values = place.facts.values
    if last_name(place) in _LOGGING and place.call.use is Use.DROPPED:
        return True
    return is_method_of_data(values[place.call.callee], place.call, values)
