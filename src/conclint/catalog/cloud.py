"""What the clients of cloud services mean: AWS, gRPC, Elasticsearch, Docker, language models."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Domain, Effect, Kind, Role, RunsIn, Spawn, Timeout

_UNARY = (
    "grpc.UnaryUnaryMultiCallable",
    "grpc.StreamUnaryMultiCallable",
)
_CHANNEL = "grpc.Channel"
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
    ClassRow(names=("grpc.Future",), kind=Kind.FUTURE),
    ClassRow(names=("grpc.Server",), kind=Kind.OTHER),
    *(ClassRow(names=(name,), kind=Kind.OTHER) for name in _UNARY),
    ClassRow(names=("boto3.session.Session", "boto3.Session"), kind=Kind.SESSION),
    ClassRow(names=(_AWS,), kind=Kind.SESSION),
    ClassRow(names=("elasticsearch.Elasticsearch",), kind=Kind.SESSION),
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
    CallRow(names=("boto3.session.Session.resource",), effects=Effect.SLOW_FIRST_USE),
    *(
        CallRow(names=(f"elasticsearch.Elasticsearch.{name}",), effects=Effect.NETWORK, keeps=False)
        for name in ("bulk", "count", "delete", "exists", "get", "index", "info", "ping", "search", "update")
    ),
    CallRow(names=("elasticsearch.Elasticsearch.close",), role=Role.CLOSE),
    CallRow(names=("docker.from_env", "docker.client.from_env"), effects=Effect.FILE, returns="docker.DockerClient"),
    CallRow(names=("docker.DockerClient.ping",), effects=Effect.NETWORK),
    CallRow(names=("docker.DockerClient.close",), role=Role.CLOSE),
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
        for name in ("count_tokens", "create", "delete", "edit", "generate", "parse", "retrieve")
    ),
    CallRow(names=("google.cloud.bigquery.Client.query",), effects=Effect.NETWORK),
    CallRow(names=("google.cloud.bigquery.Client.query_and_wait",), effects=Effect.NETWORK),
    CallRow(names=("google.cloud.storage.Client.list_blobs",), effects=Effect.NETWORK),
)
