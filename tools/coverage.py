"""What the catalog knows, as a page: each class and call, what it does, and the rules that look at it."""

from __future__ import annotations

import importlib
import itertools
import pkgutil
from collections.abc import Iterable, Iterator, Mapping

from conclint import catalog
from conclint.catalog.rows import LOCK_KINDS, CallRow, ClassRow, Domain, Effect, Kind, RunsIn, Spawn, Timeout, Wait

_HEAD = """# What conclint knows of libraries

Generated from the catalog, which the settings may [add to](settings.md#libraries-of-your-own). Methods stand after
their class; `a` · `b` are alike. "Instead" names what a coroutine should await, and what takes a timeout. Rules that
look at all calls alike are not named.

"""

_WORDS: Mapping[Effect, str] = {
    Effect.SLEEP: "sleeps",
    Effect.NETWORK: "network",
    Effect.FILE: "files",
    Effect.SUBPROCESS: "other process",
    Effect.TERMINAL: "terminal",
    Effect.SLOW_FIRST_USE: "slow at first",
    Effect.WAIT: "waits",
    Effect.CPU: "computes",
    Effect.RELEASES_GIL: "outside the GIL",
    Effect.HEAVY: "for long",
    Effect.GROWS: "for as long as its input is large",
}
_WAITS: Mapping[Wait, str] = {
    Wait.FOREVER: "for ever",
    Wait.SOCKET_DEFAULT: "default of `socket`",
    Wait.FINITE: "finite",
    Wait.NONE: "does not wait",
}

_STOPS_A_LOOP = Effect.SLEEP | Effect.NETWORK | Effect.SUBPROCESS | Effect.TERMINAL | Effect.SLOW_FIRST_USE
_STOPS_OTHERS = Effect.SLEEP | Effect.SUBPROCESS | Effect.WAIT
_LOCKS = (
    "CON202 CON204 CON207 CON221 CON222 CON223 CON224 CON225 CON226 CON227 CON229 CON230 CON231 CON235 CON238 CON240 "
    "CON242 CON243 CON246"
)
_BY_KIND: Mapping[Kind, str] = {
    **dict.fromkeys(LOCK_KINDS, _LOCKS),
    Kind.CONDITION: f"{_LOCKS} CON232 CON233 CON234 CON245",
    Kind.SEMAPHORE: f"{_LOCKS} CON244",
    Kind.EVENT: "CON236 CON239 CON508",
    Kind.BARRIER: "CON236 CON239 CON508",
    Kind.QUEUE: "CON209 CON210 CON211 CON236 CON239 CON506 CON508",
    Kind.THREAD: "CON101 CON104 CON105 CON106 CON107 CON108 CON109 CON117 CON119 CON120 CON122 CON603",
    Kind.TIMER: "CON101 CON104 CON105 CON107 CON109",
    Kind.PROCESS: "CON104 CON105 CON106 CON108 CON109 CON501 CON504 CON513 CON527",
    Kind.POPEN: "CON502 CON505",
    Kind.POOL: "CON503 CON504 CON512 CON525 CON526",
    Kind.EXECUTOR: "CON504 CON522 CON524 CON525 CON526",
    Kind.FUTURE: "CON521 CON523 CON528 CON529",
    Kind.TASK: "CON404 CON416",
    Kind.TASK_GROUP: "CON414",
    Kind.CANCEL_SCOPE: "CON308 CON414",
    Kind.LOOP: "CON406 CON407",
    Kind.THREAD_LOCAL: "CON114 CON118 CON214",
    Kind.SESSION: "CON301",
    Kind.COLLECTION: "CON201 CON203 CON205",
    Kind.OTHER: "",
}
_OF_TASKS = frozenset({Kind.TASK, Kind.TASK_GROUP, Kind.CANCEL_SCOPE, Kind.LOOP})
_BY_EFFECT: tuple[tuple[Effect, str], ...] = (
    (_STOPS_A_LOOP, "CON401 CON402"),
    (_STOPS_OTHERS, "CON228"),
    (Effect.FILE, "CON422"),
    (Effect.NETWORK | Effect.SLEEP, "CON703"),
    (Effect.HEAVY | Effect.GROWS, "CON702"),
)
_TAKES = frozenset({"acquire", "__enter__", "__aenter__"})
_GIVES_BACK = frozenset({"release", "__exit__", "__aexit__"})
_PROCESSES = frozenset({RunsIn.PROCESS, RunsIn.EXECUTOR_PROCESS, RunsIn.EXECUTOR})
_THREADS = frozenset({RunsIn.THREAD, RunsIn.TIMER, RunsIn.EXECUTOR_THREAD, RunsIn.EXECUTOR})


def render_coverage() -> str:
    """Return the page: a section for each module of the catalog, in the order of their names."""
    return _HEAD + "\n".join(_iter_sections())


def _iter_sections() -> Iterator[str]:
    for info in sorted(pkgutil.iter_modules(catalog.__path__), key=lambda info: info.name):
        module = importlib.import_module(f"{catalog.__name__}.{info.name}")
        classes, calls = getattr(module, "CLASSES", ()), getattr(module, "CALLS", ())
        if classes or calls:
            title = info.name.replace("_trio", " and trio").strip("_")
            yield f"## {title}\n\n{_render_classes(classes)}{_render_calls(calls)}"


def _render_classes(classes: Iterable[ClassRow]) -> str:
    told = [row for row in classes if row.kind is not Kind.OTHER]
    rows = (f"| `{row.names[0]}` | {_describe_class(row)} | {_name_rules(row)} |\n" for row in told)
    return "".join(("| class | is | rules |\n|---|---|---|\n", *rows, "\n")) if told else ""


def _name_rules(row: ClassRow) -> str:
    # Most rules are about threads and processes.
    return _BY_KIND[row.kind] if row.domain is not Domain.TASK or row.kind in _OF_TASKS else ""


def _describe_class(row: ClassRow) -> str:
    kind = row.kind.value.replace("-", " ")
    domain = "" if row.domain is Domain.THREAD else f" of {'tasks' if row.domain is Domain.TASK else 'processes'}"
    return f"{kind}{domain}{_say_versions(row)}"


def _render_calls(calls: Iterable[CallRow]) -> str:
    lines = [(row.names[0].rpartition("."), _describe_call(row)) for row in calls]
    told = [(owner, name, text) for (owner, _, name), text in lines if text is not None]
    groups = itertools.groupby(sorted(told, key=lambda one: (one[0], one[2], one[1])), key=lambda one: (one[0], one[2]))
    rows = [f"| {_join_names(owner, [name for _, name, _ in group])} | {text} |\n" for (owner, text), group in groups]
    head = "| call | does | without a timeout | instead | rules |\n|---|---|---|---|---|\n"
    return "".join((head, *rows)) if rows else ""


def _join_names(owner: str, names: Iterable[str]) -> str:
    first, *others = names
    return " · ".join((f"`{owner}.{first}`", *(f"`{name}`" for name in others)))


def _describe_call(row: CallRow) -> str | None:
    """Return the cells after the name; None for a call that does nothing of note."""
    words = [word for effect, word in _WORDS.items() if effect & row.effects]
    words += _describe_lock(row)
    words += [f"runs `{spawn.keyword or spawn.position}`: {spawn.runs_in.value}" for spawn in _iter_spawns(row)]
    words += [row.role.value] if row.role is not None else []
    words += [f"changes {row.changes}"] if row.changes else []
    words += [f"runs what is below: {row.decorates.value}"] if row.decorates is not None else []
    words += ["exits"] if row.exits else []
    words += ["only on its loop"] if row.loop_only else []
    if not words and row.timeout is None:
        return None
    words += ["when awaited"] if row.coroutine else []
    instead = " · ".join(f"`{name}`" for name in (row.twin, row.bounded) if name)
    cells = (", ".join(words) + _say_versions(row), _say_timeout(row.timeout), instead, " ".join(_iter_rules(row)))
    return " | ".join(cells)


def _describe_lock(row: CallRow) -> list[str]:
    owner, _, method = row.names[0].rpartition(".")
    found = catalog.find_class(owner)
    if found is None or found.kind not in LOCK_KINDS:
        return []
    return ["locks"] if method in _TAKES else ["unlocks"] if method in _GIVES_BACK else []


def _iter_spawns(row: CallRow) -> Iterator[Spawn]:
    yield from ([row.spawn] if row.spawn is not None else [])
    yield from row.callbacks


def _say_timeout(timeout: Timeout | None) -> str:
    if timeout is None:
        return ""
    return (
        f"{_WAITS[timeout.default]}: `{timeout.keyword}`" if timeout.keyword else f"{_WAITS[timeout.default]}, always"
    )


def _say_versions(row: ClassRow | CallRow) -> str:
    since = f", since {row.since[0]}.{row.since[1]}" if row.since is not None else ""
    return since + (f", until {row.until[0]}.{row.until[1]}" if row.until is not None else "")


def _iter_rules(row: CallRow) -> Iterator[str]:
    if not row.coroutine:
        for effects, codes in _BY_EFFECT:
            yield from codes.split() if effects & row.effects else ()
        if row.effects & Effect.WAIT and not row.effects & _STOPS_A_LOOP:
            yield "CON408"
        if row.effects & Effect.NETWORK and not row.effects & Effect.WAIT and _may_last(row.timeout):
            yield "CON301"
        yield from ["CON304"] if row.effects & Effect.SUBPROCESS and row.timeout and row.timeout.keyword else []
    else:
        yield "CON403"
        yield from ["CON309"] if row.effects & Effect.NETWORK and row.timeout is not None else []
    if row.spawn is not None and row.spawn.runs_in is not RunsIn.HERE:
        yield from ("CON102", "CON121", *(["CON110"] if row.spawn.runs_in is not RunsIn.TASK else []))
        yield from ["CON103"] if row.spawn.args_keyword else []
        yield from ["CON701"] if row.spawn.runs_in in _THREADS else []
        yield from ["CON507", "CON510"] if row.spawn.runs_in in _PROCESSES else []
    yield from ["CON406"] if row.loop_only else []
    yield from ["CON113"] if row.changes else []
    yield from ["CON111"] if row.exits else []


def _may_last(timeout: Timeout | None) -> bool:
    """Whether a call that may be given a timeout can wait for ever."""
    return timeout is not None and bool(timeout.keyword or timeout.default is Wait.SOCKET_DEFAULT)
