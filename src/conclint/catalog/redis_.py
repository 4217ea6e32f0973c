"""What `redis` means (8): five seconds by default. Older releases had no limit, so an absent one is not reported."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Domain, Effect, Kind, Role, Timeout, Wait

_CLIENT = "redis.Redis"
_ASYNC = "redis.asyncio.Redis"
_PUBSUB = "redis.client.PubSub"
_LOCK = "redis.lock.Lock"

CLASSES: tuple[ClassRow, ...] = (
    ClassRow(names=(_CLIENT, "redis.StrictRedis", "redis.client.Redis"), kind=Kind.SESSION),
    ClassRow(names=("redis.RedisCluster", "redis.cluster.RedisCluster"), kind=Kind.SESSION, bases=(_CLIENT,)),
    ClassRow(
        names=(_ASYNC, "redis.asyncio.StrictRedis", "redis.asyncio.client.Redis"),
        kind=Kind.SESSION,
        domain=Domain.TASK,
    ),
    ClassRow(names=(_PUBSUB,), kind=Kind.SESSION),
    # It excludes every client of the server, other processes included.
    ClassRow(names=(_LOCK,), kind=Kind.LOCK, domain=Domain.PROCESS),
)

_COMMANDS = (
    "append decr decrby delete execute_command exists expire flushall flushdb get getdel getset hdel hexists hget "
    "hgetall hincrby hkeys hlen hmget hset hvals incr incrby keys lindex llen lpop lpush lrange lrem ltrim mget mset "
    "ping publish rpop rpush sadd scan set setex setnx sismember smembers srem ttl xadd xlen xread zadd zcard zrange "
    "zrem zscore"
)
_BLOCKING = {"blpop": 1, "brpop": 1, "brpoplpush": 2, "bzpopmin": 1, "bzpopmax": 1}
"""Commands that wait for an element: the position of the timeout, whose default 0 means for ever."""

CALLS: tuple[CallRow, ...] = (
    *(CallRow(names=(f"{_CLIENT}.{command}",), effects=Effect.NETWORK) for command in _COMMANDS.split()),
    *(CallRow(names=(f"{_ASYNC}.{command}",), effects=Effect.NETWORK, coroutine=True) for command in _COMMANDS.split()),
    *(
        CallRow(
            names=(f"{_CLIENT}.{command}",),
            effects=Effect.WAIT,
            timeout=Timeout(position=position, infinite=(None, 0)),
        )
        for command, position in _BLOCKING.items()
    ),
    CallRow(names=(_CLIENT,), timeout=Timeout(keyword="socket_timeout", default=Wait.FINITE, infinite=())),
    CallRow(names=(f"{_CLIENT}.from_url",), returns=_CLIENT),
    CallRow(names=("redis.from_url", "redis.utils.from_url"), returns=_CLIENT),
    CallRow(names=("redis.asyncio.from_url",), returns=_ASYNC),
    CallRow(names=(f"{_CLIENT}.close",), role=Role.CLOSE),
    CallRow(names=(f"{_ASYNC}.aclose",), role=Role.CLOSE, coroutine=True),
    CallRow(names=(f"{_CLIENT}.pubsub",), returns=_PUBSUB),
    CallRow(names=(f"{_PUBSUB}.listen",), effects=Effect.WAIT, timeout=Timeout(keyword="")),
    CallRow(names=(f"{_PUBSUB}.get_message",), effects=Effect.WAIT, timeout=Timeout(position=1, default=Wait.NONE)),
    CallRow(names=(f"{_PUBSUB}.close",), role=Role.CLOSE),
    CallRow(names=(f"{_CLIENT}.lock",), returns=_LOCK),
    CallRow(
        names=(f"{_LOCK}.acquire",),
        effects=Effect.NETWORK | Effect.WAIT,
        timeout=Timeout(keyword="blocking_timeout", position=2, nonblocking=(("blocking", 1, False),)),
    ),
    CallRow(names=(f"{_LOCK}.release",), effects=Effect.NETWORK),
)
