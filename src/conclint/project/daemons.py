"""Daemons: whether a thread or process may be one, which ends it with the program.

It is said by argument, by attribute, by `setDaemon`, at class level, or in the `__init__` of a subclass. What is not
a literal False or None may be true.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from conclint.model.facts import Argument, Function, Parameter
from conclint.model.values import Attribute, Constant, Local, Name, Super, Value
from conclint.project.objects import Object, ObjectKind

if TYPE_CHECKING:
    from conclint.project.project import CallPlace, Project

_NOT_DAEMON = (Constant(False), Constant(None))
_NAMES = ("daemon", "_daemonic")


class Daemons:
    """Answers whether threads and processes may be daemons."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def may_be_daemon(self, found: Object, place: CallPlace) -> bool:
        """Return whether what the call `place` makes may be a daemon (may)."""
        return any(value not in _NOT_DAEMON for value in self._iter_said(found, place))

    def is_said_daemon(self, found: Object, place: CallPlace) -> bool:
        """Return whether the program says somewhere that it is one (may)."""
        return any(value == Constant(True) for value in self._iter_said(found, place))

    def _iter_said(self, found: Object, place: CallPlace) -> Iterator[Value | None]:
        """Yield all that is said; None for what is said but not known."""
        symbols = self._project.symbols
        own = [ancestor for ancestor in symbols.linearise(found.symbol) if ancestor in symbols.classes]
        for one in (found, *(Object(ObjectKind.INSTANCE, ancestor) for ancestor in own)):
            for name in _NAMES:
                yield from self._project.assigned(one, name)
            yield from self._iter_set(one)
        for ancestor in own:
            if (ancestor, "daemon") in self._class_level:
                yield self._class_level[ancestor, "daemon"]
            if "daemon" in symbols.methods.get(ancestor, ()):
                yield None
        if symbols.find_method(found.symbol, "__init__") is None:
            yield from self._iter_argument(place, "daemon")
        else:
            for ancestor in own:
                if (symbol := symbols.methods.get(ancestor, {}).get("__init__")) is not None:
                    yield from self._iter_initialised(symbol, place)

    def _iter_set(self, found: Object) -> Iterator[Value | None]:
        for operation in self._project.operations(found):
            if operation.name == "setDaemon" and operation.site.what == "call":
                call = self._project.call(operation.site)
                argument = call.find_argument("daemonic", 0)
                yield call.facts.values[argument.value] if argument is not None else None

    def _iter_argument(
        self, place: CallPlace, name: str, default: Value | None = _NOT_DAEMON[0]
    ) -> Iterator[Value | None]:
        argument = place.find_argument(name)
        if argument is not None:
            yield place.facts.values[argument.value]
        else:
            yield None if any(one.keyword == "**" for one in place.call.arguments) else default

    def _iter_initialised(self, symbol: str, place: CallPlace) -> Iterator[Value | None]:
        """Yield what the `__init__` of a subclass passes on to that of its base."""
        function = self._project.function(symbol)
        for call in self._initialisers.get(symbol, ()):
            argument = call.find_argument("daemon")
            if argument is not None and function is not None:
                yield from self._iter_passed(call, argument, function, place)
            elif any(one.keyword == "**" for one in call.call.arguments):
                yield from self._iter_argument(place, "daemon")

    def _iter_passed(
        self, call: CallPlace, argument: Argument, function: Function, place: CallPlace
    ) -> Iterator[Value | None]:
        value = call.facts.values[argument.value]
        parameter = _find_parameter(value, function)
        if parameter is None:
            yield value
        elif _is_given_by_position(place, function, parameter):
            yield None
        else:
            default = call.facts.values[parameter.default] if parameter.default is not None else None
            yield from self._iter_argument(place, parameter.name, default)

    @cached_property
    def _initialisers(self) -> dict[str, list[CallPlace]]:
        """The calls of `super().__init__` or `Base.__init__` by the function around them."""
        found: dict[str, list[CallPlace]] = {}
        for place in self._project.calls:
            callee = place.facts.values[place.call.callee]
            if is_base_initialiser(place, callee):
                found.setdefault(place.function.symbol, []).append(place)
        return found

    @cached_property
    def _class_level(self) -> dict[tuple[str, str], Value]:
        found: dict[tuple[str, str], Value] = {}
        for facts in self._project.modules:
            for flow in facts.flows:
                target = facts.values[flow.target]
                if isinstance(target, Name):
                    owner, _, name = target.symbol.rpartition(".")
                    if name == "daemon":
                        found[owner, name] = facts.values[flow.source]
        return found


def is_base_initialiser(place: CallPlace, callee: Value) -> bool:
    """Return whether a call is `super().__init__(…)` or `Base.__init__(self, …)`."""
    if isinstance(callee, Name):
        return callee.symbol.endswith(".__init__")
    if isinstance(callee, Attribute) and callee.name == "__init__":
        return isinstance(place.facts.values[callee.base], Super | Name | Attribute)
    return False


def _find_parameter(value: Value, function: Function) -> Parameter | None:
    if isinstance(value, Local) and value.function == function.symbol:
        return next((one for one in function.parameters if one.name == value.name), None)
    return None


def _is_given_by_position(place: CallPlace, function: Function, parameter: Parameter) -> bool:
    position = function.parameters.index(parameter) - 1
    given = [one.keyword for one in place.call.arguments if one.keyword in ("", "*")]
    return "*" in given or len(given) > position
