"""What message brokers, task queues and process pools of third parties mean.

Their waits have `Effect.WAIT`: a consumer that waits for the next message without end is how it is meant to work.
"""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Domain, Effect, Kind, Role, RunsIn, Spawn, Timeout, Wait

_PIKA = "pika.BlockingConnection"
_PIKA_CHANNEL = "pika.adapters.blocking_connection.BlockingChannel"
_KAFKA_FUTURE = "kafka.producer.future.FutureRecordMetadata"
_CELERY = "celery.result.AsyncResult"
_RESULTS = "celery.result.ResultSet"
_SIGNATURE = "celery.canvas.Signature"
_ZMQ = "zmq.Socket"
_PAHO = "paho.mqtt.client.Client"
_FILE_LOCK = "filelock.FileLock"
_ASYNC_FILE_LOCK = "filelock.AsyncFileLock"

CLASSES: tuple[ClassRow, ...] = (
    ClassRow(names=(_PIKA, "pika.adapters.blocking_connection.BlockingConnection"), kind=Kind.SESSION),
    ClassRow(names=(_PIKA_CHANNEL,), kind=Kind.SESSION),
    ClassRow(names=("kafka.KafkaProducer", "kafka.producer.KafkaProducer"), kind=Kind.SESSION),
    ClassRow(names=("kafka.KafkaConsumer", "kafka.consumer.KafkaConsumer"), kind=Kind.SESSION),
    ClassRow(names=(_KAFKA_FUTURE,), kind=Kind.FUTURE),
    ClassRow(names=("confluent_kafka.Producer",), kind=Kind.SESSION),
    ClassRow(names=("confluent_kafka.Consumer",), kind=Kind.SESSION),
    ClassRow(names=(_CELERY,), kind=Kind.FUTURE, domain=Domain.PROCESS),
    ClassRow(names=(_RESULTS,), kind=Kind.FUTURE, domain=Domain.PROCESS),
    ClassRow(names=("celery.result.GroupResult",), kind=Kind.FUTURE, domain=Domain.PROCESS, bases=(_RESULTS,)),
    ClassRow(names=(_SIGNATURE, "celery.Signature"), kind=Kind.OTHER, domain=Domain.PROCESS),
    *(
        ClassRow(names=(f"celery.{name}", f"celery.canvas.{name}"), kind=Kind.OTHER, bases=(_SIGNATURE,))
        for name in ("chain", "group")
    ),
    # A chord is made by a class of another name.
    ClassRow(
        names=("celery.chord", "celery.canvas.chord", "celery.canvas._chord"), kind=Kind.OTHER, bases=(_SIGNATURE,)
    ),
    ClassRow(names=(_PAHO,), kind=Kind.SESSION),
    ClassRow(names=("zmq.Context",), kind=Kind.OTHER),
    ClassRow(names=(_ZMQ,), kind=Kind.SESSION),
    ClassRow(names=("zmq.Poller",), kind=Kind.OTHER),
    # `filelock.FileLock` is one of the others, as the system has it.
    ClassRow(
        names=(_FILE_LOCK, "filelock.BaseFileLock", "filelock.UnixFileLock", "filelock.WindowsFileLock"),
        kind=Kind.RLOCK,
        domain=Domain.PROCESS,
    ),
    ClassRow(names=("filelock.SoftFileLock",), kind=Kind.RLOCK, domain=Domain.PROCESS, bases=(_FILE_LOCK,)),
    ClassRow(names=(_ASYNC_FILE_LOCK,), kind=Kind.RLOCK, domain=Domain.TASK),
    ClassRow(names=("zmq.asyncio.Context",), kind=Kind.OTHER, domain=Domain.TASK),
    ClassRow(names=("zmq.asyncio.Socket",), kind=Kind.SESSION, domain=Domain.TASK),
    ClassRow(
        names=("loky.ProcessPoolExecutor", "loky.process_executor.ProcessPoolExecutor"),
        kind=Kind.EXECUTOR,
        domain=Domain.PROCESS,
        bases=("concurrent.futures.ProcessPoolExecutor",),
        pickles_code=True,
    ),
    # Tasks run in the processes of the worker, one at a time in each: threads and greenlets are there to be asked for.
    ClassRow(
        names=("celery.app.task.Task", "celery.Task"),
        kind=Kind.OTHER,
        domain=Domain.PROCESS,
        runs=("run",),
        runs_in=RunsIn.EXECUTOR_PROCESS,
        shared=True,
    ),
    ClassRow(names=("celery.Celery", "celery.app.base.Celery"), kind=Kind.OTHER, domain=Domain.PROCESS),
    # It ends its processes itself, after each call or with its `with`, or keeps them for the next one to use.
    ClassRow(names=("joblib.Parallel", "joblib.parallel.Parallel"), kind=Kind.OTHER, domain=Domain.PROCESS),
    ClassRow(names=("pebble.ProcessPool",), kind=Kind.POOL, domain=Domain.PROCESS),
    ClassRow(names=("pebble.ThreadPool",), kind=Kind.POOL),
)

_UNBOUNDED = Timeout(keyword="")
_FIRST = Timeout(position=0)

CALLS: tuple[CallRow, ...] = (
    CallRow(names=(_PIKA,), effects=Effect.NETWORK),
    CallRow(names=(f"{_PIKA}.channel",), effects=Effect.NETWORK, returns=_PIKA_CHANNEL),
    CallRow(names=(f"{_PIKA}.process_data_events",), effects=Effect.NETWORK),
    CallRow(names=(f"{_PIKA}.close",), effects=Effect.NETWORK, role=Role.CLOSE),
    CallRow(
        names=(f"{_PIKA}.add_callback_threadsafe",),
        spawn=Spawn(runs_in=RunsIn.LOOP_CALLBACK, keyword="callback", position=0),
    ),
    CallRow(names=(f"{_PIKA_CHANNEL}.start_consuming",), effects=Effect.WAIT, timeout=_UNBOUNDED),
    *(
        CallRow(names=(f"{_PIKA_CHANNEL}.{name}",), effects=Effect.NETWORK)
        for name in (
            "basic_ack",
            "basic_cancel",
            "basic_get",
            "basic_nack",
            "basic_publish",
            "basic_qos",
            "basic_reject",
            "exchange_declare",
            "queue_bind",
            "queue_declare",
            "queue_delete",
            "queue_purge",
        )
    ),
    # The thread that consumes runs it.
    CallRow(
        names=(f"{_PIKA_CHANNEL}.basic_consume",),
        effects=Effect.NETWORK,
        spawn=Spawn(runs_in=RunsIn.HERE, keyword="on_message_callback", position=1),
    ),
    CallRow(
        names=(f"{_PIKA_CHANNEL}.consume",),
        effects=Effect.WAIT,
        timeout=Timeout(keyword="inactivity_timeout", position=4),
    ),
    CallRow(names=(f"{_PIKA_CHANNEL}.close",), effects=Effect.NETWORK, role=Role.CLOSE),
    # It serves the connection meanwhile, and runs its callbacks.
    CallRow(names=(f"{_PIKA}.sleep",), effects=Effect.NETWORK, keeps=False),
    CallRow(
        names=(f"{_PIKA}.call_later",),
        spawn=Spawn(runs_in=RunsIn.LOOP_CALLBACK, keyword="callback", position=1),
    ),
    # It connects with a timeout of its own; `publish` only puts the message into a queue.
    *(
        CallRow(names=(f"{_PAHO}.{name}",), effects=Effect.NETWORK)
        for name in ("connect", "connect_srv", "loop_forever", "reconnect")
    ),
    CallRow(names=(f"{_PAHO}.tls_set",), effects=Effect.SLOW_FIRST_USE),
    CallRow(
        names=("paho.mqtt.publish.multiple", "paho.mqtt.publish.single", "paho.mqtt.subscribe.simple"),
        effects=Effect.NETWORK,
    ),
    CallRow(names=("kafka.KafkaProducer.send",), effects=Effect.NETWORK, returns=_KAFKA_FUTURE),
    CallRow(names=("kafka.KafkaProducer.flush",), effects=Effect.WAIT, timeout=_FIRST),
    CallRow(names=("kafka.KafkaProducer.close",), effects=Effect.WAIT, timeout=_FIRST, role=Role.CLOSE),
    CallRow(
        names=("kafka.KafkaConsumer.poll",),
        effects=Effect.WAIT,
        timeout=Timeout(keyword="timeout_ms", position=0, default=Wait.NONE),
    ),
    CallRow(names=("kafka.KafkaConsumer.__next__",), effects=Effect.WAIT, timeout=_UNBOUNDED),
    CallRow(names=("kafka.KafkaAdminClient", "kafka.admin.KafkaAdminClient"), effects=Effect.NETWORK),
    # None means the default of the consumer.
    CallRow(
        names=("kafka.KafkaConsumer.commit",),
        effects=Effect.NETWORK,
        timeout=Timeout(keyword="timeout_ms", position=1, default=Wait.FINITE, infinite=()),
    ),
    CallRow(
        names=("kafka.KafkaConsumer.position",),
        effects=Effect.NETWORK,
        timeout=Timeout(keyword="timeout_ms", position=1, default=Wait.FINITE, infinite=()),
    ),
    CallRow(
        names=("kafka.KafkaConsumer.close",),
        effects=Effect.NETWORK,
        timeout=Timeout(keyword="timeout_ms", position=1, default=Wait.FINITE, infinite=()),
        role=Role.CLOSE,
    ),
    CallRow(names=("kafka.KafkaProducer.partitions_for",), effects=Effect.NETWORK),
    *(
        CallRow(names=(f"kafka.KafkaAdminClient.{name}",), effects=Effect.NETWORK)
        for name in ("create_topics", "delete_topics", "describe_topics", "list_topics")
    ),
    CallRow(names=(f"{_KAFKA_FUTURE}.get",), effects=Effect.WAIT, timeout=_FIRST, role=Role.RESULT),
    CallRow(
        names=("confluent_kafka.Consumer.poll",),
        effects=Effect.WAIT,
        timeout=Timeout(position=0, infinite=(None, -1)),
    ),
    CallRow(
        names=("confluent_kafka.Consumer.consume",),
        effects=Effect.WAIT,
        timeout=Timeout(position=1, infinite=(-1,)),
    ),
    CallRow(names=("confluent_kafka.Consumer.close",), effects=Effect.NETWORK, role=Role.CLOSE),
    CallRow(names=("confluent_kafka.Consumer.commit",), effects=Effect.NETWORK),
    *(
        CallRow(
            names=(f"{owner}.{name}",),
            effects=Effect.NETWORK,
            timeout=Timeout(position=position, infinite=(-1,)),
        )
        for owner, name, position in (
            ("confluent_kafka.Consumer", "committed", 1),
            ("confluent_kafka.Consumer", "list_topics", 1),
            ("confluent_kafka.Consumer", "get_watermark_offsets", 1),
            ("confluent_kafka.Producer", "list_topics", 1),
        )
    ),
    # The transaction itself has a timeout.
    *(
        CallRow(
            names=(f"confluent_kafka.Producer.{name}",),
            effects=Effect.NETWORK,
            timeout=Timeout(position=0, default=Wait.FINITE, infinite=()),
        )
        for name in ("abort_transaction", "commit_transaction", "init_transactions")
    ),
    CallRow(
        names=("confluent_kafka.Producer.poll", "confluent_kafka.Producer.flush"),
        effects=Effect.WAIT,
        timeout=Timeout(position=0, infinite=(-1,)),
    ),
    CallRow(names=(f"{_CELERY}.get", f"{_CELERY}.wait"), effects=Effect.WAIT, timeout=_FIRST, role=Role.RESULT),
    CallRow(names=(f"{_CELERY}.revoke",), role=Role.CANCEL),
    CallRow(names=(f"{_RESULTS}.get",), effects=Effect.WAIT, timeout=_FIRST, role=Role.RESULT),
    *(
        CallRow(names=(f"{_RESULTS}.{name}",), effects=Effect.WAIT, timeout=_FIRST, role=Role.JOIN)
        for name in ("join", "join_native")
    ),
    CallRow(names=(f"{_RESULTS}.revoke",), role=Role.CANCEL),
    CallRow(names=(f"{_SIGNATURE}.apply_async",), effects=Effect.NETWORK, returns=_CELERY),
    CallRow(names=(f"{_SIGNATURE}.delay",), effects=Effect.NETWORK, returns=_CELERY),
    *(
        CallRow(names=(f"celery.group.{name}",), effects=Effect.NETWORK, returns="celery.result.GroupResult")
        for name in ("apply_async", "delay")
    ),
    *(
        CallRow(names=(f"celery.app.task.Task.{name}",), returns=_SIGNATURE)
        for name in ("s", "si", "signature", "subtask")
    ),
    CallRow(names=("celery.signature", "celery.canvas.signature"), returns=_SIGNATURE),
    CallRow(names=("zmq.Context.socket",), returns=_ZMQ),
    *(
        # RCVTIMEO and the NOBLOCK flag bound them.
        CallRow(names=(f"{_ZMQ}.{name}",), effects=Effect.WAIT)
        for name in (
            "recv",
            "recv_json",
            "recv_multipart",
            "recv_pyobj",
            "recv_serialized",
            "recv_string",
            "send",
            "send_json",
            "send_multipart",
            "send_pyobj",
            "send_string",
        )
    ),
    CallRow(names=("zmq.asyncio.Context.socket",), returns="zmq.asyncio.Socket"),
    # They give futures: a message is sent whether or not one awaits them.
    *(
        CallRow(names=(f"zmq.asyncio.Socket.{name}",), returns="asyncio.Future")
        for name in ("recv", "recv_multipart", "send", "send_multipart", "poll")
    ),
    CallRow(names=("zmq.asyncio.Socket.close",), role=Role.CLOSE),
    *(CallRow(names=(f"zmq.{name}",), effects=Effect.NETWORK, timeout=_UNBOUNDED) for name in ("device", "proxy")),
    CallRow(names=(f"{_ZMQ}.poll",), effects=Effect.WAIT, timeout=Timeout(position=0, infinite=(None, -1))),
    CallRow(names=("zmq.Poller.poll",), effects=Effect.WAIT, timeout=Timeout(position=0, infinite=(None, -1))),
    CallRow(names=(f"{_ZMQ}.close",), role=Role.CLOSE),
    *(
        CallRow(names=(name,), timeout=Timeout(position=1, default=Wait.NONE, infinite=(-1,)))
        for name in (_FILE_LOCK, "filelock.SoftFileLock", _ASYNC_FILE_LOCK)
    ),
    CallRow(
        names=(f"{_ASYNC_FILE_LOCK}.acquire",),
        effects=Effect.WAIT,
        timeout=Timeout(position=0, infinite=(-1,), nonblocking=(("blocking", None, False),)),
        returns=_ASYNC_FILE_LOCK,
        coroutine=True,
    ),
    CallRow(names=(f"{_ASYNC_FILE_LOCK}.__aenter__",), effects=Effect.WAIT, timeout=_UNBOUNDED, coroutine=True),
    CallRow(names=(f"{_ASYNC_FILE_LOCK}.__aexit__",), coroutine=True, keeps=False),
    CallRow(names=(f"{_ASYNC_FILE_LOCK}.release",), coroutine=True, keeps=False),
    CallRow(
        names=(f"{_FILE_LOCK}.acquire",),
        effects=Effect.WAIT,
        timeout=Timeout(position=0, infinite=(-1,), nonblocking=(("blocking", None, False),)),
        # A proxy that releases it when it is left: `with lock.acquire(timeout=1):` is right.
        returns=_FILE_LOCK,
    ),
    CallRow(
        names=(f"{_FILE_LOCK}.__enter__",), effects=Effect.WAIT, timeout=_UNBOUNDED, bounded=f"{_FILE_LOCK}.acquire"
    ),
    CallRow(names=(f"{_FILE_LOCK}.release",), keeps=False),
    CallRow(names=("celery.app.task.Task.apply_async",), effects=Effect.NETWORK, returns=_CELERY),
    CallRow(names=("celery.app.task.Task.delay",), effects=Effect.NETWORK, returns=_CELERY),
    # With arguments, and without: `@app.task(bind=True)`, `@app.task`.
    CallRow(names=("celery.Celery.task",), decorates=RunsIn.EXECUTOR_PROCESS),
    CallRow(names=("celery.shared_task", "celery.app.shared_task"), decorates=RunsIn.EXECUTOR_PROCESS),
    CallRow(names=("celery.Celery.send_task",), effects=Effect.NETWORK, returns=_CELERY),
    CallRow(
        names=("loky.get_reusable_executor", "loky.reusable_executor.get_reusable_executor"),
        returns="loky.ProcessPoolExecutor",
    ),
    CallRow(names=("joblib.Parallel.__call__",), effects=Effect.WAIT, timeout=_UNBOUNDED),
    *(
        row
        for name, runs_in in (
            ("pebble.ProcessPool", RunsIn.EXECUTOR_PROCESS),
            ("pebble.ThreadPool", RunsIn.EXECUTOR_THREAD),
        )
        for row in (
            CallRow(
                names=(f"{name}.submit",),
                spawn=Spawn(runs_in=runs_in, position=0, arguments_from=2),
                returns="concurrent.futures.Future",
            ),
            CallRow(
                names=(f"{name}.schedule",),
                spawn=Spawn(
                    runs_in=runs_in,
                    keyword="function",
                    position=0,
                    args_keyword="args",
                    args_position=1,
                    kwargs_keyword="kwargs",
                ),
                returns="concurrent.futures.Future",
            ),
            CallRow(names=(f"{name}.close",), role=Role.CANCEL),
            CallRow(names=(f"{name}.stop",), role=Role.CANCEL),
            CallRow(names=(f"{name}.join",), effects=Effect.WAIT, timeout=_FIRST, role=Role.JOIN),
        )
    ),
)
