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

_PG_POOL = "psycopg_pool.ConnectionPool"
_MONGO_DATABASE = "pymongo.database.Database"
_MONGO_COLLECTION = "pymongo.collection.Collection"
_MONGO_CURSOR = "pymongo.cursor.Cursor"
_MONGO_STREAM = "pymongo.change_stream.CollectionChangeStream"
_MONGO_ASYNC_DATABASE = "pymongo.asynchronous.database.AsyncDatabase"
_MONGO_ASYNC_COLLECTION = "pymongo.asynchronous.collection.AsyncCollection"
_PG_ASYNC_POOL = "psycopg_pool.AsyncConnectionPool"
_PG2_POOLS = ("SimpleConnectionPool", "ThreadedConnectionPool")
_MONGO_QUERIES = (
    "aggregate",
    "bulk_write",
    "count_documents",
    "create_index",
    "delete_many",
    "delete_one",
    "distinct",
    "drop",
    "estimated_document_count",
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
    ClassRow(names=("psycopg.AsyncConnection",), kind=Kind.SESSION, domain=Domain.TASK, serial=True),
    ClassRow(names=("psycopg.AsyncCursor",), kind=Kind.OTHER, domain=Domain.TASK, serial=True),
    ClassRow(names=(_PG_POOL, "psycopg_pool.pool.ConnectionPool"), kind=Kind.SESSION),
    ClassRow(names=("psycopg_pool.NullConnectionPool",), kind=Kind.SESSION, bases=(_PG_POOL,)),
    ClassRow(names=(_PG_ASYNC_POOL,), kind=Kind.SESSION, domain=Domain.TASK),
    *(ClassRow(names=(f"psycopg2.pool.{name}",), kind=Kind.OTHER) for name in _PG2_POOLS),
    ClassRow(names=("mysql.connector.pooling.MySQLConnectionPool",), kind=Kind.SESSION),
    ClassRow(
        names=("asyncpg.Connection", "asyncpg.connection.Connection"),
        kind=Kind.SESSION,
        domain=Domain.TASK,
        serial=True,
    ),
    ClassRow(names=("asyncpg.Pool", "asyncpg.pool.Pool"), kind=Kind.SESSION, domain=Domain.TASK),
    ClassRow(
        names=("pymongo.MongoClient", "pymongo.mongo_client.MongoClient"), kind=Kind.SESSION, attributes=_MONGO_DATABASE
    ),
    ClassRow(names=(_MONGO_DATABASE,), kind=Kind.SESSION, attributes=_MONGO_COLLECTION),
    ClassRow(names=(_MONGO_COLLECTION,), kind=Kind.SESSION),
    ClassRow(names=(_MONGO_CURSOR,), kind=Kind.OTHER),
    ClassRow(names=(_MONGO_STREAM,), kind=Kind.OTHER),
    ClassRow(
        names=("pymongo.AsyncMongoClient",), kind=Kind.SESSION, domain=Domain.TASK, attributes=_MONGO_ASYNC_DATABASE
    ),
    ClassRow(names=(_MONGO_ASYNC_DATABASE,), kind=Kind.SESSION, domain=Domain.TASK, attributes=_MONGO_ASYNC_COLLECTION),
    ClassRow(names=(_MONGO_ASYNC_COLLECTION,), kind=Kind.SESSION, domain=Domain.TASK),
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
    *(
        row
        for name in _PG2_POOLS
        for row in (
            CallRow(names=(f"psycopg2.pool.{name}",), effects=Effect.NETWORK),
            # It raises at once where none is free, and connects where more may be opened.
            CallRow(
                names=(f"psycopg2.pool.{name}.getconn",),
                effects=Effect.NETWORK,
                returns="psycopg2.extensions.connection",
            ),
            CallRow(names=(f"psycopg2.pool.{name}.closeall",), role=Role.CLOSE),
        )
    ),
    CallRow(
        names=("mysql.connector.pooling.MySQLConnectionPool.get_connection",),
        effects=Effect.NETWORK,
        returns="mysql.connector.connection.MySQLConnection",
    ),
    CallRow(
        names=("mysql.connector.aio.connect",),
        effects=Effect.NETWORK,
        timeout=Timeout(keyword="connection_timeout", aliases=("connect_timeout",)),
        coroutine=True,
    ),
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
    CallRow(
        names=("psycopg.AsyncConnection.execute",),
        effects=Effect.NETWORK,
        returns="psycopg.AsyncCursor",
        coroutine=True,
    ),
    CallRow(names=("psycopg.AsyncConnection.cursor",), returns="psycopg.AsyncCursor"),
    *(
        CallRow(names=(f"psycopg.AsyncConnection.{name}",), effects=Effect.NETWORK, coroutine=True)
        for name in ("commit", "rollback")
    ),
    CallRow(names=("psycopg.AsyncConnection.close",), role=Role.CLOSE, coroutine=True),
    *(
        CallRow(names=(f"psycopg.AsyncCursor.{name}",), effects=Effect.NETWORK, coroutine=True, keeps=False)
        for name in ("execute", "executemany", "fetchall", "fetchmany", "fetchone")
    ),
    CallRow(
        names=(f"{_PG_ASYNC_POOL}.getconn",),
        effects=Effect.NETWORK | Effect.WAIT,
        timeout=Timeout(position=0, default=Wait.FINITE, infinite=()),
        returns="psycopg.AsyncConnection",
        coroutine=True,
    ),
    CallRow(
        names=(f"{_PG_ASYNC_POOL}.close",),
        effects=Effect.WAIT,
        timeout=Timeout(position=0, default=Wait.FINITE),
        role=Role.CLOSE,
        coroutine=True,
    ),
    CallRow(names=("pymysql.connections.Connection.ping",), effects=Effect.NETWORK),
    *(
        CallRow(names=(f"mysql.connector.connection.MySQLConnection.{name}",), effects=Effect.NETWORK)
        for name in ("cmd_query", "ping", "reconnect")
    ),
    # It gives what is both awaited and used in `async with`.
    CallRow(
        names=("asyncpg.Pool.acquire",),
        effects=Effect.NETWORK | Effect.WAIT,
        timeout=Timeout(),
        returns="asyncpg.Connection",
        coroutine=True,
    ),
    CallRow(names=("asyncpg.Pool.release",), timeout=Timeout(default=Wait.NONE), coroutine=True, keeps=False),
    CallRow(
        names=("asyncpg.Connection.prepare",), effects=Effect.NETWORK, timeout=Timeout(), coroutine=True, keeps=False
    ),
    *(
        CallRow(names=(f"{owner}.{name}",), effects=Effect.NETWORK, timeout=Timeout(), coroutine=True, keeps=False)
        for owner in ("asyncpg.Connection", "asyncpg.Pool")
        for name in ("execute", "executemany", "fetch", "fetchrow", "fetchval")
    ),
    CallRow(names=("asyncpg.Connection.close",), role=Role.CLOSE, coroutine=True),
    CallRow(names=("asyncpg.Pool.close",), role=Role.CLOSE, coroutine=True),
    *(CallRow(names=(f"{_MONGO_COLLECTION}.{name}",), effects=Effect.NETWORK, keeps=False) for name in _MONGO_QUERIES),
    *(
        CallRow(names=(f"{_MONGO_ASYNC_COLLECTION}.{name}",), effects=Effect.NETWORK, coroutine=True, keeps=False)
        for name in _MONGO_QUERIES
    ),
    # The query is sent when the first result is asked for.
    CallRow(names=(f"{_MONGO_COLLECTION}.find",), returns=_MONGO_CURSOR),
    *(CallRow(names=(f"{_MONGO_CURSOR}.{name}",), returns=_MONGO_CURSOR) for name in ("limit", "skip", "sort")),
    *(CallRow(names=(f"{_MONGO_CURSOR}.{name}",), effects=Effect.NETWORK) for name in ("next", "to_list")),
    CallRow(names=(f"{_MONGO_CURSOR}.close",), role=Role.CLOSE),
    CallRow(names=(f"{_MONGO_COLLECTION}.watch",), effects=Effect.NETWORK, returns=_MONGO_STREAM),
    # It waits until something changes; `try_next` does not.
    CallRow(
        names=(f"{_MONGO_STREAM}.next",),
        effects=Effect.WAIT,
        timeout=Timeout(keyword=""),
    ),
    CallRow(names=(f"{_MONGO_STREAM}.try_next",), effects=Effect.NETWORK),
    CallRow(names=(f"{_MONGO_STREAM}.close",), role=Role.CLOSE),
    *(
        CallRow(names=(f"pymongo.MongoClient.{name}",), effects=Effect.NETWORK, keeps=False)
        for name in ("drop_database", "list_database_names", "server_info")
    ),
    CallRow(names=("pymongo.AsyncMongoClient.get_database",), returns=_MONGO_ASYNC_DATABASE),
    CallRow(names=("pymongo.AsyncMongoClient.close",), role=Role.CLOSE, coroutine=True),
    CallRow(names=(f"{_MONGO_ASYNC_DATABASE}.get_collection",), returns=_MONGO_ASYNC_COLLECTION),
    CallRow(names=(f"{_MONGO_ASYNC_DATABASE}.command",), effects=Effect.NETWORK, coroutine=True, keeps=False),
    CallRow(names=("pymongo.MongoClient.get_database",), returns=_MONGO_DATABASE),
    CallRow(names=("pymongo.MongoClient.get_default_database",), returns=_MONGO_DATABASE),
    *(
        CallRow(names=(f"{_MONGO_DATABASE}.{name}",), effects=Effect.NETWORK, keeps=False)
        for name in ("command", "create_collection", "drop_collection", "list_collection_names")
    ),
    CallRow(names=("pymongo.database.Database.get_collection",), returns=_MONGO_COLLECTION),
    CallRow(names=("pymongo.MongoClient.close",), role=Role.CLOSE),
)

CALLS: tuple[CallRow, ...] = (*_CONNECT, *_PEP249, *_OWN_METHODS)
