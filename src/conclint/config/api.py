"""`[[tool.conclint.api]]` as it is written: rows of the catalog, in words of TOML."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from conclint.catalog.rows import Domain, Kind, Role, RunsIn, Wait

Blocks = Literal[
    "sleep",
    "network",
    "file",
    "subprocess",
    "terminal",
    "slow-first-use",
    "cpu",
    "heavy",
    "grows",
    "releases-gil",
]
"""The words for `rows.Effect`; WAIT has a key of its own."""

Position = Annotated[int, Meta(ge=0)]


class ApiArgument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """An argument with a certain value."""

    keyword: Annotated[str, Meta(description="Its keyword.")] = ""
    position: Annotated[Position | None, Meta(description="Its place among the positional arguments, from 0.")] = None
    value: Annotated[bool | int | float | str, Meta(description="The value.")]


class ApiTimeout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """The timeout parameter of a call."""

    keyword: Annotated[str, Meta(description='Its keyword; `""` where the call takes no timeout.')] = "timeout"
    position: Annotated[
        Position | None, Meta(description="Its place among the positional arguments, from 0, `self` not counted.")
    ] = None
    default: Annotated[Wait, Meta(description="How long the call waits when it is not given.")] = Wait.FOREVER
    infinite: Annotated[
        tuple[int | float | str, ...], Meta(description='The values that mean "for ever", `"none"` for `None`.')
    ] = ("none",)
    aliases: Annotated[tuple[str, ...], Meta(description="Other keywords that set it too.")] = ()
    nonblocking: Annotated[
        tuple[ApiArgument, ...], Meta(description="The arguments, each a table, that make the call return at once.")
    ] = ()


class ApiSpawn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """A callable, or a coroutine, that a call takes to have it run elsewhere."""

    runs_in: Annotated[RunsIn, Meta(description="Where it runs.")]
    keyword: Annotated[str, Meta(description="Its keyword.")] = ""
    position: Annotated[
        Position | None, Meta(description="Its place among the positional arguments, from 0, `self` not counted.")
    ] = None
    arguments_from: Annotated[
        Position | None, Meta(description="The first positional argument that is passed on to it.")
    ] = None
    args_keyword: Annotated[str, Meta(description="The keyword of a tuple of its arguments.")] = ""
    args_position: Annotated[Position | None, Meta(description="The place of that tuple.")] = None
    kwargs_keyword: Annotated[str, Meta(description="The keyword of a dict of its keyword arguments.")] = ""
    maps: Annotated[bool, Meta(description="Whether it gets the elements of the further arguments, as `map`.")] = False
    passes: Annotated[
        tuple[str, ...], Meta(description="The classes of what the library itself calls it with, by position.")
    ] = ()
    variadic: Annotated[
        bool, Meta(description="Whether all arguments from `position` on are such callables, as in `gather`.")
    ] = False
    of_class: Annotated[
        bool, Meta(description="Whether it is a class, of which the methods named by `runs` are run on a new object.")
    ] = False
    awaits: Annotated[bool, Meta(description="Whether it may be a coroutine function, as in tornado.")] = False


class ApiRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """A function, a class with its constructor, or methods of a class."""

    name: Annotated[str, Meta(description="The qualified name of a function or class.")] = ""
    aliases: Annotated[tuple[str, ...], Meta(description="Other qualified names of it.")] = ()
    type: Annotated[str, Meta(description="For methods: the qualified name of their class.")] = ""
    method: Annotated[
        str | tuple[str, ...], Meta(description="For methods: the name of one, or a list of names of some like it.")
    ] = ()
    blocks: Annotated[
        Blocks | tuple[Blocks, ...],
        Meta(description="What it does while its caller waits, or how it computes: a word, or a list of words."),
    ] = ()
    waits: Annotated[bool, Meta(description="Whether it waits for another thread, process or task.")] = False
    timeout: Annotated[ApiTimeout | None, Meta(description="Its timeout: a table.")] = None
    twin: Annotated[str, Meta(description="The asynchronous twin that advice should name.")] = ""
    coroutine: Annotated[bool, Meta(description="Whether it is a coroutine function.")] = False
    spawns: Annotated[
        ApiSpawn | None, Meta(description="The callable that it takes to have it run elsewhere: a table.")
    ] = None
    callbacks: Annotated[
        tuple[ApiSpawn, ...], Meta(description="Further callables, each a table like that of `spawns`.")
    ] = ()
    role: Annotated[
        Role | None, Meta(description="What it does to the life of its object, or to that of its arguments.")
    ] = None
    returns: Annotated[str, Meta(description="The class of its result.")] = ""
    returns_item: Annotated[str, Meta(description="The class of the elements of its result.")] = ""
    returns_items: Annotated[
        tuple[str, ...], Meta(description="The classes of the elements of its result, where that is a tuple.")
    ] = ()
    keeps: Annotated[bool, Meta(description="Whether it may keep its arguments beyond the call.")] = True
    bounded: Annotated[str, Meta(description="What takes a timeout, where the call itself takes none.")] = ""
    decorates: Annotated[
        RunsIn | None, Meta(description="Where plain functions run that stand below the decorator which it gives.")
    ] = None
    loop_only: Annotated[bool, Meta(description="Whether it may be called in the thread of its event loop only.")] = (
        False
    )
    exits: Annotated[bool, Meta(description="Whether it raises SystemExit.")] = False
    changes: Annotated[
        str, Meta(description='What it changes for the whole process, such as "the working directory".')
    ] = ""
    kind: Annotated[Kind | None, Meta(description="For a class: what its objects are.")] = None
    domain: Annotated[
        Domain | None, Meta(description="For a class: what it keeps apart. By default what its kind usually does.")
    ] = None
    bases: Annotated[
        tuple[str, ...],
        Meta(description="For a class: known classes whose methods it has. By default the usual one of its kind."),
    ] = ()
    attributes: Annotated[
        str, Meta(description="For a class: the class of its attributes and items, where they are all alike.")
    ] = ""
    runs: Annotated[
        tuple[str, ...], Meta(description="For a class: methods of subclasses that the library itself runs, or `do_*`.")
    ] = ()
    runs_in: Annotated[RunsIn | None, Meta(description="For a class: where it runs these.")] = None
    shared: Annotated[
        bool, Meta(description="For a class: whether it runs these on one object, not each time on a new one.")
    ] = False
    factory: Annotated[bool, Meta(description="For a class: whether its name is a function that returns it.")] = False
    since: Annotated[str, Meta(description="The first Python version that has it.")] = ""
    until: Annotated[str, Meta(description="The first Python version that has it no more.")] = ""
