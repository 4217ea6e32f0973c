"""What database drivers mean. sqlite3 has `Effect.FILE`: its database is a file, and its calls are usually short."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Domain, Effect, Kind, Role, Timeout, Wait

_CONNECTIONS = (
    ("sqlite3.Connection", "sqlite3.Cursor", Effect.FILE),
    ("psycopg.Connection", "psycopg.Cursor", Effect.NETWORK),
    ("psycopg2.extensions.connection", "psycopg2.extensions.cursor", Effect.NETWORK),
    ("pymysql.connections.Connection", "pymysql.cursors.Cursor", Effect.NETWORK),
    ("mysql.connector.connection.MySQLConnection", "mysql.connector.cursor.MySQLCursor", Effect.NETWORK),
)
"""Drivers that follow PEP 249: connection, cursor, and what their calls do."""

_SQLALCHEMY = ("sqlalchemy.Engine", "sqlalchemy.Connection", "sqlalchemy.orm.Session")
_PG_POOL = "psycopg_pool.ConnectionPool"
_MONGO_DATABASE = "pymongo.database.Database"
_MONGO_COLLECTION = "pymongo.collection.Collection"

CLASSES: tuple[ClassRow, ...] = (
    *(
        row
        for connection, cursor, effect in _CONNECTIONS
        for row in (
            ClassRow(names=(connection,), kind=Kind.SESSION),
            # Those of sqlite3 belong to a thread, so they are told apart.
            ClassRow(names=(cursor,), kind=Kind.SESSION if effect is Effect.FILE else Kind.OTHER),
        )
    ),
    ClassRow(names=("psycopg.AsyncConnection",), kind=Kind.SESSION, domain=Domain.TASK),
    ClassRow(names=(_PG_POOL, "psycopg_pool.pool.ConnectionPool"), kind=Kind.SESSION),
    ClassRow(names=("sqlalchemy.orm.scoped_session", "sqlalchemy.orm.scoping.scoped_session"), kind=Kind.OTHER),
    ClassRow(names=("asyncpg.Connection", "asyncpg.connection.Connection"), kind=Kind.SESSION, domain=Domain.TASK),
    ClassRow(names=("asyncpg.Pool", "asyncpg.pool.Pool"), kind=Kind.SESSION, domain=Domain.TASK),
    ClassRow(
        names=("pymongo.MongoClient", "pymongo.mongo_client.MongoClient"), kind=Kind.SESSION, attributes=_MONGO_DATABASE
    ),
    ClassRow(names=(_MONGO_DATABASE,), kind=Kind.SESSION, attributes=_MONGO_COLLECTION),
    ClassRow(names=("sqlalchemy.orm.sessionmaker", "sqlalchemy.orm.session.sessionmaker"), kind=Kind.OTHER),
    ClassRow(names=(_MONGO_COLLECTION,), kind=Kind.SESSION),
    ClassRow(names=("sqlalchemy.Engine", "sqlalchemy.engine.Engine", "sqlalchemy.engine.base.Engine"), kind=Kind.OTHER),
    ClassRow(
        names=("sqlalchemy.Connection", "sqlalchemy.engine.Connection", "sqlalchemy.engine.base.Connection"),
        kind=Kind.SESSION,
    ),
    ClassRow(names=("sqlalchemy.orm.Session", "sqlalchemy.orm.session.Session"), kind=Kind.SESSION),
)

_CONNECT = (
    CallRow(
        names=("sqlite3.connect", "sqlite3.dbapi2.connect", "_sqlite3.connect"),
        effects=Effect.FILE,
        timeout=Timeout(position=1, default=Wait.FINITE),
        returns="sqlite3.Connection",
    ),
    CallRow(
        names=("psycopg.connect", "psycopg.Connection.connect"),
        effects=Effect.NETWORK,
        timeout=Timeout(keyword="connect_timeout", default=Wait.FINITE),
        returns="psycopg.Connection",
        twin="psycopg.AsyncConnection.connect",
    ),
    CallRow(
        names=("psycopg.AsyncConnection.connect",),
        effects=Effect.NETWORK,
        timeout=Timeout(keyword="connect_timeout", default=Wait.FINITE),
        returns="psycopg.AsyncConnection",
        coroutine=True,
    ),
    # libpq reads 0 as for ever. A connection string may set it, too.
    CallRow(
        names=("psycopg2.connect",),
        effects=Effect.NETWORK,
        timeout=Timeout(keyword="connect_timeout", position=0, infinite=(None, 0), aliases=("dsn",)),
        returns="psycopg2.extensions.connection",
    ),
    CallRow(
        names=("pymysql.connect", "pymysql.Connect", "pymysql.connections.Connection"),
        effects=Effect.NETWORK,
        timeout=Timeout(keyword="connect_timeout", default=Wait.FINITE),
        returns="pymysql.connections.Connection",
    ),
    CallRow(
        names=("mysql.connector.connect", "mysql.connector.connection.MySQLConnection"),
        effects=Effect.NETWORK,
        timeout=Timeout(keyword="connection_timeout", aliases=("connect_timeout",)),
        returns="mysql.connector.connection.MySQLConnection",
    ),
    CallRow(
        names=("asyncpg.connect", "asyncpg.connection.connect"),
        effects=Effect.NETWORK,
        timeout=Timeout(default=Wait.FINITE),
        returns="asyncpg.Connection",
        coroutine=True,
    ),
    # Its own timeout is the default of its methods.
    CallRow(names=(_PG_POOL,), timeout=Timeout(default=Wait.FINITE, infinite=())),
    *(
        CallRow(
            names=(f"{_PG_POOL}.{name}",),
            effects=Effect.NETWORK | Effect.WAIT,
            timeout=Timeout(position=0, default=Wait.FINITE, infinite=()),
            returns="psycopg.Connection",
        )
        for name in ("connection", "getconn")
    ),
    CallRow(
        names=(f"{_PG_POOL}.wait",),
        effects=Effect.NETWORK | Effect.WAIT,
        timeout=Timeout(position=0, default=Wait.FINITE),
    ),
    CallRow(
        names=(f"{_PG_POOL}.close",),
        effects=Effect.WAIT,
        timeout=Timeout(position=0, default=Wait.FINITE),
        role=Role.CLOSE,
    ),
    CallRow(names=("psycopg2.pool.SimpleConnectionPool",), effects=Effect.NETWORK),
    CallRow(names=("psycopg2.pool.ThreadedConnectionPool",), effects=Effect.NETWORK),
    CallRow(
        names=("MySQLdb.connect", "MySQLdb.Connect"),
        effects=Effect.NETWORK,
        timeout=Timeout(keyword="connect_timeout", infinite=(None, 0)),
    ),
    CallRow(names=("sqlite3.Connection.__exit__",), effects=Effect.FILE, keeps=False),
    CallRow(names=("asyncpg.create_pool", "asyncpg.pool.create_pool"), returns="asyncpg.Pool"),
    # Neither connects yet; both know their limits (30 s for a server, 30 s for a pooled connection).
    CallRow(
        names=("pymongo.MongoClient",),
        timeout=Timeout(keyword="serverSelectionTimeoutMS", default=Wait.FINITE, infinite=()),
    ),
    CallRow(names=("sqlalchemy.create_engine", "sqlalchemy.engine.create_engine"), returns="sqlalchemy.Engine"),
)

_PEP249 = tuple(
    row
    for connection, cursor, effect in _CONNECTIONS
    for row in (
        CallRow(names=(f"{connection}.cursor",), returns=cursor),
        CallRow(names=(f"{connection}.close",), role=Role.CLOSE),
        *(CallRow(names=(f"{connection}.{name}",), effects=effect, keeps=False) for name in ("commit", "rollback")),
        *(
            CallRow(names=(f"{cursor}.{name}",), effects=effect, keeps=False)
            for name in ("execute", "executemany", "fetchone", "fetchmany", "fetchall")
        ),
        CallRow(names=(f"{cursor}.close",), role=Role.CLOSE),
    )
)

_OWN_METHODS = (
    *(
        CallRow(names=(f"sqlite3.Connection.{name}",), effects=Effect.FILE, returns="sqlite3.Cursor", keeps=False)
        for name in ("execute", "executemany", "executescript")
    ),
    CallRow(names=("sqlite3.Connection.backup",), effects=Effect.FILE, keeps=False),
    CallRow(names=("sqlite3.Cursor.executescript",), effects=Effect.FILE, keeps=False),
    CallRow(
        names=("psycopg.Connection.execute",),
        effects=Effect.NETWORK,
        returns="psycopg.Cursor",
        keeps=False,
    ),
    CallRow(names=("psycopg.Connection.notifies",), effects=Effect.WAIT, timeout=Timeout()),
    CallRow(names=("psycopg.AsyncConnection.execute",), effects=Effect.NETWORK, coroutine=True),
    *(
        CallRow(names=(f"{owner}.{name}",), effects=Effect.NETWORK, timeout=Timeout(), coroutine=True, keeps=False)
        for owner in ("asyncpg.Connection", "asyncpg.Pool")
        for name in ("execute", "executemany", "fetch", "fetchrow", "fetchval")
    ),
    CallRow(names=("asyncpg.Connection.close",), role=Role.CLOSE, coroutine=True),
    CallRow(names=("asyncpg.Pool.close",), role=Role.CLOSE, coroutine=True),
    *(
        CallRow(names=(f"{_MONGO_COLLECTION}.{name}",), effects=Effect.NETWORK, keeps=False)
        for name in (
            "aggregate",
            "bulk_write",
            "count_documents",
            "create_index",
            "delete_many",
            "delete_one",
            "distinct",
            "find_one",
            "find_one_and_delete",
            "find_one_and_replace",
            "find_one_and_update",
            "insert_many",
            "insert_one",
            "replace_one",
            "update_many",
            "update_one",
        )
    ),
    CallRow(names=("pymongo.MongoClient.get_database",), returns=_MONGO_DATABASE),
    CallRow(names=("pymongo.MongoClient.get_default_database",), returns=_MONGO_DATABASE),
    *(
        CallRow(names=(f"{_MONGO_DATABASE}.{name}",), effects=Effect.NETWORK, keeps=False)
        for name in ("command", "create_collection", "drop_collection", "list_collection_names")
    ),
    CallRow(names=("pymongo.database.Database.get_collection",), returns=_MONGO_COLLECTION),
    CallRow(names=("pymongo.MongoClient.close",), role=Role.CLOSE),
    CallRow(names=("sqlalchemy.orm.sessionmaker.__call__",), returns="sqlalchemy.orm.Session"),
    CallRow(names=("sqlalchemy.Engine.connect",), effects=Effect.NETWORK, returns="sqlalchemy.Connection"),
    CallRow(names=("sqlalchemy.Engine.begin",), effects=Effect.NETWORK, returns="sqlalchemy.Connection"),
    CallRow(names=("sqlalchemy.Engine.dispose",), role=Role.CLOSE),
    *(
        CallRow(names=(f"{owner}.{name}",), effects=Effect.NETWORK, keeps=False)
        for owner in _SQLALCHEMY[1:]
        for name in ("execute", "scalar", "scalars", "commit", "rollback")
    ),
    *(
        CallRow(names=(f"sqlalchemy.orm.Session.{name}",), effects=Effect.NETWORK, keeps=False)
        for name in ("flush", "get", "refresh")
    ),
    *(CallRow(names=(f"{owner}.close",), role=Role.CLOSE) for owner in _SQLALCHEMY[1:]),
)

CALLS: tuple[CallRow, ...] = (*_CONNECT, *_PEP249, *_OWN_METHODS)
