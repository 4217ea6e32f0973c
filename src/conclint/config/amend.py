"""Rows as the settings write them → rows of the catalog, with all names checked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from conclint import catalog
from conclint.catalog.rows import CallRow, ClassRow, Domain, Effect, Kind, Spawn, Timeout
from conclint.config.api import ApiRow, ApiSpawn, ApiTimeout
from conclint.config.options import Layer
from conclint.config.words import ConfigError, suggest

QUALIFIED_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")
_VERSION = re.compile(r"(\d+)\.(\d+)")
_OF_CLASSES = ("domain", "bases", "attributes", "runs", "runs-in", "shared", "factory")
_NOT_OF_CALLS = {"name", "aliases", "type", "method", "kind", "since", "until", *_OF_CLASSES}

_SILENT = ApiRow()

_Labelled = tuple[ApiRow, str]
"""A row, and how the user finds it: "conclint.toml: `api[0]`"."""

_USUAL_DOMAINS: Mapping[Kind, Domain] = {
    Kind.PROCESS: Domain.PROCESS,
    Kind.POPEN: Domain.PROCESS,
    Kind.POOL: Domain.PROCESS,
    Kind.TASK: Domain.TASK,
    Kind.TASK_GROUP: Domain.TASK,
    Kind.CANCEL_SCOPE: Domain.TASK,
    Kind.LOOP: Domain.TASK,
}
_USUAL_CLASSES: Mapping[Domain, Mapping[Kind, str]] = {
    Domain.THREAD: {
        Kind.LOCK: "threading.Lock",
        Kind.RLOCK: "threading.RLock",
        Kind.SEMAPHORE: "threading.Semaphore",
        Kind.CONDITION: "threading.Condition",
        Kind.EVENT: "threading.Event",
        Kind.BARRIER: "threading.Barrier",
        Kind.QUEUE: "queue.Queue",
        Kind.THREAD: "threading.Thread",
        Kind.TIMER: "threading.Timer",
        Kind.POOL: "multiprocessing.pool.ThreadPool",
        Kind.EXECUTOR: "concurrent.futures.ThreadPoolExecutor",
        Kind.FUTURE: "concurrent.futures.Future",
    },
    Domain.TASK: {
        Kind.LOCK: "asyncio.Lock",
        Kind.SEMAPHORE: "asyncio.Semaphore",
        Kind.CONDITION: "asyncio.Condition",
        Kind.EVENT: "asyncio.Event",
        Kind.QUEUE: "asyncio.Queue",
        Kind.FUTURE: "asyncio.Future",
        Kind.TASK: "asyncio.Task",
        Kind.LOOP: "asyncio.AbstractEventLoop",
    },
    Domain.PROCESS: {
        Kind.LOCK: "multiprocessing.Lock",
        Kind.RLOCK: "multiprocessing.RLock",
        Kind.SEMAPHORE: "multiprocessing.Semaphore",
        Kind.CONDITION: "multiprocessing.Condition",
        Kind.EVENT: "multiprocessing.Event",
        Kind.QUEUE: "multiprocessing.Queue",
        Kind.PROCESS: "multiprocessing.Process",
        Kind.POPEN: "subprocess.Popen",
        Kind.POOL: "multiprocessing.Pool",
        Kind.EXECUTOR: "concurrent.futures.ProcessPoolExecutor",
    },
}
"""The classes that own ones are usually like: their methods hold for a row that names no bases."""


def make_amendments(layers: Sequence[Layer], versions: tuple[tuple[int, int], ...]) -> catalog.Amendments:
    """Return the rows of the last layer that gives any. Raises ConfigError for what does not fit together."""
    for layer in reversed(layers):
        if layer.options.api is not None:
            labelled = [(row, layer.label(f"api[{number}]")) for number, row in enumerate(layer.options.api)]
            try:
                return _make_amendments(labelled, versions)
            except RuntimeError as error:
                raise ConfigError(f"{layer.label('api')}: {str(error).removeprefix('catalog: ')}") from error
    return catalog.Amendments(versions=versions)


def _make_amendments(rows: Sequence[_Labelled], versions: tuple[tuple[int, int], ...]) -> catalog.Amendments:
    for row, label in rows:
        _check_names(row, label)
    classes = tuple(_iter_classes(rows))
    with catalog.amend(catalog.Amendments(classes)):
        for row, label in rows:
            _check_classes(row, label)
        calls = tuple(_make_call(row, label) for row, label in rows if _tells_of_call(row))
    catalog.build_index(classes, calls)
    return catalog.Amendments(classes, calls, versions)


# Checks


def _check_names(row: ApiRow, label: str) -> None:
    if bool(row.name) == bool(row.type) or bool(row.type) != bool(row.method):
        raise ConfigError(f"{label}: a row needs either `name`, or `type` and `method`")
    named = (
        *(("name", row.name), ("type", row.type), ("twin", row.twin), ("bounded", row.bounded)),
        *(("aliases", name) for name in row.aliases),
    )
    for key, name in named:
        if name and not QUALIFIED_NAME.fullmatch(name):
            raise ConfigError(f"{label}: `{key}`: `{name}` is no qualified name such as `package.module.name`")
    for method in _split(row.method):
        if not method.isidentifier():
            raise ConfigError(f"{label}: `method`: `{method}` is no name of a method")
    misplaced = next((key for key in _OF_CLASSES if row.kind is None and _is_given(row, key)), None)
    if misplaced is not None:
        raise ConfigError(f"{label}: `{misplaced}` is for classes, which have a `kind`")
    if row.kind is not None and row.type:
        raise ConfigError(f"{label}: `kind` is for classes, which have a `name`")


def _is_given(row: ApiRow, key: str) -> bool:
    field = key.replace("-", "_")
    return bool(getattr(row, field) != getattr(_SILENT, field))


def _check_classes(row: ApiRow, label: str) -> None:
    """Check that what is named as a class is one that the catalog knows, or that has a row of its own."""
    spawns = (*([row.spawns] if row.spawns is not None else []), *row.callbacks)
    named = (
        *(("bases", name) for name in row.bases),
        ("attributes", row.attributes),
        ("returns", row.returns),
        ("returns-item", row.returns_item),
        *(("returns-items", name) for name in row.returns_items),
        *(("passes", name) for spawn in spawns for name in spawn.passes),
    )
    for key, name in named:
        if name and catalog.find_class(name) is None:
            known = suggest(name, catalog.load().classes)
            raise ConfigError(f"{label}: `{key}`: unknown class `{name}`; {known}, or give it a row with a `kind`")


# Classes


def _iter_classes(rows: Sequence[_Labelled]) -> Iterator[ClassRow]:
    described = set()
    for row, label in rows:
        if row.kind is not None:
            described.update({row.name, *row.aliases})
            yield _make_class(row, row.kind, label)
    implied = {row.type for row, _ in rows if row.type and catalog.find_class(row.type) is None}
    for name in sorted(implied - described):
        yield ClassRow(names=(name,), kind=Kind.OTHER)


def _make_class(row: ApiRow, kind: Kind, label: str) -> ClassRow:
    domain = row.domain or _USUAL_DOMAINS.get(kind, Domain.THREAD)
    usual = _USUAL_CLASSES[domain].get(kind)
    return ClassRow(
        names=(row.name, *row.aliases),
        kind=kind,
        domain=domain,
        bases=row.bases or ((usual,) if usual is not None else ()),
        attributes=row.attributes,
        runs=row.runs,
        runs_in=row.runs_in,
        shared=row.shared,
        factory=row.factory,
        since=_read_version(row.since, f"{label}: `since`"),
        until=_read_version(row.until, f"{label}: `until`"),
    )


def _read_version(written: str, label: str) -> tuple[int, int] | None:
    found = _VERSION.fullmatch(written)
    if written and found is None:
        raise ConfigError(f'{label}: `{written}` is no version such as "3.12"')
    return (int(found[1]), int(found[2])) if found is not None else None


# Calls


def _tells_of_call(row: ApiRow) -> bool:
    """Whether a row tells of a call: that of a class may tell nothing of its constructor."""
    keys = (name.replace("_", "-") for name in ApiRow.__struct_fields__)
    return row.kind is None or any(_is_given(row, key) for key in keys if key not in _NOT_OF_CALLS)


def _make_call(row: ApiRow, label: str) -> CallRow:
    effects = Effect.WAIT if row.waits else Effect.NONE
    for word in _split(row.blocks):
        effects |= Effect[word.upper().replace("-", "_")]
    owner = catalog.canonical_class(row.type)
    return CallRow(
        names=(row.name, *row.aliases) if owner is None else tuple(f"{owner}.{name}" for name in _split(row.method)),
        effects=effects,
        timeout=_make_timeout(row.timeout) if row.timeout is not None else None,
        role=row.role,
        spawn=_make_spawn(row.spawns) if row.spawns is not None else None,
        callbacks=tuple(map(_make_spawn, row.callbacks)),
        returns=_canonical(row.returns),
        returns_item=_canonical(row.returns_item),
        returns_items=tuple(map(_canonical, row.returns_items)),
        coroutine=row.coroutine,
        keeps=row.keeps,
        loop_only=row.loop_only,
        decorates=row.decorates,
        twin=row.twin,
        bounded=row.bounded,
        exits=row.exits,
        changes=row.changes,
        since=_read_version(row.since, f"{label}: `since`"),
        until=_read_version(row.until, f"{label}: `until`"),
    )


def _make_timeout(written: ApiTimeout) -> Timeout:
    return Timeout(
        keyword=written.keyword,
        position=written.position,
        default=written.default,
        infinite=tuple(None if one == "none" else one for one in written.infinite),
        nonblocking=tuple((one.keyword, one.position, one.value) for one in written.nonblocking),
        aliases=written.aliases,
    )


def _make_spawn(written: ApiSpawn) -> Spawn:
    fields = {name: getattr(written, name) for name in ApiSpawn.__struct_fields__}
    return Spawn(**{**fields, "passes": tuple(map(_canonical, written.passes))})


def _canonical(name: str) -> str:
    return catalog.canonical_class(name) or name


def _split(written: str | tuple[str, ...]) -> tuple[str, ...]:
    return (written,) if isinstance(written, str) else written
