"""What the clients of cloud services mean: AWS, gRPC, Elasticsearch, Docker, language models."""

from __future__ import annotations

from conclint.catalog.rows import CallRow, ClassRow, Domain, Effect, Kind, Role, RunsIn, Spawn, Timeout

_UNARY = (
    "grpc.UnaryUnaryMultiCallable",
    "grpc.StreamUnaryMultiCallable",
)
_CHANNEL = "grpc.Channel"

CLASSES: tuple[ClassRow, ...] = (
    ClassRow(names=(_CHANNEL,), kind=Kind.SESSION),
    ClassRow(names=("grpc.aio.Channel",), kind=Kind.SESSION, domain=Domain.TASK),
    ClassRow(names=("grpc.Future",), kind=Kind.FUTURE),
    ClassRow(names=("grpc.Server",), kind=Kind.OTHER),
    *(ClassRow(names=(name,), kind=Kind.OTHER) for name in _UNARY),
    ClassRow(names=("boto3.session.Session", "boto3.Session"), kind=Kind.SESSION),
    ClassRow(names=("elasticsearch.Elasticsearch",), kind=Kind.SESSION),
    ClassRow(names=("docker.DockerClient", "docker.client.DockerClient"), kind=Kind.SESSION),
    ClassRow(names=("openai.OpenAI",), kind=Kind.SESSION),
    ClassRow(names=("openai.AsyncOpenAI",), kind=Kind.SESSION, domain=Domain.TASK),
    ClassRow(names=("anthropic.Anthropic",), kind=Kind.SESSION),
    ClassRow(names=("anthropic.AsyncAnthropic",), kind=Kind.SESSION, domain=Domain.TASK),
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
    CallRow(names=("boto3.client",), effects=Effect.SLOW_FIRST_USE),
    CallRow(names=("boto3.resource",), effects=Effect.SLOW_FIRST_USE),
    CallRow(names=("boto3.session.Session.client",), effects=Effect.SLOW_FIRST_USE),
    CallRow(names=("boto3.session.Session.resource",), effects=Effect.SLOW_FIRST_USE),
    *(
        CallRow(names=(f"elasticsearch.Elasticsearch.{name}",), effects=Effect.NETWORK, keeps=False)
        for name in ("bulk", "count", "delete", "exists", "get", "index", "info", "ping", "search", "update")
    ),
    CallRow(names=("elasticsearch.Elasticsearch.close",), role=Role.CLOSE),
    CallRow(names=("docker.from_env", "docker.client.from_env"), effects=Effect.FILE, returns="docker.DockerClient"),
    CallRow(names=("docker.DockerClient.ping",), effects=Effect.NETWORK),
    CallRow(names=("docker.DockerClient.close",), role=Role.CLOSE),
    CallRow(names=("openai.OpenAI.close",), role=Role.CLOSE),
    CallRow(names=("anthropic.Anthropic.close",), role=Role.CLOSE),
    CallRow(names=("google.cloud.bigquery.Client.query",), effects=Effect.NETWORK),
    CallRow(names=("google.cloud.bigquery.Client.query_and_wait",), effects=Effect.NETWORK),
    CallRow(names=("google.cloud.storage.Client.list_blobs",), effects=Effect.NETWORK),
)
