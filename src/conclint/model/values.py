"""What an expression is, told from its own module alone.

A module's values stand in one table, `ModuleFacts.values`; they refer to each other, and facts refer to them, by
their index there (a `ValueId`). Equal values share an index.
"""

from __future__ import annotations

import msgspec

ValueId = int


class Name(msgspec.Struct, frozen=True, array_like=True, tag="n"):
    """Something at module level, by its qualified name: `threading.Thread`, `shop.cart.Cart.add`, `builtins.open`.

    Nested functions are `shop.cart.f.<locals>.g`, lambdas `shop.cart.f.<locals>.<lambda:12:8>`.
    """

    symbol: str


class Local(msgspec.Struct, frozen=True, array_like=True, tag="l"):
    """A variable or parameter of the function `function` (its symbol), also when a nested function uses it."""

    function: str
    name: str


class Attribute(msgspec.Struct, frozen=True, array_like=True, tag="a"):
    """`base.name`."""

    base: ValueId
    name: str


class Item(msgspec.Struct, frozen=True, array_like=True, tag="i"):
    """Some element of `base`: `base[k]`, or what iterating over it yields.

    `index` is the place of one that is unpacked: 0 and 1 for `reader, writer = base`.
    """

    base: ValueId
    index: int | None = None


class Result(msgspec.Struct, frozen=True, array_like=True, tag="r"):
    """What call number `call` of `ModuleFacts.calls` returns: for a class, the new object."""

    call: int


class Constant(msgspec.Struct, frozen=True, array_like=True, tag="c"):
    """A literal None, bool, number or string (strings are cut at 60 characters)."""

    value: None | bool | int | float | str


class Collection(msgspec.Struct, frozen=True, array_like=True, tag="o"):
    """A list, tuple, set or dict made here, by display or comprehension; a dict's items are its values.

    `site` numbers the collections of a module, so that two empty lists are two values.
    """

    kind: str
    items: tuple[ValueId, ...]
    site: int


class Await(msgspec.Struct, frozen=True, array_like=True, tag="w"):
    """What `await base` gives."""

    base: ValueId


class Choice(msgspec.Struct, frozen=True, array_like=True, tag="h"):
    """One of several values: `a or b`, `a if t else b`."""

    options: tuple[ValueId, ...]


class Instance(msgspec.Struct, frozen=True, array_like=True, tag="t"):
    """Some object of the annotated type `of`, made elsewhere; `item` is its annotated element type, if any."""

    of: ValueId
    item: ValueId | None = None


class Entered(msgspec.Struct, frozen=True, array_like=True, tag="e"):
    """What `with base as x` binds to `x`: `base.__enter__()`, or what a context manager function yields."""

    base: ValueId


class Super(msgspec.Struct, frozen=True, array_like=True, tag="s"):
    """`super()` in a method of the class `owner`."""

    owner: str


class Unknown(msgspec.Struct, frozen=True, array_like=True, tag="u"):
    """Anything else. Unknown is silent."""


Value = (
    Name
    | Local
    | Attribute
    | Item
    | Result
    | Constant
    | Collection
    | Await
    | Choice
    | Instance
    | Entered
    | Super
    | Unknown
)
