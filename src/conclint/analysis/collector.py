"""Collects the facts of one module: tables of values and contexts, and the lists of what happens."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import libcst as cst
import msgspec

from conclint.analysis.names import BindingKind, NameTable, iter_parameters
from conclint.analysis.types import Types
from conclint.model.facts import (
    Access,
    AccessKind,
    Acquisition,
    Argument,
    Call,
    Class,
    Context,
    Flow,
    Function,
    Parameter,
    ParameterKind,
    Use,
    Yield,
)
from conclint.model.ids import CallId
from conclint.model.observations import Declaration, Handler, Poll, Raise, Sequence, StaleWrite
from conclint.model.values import (
    Attribute,
    Await,
    Choice,
    Collection,
    Constant,
    Instance,
    Item,
    Local,
    Name,
    Result,
    Super,
    Unknown,
    Value,
    ValueId,
)
from conclint.source import Source

LONGEST_STRING = 60
_PLAIN_STRING = re.compile(r"""'[^'\\\0\n]*'|"[^"\\\0\n]*\"""")
_STATIC = frozenset({BindingKind.IMPORT, BindingKind.DEFINITION})
_COLLECTIONS = {cst.List: "list", cst.Tuple: "tuple", cst.Set: "set"}
_ELEMENT_TYPES = frozenset(
    "list List set Set frozenset tuple Tuple deque Deque Sequence Iterable Iterator Collection MutableSequence".split()
)
_MAPPING_TYPES = frozenset("dict Dict Mapping MutableMapping DefaultDict defaultdict OrderedDict".split())


class Collector:
    """Grows the tables of `ModuleFacts`; every method adds to them or looks up in them."""

    def __init__(self, source: Source, types: Types, module: NameTable) -> None:
        self._source, self._types, self._module = source, types, module
        self.values: list[Value] = []
        self._value_ids: dict[Value, ValueId] = {}
        self._evaluated: dict[cst.CSTNode, ValueId] = {}
        self._named: dict[NameTable, dict[str, ValueId]] = {}
        self.contexts: list[Context] = [Context()]
        self._context_ids: dict[Context, int] = {Context(): 0}
        self.functions: list[Function] = []
        self.classes: list[Class] = []
        self.calls: list[Call] = []
        self.flows: list[Flow] = []
        self.accesses: list[Access] = []
        self.acquisitions: list[Acquisition] = []
        self.yields: list[Yield] = []
        self.sequences: list[Sequence] = []
        self.raises: list[Raise] = []
        self.declarations: list[Declaration] = []
        self.stale_writes: list[StaleWrite] = []
        self.handlers: list[Handler] = []
        self.polls: list[Poll] = []
        self.rounds: list[CallId] = []
        self._sites = 0
        self.unknown = self.intern(Unknown())

    def intern(self, value: Value) -> ValueId:
        """Return the index of `value`, adding it to the table where it is new."""
        found = self._value_ids.get(value)
        if found is None:
            found = self._value_ids[value] = len(self.values)
            self.values.append(value)
        return found

    def add_context(self, context: Context) -> int:
        """Return the index of `context`, adding it to the table where it is new."""
        found = self._context_ids.get(context)
        if found is None:
            found = self._context_ids[context] = len(self.contexts)
            self.contexts.append(context)
        return found

    def add_call(self, node: cst.Call, table: NameTable, function: int, context: int, use: Use) -> None:
        """Add the call, whose callee and arguments have been evaluated before."""
        arguments = tuple(
            Argument(
                argument.star or (argument.keyword.value if argument.keyword is not None else ""),
                self.evaluate(argument.value, table),
                self._source.span(argument.value),
            )
            for argument in node.args
        )
        callee = self.evaluate(node.func, table)
        if isinstance(self.values[callee], Name) and self.values[callee] == Name("builtins.super"):
            owner = table.owning_class()
            if owner is not None:
                self._evaluated[node] = self.intern(Super(owner.symbol))
                return
        self._evaluated[node] = self.intern(Result(len(self.calls)))
        self.calls.append(Call(function, callee, arguments, self._source.span(node), use, context))

    def add_flow(self, target: ValueId, source: ValueId, node: cst.CSTNode, function: int, context: int) -> None:
        """Add that `target` may become `source`, unless nothing is known of it."""
        self.flows.append(Flow(function, target, source, self._source.span(node), context))

    def add_access(self, target: ValueId, kind: AccessKind, node: cst.CSTNode, function: int, context: int) -> None:
        """Add an access to shared state; locals of the function itself are none."""
        self.accesses.append(Access(function, target, kind, self._source.span(node), context))

    def add_raise(self, value: ValueId, node: cst.CSTNode, function: int, context: int) -> None:
        """Add that `value`, an exception or its class, is raised."""
        self.raises.append(Raise(function, value, self._source.span(node), context))

    def suspend_iterations(self, first: int, last: int) -> None:
        """Say that something is awaited during the iterations among the accesses `first` to `last`."""
        for index in range(first, last):
            if self.accesses[index].kind is AccessKind.ITERATE:
                self.accesses[index] = msgspec.structs.replace(self.accesses[index], suspends=True)

    def evaluate(self, node: cst.BaseExpression, table: NameTable) -> ValueId:
        """Return what `node` is. Calls, lambdas and comprehensions below it must have been traversed before."""
        found = self._evaluated.get(node)
        if found is None:
            evaluator = _EVALUATORS.get(type(node))
            found = self.unknown if evaluator is None else evaluator(self, node, table)
            self._evaluated[node] = found
        return found

    def define(self, node: cst.CSTNode, value: ValueId) -> None:
        """Fix what an expression is: a lambda, a comprehension."""
        self._evaluated[node] = value

    def new_collection(self, kind: str, items: tuple[ValueId, ...]) -> ValueId:
        """Return a collection made here, different from every other one."""
        self._sites += 1
        return self.intern(Collection(kind, items, self._sites))

    def name_value(self, name: str, table: NameTable) -> ValueId:
        """Return what a use, or an assignment, of `name` in `table` means."""
        known = self._named.get(table)
        if known is None:
            known = self._named[table] = {}
        value = known.get(name)
        if value is None:
            value = known[name] = self._find_named(name, table)
        return value

    def _find_named(self, name: str, table: NameTable) -> ValueId:
        owner = table.find_owner(name)
        if owner is None:
            return self.intern(Name(self._types.resolve(cst.Name(name), table) or f"{self._module.symbol}.{name}"))
        bindings = owner.bindings[name]
        if all(binding.kind in _STATIC for binding in bindings):
            # At module level the further imports of a name are fallbacks, in a function they are alternatives.
            symbols = dict.fromkeys(binding.symbol for binding in bindings if owner.is_function)
            if len(symbols) > 1:
                return self.intern(Choice(tuple(self.intern(Name(symbol)) for symbol in symbols)))
            return self.intern(Name(bindings[0].symbol))
        if owner.is_function:
            return self.intern(Local(owner.symbol, name))
        return self.intern(Name(f"{owner.symbol}.{name}"))

    def annotation_value(self, node: cst.BaseExpression | None, table: NameTable) -> ValueId | None:
        """Return the `Instance` that an annotation promises, None where it is not understood."""
        node = self._types.unwrap_annotation(node, table)
        if node is None:
            return None
        if isinstance(node, cst.Subscript) and (items := _element_annotation(node)) is not None:
            name = self._types.resolve(node.value, table)
            of = self.intern(Name(name)) if name is not None else self.unknown
            return self.intern(Instance(of, self.annotation_value(items, table)))
        symbol = self._types.annotated_symbol(node, table)
        return self.intern(Instance(self.intern(Name(symbol)))) if symbol is not None else None

    def build_parameters(self, parameters: cst.Parameters, table: NameTable, outer: NameTable) -> tuple[Parameter, ...]:
        """Return the parameters of a function whose table is `table`; annotations are names of `outer`."""
        keyword_only = set(map(id, parameters.kwonly_params))
        built = []
        for parameter in iter_parameters(parameters):
            kind = {"*": ParameterKind.STAR, "**": ParameterKind.STAR_STAR}.get(str(parameter.star))
            if kind is None:
                kind = ParameterKind.KEYWORD if id(parameter) in keyword_only else ParameterKind.POSITIONAL
            annotation = parameter.annotation.annotation if parameter.annotation is not None else None
            default = self.evaluate(parameter.default, outer) if parameter.default is not None else None
            built.append(Parameter(parameter.name.value, kind, self.annotation_value(annotation, outer), default))
        return tuple(built)

    def _evaluate_name(self, node: cst.Name, table: NameTable) -> ValueId:
        constant = _CONSTANTS.get(node.value, self)
        if constant is not self:
            return self.intern(Constant(constant))  # type: ignore[arg-type]
        return self.name_value(node.value, table)

    def _evaluate_attribute(self, node: cst.Attribute, table: NameTable) -> ValueId:
        base = self.evaluate(node.value, table)
        value = self.values[base]
        if isinstance(value, Name):
            # Folding keeps `os.path.join` one name; `project` unfolds attributes of objects.
            return self.intern(Name(f"{value.symbol}.{node.attr.value}"))
        return self.intern(Attribute(base, node.attr.value))

    def _evaluate_subscript(self, node: cst.Subscript, table: NameTable) -> ValueId:
        base = self.evaluate(node.value, table)
        if any(isinstance(element.slice, cst.Slice) for element in node.slice):
            return base
        return self.intern(Item(base)) if base != self.unknown else self.unknown

    def _evaluate_await(self, node: cst.Await, table: NameTable) -> ValueId:
        return self.intern(Await(self.evaluate(node.expression, table)))

    def _evaluate_walrus(self, node: cst.NamedExpr, table: NameTable) -> ValueId:
        return self.evaluate(node.value, table)

    def _evaluate_choice(self, node: cst.IfExp | cst.BooleanOperation, table: NameTable) -> ValueId:
        sides = (node.body, node.orelse) if isinstance(node, cst.IfExp) else (node.left, node.right)
        return self.intern(Choice(tuple(self.evaluate(side, table) for side in sides)))

    def _evaluate_operation(self, node: cst.BinaryOperation, table: NameTable) -> ValueId:
        """Return the flags of `socket.AI_NUMERICHOST | _MORE`, or the lists of `first + second`, as a choice."""
        sides = [self.evaluate(side, table) for side in (node.left, node.right)]
        flags = [side for side in sides if self._is_flag(side)]
        if flags:
            # What else is combined with a flag takes nothing from it: `flags | _MORE`.
            return self.intern(Choice(tuple(flags))) if isinstance(node.operator, cst.BitOr) else self.unknown
        # `[None] * 3` holds what the list does, and two lists put together what either does.
        known = [side for side in sides if not isinstance(self.values[side], Constant | Unknown)]
        if isinstance(node.operator, cst.Multiply):
            # `size() * int(1e6)` is a number: what a call returns is taken for a list only where it is added.
            known = [side for side in known if not isinstance(self.values[side], Result)]
        joins = isinstance(node.operator, cst.Add | cst.BitOr | cst.Multiply)
        return self.intern(Choice(tuple(known))) if joins and known else self.unknown

    def _is_flag(self, value: ValueId) -> bool:
        found = self.values[value]
        if isinstance(found, Choice):
            return all(map(self._is_flag, found.options))
        return isinstance(found, Name) and found.symbol.rpartition(".")[2].isupper()

    def _evaluate_collection(self, node: cst.List | cst.Tuple | cst.Set, table: NameTable) -> ValueId:
        items = tuple(
            self.intern(Item(value)) if isinstance(element, cst.StarredElement) else value
            for element in node.elements
            for value in (self.evaluate(element.value, table),)
        )
        return self.new_collection(_COLLECTIONS[type(node)], items)

    def _evaluate_dict(self, node: cst.Dict, table: NameTable) -> ValueId:
        items = tuple(
            value if isinstance(element, cst.DictElement) else self.intern(Item(value))
            for element in node.elements
            for value in (self.evaluate(element.value, table),)
        )
        # Keys made on the spot are elements as well: `{executor.submit(fetch, url): url}`.
        made = (element.key for element in node.elements if isinstance(element, cst.DictElement))
        keys = tuple(self.evaluate(key, table) for key in made if isinstance(key, cst.Call))
        return self.new_collection("dict", items + keys)

    def _evaluate_string(self, node: cst.SimpleString | cst.ConcatenatedString, table: NameTable) -> ValueId:
        text = _plain_text(node)
        # A lone surrogate, as in "\udc80", could not be encoded for the way back from the worker.
        if not isinstance(text, str) or any("\ud800" <= letter <= "\udfff" for letter in text[:LONGEST_STRING]):
            return self.unknown
        return self.intern(Constant(text[:LONGEST_STRING]))

    def _evaluate_number(self, node: cst.Integer | cst.Float, table: NameTable) -> ValueId:
        number = node.evaluated_value
        # msgpack holds integers of 64 bits.
        fits = isinstance(number, float) or abs(number) < 2**63
        return self.intern(Constant(number)) if fits else self.unknown

    def _evaluate_minus(self, node: cst.UnaryOperation, table: NameTable) -> ValueId:
        inner = self.values[self.evaluate(node.expression, table)]
        if (
            isinstance(node.operator, cst.Minus)
            and isinstance(inner, Constant)
            and isinstance(inner.value, int | float)
        ):
            return self.intern(Constant(-inner.value))
        return self.unknown


def _plain_text(node: cst.SimpleString | cst.ConcatenatedString) -> str | bytes | None:
    """Return what a string literal is; most need no compiler to tell."""
    literal = getattr(node, "value", "")
    if _PLAIN_STRING.fullmatch(literal):
        return str(literal[1:-1])
    try:
        return node.evaluated_value
    except (SyntaxError, ValueError):
        # libcst parses literals that Python does not take, such as one with a null byte.
        return None


_CONSTANTS: dict[str, object] = {"None": None, "True": True, "False": False}

_EVALUATORS: dict[type[cst.CSTNode], Callable[[Collector, Any, NameTable], ValueId]] = {
    cst.Name: Collector._evaluate_name,
    cst.Attribute: Collector._evaluate_attribute,
    cst.Subscript: Collector._evaluate_subscript,
    cst.Await: Collector._evaluate_await,
    cst.NamedExpr: Collector._evaluate_walrus,
    cst.IfExp: Collector._evaluate_choice,
    cst.BinaryOperation: Collector._evaluate_operation,
    cst.BooleanOperation: Collector._evaluate_choice,
    cst.List: Collector._evaluate_collection,
    cst.Tuple: Collector._evaluate_collection,
    cst.Set: Collector._evaluate_collection,
    cst.Dict: Collector._evaluate_dict,
    cst.SimpleString: Collector._evaluate_string,
    cst.ConcatenatedString: Collector._evaluate_string,
    cst.Integer: Collector._evaluate_number,
    cst.Float: Collector._evaluate_number,
    cst.UnaryOperation: Collector._evaluate_minus,
}


def _element_annotation(node: cst.Subscript) -> cst.BaseExpression | None:
    # `list[T]` and `dict[K, T]` hold T.
    last = node.value.attr.value if isinstance(node.value, cst.Attribute) else getattr(node.value, "value", "")
    index = 0 if last in _ELEMENT_TYPES else 1 if last in _MAPPING_TYPES else None
    if index is None or index >= len(node.slice):
        return None
    inner = node.slice[index].slice
    return inner.value if isinstance(inner, cst.Index) else None
