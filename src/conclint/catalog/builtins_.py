"""What the built-in functions mean: nearly all of them keep nothing of their arguments. Containers: `collections_`."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Effect, RunsIn, Spawn, Timeout

CLASSES: tuple[ClassRow, ...] = ()

_KEEP_NOTHING = (
    "abs",
    "all",
    "any",
    "ascii",
    "bin",
    "bool",
    "bytearray",
    "bytes",
    "callable",
    "chr",
    "complex",
    "delattr",
    "dir",
    "divmod",
    "float",
    "format",
    "hasattr",
    "hash",
    "hex",
    "id",
    "int",
    "isinstance",
    "issubclass",
    "len",
    "oct",
    "ord",
    "pow",
    "print",
    "range",
    "repr",
    "round",
    "slice",
    "str",
    "sum",
    "type",
    "vars",
)

_KEYED = ("max", "min", "sorted")
"""Functions that return elements of their argument and call `key` on each."""

CALLS: tuple[CallRow, ...] = (
    *(CallRow(names=(f"builtins.{name}",), keeps=False) for name in _KEEP_NOTHING),
    *(
        CallRow(names=(f"builtins.{name}",), keeps=False, spawn=Spawn(runs_in=RunsIn.HERE, keyword="key"))
        for name in _KEYED
    ),
    # They call it while their result is iterated over, which nearly always is here.
    *(
        CallRow(
            names=(f"builtins.{name}",),
            keeps=False,
            spawn=Spawn(runs_in=RunsIn.HERE, position=0, arguments_from=1, maps=True),
        )
        for name in ("map", "filter")
    ),
    CallRow(names=("builtins.input",), effects=Effect.TERMINAL, timeout=Timeout(keyword=""), keeps=False),
)
