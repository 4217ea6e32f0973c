"""What containers mean: which methods put elements in, hand them out, or change the container."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Kind


def _collection(name: str, *bases: str, aliases: tuple[str, ...] = ()) -> ClassRow:
    return ClassRow(names=(name, *aliases), kind=Kind.COLLECTION, bases=bases)


CLASSES: tuple[ClassRow, ...] = (
    # The abstract classes of `collections.abc` are left out: who knows which locks a mapping of the project takes.
    _collection("builtins.list", aliases=("typing.List",)),
    _collection("builtins.dict", aliases=("typing.Dict",)),
    _collection("collections.UserList"),
    _collection("collections.UserDict"),
    _collection("builtins.set", aliases=("typing.Set",)),
    _collection("builtins.tuple", aliases=("typing.Tuple",)),
    _collection("builtins.frozenset", aliases=("typing.FrozenSet",)),
    _collection("builtins.bytearray"),
    _collection("collections.deque", aliases=("typing.Deque",)),
    _collection("collections.OrderedDict", "builtins.dict", aliases=("typing.OrderedDict",)),
    _collection("collections.defaultdict", "builtins.dict", aliases=("typing.DefaultDict",)),
    _collection("collections.Counter", "builtins.dict", aliases=("typing.Counter",)),
    _collection("collections.ChainMap", aliases=("typing.ChainMap",)),
    _collection("weakref.WeakSet", aliases=("_weakrefset.WeakSet",)),
    _collection("weakref.WeakKeyDictionary"),
    _collection("weakref.WeakValueDictionary"),
    _collection("array.array"),
)

ADDERS: frozenset[tuple[str, int]] = frozenset(
    {
        ("add", 0),
        ("append", 0),
        ("appendleft", 0),
        ("extend", 0),
        ("extendleft", 0),
        ("insert", 1),
        ("push", 0),
        ("put", 0),
        ("put_nowait", 0),
        ("setdefault", 1),
        ("update", 0),
        ("__setitem__", 1),
    }
)
"""(method, position) where that argument, or for `extend` and `update` its elements, gets into the container."""

NEVER_RAISING: frozenset[tuple[str, str]] = frozenset(
    {
        ("builtins.list", "append"),
        ("collections.deque", "append"),
        ("collections.deque", "appendleft"),
        ("threading.Event", "is_set"),
    }
)
"""(class, method) of what needs no `try`: there is nothing that could go wrong."""

TAKES_ELEMENTS: frozenset[str] = frozenset({"extend", "extendleft", "update"})
"""The adders whose argument is a collection of elements."""

GETTERS: frozenset[str] = frozenset(
    {
        "get",
        "get_nowait",
        "pop",
        "popitem",
        "popleft",
        "setdefault",
        "__getitem__",
        "builtins.max",
        "builtins.min",
        "builtins.next",
    }
)
"""Methods, and functions by qualified name, whose result is an element (of `popitem`: with its key)."""

VIEWS: frozenset[str] = frozenset(
    {
        "copy",
        "difference",
        "intersection",
        "items",
        "symmetric_difference",
        "union",
        "values",
        "builtins.enumerate",
        "builtins.filter",
        "builtins.frozenset",
        "builtins.iter",
        "builtins.list",
        "builtins.reversed",
        "builtins.set",
        "builtins.sorted",
        "builtins.tuple",
        "builtins.zip",
        "collections.deque",
        "copy.copy",
        "itertools.chain",
        "itertools.chain.from_iterable",
        "itertools.cycle",
        "itertools.islice",
    }
)
"""Methods, and functions by qualified name, whose result is a collection of the same elements (`items`, `enumerate`
and `zip`: in pairs)."""

MUTATORS: frozenset[str] = frozenset(
    {
        "add",
        "append",
        "appendleft",
        "clear",
        "difference_update",
        "discard",
        "extend",
        "extendleft",
        "insert",
        "intersection_update",
        "move_to_end",
        "pop",
        "popitem",
        "popleft",
        "remove",
        "reverse",
        "rotate",
        "setdefault",
        "sort",
        "subtract",
        "symmetric_difference_update",
        "update",
        "__delitem__",
        "__setitem__",
    }
)
"""Methods that add, remove or reorder elements."""

ATOMIC: frozenset[str] = frozenset(
    {
        "add",
        "append",
        "appendleft",
        "clear",
        "copy",
        "discard",
        "extend",
        "get",
        "insert",
        "pop",
        "popitem",
        "popleft",
        "remove",
        "reverse",
        "setdefault",
        "sort",
        "__delitem__",
        "__getitem__",
        "__setitem__",
    }
)
"""Methods of built-in containers that the GIL makes one step, as long as no hash or comparison is Python code.

`update` and the set operations iterate over their argument, so they are not among them.
"""

CALLS: tuple[CallRow, ...] = tuple(
    CallRow(names=(f"builtins.{name}",), keeps=False)
    for name in (
        "list.count",
        "list.index",
        "list.sort",
        "list.reverse",
        "dict.keys",
        "set.isdisjoint",
        "set.issubset",
        "set.issuperset",
    )
)
