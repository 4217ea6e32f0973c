"""Commands: which programs a call starts, and whether these end by themselves.

Only the module of the call is asked, so that what sleeps elsewhere makes no difference. Whoever calls a public function
from another module chooses by himself what he runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from conclint.catalog.subprocess_ import BRIEF_PROGRAMS, LASTING_PROGRAMS, PREFIX_PROGRAMS
from conclint.model.values import Attribute, Choice, Collection, Constant, Item, Local, Name, Result, ValueId
from conclint.project.objects import Site

if TYPE_CHECKING:
    from conclint.model.facts import Call, Function
    from conclint.project.project import CallPlace, Project

Command = tuple[str, ...]
"""The program and its arguments, "" for each word that is not known; () where nothing is."""

_DEEPEST = 12
_LIMITER = "timeout"
_ASKING = frozenset({"doas", "sudo"})
"""They ask for a password, unless `-n` forbids that."""
_VERSION = frozenset({"--help", "--version", "-version"})
_SHORT_VERSION = ["-V"]
_CLIENTS = frozenset({"docker", "helm", "kubectl", "nerdctl", "oc", "podman"})
"""Their command `version` asks a server too."""
_PYTHON_LINES = ("from ", "import ", "print(")
_TAKES_WORD = frozenset({"-C", "-c", "-o", "--output", "--property", "--type"})
"""Options to which the next word belongs, of the programs that have subcommands."""
_SHELL = frozenset("|;&<>$`\n")
_PYTHON = Name("sys.executable")
_TEXT_METHODS = frozenset({"copy", "encode", "format", "replace", "rstrip", "split", "strip"})
"""Methods of strings and lists that keep the program which these begin with."""


class _Way(NamedTuple):
    """How a value is come to."""

    bound: Mapping[tuple[str, str], ValueId]
    """What parameters get from the calls on the way, by function and name."""
    seen: tuple[ValueId, ...] = ()


class Commands:
    """Answers what programs calls of `subprocess` start."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._paths = project.locks.paths

    def may_hang(self, place: CallPlace) -> bool:
        """Return whether a call starts a program that is not known to end by itself (may).

        What the caller of a public function chooses is his own affair.
        """
        given = place.find_argument("args", 0)
        if given is None:
            return True
        return not all(
            command is None or _ends(command) for command in self._read(place.site.module, given.value, _Way({}))
        )

    def _read(self, module: int, value: ValueId, way: _Way) -> Iterator[Command | None]:
        """Yield what a value may be as a command; None for what some caller chooses."""
        found = self._project.value(module, value)
        if value in way.seen:
            return
        way = way._replace(seen=(*way.seen, value))
        if len(way.seen) == _DEEPEST:
            yield ()
        elif isinstance(found, Constant):
            yield from () if found.value is None else (_split(found.value),)
        elif isinstance(found, Collection):
            yield from self._read_words(module, found, way)
        elif isinstance(found, Choice):
            # The first part of a sum begins with the program; so does one of two alternatives, at least.
            yield from self._read_all(module, self._find_parts(module, found), way)
        elif isinstance(found, Item):
            yield from self._read_item(module, found, way)
        elif isinstance(found, Result):
            yield from self._read_result(module, found, way)
        else:
            yield from self._read_variable(module, value, way)

    def _read_all(self, module: int, values: Iterable[ValueId], way: _Way) -> Iterator[Command | None]:
        for value in values:
            yield from self._read(module, value, way)

    def _find_parts(self, module: int, found: Choice) -> tuple[ValueId, ...]:
        first = self._project.value(module, found.options[0])
        return found.options[:1] if isinstance(first, Collection) and first.items else found.options

    def _read_words(self, module: int, found: Collection, way: _Way) -> Iterator[Command | None]:
        rest = tuple(self._find_word(module, item) for item in found.items[1:])
        for program in self._read(module, found.items[0], way) if found.items else [()]:
            yield (*(program or ("",)), *rest) if program is not None else None

    def _find_word(self, module: int, value: ValueId) -> str:
        found, facts = self._project.value(module, value), self._project.modules[module]
        if isinstance(found, Result):
            callee = facts.values[facts.calls[found.call].callee]
            if isinstance(callee, Attribute) and callee.name == "format":
                found = facts.values[callee.base]
        return found.value if isinstance(found, Constant) and isinstance(found.value, str) else ""

    def _read_item(self, module: int, found: Item, way: _Way) -> Iterator[Command | None]:
        """Yield what one element of a collection may be."""
        base = self._project.value(module, found.base)
        sources = (found.base,) if isinstance(base, Collection) else self._find_sources(module, found.base)
        collections = [one for source in sources if isinstance(one := self._project.value(module, source), Collection)]
        # What is empty at first is filled later.
        if sources and len([one for one in collections if one.items]) == len(sources):
            yield from self._read_all(module, (item for one in collections for item in one.items), way)
        else:
            yield from (command and () for command in self._read(module, found.base, way))

    def _read_variable(self, module: int, value: ValueId, way: _Way) -> Iterator[Command | None]:
        found = self._project.value(module, value)
        sources = self._find_sources(module, value)
        function = self._project.function(found.function) if isinstance(found, Local) else None
        is_parameter = isinstance(found, Local) and function is not None and _takes(function, found.name)
        if found == _PYTHON:
            yield ("python",)
        elif isinstance(found, Local) and function is not None and is_parameter:
            yield from self._read_parameter(module, function, found.name, way)
        elif not sources:
            yield ()
        yield from self._read_all(module, sources, way)

    def _find_sources(self, module: int, value: ValueId) -> list[ValueId]:
        """Return what the module assigns to a variable or an attribute."""
        found, facts = self._project.value(module, value), self._project.modules[module]
        if isinstance(found, Local | Name):
            return [flow.source for flow in facts.flows if flow.target == value]
        owners = self._project.objects(module, found.base) if isinstance(found, Attribute) else ()
        name = found.name if isinstance(found, Attribute) else ""
        assigned = (one for owner in owners for one in self._project.links.assigned.get((owner, name), ()))
        return list(dict.fromkeys(source for where, source in assigned if where == module))

    def _read_parameter(self, module: int, function: Function, name: str, way: _Way) -> Iterator[Command | None]:
        graph, key = self._project.call_graph, (function.symbol, name)
        if key in way.bound:
            yield from self._read(module, way.bound[key], way)
            return
        sites = [site for site in graph.sites(function.symbol) if site.module == module and site.what == "call"]
        if graph.is_open(function.symbol) or not sites:
            yield None
        for site in sites:
            given = self._paths.bind_values(site, function.symbol).get(name)
            if given is not None:
                yield from self._read(module, given, way)

    def _read_result(self, module: int, found: Result, way: _Way) -> Iterator[Command | None]:
        facts = self._project.modules[module]
        call, site = facts.calls[found.call], Site(module, found.call)
        callee = self._project.value(module, call.callee)
        places = {target.function: self._project.place(target.function) for target in self._project.callees(site)}
        returns = {
            symbol: facts.functions[place.index].returns
            for symbol, place in places.items()
            if place is not None and place.module == module
        }
        if known := self._find_named(module, call):
            yield known
        elif isinstance(callee, Attribute) and callee.name in _TEXT_METHODS:
            yield from self._read(module, callee.base, way)
        elif any(returns.values()):
            for symbol, values in returns.items():
                given = self._paths.bind_values(site, symbol).items()
                bound = {**way.bound, **{(symbol, parameter): value for parameter, value in given}}
                yield from self._read_all(module, values, way._replace(bound=bound))
        elif call.arguments:
            # What is made of a caller's words is still his choice.
            for command in self._read(module, call.arguments[0].value, way):
                yield command if not command or _find_name(command[0]) in _KNOWN else ()
        else:
            yield ()

    def _find_named(self, module: int, call: Call) -> Command:
        """Return the command that a call is given as a text, or by the name of a program: `which("ip")`."""
        texts = (_split(self._find_word(module, argument.value)) for argument in call.arguments)
        return next((words for words in texts if words and _find_name(words[0]) in _KNOWN), ())


def _takes(function: Function, name: str) -> bool:
    return any(one.name == name for one in function.parameters)


def _split(text: object) -> Command:
    """Return the words of a command line, none where a shell would do more than to start one program."""
    return tuple(text.split()) if isinstance(text, str) and _SHELL.isdisjoint(text) else ()


def _find_name(program: str) -> str:
    """Return the name of a program from its path."""
    return program.replace("\\", "/").rpartition("/")[2].lower().removesuffix(".exe")


def _make_rows(programs: Iterable[str]) -> dict[str, list[Command]]:
    """Return what must follow each program, by its name."""
    rows: dict[str, list[Command]] = {}
    for line in programs:
        name, *needed = line.split()
        rows.setdefault(name, []).append(tuple(needed))
    return rows


_KNOWN = _make_rows((*BRIEF_PROGRAMS, *LASTING_PROGRAMS))


def _ends(command: Command) -> bool:
    """Whether a program ends by itself (must): it asks something local, or does work that takes its time."""
    words = list(command)
    while words and (options := PREFIX_PROGRAMS.get(_find_name(words[0]))) is not None:
        rest = _skip_options(words[1:], options)
        if _find_name(words[0]) in _ASKING and not any(_has_flag(word, "-n") for word in words[1 : -len(rest) or None]):
            return False
        words = rest
    if words and _find_name(words[0]).startswith("python") and "-m" in words[1:2]:
        words = words[2:]
    if not words:
        return False
    if _find_name(words[0]) == _LIMITER or _asks_version(words) or _is_one_liner(words):
        return True
    return any(_fits(words[1:], needed) for needed in _KNOWN.get(_find_name(words[0]), ()))


def _asks_version(words: list[str]) -> bool:
    # Among other options, `-V` means something else: `qsub -V job`.
    if not _VERSION.isdisjoint(words[1:]) or words[1:] == _SHORT_VERSION:
        return True
    return len(words) > 1 and words[-1] == "version" and _find_name(words[0]) not in _CLIENTS


def _is_one_liner(words: list[str]) -> bool:
    """Whether some Python is asked for a line that stands in the code, as where a module is."""
    return words[1:2] == ["-c"] and any(word.startswith(_PYTHON_LINES) for word in words[2:3])


def _skip_options(words: list[str], options: frozenset[str]) -> list[str]:
    """Return what follows the options of a program, and the variables that it sets."""
    while words and (words[0].startswith("-") or "=" in words[0]):
        words = words[2:] if words[0] in options else words[1:]
    return words


def _fits(words: list[str], needed: Command) -> bool:
    """Whether arguments begin with the subcommands, and have the options, that are needed."""
    rest, subcommands = words, []
    while rest := _skip_options(rest, _TAKES_WORD):
        subcommands.append(rest[0])
        rest = rest[1:]
    wanted = [word for word in needed if not word.startswith("-")]
    flags = [word for word in needed if word.startswith("-")]
    return subcommands[: len(wanted)] == wanted and all(any(_has_flag(word, flag) for word in words) for flag in flags)


def _has_flag(word: str, flag: str) -> bool:
    """Whether a word is an option, or has that of one letter among others: `-ant`."""
    return word == flag or (len(flag) == 2 and word.startswith("-") and word[1:2] != "-" and flag[1] in word[1:])
