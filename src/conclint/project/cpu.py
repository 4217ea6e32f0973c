"""CPU-bound functions: those that compute in pure Python, and wait for nothing on the way.

A function is CPU-bound (must) when it, or a function that it calls, has a `Cost`, and every call below it is known not
to wait, not to read or write anything outside, and not to compute outside the GIL. One unknown call makes it unknown.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.rows import Effect, Kind
from conclint.model.facts import Call, Function
from conclint.model.span import Span
from conclint.model.values import Attribute, Constant, Value
from conclint.project.blocking import is_unbounded_queue
from conclint.project.objects import ObjectKind
from conclint.project.symbols import FunctionPlace

if TYPE_CHECKING:
    from conclint.project.link import ExternalTarget
    from conclint.project.project import CallPlace, Project

_MOST_FUNCTIONS = 40
"""A call tree with more functions than this does more than compute."""
_OUTSIDE = (
    Effect.SLEEP
    | Effect.NETWORK
    | Effect.FILE
    | Effect.SUBPROCESS
    | Effect.WAIT
    | Effect.TERMINAL
    | Effect.RELEASES_GIL
    | Effect.SLOW_FIRST_USE
)
COMPUTING_MODULES = frozenset(
    """
    array bisect builtins cmath collections copy dataclasses datetime decimal enum fractions functools hashlib heapq
    itertools json logging math operator random re statistics string struct textwrap time typing unicodedata
    """.split()
)
"""Modules whose functions compute under the GIL, unless the catalog says otherwise of one. Those of `hashlib` leave it
for more than 2047 bytes only; logging is short."""
_COMPUTING_NAMES = frozenset(
    {
        "os.getpid",
        "os.cpu_count",
        "sys.getsizeof",
        "sys.setrecursionlimit",
        "threading.current_thread",
        "threading.get_ident",
    }
)
_ACTING_BUILTINS = frozenset({"__import__", "breakpoint", "compile", "eval", "exec", "input", "open"})
_OUTSIDE_METHODS = frozenset({"hashlib.file_digest", "hashlib.pbkdf2_hmac", "hashlib.scrypt", "json.dump", "json.load"})
_METHODS = frozenset(
    """
    append appendleft bit_length capitalize conjugate decode digest encode endswith extend extendleft find format
    hexdigest insert isalnum isalpha isdigit islower isspace isupper items join keys lower lstrip most_common partition
    pop popleft ljust rjust reverse rfind rsplit rstrip sort split splitlines startswith strip swapcase title
    translate upper values zfill
    """.split()
)
"""Methods of strings, numbers and containers that hardly anything else has: believed of any object."""
_METHOD_ENDS = tuple(f".{name}" for name in sorted(_METHODS))
_METHODS_BY_COUNT = {"add": 1, "count": 1, "discard": 1, "index": 1, "replace": 2, "setdefault": 2, "remove": 1}
"""Methods of strings and containers with this many arguments, while `query.count()` may ask a database."""
_PLAIN_DECORATORS = frozenset(
    """
    builtins.staticmethod builtins.classmethod builtins.property functools.lru_cache functools.cache
    functools.cached_property functools.wraps typing.no_type_check typing.override typing.final
    """.split()
)


Trail = tuple[tuple[int, Span, str], ...]
"""The calls that lead somewhere: module, span, and the name of the function called."""


class Work(NamedTuple):
    """Why a function is CPU-bound: the calls that lead to the loop, and the loop."""

    calls: Trail
    module: int
    span: Span
    reason: str


class CpuBound:
    """Answers which functions of a program are CPU-bound."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._found: dict[str, Work | None] = {}

    def find_work(self, function: str) -> Work | None:
        """Return why a function is CPU-bound (must), None where it is not or that is not known."""
        if function not in self._found:
            self._found[function] = self._search(function)
        return self._found[function]

    def _search(self, start: str) -> Work | None:
        """Look breadth first through all that the function calls: the nearest loop, unless some call forbids it."""
        work: Work | None = None
        trails: dict[str, Trail] = {start: ()}
        for symbol in (queue := [start]):
            place, function = self._project.place(symbol), self._project.function(symbol)
            if place is None or function is None or not self._is_plain(place, function):
                return None
            calls = self._project.calls_in(place)
            if len(queue) > _MOST_FUNCTIONS or not all(map(self._only_computes, calls)):
                return None
            if work is None and function.cost.span is not None:
                work = Work(trails[symbol], place.module, function.cost.span, function.cost.reason)
            for callee, trail in self._iter_callees(symbol, calls, trails[symbol]):
                if callee not in trails:
                    trails[callee] = trail
                    queue.append(callee)
        return work

    def _iter_callees(self, symbol: str, calls: Iterable[CallPlace], trail: Trail) -> Iterator[tuple[str, Trail]]:
        for call in calls:
            for callee in sorted(target.function for target in self._project.callees(call.site)):
                yield callee, (*trail, (call.site.module, call.call.span, callee.rpartition(".")[2]))
        # `sorted(key=f)` and its like call what no call names.
        for callee in sorted(self._project.call_graph.called_by(symbol)):
            yield callee, trail

    @cached_property
    def _entering(self) -> frozenset[FunctionPlace]:
        """The functions that enter something: a lock, a transaction, a span."""
        return frozenset(
            FunctionPlace(module, acquisition.function)
            for module, facts in enumerate(self._project.modules)
            for acquisition in facts.acquisitions
        )

    def _is_plain(self, place: FunctionPlace, function: Function) -> bool:
        """Whether running the function is running its body, and nothing is entered there."""
        if function.is_async or function.is_stub or place in self._entering:
            return False
        return all(name in _PLAIN_DECORATORS for name in self._project.decorators(function.symbol))

    def _only_computes(self, place: CallPlace) -> bool:
        targets = self._project.externals(place.site)
        if targets:
            return all(self.is_computing(place, target) for target in targets)
        if self._project.callees(place.site) or self._makes_object(place):
            return True
        return is_method_of_data(place.facts.values[place.call.callee], place.call, place.facts.values)

    def _makes_object(self, place: CallPlace) -> bool:
        """Whether the call makes an object of a class of the project that has no `__init__`."""
        made = self._project.result(place.site)
        return bool(made) and all(
            one.kind is ObjectKind.INSTANCE and one.symbol in self._project.symbols.classes for one in made
        )

    def is_computing(self, place: CallPlace, target: ExternalTarget) -> bool:
        """Return whether a function outside the project computes under the GIL, and neither waits nor acts (must)."""
        row = self._project.find_row(target)
        if row is not None and (row.effects & _OUTSIDE or row.coroutine):
            return target.name.endswith(".put") and is_unbounded_queue(self._project, target.receiver)
        if target.name in _OUTSIDE_METHODS:
            return False
        owner = self._project.class_row(target.receiver) if target.receiver is not None else None
        if owner is not None and (
            owner.kind is Kind.COLLECTION or (row is None and target.name.endswith(_METHOD_ENDS))
        ):
            return True
        module, _, name = target.name.partition(".")
        if module == "builtins":
            return hasattr(builtins, name.partition(".")[0]) and name not in _ACTING_BUILTINS
        return module in COMPUTING_MODULES or target.name in _COMPUTING_NAMES


def is_method_of_data(callee: Value, call: Call, values: tuple[Value, ...]) -> bool:
    """Return whether a call is of a method that strings, numbers and containers have, and hardly anything else."""
    if not isinstance(callee, Attribute):
        return False
    if isinstance(values[callee.base], Constant) or callee.name in _METHODS:
        return True
    given = len(call.arguments)
    if callee.name == "get":
        # `counts.get(word, 0)`, unlike `session.get(url)`, has a number to fall back on.
        return given == 2 and isinstance(values[call.arguments[1].value], Constant)
    return _METHODS_BY_COUNT.get(callee.name) == given
