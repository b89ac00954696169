"""Traces of `itemstore serve`, as a receiver of OTLP gets them."""

from __future__ import annotations

import signal
import socket
import time

import httpx
import pytest
from opentelemetry import propagate
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from tests.conftest import PATIENCE
from tests.server.conftest import Serve
from tests.server.otlp_receiver import Receiver, attributes_of, receiving

AT_ONCE = {"OTEL_BSP_SCHEDULE_DELAY": "20"}
"""Spans are sent every so many milliseconds."""


NOT_SAMPLED = f"00-{0xC0FFEE:032x}-{1:016x}-00"
"""The traceparent of a client that does not record its trace."""


def test_a_receiver_gets_the_trace_of_a_put_from_the_clients_span_to_the_engines_call(
    serve: Serve,
) -> None:
    """The client's own span, the request, the append, its batch, and the script in the engine."""
    with receiving() as receiver:
        server = serve(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url, **AT_ONCE)
        with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
            # The first write of a process learns the engine's time. This one is in no trace.
            client.put("/items/none", json={}, headers={"traceparent": NOT_SAMPLED})
        provider = TracerProvider()
        exporter = OTLPSpanExporter(endpoint=f"{receiver.url}/v1/traces")
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        with provider.get_tracer("client").start_as_current_span("order") as own:
            fields: dict[str, str] = {"Authorization": "Bearer s3cret"}
            propagate.inject(fields)
            body = {"name": "private", "size": 6}
            with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
                answer = client.put("/items/foo", json=body, headers=fields)
        assert answer.status_code == 201
        receiver.wait_for(lambda: receiver.named("PUT /items/{id}") and receiver.named("order"))

        way = ["order", "PUT /items/{id}", "append", "batch of writes", "EVALSHA append"]
        spans = [receiver.one(name) for name in way]
        parents = [b"", *(span.span_id for span in spans)]
        assert [span.parent_span_id for span in spans] == parents[:-1]
        assert {span.trace_id for span in spans} == {
            own.get_span_context().trace_id.to_bytes(16, "big")
        }
        server.stop()

    _, request, append, batch, engine = spans
    assert request.kind == Span.SPAN_KIND_SERVER
    assert attributes_of(request) == {
        "http.request.method": "PUT",
        "http.route": "/items/{id}",
        "http.response.status_code": 201,
        "url.path": "/items/foo",
        "url.scheme": "http",
        "client.address": "127.0.0.1",
        "server.address": "127.0.0.1",
        "server.port": int(server.url.rpartition(":")[2]),
        "user_agent.original": f"python-httpx/{httpx.__version__}",
    }
    assert attributes_of(append) == {
        "itemstore.collection": "items",
        "itemstore.item": "foo",
        "itemstore.event.id": answer.headers["event-id"],
        "itemstore.event.type": "ItemCreated",
        "itemstore.item.version": 1,
    }
    assert attributes_of(batch) == {"itemstore.batch.size": 1}
    assert [link.span_id for link in batch.links] == [append.span_id]
    assert engine.kind == Span.SPAN_KIND_CLIENT
    called = attributes_of(engine)
    assert len(called.pop("db.stored_procedure.name")) == 40
    assert called.pop("server.address").endswith("engine.sock")
    assert called == {
        "db.system.name": "redis",
        "db.operation.name": "EVALSHA",
        "db.query.summary": "EVALSHA append",
        "db.namespace": "0",
        "network.transport": "unix",
    }
    ours = [each for each in receiver.resources if each["service.name"] == "itemstore"]
    assert ours  # the client's own spans may have come before
    assert all(each["service.instance.id"] for each in ours)
    assert receiver.paths == {"/v1/traces"}
    assert {span.trace_id for span in receiver.spans} == {request.trace_id}
    assert not any(secret in str(receiver.spans) for secret in ("s3cret", "private"))


def test_each_worker_sends_its_spans_also_those_of_its_last_moment(serve: Serve) -> None:
    """With the name that the environment gives the service, and an id for each process."""
    with receiving() as receiver:
        _have_two_workers_send(serve, receiver)

    assert len(receiver.named("GET /items/{id}")) == 20
    assert len(receiver.named("read item")) == 20
    puts = {span.span_id: span for span in receiver.named("PUT /items/{id}")}
    appends = {span.span_id: span for span in receiver.named("append")}
    assert len(puts) == len(appends) == 20
    assert {span.parent_span_id for span in appends.values()} == puts.keys()
    for batch in receiver.named("batch of writes"):
        calls = [each for each in receiver.spans if each.parent_span_id == batch.span_id]
        assert "EVALSHA append" in {each.name for each in calls}
        assert appends[batch.parent_span_id].trace_id == batch.trace_id
    assert {each["service.name"] for each in receiver.resources} == {"shop"}
    assert len({each["service.instance.id"] for each in receiver.resources}) == 2


def _have_two_workers_send(serve: Serve, receiver: Receiver) -> None:
    server = serve(
        *("--workers", "2"),
        OTEL_TRACES_EXPORTER="otlp",
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{receiver.url}/v1/traces",
        OTEL_SERVICE_NAME="shop",
        OTEL_BSP_SCHEDULE_DELAY="60000",
    )
    for _ in range(20):  # a connection each, so that both get some
        httpx.get(f"{server.url}/items/nothing", timeout=PATIENCE)
        httpx.put(f"{server.url}/items/foo", json={}, timeout=PATIENCE)
    server.stop()


@pytest.mark.parametrize("is_away", [True, False])
def test_a_receiver_that_is_away_or_slow_holds_up_no_request_and_no_end(
    serve: Serve, *, is_away: bool
) -> None:
    """The process ends within its bound, and answers meanwhile as if there were none."""
    with receiving(seconds=60) as slow, socket.create_server(("127.0.0.1", 0)) as other:
        away = f"http://127.0.0.1:{other.getsockname()[1]}"
        other.close()
        url = away if is_away else slow.url
        server = serve(OTEL_EXPORTER_OTLP_ENDPOINT=url, OTEL_BSP_SCHEDULE_DELAY="1")
        began = time.monotonic()
        with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
            for _ in range(30):
                assert client.put("/items/foo", json={}).is_success
        assert time.monotonic() - began < PATIENCE
        assert server.stop() == -signal.SIGTERM  # and not because its time was over
