"""The cost model: whether a function, by itself, computes for long in pure Python.

Long is a loop whose number of rounds is open (a parameter, a comparison) or a large constant, with arithmetic in it,
and a recursion that branches (`fib`). What the calls inside do is not known here: whoever reads a `Cost` looks at them
too. An empty display at module level counts as small, a parameter as large: this errs towards finding something.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import libcst as cst

from conclint.analysis.fields import iter_children
from conclint.analysis.locksets import ends_block
from conclint.analysis.names import Binding, BindingKind, NameTable, has_decorator
from conclint.analysis.scope import Scope
from conclint.model.facts import Cost

LONG = 100_000
"""Rounds from which on a loop with a constant number of them is long: some hundredths of a second."""
_OPEN = LONG + 1
"""What a loop with an unknown number of rounds counts: not quite what anybody writes."""
_CERTAIN = 1_000_000
"""Rounds from which on a loop of constant length certainly takes long: some tenths of a second."""

LOOPS = frozenset({cst.For, cst.While, cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp})
_COMPREHENSIONS = (cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)
_DEFINITIONS = frozenset({cst.FunctionDef, cst.ClassDef, cst.Lambda})
_COUNTED = frozenset(
    {"builtins.enumerate", "builtins.reversed", "builtins.sorted", "builtins.list", "builtins.tuple", "builtins.set"}
)
"""Functions that give as many elements as their first argument has."""
_COMBINATORIAL = frozenset(
    {
        "itertools.product",
        "itertools.permutations",
        "itertools.combinations",
        "itertools.combinations_with_replacement",
    }
)
_CONSUMERS = frozenset(f"builtins.{name}" for name in ("dict", "list", "max", "min", "set", "sorted", "sum", "tuple"))
_ENDS = frozenset({cst.Break, cst.Return, cst.Raise, cst.Yield})
_VIEWS = frozenset({"items", "keys", "values", "split", "splitlines"})


def estimate_cost(node: cst.FunctionDef | cst.Lambda, loops: Sequence[cst.CSTNode], scope: Scope) -> Cost:
    """Return the evidence that `node` is CPU-bound, an empty `Cost` without it; `loops` are its own, in order."""
    is_async = isinstance(node, cst.FunctionDef) and node.asynchronous is not None
    found = _find_long_loop(loops, scope)
    # A coroutine is no job for a thread: only what certainly stops its loop matters.
    if found is not None and (found.certain or not is_async):
        nested = any(type(part) in LOOPS for part in _iter_own(found.node) if part is not found.node)
        reason = "nested loops that compute" if nested else "a long loop that computes"
        return Cost(scope.span(found.node), reason, found.certain)
    if isinstance(node, cst.FunctionDef) and not is_async:
        start, end = scope.view.source.place(node.body)
        # Most functions need not be walked, which their text says more quickly.
        if _calls(node.name.value, scope.view.source.text, start, end):
            return _estimate_recursion(node, scope)
    return Cost()


def _calls(name: str, text: str, start: int, end: int) -> bool:
    """Whether a stretch of text has `name(`, `self.name(` or `cls.name(`."""
    place = text.find(f"{name}(", start, end)
    while place >= 0:
        before = text[place - 1]
        if not (before in "._" or before.isalnum()) or text.endswith(("self.", "cls."), start, place):
            return True
        place = text.find(f"{name}(", place + 1, end)
    return False


class _LongLoop(NamedTuple):
    node: cst.CSTNode
    certain: bool


def _find_long_loop(loops: Sequence[cst.CSTNode], scope: Scope) -> _LongLoop | None:
    """Return the first loop, outermost first, that computes for long; one that certainly does comes first."""
    first: _LongLoop | None = None
    rounds: dict[cst.CSTNode, tuple[int, int]] = {}
    for loop in loops:
        times, least = _find_outer_rounds(loop, rounds, scope)
        times *= _count_rounds(loop, scope)
        least = 0 if _is_lazy(loop, scope) else least * _count_rounds(loop, scope, unknown=1)
        rounds[loop] = times, least
        certain = least >= _CERTAIN and not _may_end_early(loop)
        if times >= LONG and (certain or first is None) and _computes(loop, scope):
            first = _LongLoop(loop, certain)
            if certain:
                return first
    return first


def _find_outer_rounds(
    loop: cst.CSTNode, rounds: Mapping[cst.CSTNode, tuple[int, int]], scope: Scope
) -> tuple[int, int]:
    """Return how often the body of the next loop around runs, and at least does; once where there is none."""
    around = scope.parent(loop)
    while around is not None and type(around) not in _DEFINITIONS:
        if around in rounds:
            return rounds[around]
        around = scope.parent(around)
    return 1, 1


def _is_lazy(loop: cst.CSTNode, scope: Scope) -> bool:
    """Whether this is a generator, of which nobody here takes all elements."""
    if type(loop) is not cst.GeneratorExp:
        return False
    argument = scope.parent(loop)
    call = scope.parent(argument) if argument is not None else None
    consumes = isinstance(call, cst.Call) and call.args[0] is argument and scope.resolve(call.func) in _CONSUMERS
    return not consumes


def _may_end_early(loop: cst.CSTNode) -> bool:
    return any(type(part) in _ENDS for part in _iter_own(loop))


def _iter_own(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(child for child in iter_children(current) if type(child) not in _DEFINITIONS)


def _computes(loop: cst.CSTNode, scope: Scope) -> bool:
    """Whether the loop does arithmetic, or compares each with each, and waits for nothing."""
    found, compares, nested = False, False, _is_combinatorial(loop, scope)
    for part in _iter_own(loop):
        if type(part) is cst.Await or getattr(part, "asynchronous", None) is not None:
            return False
        found |= _is_arithmetic(part)
        compares |= type(part) is cst.Comparison
        nested |= type(part) in LOOPS and part is not loop and _count_rounds(part, scope) >= LONG
    return found or (compares and nested)


def _is_combinatorial(loop: cst.CSTNode, scope: Scope) -> bool:
    if not isinstance(loop, cst.For) or not isinstance(loop.iter, cst.Call):
        return False
    return scope.resolve(loop.iter.func) in _COMBINATORIAL


def _is_arithmetic(node: cst.CSTNode) -> bool:
    # Exact types here and below: these are asked for every node of every loop.
    if type(node) is cst.AugAssign:
        return not isinstance(node.operator, cst.MatrixMultiplyAssign)
    if type(node) is not cst.BinaryOperation or isinstance(node.operator, cst.MatrixMultiply):
        return False
    formats = isinstance(node.operator, cst.Modulo) and isinstance(node.left, cst.SimpleString | cst.ConcatenatedString)
    return not formats


# Rounds


def _count_rounds(loop: cst.CSTNode, scope: Scope, *, unknown: int = _OPEN) -> int:
    """Return how often the body of a loop runs, where a number that is not known counts as `unknown`."""
    if isinstance(loop, cst.While):
        return unknown if _is_computed(loop, scope) else 1
    iterated = [loop.iter] if isinstance(loop, cst.For) else []
    for_in: cst.CompFor | None = getattr(loop, "for_in", None)
    while for_in is not None:
        iterated.append(for_in.iter)
        for_in = for_in.inner_for_in
    counts = (_count_elements(one, scope) for one in iterated)
    return math.prod(unknown if count == _OPEN else count for count in counts)


def _is_computed(loop: cst.While, scope: Scope) -> bool:
    """Whether the end of a `while` is a matter of computing, not of a flag that somebody else sets."""
    test = loop.test
    if isinstance(test, cst.Name) and test.value == "True":
        return any(isinstance(part, cst.If) and ends_block(part.body) for part in _iter_own(loop.body))
    if isinstance(test, cst.Name):
        owner = scope.table.find_owner(test.value)
        return owner is scope.table
    parts = tuple(_iter_own(test))
    compares = any(isinstance(part, cst.Comparison | cst.BinaryOperation) for part in parts)
    return compares and not any(isinstance(part, cst.Attribute) for part in parts)


def _count_elements(node: cst.BaseExpression, scope: Scope, table: NameTable | None = None) -> int:
    """Return how many elements iterating over `node` yields: `_OPEN` where that is unknown, 1 where it is no matter."""
    table = table or scope.table
    if isinstance(node, cst.List | cst.Tuple | cst.Set | cst.Dict):
        starred = any(isinstance(element, cst.StarredElement | cst.StarredDictElement) for element in node.elements)
        return _OPEN if starred else len(node.elements)
    if isinstance(node, cst.SimpleString):
        return len(node.raw_value)
    if isinstance(node, cst.Name):
        return _count_named(node, scope, table)
    if isinstance(node, cst.Call):
        return _count_called(node, scope, table)
    if isinstance(node, cst.Attribute):
        known = scope.view.types.type_of(node, table)
        return _OPEN if known is not None and known.startswith("builtins.") else 1
    return _OPEN


def _count_named(node: cst.Name, scope: Scope, table: NameTable) -> int:
    owner = table.find_owner(node.value)
    if owner is None:
        return 1
    bindings = owner.bindings[node.value]
    if all(binding.kind in (BindingKind.IMPORT, BindingKind.DEFINITION) for binding in bindings):
        return 1
    literal = _only_value(bindings)
    if literal is not None and (owner.kind is cst.Module or _count_elements(literal, scope, owner)):
        return _count_elements(literal, scope, owner)
    return _OPEN


def _only_value(bindings: Sequence[Binding]) -> cst.BaseExpression | None:
    """Return what a name is bound to, if that is one value that is not made from others."""
    only = bindings[0]
    if len(bindings) == 1 and only.kind is BindingKind.VALUE and not isinstance(only.node, cst.Name):
        return only.node
    return None


def _count_called(node: cst.Call, scope: Scope, table: NameTable) -> int:
    name = scope.view.types.resolve(node.func, table)
    arguments = [argument.value for argument in node.args]
    if name == "builtins.range":
        return _count_range(arguments, scope, table)
    if name in _COUNTED and arguments:
        return _count_elements(arguments[0], scope, table)
    if name == "builtins.zip" and arguments:
        return min(_count_elements(argument, scope, table) for argument in arguments)
    if isinstance(node.func, cst.Attribute) and node.func.attr.value in _VIEWS:
        return _count_elements(node.func.value, scope, table)
    return _OPEN


def _count_range(arguments: Sequence[cst.BaseExpression], scope: Scope, table: NameTable) -> int:
    numbers = [_evaluate(argument, scope, table) for argument in arguments]
    known = [number for number in numbers if number is not None]
    if len(known) != len(numbers) or not numbers:
        return _OPEN
    try:
        return len(range(*known))
    except (TypeError, ValueError, OverflowError):
        return _OPEN


def _evaluate(node: cst.BaseExpression, scope: Scope, table: NameTable) -> int | None:
    """Return the integer that an expression of constants is."""
    if isinstance(node, cst.Integer):
        return node.evaluated_value
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
        inner = _evaluate(node.expression, scope, table)
        return None if inner is None else -inner
    if isinstance(node, cst.BinaryOperation):
        return _combine(node.operator, _evaluate(node.left, scope, table), _evaluate(node.right, scope, table))
    if isinstance(node, cst.Name) and (owner := table.find_owner(node.value)) is not None:
        value = _only_value(owner.bindings[node.value])
        return _evaluate(value, scope, owner) if value is not None else None
    if isinstance(node, cst.Call) and scope.view.types.resolve(node.func, table) == "builtins.len" and node.args:
        count = _count_elements(node.args[0].value, scope, table)
        return None if count == _OPEN else count
    return None


def _combine(operator: cst.BaseBinaryOp, left: int | None, right: int | None) -> int | None:
    if left is None or right is None:
        return None
    if isinstance(operator, cst.Add):
        return left + right
    if isinstance(operator, cst.Subtract):
        return left - right
    if isinstance(operator, cst.Multiply):
        return left * right
    if isinstance(operator, cst.FloorDivide):
        return left // right if right else None
    if isinstance(operator, cst.Power):
        return left**right if 0 <= right <= 64 and abs(left) <= LONG else None
    return None


# Recursion


def _estimate_recursion(node: cst.FunctionDef, scope: Scope) -> Cost:
    own = tuple(_iter_own(node.body))
    if has_decorator(node, "cache", "lru_cache", "memoize") or not any(map(_is_arithmetic, own)):
        return Cost()
    if any(isinstance(part, cst.Await) for part in own):
        return Cost()
    if _count_calls_of_itself(node.body.body, node, scope) < 2:
        return Cost()
    first = next(part for part in own if _calls_itself(part, node, scope))
    return Cost(scope.span(first), "a recursion that branches")


def _calls_itself(node: cst.CSTNode, function: cst.FunctionDef, scope: Scope) -> bool:
    if not isinstance(node, cst.Call):
        return False
    func = node.func
    if isinstance(func, cst.Attribute) and isinstance(func.value, cst.Name):
        is_own = func.value.value in (scope.table.self_name, "cls") and bool(func.value.value)
        return is_own and func.attr.value == function.name.value
    return isinstance(func, cst.Name) and scope.resolve(func) == scope.table.symbol


def _count_calls_of_itself(body: Sequence[cst.CSTNode], function: cst.FunctionDef, scope: Scope) -> int:
    """Return how often a run of `body` calls the function again, at most; in a loop counts twice."""
    total = 0
    for index, statement in enumerate(body):
        if isinstance(statement, cst.If):
            taken = _count_below(statement.body, function, scope)
            missed = _count_below(statement.orelse, function, scope) if statement.orelse is not None else 0
            if ends_block(statement.body):
                return total + max(taken, missed + _count_calls_of_itself(body[index + 1 :], function, scope))
            total += max(taken, missed)
        elif isinstance(statement, cst.For | cst.While):
            total += 2 * _count_below(statement.body, function, scope)
        else:
            total += _count_below(statement, function, scope)
    return total


def _count_below(node: cst.CSTNode, function: cst.FunctionDef, scope: Scope) -> int:
    if isinstance(node, cst.IndentedBlock):
        return _count_calls_of_itself(node.body, function, scope)
    if isinstance(node, cst.If | cst.For | cst.While):
        return _count_calls_of_itself((node,), function, scope)
    if type(node) in _DEFINITIONS:
        return 0
    if isinstance(node, cst.IfExp):
        return max(_count_below(side, function, scope) for side in (node.body, node.orelse))
    below = sum(_count_below(child, function, scope) for child in iter_children(node))
    times = 2 if isinstance(node, _COMPREHENSIONS) else 1
    return times * below + _calls_itself(node, function, scope)
