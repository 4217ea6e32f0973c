"""What the clients of cloud services mean: AWS, gRPC, Elasticsearch, Docker, language models."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Domain, Effect, Kind, Role, RunsIn, Spawn, Timeout, Wait

_UNARY = (
    "grpc.UnaryUnaryMultiCallable",
    "grpc.StreamUnaryMultiCallable",
)
_STREAMS = ("grpc.UnaryStreamMultiCallable", "grpc.StreamStreamMultiCallable")
_CHANNEL = "grpc.Channel"
_SEARCH = "elasticsearch.Elasticsearch"
_ASYNC_SEARCH = "elasticsearch.AsyncElasticsearch"
_REQUESTS = (
    "bulk",
    "count",
    "delete",
    "delete_by_query",
    "exists",
    "get",
    "index",
    "info",
    "mget",
    "msearch",
    "ping",
    "reindex",
    "scroll",
    "search",
    "update",
    "update_by_query",
)
_CONTAINER = "docker.models.containers.Container"
_CONTAINERS = "docker.models.containers.ContainerCollection"
_IMAGES = "docker.models.images.ImageCollection"
_LANGUAGE_MODELS = (("openai", "OpenAI"), ("anthropic", "Anthropic"))
"""Library and client; all that a client has are resources, and so are their attributes: `chat.completions`."""
_AWS = "botocore.client.BaseClient"
_AWS_OPERATIONS = """
assume_role batch_get_item batch_write_item converse copy_object delete_item delete_message delete_object
delete_objects describe_instances download_file download_fileobj get_caller_identity get_item get_object get_parameter
get_secret_value head_bucket head_object invoke invoke_model list_buckets list_objects list_objects_v2 publish
put_events put_item put_metric_data put_object put_record put_records receive_message send_email send_message
send_message_batch start_execution transact_write_items update_item upload_file upload_fileobj
""".split()

CLASSES: tuple[ClassRow, ...] = (
    ClassRow(names=(_CHANNEL,), kind=Kind.SESSION),
    ClassRow(names=("grpc.aio.Channel",), kind=Kind.SESSION, domain=Domain.TASK),
    *(
        ClassRow(names=(f"grpc.aio.{name}MultiCallable",), kind=Kind.OTHER, domain=Domain.TASK)
        for name in ("UnaryUnary", "StreamUnary")
    ),
    ClassRow(names=("grpc.aio.Server",), kind=Kind.OTHER, domain=Domain.TASK),
    *(ClassRow(names=(name,), kind=Kind.OTHER) for name in _STREAMS),
    ClassRow(names=("grpc.Future",), kind=Kind.FUTURE),
    ClassRow(names=("grpc.Server",), kind=Kind.OTHER),
    *(ClassRow(names=(name,), kind=Kind.OTHER) for name in _UNARY),
    ClassRow(names=("boto3.session.Session", "boto3.Session"), kind=Kind.SESSION),
    ClassRow(names=(_AWS,), kind=Kind.SESSION),
    ClassRow(names=("botocore.waiter.Waiter",), kind=Kind.OTHER),
    ClassRow(names=(_SEARCH,), kind=Kind.SESSION),
    ClassRow(names=(_ASYNC_SEARCH,), kind=Kind.SESSION, domain=Domain.TASK),
    ClassRow(names=("docker.APIClient", "docker.api.client.APIClient"), kind=Kind.SESSION),
    *(ClassRow(names=(name,), kind=Kind.OTHER) for name in (_CONTAINER, _CONTAINERS, _IMAGES)),
    ClassRow(names=("docker.DockerClient", "docker.client.DockerClient"), kind=Kind.SESSION),
    *(
        row
        for library, client in _LANGUAGE_MODELS
        for prefix, domain in (("", Domain.THREAD), ("Async", Domain.TASK))
        for resource in (f"{library}._resource.{prefix or 'Sync'}APIResource",)
        for row in (
            ClassRow(names=(f"{library}.{prefix}{client}",), kind=Kind.SESSION, domain=domain, attributes=resource),
            ClassRow(names=(resource,), kind=Kind.OTHER, domain=domain, attributes=resource),
        )
    ),
    ClassRow(names=("google.cloud.storage.Client",), kind=Kind.SESSION),
    ClassRow(names=("google.cloud.bigquery.Client",), kind=Kind.SESSION),
    ClassRow(names=("google.cloud.pubsub_v1.PublisherClient",), kind=Kind.SESSION),
    ClassRow(names=("google.cloud.pubsub_v1.SubscriberClient",), kind=Kind.SESSION),
)

_SECOND = Timeout(position=1)

CALLS: tuple[CallRow, ...] = (
    # Opening a channel connects in the background.
    CallRow(names=("grpc.insecure_channel",), returns=_CHANNEL),
    CallRow(names=("grpc.secure_channel",), returns=_CHANNEL),
    CallRow(names=("grpc.aio.insecure_channel",), returns="grpc.aio.Channel"),
    CallRow(names=("grpc.aio.secure_channel",), returns="grpc.aio.Channel"),
    CallRow(names=("grpc.channel_ready_future",), returns="grpc.Future"),
    CallRow(names=(f"{_CHANNEL}.unary_unary",), returns=_UNARY[0]),
    CallRow(names=(f"{_CHANNEL}.stream_unary",), returns=_UNARY[1]),
    CallRow(names=(f"{_CHANNEL}.unary_stream",), returns=_STREAMS[0]),
    CallRow(names=(f"{_CHANNEL}.stream_stream",), returns=_STREAMS[1]),
    # The call itself sends, and gives an iterator; a stream that is to go on for ever has no deadline.
    *(CallRow(names=(f"{name}.__call__",), timeout=_SECOND) for name in _STREAMS),
    # They send at once, and give a call that may be awaited.
    *(
        row
        for name, made, position in (
            ("unary_unary", "grpc.aio.UnaryUnaryMultiCallable", None),
            ("stream_unary", "grpc.aio.StreamUnaryMultiCallable", 1),
        )
        for row in (
            CallRow(names=(f"grpc.aio.Channel.{name}",), returns=made),
            CallRow(names=(f"{made}.__call__",), timeout=Timeout(position=position)),
        )
    ),
    CallRow(names=("grpc.aio.Channel.close",), role=Role.CLOSE, coroutine=True),
    CallRow(names=("grpc.aio.server",), returns="grpc.aio.Server"),
    CallRow(names=("grpc.aio.Server.start",), role=Role.START, coroutine=True),
    CallRow(names=("grpc.aio.Server.stop",), role=Role.CANCEL, coroutine=True),
    CallRow(
        names=("grpc.aio.Server.wait_for_termination",),
        effects=Effect.WAIT,
        timeout=Timeout(position=0),
        role=Role.JOIN,
        coroutine=True,
    ),
    *(
        # The threads of the server run the behaviour.
        CallRow(
            names=(f"grpc.{kind}_rpc_method_handler",),
            spawn=Spawn(runs_in=RunsIn.REQUEST_THREAD, keyword="behavior", position=0, awaits=True),
        )
        for kind in ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
    ),
    CallRow(
        names=(f"{_CHANNEL}.subscribe",),
        spawn=Spawn(runs_in=RunsIn.CALLBACK_THREAD, keyword="callback", position=0),
    ),
    *(CallRow(names=(f"{name}.__call__",), effects=Effect.NETWORK, timeout=_SECOND) for name in _UNARY),
    *(CallRow(names=(f"{name}.with_call",), effects=Effect.NETWORK, timeout=_SECOND) for name in _UNARY),
    *(CallRow(names=(f"{name}.future",), timeout=_SECOND, returns="grpc.Future") for name in _UNARY),
    CallRow(names=(f"{_CHANNEL}.close",), role=Role.CLOSE),
    CallRow(names=("grpc.Future.result",), effects=Effect.NETWORK, timeout=Timeout(position=0), role=Role.RESULT),
    CallRow(names=("grpc.Future.exception",), effects=Effect.NETWORK, timeout=Timeout(position=0), role=Role.RESULT),
    CallRow(names=("grpc.Future.cancel",), role=Role.CANCEL),
    CallRow(
        names=("grpc.Future.add_done_callback",),
        role=Role.CALLBACK,
        spawn=Spawn(runs_in=RunsIn.EXECUTOR_THREAD, keyword="fn", position=0),
    ),
    CallRow(names=("grpc.server",), returns="grpc.Server"),
    CallRow(names=("grpc.Server.start",), role=Role.START),
    CallRow(names=("grpc.Server.stop",), role=Role.CANCEL),
    CallRow(
        names=("grpc.Server.wait_for_termination",),
        effects=Effect.WAIT,
        timeout=Timeout(position=0),
        role=Role.JOIN,
    ),
    # They read service models from disk, which takes tens of milliseconds.
    CallRow(names=("boto3.client",), effects=Effect.SLOW_FIRST_USE, returns=_AWS),
    CallRow(names=("boto3.resource",), effects=Effect.SLOW_FIRST_USE),
    CallRow(names=("boto3.session.Session.client",), effects=Effect.SLOW_FIRST_USE, returns=_AWS),
    # The methods of a client are made from the service's model; these are the everyday ones.
    *(CallRow(names=(f"{_AWS}.{name}",), effects=Effect.NETWORK, keeps=False) for name in _AWS_OPERATIONS),
    CallRow(names=(f"{_AWS}.close",), role=Role.CLOSE),
    CallRow(names=(f"{_AWS}.get_waiter",), effects=Effect.FILE, returns="botocore.waiter.Waiter"),
    # It asks again and again, up to a number of times.
    CallRow(names=("botocore.waiter.Waiter.wait",), effects=Effect.NETWORK | Effect.SLEEP, keeps=False),
    CallRow(names=("boto3.session.Session.resource",), effects=Effect.SLOW_FIRST_USE),
    *(CallRow(names=(f"{_SEARCH}.{name}",), effects=Effect.NETWORK, keeps=False) for name in _REQUESTS),
    # They give coroutines, though a wrapper around them is a plain function.
    *(
        CallRow(names=(f"{_ASYNC_SEARCH}.{name}",), effects=Effect.NETWORK, coroutine=True, keeps=False)
        for name in _REQUESTS
    ),
    CallRow(names=(f"{_SEARCH}.close",), role=Role.CLOSE),
    CallRow(names=(f"{_ASYNC_SEARCH}.close",), role=Role.CLOSE, coroutine=True),
    CallRow(names=("elasticsearch.helpers.bulk",), effects=Effect.NETWORK),
    CallRow(names=("elasticsearch.helpers.async_bulk",), effects=Effect.NETWORK, coroutine=True),
    CallRow(names=("docker.from_env", "docker.client.from_env"), effects=Effect.FILE, returns="docker.DockerClient"),
    CallRow(names=("docker.DockerClient.ping",), effects=Effect.NETWORK),
    *(
        CallRow(names=(f"docker.DockerClient.{name}",), effects=Effect.NETWORK)
        for name in ("df", "info", "login", "version")
    ),
    CallRow(names=("docker.DockerClient.close",), role=Role.CLOSE),
    CallRow(names=("docker.APIClient",), timeout=Timeout(position=2, default=Wait.FINITE)),
    CallRow(names=("docker.APIClient.close",), role=Role.CLOSE),
    CallRow(names=(f"{_CONTAINERS}.get",), effects=Effect.NETWORK, returns=_CONTAINER),
    CallRow(names=(f"{_CONTAINERS}.create",), effects=Effect.NETWORK, returns=_CONTAINER),
    CallRow(names=(f"{_CONTAINERS}.list",), effects=Effect.NETWORK, returns_item=_CONTAINER),
    # Without `detach=True` it waits until the container ends.
    CallRow(names=(f"{_CONTAINERS}.run",), effects=Effect.NETWORK, returns=_CONTAINER),
    *(
        CallRow(names=(f"{_CONTAINER}.{name}",), effects=Effect.NETWORK)
        for name in ("exec_run", "kill", "logs", "reload", "remove", "restart", "start", "stats", "stop", "top", "wait")
    ),
    *(
        CallRow(names=(f"{_IMAGES}.{name}",), effects=Effect.NETWORK)
        for name in ("build", "get", "list", "pull", "push")
    ),
    *(
        CallRow(names=(f"{library}.{prefix}{client}.close",), role=Role.CLOSE, coroutine=bool(prefix))
        for library, client in _LANGUAGE_MODELS
        for prefix in ("", "Async")
    ),
    *(
        CallRow(names=(f"{library}.{prefix}{client}.with_options",), returns=f"{library}.{prefix}{client}")
        for library, client in _LANGUAGE_MODELS
        for prefix in ("", "Async")
    ),
    *(
        CallRow(
            names=(f"{library}._resource.{prefix}APIResource.{name}",),
            effects=Effect.NETWORK,
            coroutine=prefix == "Async",
            keeps=False,
        )
        for library, _ in _LANGUAGE_MODELS
        for prefix in ("Sync", "Async")
        for name in ("cancel", "count_tokens", "create", "delete", "edit", "generate", "parse", "retrieve", "update")
    ),
    # The asynchronous one only sends when its pages are awaited or iterated over.
    *(
        CallRow(names=(f"{library}._resource.SyncAPIResource.list",), effects=Effect.NETWORK, keeps=False)
        for library, _ in _LANGUAGE_MODELS
    ),
    CallRow(names=("google.cloud.bigquery.Client.query",), effects=Effect.NETWORK),
    CallRow(names=("google.cloud.bigquery.Client.query_and_wait",), effects=Effect.NETWORK),
    # Each message is handed to a thread of its pool.
    CallRow(
        names=("google.cloud.pubsub_v1.SubscriberClient.subscribe",),
        spawn=Spawn(runs_in=RunsIn.EXECUTOR_THREAD, keyword="callback", position=1),
    ),
)
