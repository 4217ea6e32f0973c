"""What `redis` means (8): five seconds by default. Older releases had no limit, so an absent one is not reported."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Domain, Effect, Kind, Role, Timeout, Wait

_CLIENT = "redis.Redis"
_ASYNC = "redis.asyncio.Redis"
_PUBSUB = "redis.client.PubSub"
_ASYNC_PUBSUB = "redis.asyncio.client.PubSub"
_LOCK = "redis.lock.Lock"

CLASSES: tuple[ClassRow, ...] = (
    ClassRow(names=(_CLIENT, "redis.StrictRedis", "redis.client.Redis"), kind=Kind.SESSION),
    ClassRow(names=("redis.RedisCluster", "redis.cluster.RedisCluster"), kind=Kind.SESSION, bases=(_CLIENT,)),
    ClassRow(
        names=(_ASYNC, "redis.asyncio.StrictRedis", "redis.asyncio.client.Redis"),
        kind=Kind.SESSION,
        domain=Domain.TASK,
    ),
    ClassRow(
        names=("redis.asyncio.RedisCluster", "redis.asyncio.cluster.RedisCluster"),
        kind=Kind.SESSION,
        domain=Domain.TASK,
        bases=(_ASYNC,),
    ),
    ClassRow(names=(_PUBSUB,), kind=Kind.SESSION),
    ClassRow(names=(_ASYNC_PUBSUB,), kind=Kind.SESSION, domain=Domain.TASK),
    # It collects commands, which `execute` sends.
    ClassRow(names=("redis.client.Pipeline",), kind=Kind.OTHER),
    ClassRow(names=("redis.asyncio.client.Pipeline",), kind=Kind.OTHER, domain=Domain.TASK),
    ClassRow(names=("redis.sentinel.Sentinel", "redis.Sentinel"), kind=Kind.SESSION),
    ClassRow(names=("redis.asyncio.lock.Lock",), kind=Kind.LOCK, domain=Domain.TASK),
    ClassRow(names=("redis.client.PubSubWorkerThread",), kind=Kind.OTHER, bases=("threading.Thread",)),
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
            names=(f"{client}.{command}",),
            effects=Effect.WAIT,
            timeout=Timeout(position=position, infinite=(None, 0)),
            coroutine=client == _ASYNC,
        )
        for client in (_CLIENT, _ASYNC)
        for command, position in _BLOCKING.items()
    ),
    *(
        # Their timeout must be given; 0 means for ever.
        CallRow(
            names=(f"{client}.{command}",),
            effects=Effect.WAIT,
            timeout=Timeout(position=position, default=Wait.FINITE, infinite=(0,)),
            coroutine=client == _ASYNC,
        )
        for client in (_CLIENT, _ASYNC)
        for command, position in (("blmove", 2), ("blmpop", 0), ("bzmpop", 0))
    ),
    CallRow(names=(_CLIENT,), timeout=Timeout(keyword="socket_timeout", position=4, default=Wait.FINITE, infinite=())),
    CallRow(names=(f"{_CLIENT}.from_url",), returns=_CLIENT),
    CallRow(names=("redis.from_url", "redis.utils.from_url"), returns=_CLIENT),
    CallRow(names=("redis.asyncio.from_url",), returns=_ASYNC),
    CallRow(names=(f"{_CLIENT}.close",), role=Role.CLOSE),
    CallRow(names=(f"{_ASYNC}.aclose",), role=Role.CLOSE, coroutine=True),
    CallRow(names=(f"{_CLIENT}.pubsub",), returns=_PUBSUB),
    CallRow(
        names=(f"{_PUBSUB}.listen",), effects=Effect.WAIT, timeout=Timeout(keyword=""), bounded=f"{_PUBSUB}.get_message"
    ),
    CallRow(names=(f"{_PUBSUB}.get_message",), effects=Effect.WAIT, timeout=Timeout(position=1, default=Wait.NONE)),
    CallRow(names=(f"{_PUBSUB}.close",), role=Role.CLOSE),
    CallRow(names=(f"{_CLIENT}.lock",), returns=_LOCK),
    CallRow(names=(f"{_ASYNC}.lock",), returns="redis.asyncio.lock.Lock"),
    CallRow(names=(f"{_ASYNC}.from_url",), returns=_ASYNC),
    CallRow(names=(f"{_ASYNC}.pubsub",), returns=_ASYNC_PUBSUB),
    CallRow(names=(f"{_ASYNC}.pipeline",), returns="redis.asyncio.client.Pipeline"),
    CallRow(names=(f"{_CLIENT}.pipeline",), returns="redis.client.Pipeline"),
    CallRow(names=("redis.client.Pipeline.execute",), effects=Effect.NETWORK),
    CallRow(names=("redis.asyncio.client.Pipeline.execute",), effects=Effect.NETWORK, coroutine=True),
    CallRow(names=("redis.sentinel.Sentinel.master_for", "redis.sentinel.Sentinel.slave_for"), returns=_CLIENT),
    CallRow(
        names=(f"{_ASYNC_PUBSUB}.get_message",),
        effects=Effect.WAIT,
        timeout=Timeout(position=1, default=Wait.NONE),
        coroutine=True,
    ),
    CallRow(names=(f"{_ASYNC_PUBSUB}.aclose",), role=Role.CLOSE, coroutine=True),
    *(
        CallRow(names=(f"{_PUBSUB}.{name}",), effects=Effect.NETWORK)
        for name in ("psubscribe", "punsubscribe", "subscribe", "unsubscribe")
    ),
    # A thread of its own runs the handlers of messages.
    CallRow(names=(f"{_PUBSUB}.run_in_thread",), returns="redis.client.PubSubWorkerThread"),
    CallRow(names=("redis.client.PubSubWorkerThread.stop",), role=Role.CANCEL),
    CallRow(names=(f"{_LOCK}.__enter__",), effects=Effect.NETWORK | Effect.WAIT, timeout=Timeout(keyword="")),
    CallRow(
        names=("redis.asyncio.lock.Lock.acquire",),
        effects=Effect.NETWORK | Effect.WAIT,
        timeout=Timeout(keyword="blocking_timeout", position=1, nonblocking=(("blocking", 0, False),)),
        coroutine=True,
    ),
    CallRow(names=("redis.asyncio.lock.Lock.release",), effects=Effect.NETWORK, coroutine=True),
    CallRow(
        names=(f"{_LOCK}.acquire",),
        effects=Effect.NETWORK | Effect.WAIT,
        timeout=Timeout(keyword="blocking_timeout", position=2, nonblocking=(("blocking", 1, False),)),
    ),
    CallRow(names=(f"{_LOCK}.release",), effects=Effect.NETWORK),
)
