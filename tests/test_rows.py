"""Every row, used as people use it: code is written for each, and the analysis must find the row and what it says.

`test_catalog` compares rows with the running Python; here the question is whether a row is ever reached: through the
import of its module, the constructor of its class, and each of its names.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from conclint import catalog
from conclint.analysis.module import analyse
from conclint.catalog.collections_ import GETTERS, VIEWS
from conclint.catalog.rows import CallRow, ClassRow, Effect, RunsIn, Spawn, Timeout, Wait
from conclint.model.hints import NO_HINTS
from conclint.project.blocking import find_blocking
from conclint.project.link import Linker
from conclint.project.objects import ObjectKind
from conclint.project.project import CallPlace, Project
from conclint.project.roots import Root, find_begin
from conclint.project.timeouts import Limit, Timeouts
from conclint.source import parse

INDEX = catalog.load()
LIBRARIES = {
    info.name: importlib.import_module(f"{catalog.__name__}.{info.name}")
    for info in pkgutil.iter_modules(catalog.__path__)
}
CALLS = [(stem, row) for stem, module in LIBRARIES.items() for row in getattr(module, "CALLS", ())]
CLASSES = [(stem, row) for stem, module in LIBRARIES.items() for row in getattr(module, "CLASSES", ())]

OTHERS_LIMIT = {"socket.setdefaulttimeout"}
"""Rows whose use changes what the others of their module mean."""


@dataclass(frozen=True, slots=True)
class Use:
    """One call, as it is written, and how long it may wait."""

    code: str
    limit: Limit


@dataclass(slots=True)
class Text:
    """A module that is being written, and in which line what stands."""

    lines: list[str] = field(default_factory=list)
    found: dict[object, int] = field(default_factory=dict)

    def add(self, key: object, *lines: str) -> None:
        """Write lines, and remember the last one under `key`."""
        self.lines += lines
        self.found[key] = len(self.lines)


@dataclass(frozen=True, slots=True)
class Linked:
    """A project of one module, and where to find things in it."""

    project: Project
    lines: dict[object, int]

    def find(self, key: object) -> CallPlace:
        """Return the outermost call of the line."""
        calls = [place for place in self.project.calls if place.call.span.line == self.lines[key]]
        return max(calls, key=lambda place: (place.call.span.end_column, -place.call.span.column))


# Writing


def name_callee(name: str) -> tuple[str, str]:
    """Return the import that a call needs, and what is called: `smtplib.SMTP().quit` for a method."""
    owner, _, last = name.rpartition(".")
    if owner not in INDEX.classes:
        return owner, name
    return owner.rpartition(".")[0], f"{owner}()" if last == "__call__" else f"{owner}().{last}"


def write_uses(name: str, timeout: Timeout | None) -> list[Use]:
    """Return the ways to call something that differ in how long it may wait."""
    _, callee = name_callee(name)
    if timeout is None:
        return [Use(f"{callee}()", Limit.LIMITED)]
    bare = Limit.MISSING if timeout.default in (Wait.FOREVER, Wait.SOCKET_DEFAULT) else Limit.LIMITED
    uses = [Use(f"{callee}()", bare)]
    for keyword, position, constant in timeout.nonblocking:
        uses += [Use(f"{callee}({keyword}={constant!r})", Limit.LIMITED)] if keyword else []
        uses += [Use(f"{callee}({fill(position)}{constant!r})", Limit.LIMITED)] if position is not None else []
    if not timeout.keyword:
        return uses
    for value, limit in (("5", Limit.LIMITED), *((repr(one), Limit.INFINITE) for one in timeout.infinite)):
        uses += [Use(f"{callee}({keyword}={value})", limit) for keyword in (timeout.keyword, *timeout.aliases)]
        uses += [Use(f"{callee}({fill(timeout.position)}{value})", limit)] if timeout.position is not None else []
    return uses


def fill(position: int) -> str:
    return "".join(f"argument{number}, " for number in range(position))


def write_handovers(name: str, spawn: Spawn, given: str) -> list[str]:
    """Return the ways to hand something over, to be run."""
    _, callee = name_callee(name)
    return [
        *([f"{callee}({spawn.keyword}={given})"] if spawn.keyword else []),
        *([f"{callee}({fill(spawn.position)}{given})"] if spawn.position is not None else []),
    ]


@functools.cache
def link_calls(stem: str) -> Linked:
    """Write and link the calls of one module of the catalog."""
    text = Text()
    rows = [row for other, row in CALLS if other == stem and row.names[0] not in OTHERS_LIMIT]
    names = [name for row in rows for name in row.names]
    for needed in sorted({name_callee(name)[0] for name in names}):
        text.add(needed, f"import {needed}")
    for name in names:
        owner, _, last = name.rpartition(".")
        if owner not in INDEX.classes:
            text.add(("from", name), f"from {owner} import {last} as from_{escape(name)}")
    for number, row in enumerate(rows):
        write_call(text, row, number)
    return link(text)


def escape(name: str) -> str:
    return name.replace(".", "__")


def write_call(text: Text, row: CallRow, number: int) -> None:
    """Write all that is asked about a row."""
    for name in row.names:
        for index, use in enumerate(write_uses(name, row.timeout)):
            text.add((name, index), f"def use{number}_{index}(*arguments):", f"    {use.code}")
        if name.rpartition(".")[0] not in INDEX.classes:
            text.add((name, "from"), "def use_imported():", f"    from_{escape(name)}()")
    _, callee = name_callee(row.names[0])
    made = f"(await {callee}())" if row.coroutine else f"{callee}()"
    text.add((row, "returns"), f"async def get{number}():", f"    {made}.probe()")
    text.add((row, "item"), f"async def each{number}():", f"    for one in {made}:", "        one.probe()")
    for index in range(len(row.returns_items)):
        names = ", ".join(f"item{one}" for one in range(len(row.returns_items)))
        text.add((row, index), f"async def items{number}():", f"    {names} = {made}", f"    item{index}.probe()")
    for which, spawn in enumerate(list_spawns(row)):
        job = f"{number}_{which}"
        # Requests are handled by plain functions in threads; tasks are coroutine functions.
        is_async = spawn.runs_in in (RunsIn.TASK, RunsIn.HERE)
        text.add(("def", row, which), f"{'async ' * is_async}def job{job}(*arguments): ...")
        if spawn.of_class:
            text.add("class", f"class Handler{job}(socketserver.BaseRequestHandler):")
            text.add("handle", "    def handle(self): ...")
        given = f"Handler{job}" if spawn.of_class else f"job{job}"
        # Some take a coroutine function, and some the coroutine.
        for form in (given, f"{given}()"):
            for place, code in enumerate(write_handovers(row.names[0], spawn, form)):
                text.add((row, which, place, form == given), "def hand_over(*arguments):", f"    {code}")
    if row.decorates is not None:
        text.add(
            (row, "below"),
            f"app{number} = {callee.rpartition('.')[0]}",
            f"@app{number}.{callee.rpartition('.')[2]}('/')",
            f"def below{number}(): ...",
        )


def link(text: Text) -> Linked:
    facts = analyse(parse("\n".join(text.lines), path="app.py", module="app", is_package=False), {}).facts
    linker = Linker([facts], None, NO_HINTS)
    linker.run()
    return Linked(Project(linker=linker), text.found)


# Asking


def identify(value: object) -> str:
    return value.names[0] if isinstance(value, CallRow | ClassRow) else str(value)


def parametrise(has: Callable[[CallRow], object] = lambda row: True) -> pytest.MarkDecorator:
    """Parametrise a test over the rows of which something holds, with the module of each."""
    rows = [(stem, row) for stem, row in CALLS if row.names[0] not in OTHERS_LIMIT and has(row)]
    return pytest.mark.parametrize(("stem", "row"), rows, ids=identify)


def list_spawns(row: CallRow) -> tuple[Spawn, ...]:
    return (*([row.spawn] if row.spawn is not None else []), *row.callbacks)


@parametrise()
def test_a_call_is_found_and_waits_as_long_as_its_row_says(stem: str, row: CallRow) -> None:
    linked = link_calls(stem)
    timeouts = Timeouts(linked.project)
    for name in row.names:
        for index, use in enumerate(write_uses(name, row.timeout)):
            place = linked.find((name, index))
            found = list(linked.project.rows(place.site))
            assert [one for _, one in found] == [row], use.code
            assert timeouts.find_limit(place, *found[0]) is use.limit, use.code
        if (name, "from") in linked.lines:
            assert [one for _, one in linked.project.rows(linked.find((name, "from")).site)] == [row], name


# A queue without a bound is never full, so `put` does not wait.
@parametrise(lambda row: row.effects and not row.names[0].endswith(".put"))
def test_a_call_blocks_as_its_row_says(stem: str, row: CallRow) -> None:
    project = link_calls(stem).project
    found = find_blocking(project, link_calls(stem).find((row.names[0], 0)), row.effects)
    only_looks = row.timeout is not None and row.timeout.default is Wait.NONE and bool(row.timeout.keyword)
    is_fork = row.effects is Effect.SUBPROCESS and row.timeout is None and not row.twin
    if row.coroutine or only_looks or is_fork:
        assert found is None
    else:
        assert found is not None
        assert found.row is row


@parametrise(lambda row: row.returns or row.returns_item or row.returns_items)
def test_what_a_call_returns_is_known(stem: str, row: CallRow) -> None:
    linked = link_calls(stem)
    expected = {"returns": row.returns, "item": row.returns_item, **dict(enumerate(row.returns_items))}
    for key, name in expected.items():
        if name:
            found = {target.name for target in linked.project.externals(linked.find((row, key)).site)}
            assert f"{name}.probe" in found, key


# Of these the linker follows the elements instead: what they call is not known to be called.
@parametrise(lambda row: list_spawns(row) if row.names[0] not in GETTERS | VIEWS else ())
def test_what_is_handed_over_begins_to_run_there(stem: str, row: CallRow) -> None:
    linked = link_calls(stem)
    for which, spawn in enumerate(list_spawns(row)):
        runs_in = (
            {RunsIn.EXECUTOR_THREAD, RunsIn.EXECUTOR_PROCESS} if spawn.runs_in is RunsIn.EXECUTOR else {spawn.runs_in}
        )
        begun = {
            linked.project.call(root.site).call.span.line
            for root in linked.project.roots
            if root.site.what == "call" and root.runs_in in runs_in
        }
        for place, code in enumerate(write_handovers(row.names[0], spawn, "job")):
            assert any(linked.lines[row, which, place, form] in begun for form in (True, False)), code


@parametrise(lambda row: row.decorates is not None)
def test_what_stands_below_a_decorator_begins_to_run_there(stem: str, row: CallRow) -> None:
    linked = link_calls(stem)
    line = linked.lines[row, "below"]
    found = {root.runs_in for root in linked.project.roots if begins_in(linked.project, root, line)}
    assert found == {row.decorates}


def begins_in(project: Project, root: Root, line: int) -> bool:
    return root.site.what == "function" and find_begin(project, root).line == line


@functools.cache
def link_classes(stem: str) -> Linked:
    """Write and link the classes of one module of the catalog: made by each name, and derived from."""
    text = Text()
    rows = [row for other, row in CLASSES if other == stem]
    for needed in sorted({name.rpartition(".")[0] for row in rows for name in row.names}):
        text.add(needed, f"import {needed}")
    for number, row in enumerate(rows):
        for index, name in enumerate(row.names):
            text.add(name, f"def make{number}_{index}():", f"    {name}().probe()")
            text.add(("given", name), f"def take{number}_{index}(given: {name}):", "    given.probe()")
        method = next((one.replace("*", "GET") for one in row.runs), "nothing")
        text.add((row, "own"), f"class Own{number}({row.names[0]}):", f"    def {method}(self, *arguments): ...")
    return link(text)


@pytest.mark.parametrize(("stem", "row"), CLASSES, ids=identify)
def test_a_class_is_found_by_constructor_and_annotation(stem: str, row: ClassRow) -> None:
    linked = link_classes(stem)
    for name in row.names:
        for key in (name, ("given", name)):
            # Where the attributes are alike, the call may be one of theirs.
            target = linked.project.externals(linked.find(key).site)[0]
            assert target.receiver is not None
            assert target.receiver.kind is ObjectKind.INSTANCE
            assert linked.project.class_row(target.receiver) is row, key


@pytest.mark.parametrize(("stem", "row"), [one for one in CLASSES if one[1].runs], ids=identify)
def test_methods_of_subclasses_begin_where_the_class_says(stem: str, row: ClassRow) -> None:
    linked = link_classes(stem)
    line = linked.lines[row, "own"]
    assert {root.runs_in for root in linked.project.roots if begins_in(linked.project, root, line)} == {row.runs_in}
