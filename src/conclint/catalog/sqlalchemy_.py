"""What `sqlalchemy` (2.1) means. A pool waits for a free connection for thirty seconds."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Domain, Effect, Kind, Role, Timeout, Wait

_ENGINE = "sqlalchemy.Engine"
_CONNECTION = "sqlalchemy.Connection"
_SESSION = "sqlalchemy.orm.Session"
_SCOPED = "sqlalchemy.orm.scoped_session"
_QUERY = "sqlalchemy.orm.Query"
_ASYNC = "sqlalchemy.ext.asyncio"


def _async(name: str, kind: Kind, module: str) -> ClassRow:
    names = (f"{_ASYNC}.{name}", f"{_ASYNC}.{module}.{name}")
    return ClassRow(names=names, kind=kind, domain=Domain.TASK, serial=kind is Kind.SESSION)


CLASSES: tuple[ClassRow, ...] = (
    ClassRow(names=(_ENGINE, "sqlalchemy.engine.Engine", "sqlalchemy.engine.base.Engine"), kind=Kind.OTHER),
    ClassRow(
        names=(_CONNECTION, "sqlalchemy.engine.Connection", "sqlalchemy.engine.base.Connection"), kind=Kind.SESSION
    ),
    ClassRow(names=(_SESSION, "sqlalchemy.orm.session.Session"), kind=Kind.SESSION),
    ClassRow(names=("sqlalchemy.orm.sessionmaker", "sqlalchemy.orm.session.sessionmaker"), kind=Kind.OTHER),
    # Each thread, or what else its scope is, has a session of its own behind it.
    ClassRow(names=(_SCOPED, "sqlalchemy.orm.scoping.scoped_session"), kind=Kind.OTHER),
    ClassRow(names=(_QUERY, "sqlalchemy.orm.query.Query"), kind=Kind.OTHER),
    ClassRow(names=("sqlalchemy.pool.QueuePool", "sqlalchemy.pool.impl.QueuePool"), kind=Kind.OTHER),
    _async("AsyncEngine", Kind.OTHER, "engine"),
    _async("AsyncConnection", Kind.SESSION, "engine"),
    _async("AsyncSession", Kind.SESSION, "session"),
    _async("async_sessionmaker", Kind.OTHER, "session"),
)

_STATEMENTS = ("commit", "execute", "rollback", "scalar", "scalars")
_OF_SESSIONS = ("flush", "get", "merge", "refresh")
_CHAIN = ("distinct", "filter", "filter_by", "group_by", "join", "limit", "offset", "options", "order_by", "outerjoin")
_RESULTS = ("all", "count", "delete", "first", "get", "one", "one_or_none", "scalar", "update")

CALLS: tuple[CallRow, ...] = (
    CallRow(names=("sqlalchemy.create_engine", "sqlalchemy.engine.create_engine"), returns=_ENGINE),
    CallRow(names=("sqlalchemy.pool.QueuePool",), timeout=Timeout(position=3, default=Wait.FINITE)),
    CallRow(names=("sqlalchemy.pool.QueuePool.connect",), effects=Effect.NETWORK | Effect.WAIT),
    CallRow(names=("sqlalchemy.orm.sessionmaker.__call__",), returns=_SESSION),
    CallRow(names=(f"{_SCOPED}.__call__",), returns=_SESSION),
    CallRow(names=(f"{_ENGINE}.connect",), effects=Effect.NETWORK, returns=_CONNECTION),
    CallRow(names=(f"{_ENGINE}.begin",), effects=Effect.NETWORK, returns=_CONNECTION),
    CallRow(names=(f"{_ENGINE}.dispose",), role=Role.CLOSE),
    *(
        CallRow(names=(f"{owner}.{name}",), effects=Effect.NETWORK, keeps=False)
        for owner, names in (
            (_CONNECTION, _STATEMENTS),
            (_SESSION, (*_STATEMENTS, *_OF_SESSIONS)),
            (_SCOPED, (*_STATEMENTS, *_OF_SESSIONS)),
        )
        for name in names
    ),
    *(CallRow(names=(f"{owner}.query",), returns=_QUERY) for owner in (_SESSION, _SCOPED)),
    *(CallRow(names=(f"{_QUERY}.{name}",), returns=_QUERY, keeps=False) for name in _CHAIN),
    *(CallRow(names=(f"{_QUERY}.{name}",), effects=Effect.NETWORK, keeps=False) for name in _RESULTS),
    *(CallRow(names=(f"{owner}.close",), role=Role.CLOSE) for owner in (_CONNECTION, _SESSION)),
    CallRow(names=(f"{_SCOPED}.remove",), role=Role.CLOSE),
    CallRow(
        names=(f"{_ASYNC}.create_async_engine", f"{_ASYNC}.engine.create_async_engine"),
        returns=f"{_ASYNC}.AsyncEngine",
    ),
    CallRow(names=(f"{_ASYNC}.async_sessionmaker.__call__",), returns=f"{_ASYNC}.AsyncSession"),
    # They connect when they are awaited, or entered.
    *(
        CallRow(names=(f"{_ASYNC}.AsyncEngine.{name}",), returns=f"{_ASYNC}.AsyncConnection")
        for name in ("begin", "connect")
    ),
    CallRow(names=(f"{_ASYNC}.AsyncEngine.dispose",), role=Role.CLOSE, coroutine=True),
    *(
        CallRow(names=(f"{_ASYNC}.{owner}.{name}",), effects=Effect.NETWORK, coroutine=True, keeps=False)
        for owner, names in (
            ("AsyncConnection", _STATEMENTS),
            ("AsyncSession", (*_STATEMENTS, *_OF_SESSIONS)),
        )
        for name in names
    ),
    *(
        CallRow(names=(f"{_ASYNC}.{owner}.close",), role=Role.CLOSE, coroutine=True)
        for owner in ("AsyncConnection", "AsyncSession")
    ),
)
