"""The spans that a store makes, as an application gets them that has a provider of its own."""

from __future__ import annotations

import asyncio
import logging

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from itemstore.api.app import ItemStore
from itemstore.logs import current_trace
from itemstore.logs.lines import JsonLines
from itemstore.tracing import spans
from tests.api.conftest import Serve, client_of
from tests.logged import lines_of
from tests.recorded_spans import Recorded, id_of, parent_of, recording, way_to


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    """All spans of the test."""
    return recording(monkeypatch)


@pytest.mark.partitions(1, 4)
async def test_a_put_is_a_trace_down_to_the_engine(
    client: httpx.AsyncClient, recorded: Recorded
) -> None:
    """Also where the store has several partitions."""
    await client.put("/items/warm%20up", json={})  # of each partition the first learns the time
    await client.put("/items/foo", json={})
    recorded.clear()

    answer = await client.put("/items/foo", json={})

    way = ["PUT /items/{id}", "append", "batch of writes", "EVALSHA append"]
    assert way_to(recorded, "EVALSHA append") == way
    request, append = recorded.one("PUT /items/{id}"), recorded.one("append")
    assert request.kind is SpanKind.SERVER
    assert append.attributes is not None
    assert append.attributes["itemstore.event.id"] == answer.headers["event-id"]
    assert append.attributes["itemstore.event.type"] == "ItemUpdated"


async def test_a_batch_is_a_part_of_the_first_append_and_linked_with_all(
    client: httpx.AsyncClient, recorded: Recorded
) -> None:
    """Whoever looks at one of the others finds it by the link."""
    await client.put("/items/foo", json={})
    recorded.clear()

    await asyncio.gather(*(client.put(f"/items/{n}", json={}) for n in range(5)))

    appends = {id_of(each): each for each in recorded.named("append")}
    carried: list[int] = []
    for batch in recorded.named("batch of writes"):
        ids = [link.context.span_id for link in batch.links]
        assert batch.attributes == {"itemstore.batch.size": len(ids)}
        first, *others = ids
        assert parent_of(batch) == first
        assert appends[first].links == ()
        for other in others:
            assert [link.context.span_id for link in appends[other].links] == [id_of(batch)]
        carried += ids
    assert sorted(carried) == sorted(appends)
    assert len(recorded.named("batch of writes")) < 5


async def test_a_batch_that_carries_nothing_sampled_has_no_span(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not sampled makes none at all, and what rides with it is not lost by that."""
    recorded = recording(monkeypatch, share=0.0)
    sampled = {"traceparent": f"00-{7:032x}-{7:016x}-01"}

    await asyncio.gather(
        *(client.put(f"/items/{n}", json={}, headers=sampled if n == 3 else {}) for n in range(5))
    )

    assert {span.context.trace_id for span in recorded.spans if span.context} == {7}
    assert len(recorded.named("append")) == 1
    batch = recorded.one("batch of writes")
    assert parent_of(batch) == id_of(recorded.one("append"))


async def test_a_read_is_a_trace_down_to_the_engine(
    client: httpx.AsyncClient, recorded: Recorded
) -> None:
    """GET of an item, a list, a page of the feed."""
    await client.put("/items/foo", json={})
    for path, way in {
        "/items/foo": ["GET /items/{id}", "read item", "batch of reads", "HMGET"],
        "/items": ["GET /items", "list items", "EVALSHA list_items"],
        "/events": ["GET /events", "read events", "EVALSHA read_after"],
    }.items():
        recorded.clear()
        assert (await client.get(path)).status_code == 200
        assert way_to(recorded, way[-1]) == way
        assert recorded.one(way[0]).kind is SpanKind.SERVER
        assert recorded.one(way[-1]).kind is SpanKind.CLIENT


async def test_a_transaction_is_one_append(client: httpx.AsyncClient, recorded: Recorded) -> None:
    """Of so many commands."""
    requests = [{"method": "PUT", "path": f"/items/{n}", "body": {}} for n in "ab"]
    await client.post("/batch", json={"requests": requests})

    assert recorded.one("append together").attributes == {"itemstore.commands": 2}
    assert parent_of(recorded.one("append together")) == id_of(recorded.one("POST /batch"))


async def test_a_refusal_is_no_error_and_a_failure_is(
    client: httpx.AsyncClient, recorded: Recorded, engine: object
) -> None:
    """412 is an answer; 503 is an error, of the engine's call too."""
    await client.put("/items/foo", json={})
    recorded.clear()
    await client.put("/items/foo", json={}, headers={"If-Match": '"7"'})

    request, append = recorded.one("PUT /items/{id}"), recorded.one("append")
    assert request.status.status_code is append.status.status_code is StatusCode.UNSET
    assert request.attributes is not None
    assert request.attributes["http.response.status_code"] == 412
    assert append.attributes is not None
    assert append.attributes["error.type"] == "UnexpectedVersion"

    recorded.clear()
    engine.connected = False  # type: ignore[attr-defined]
    assert (await client.put("/items/foo", json={})).status_code == 503

    for name in ("PUT /items/{id}", "append", "batch of writes"):
        assert recorded.one(name).status.status_code is StatusCode.ERROR
        assert recorded.one(name).status.description is None
        assert recorded.one(name).events == ()
    failed = recorded.one("PUT /items/{id}").attributes
    assert failed is not None
    assert failed["error.type"] == "503"


async def test_a_span_names_the_route_and_neither_query_nor_token_nor_body(
    client: httpx.AsyncClient, recorded: Recorded
) -> None:
    """An id is in the path, and so in the span; nobody makes up names of methods either."""
    fields = {"Authorization": "Bearer t0ken"}
    await client.put("/items/foo", json={"name": "b0dy"}, headers=fields)
    await client.get("/items", params={"prefix": "qu3ry"})
    await client.get("/items/foo/versions/1/nothing", params={"x": "qu3ry"})
    await client.request("MAKE", "/items/foo")

    assert {"PUT /items/{id}", "GET /items", "GET", "HTTP /items/{id}"} <= set(recorded.names)
    text = " ".join(span.to_json() for span in recorded.spans)
    assert not any(secret in text for secret in ("t0ken", "b0dy", "qu3ry"))
    made_up = recorded.one("HTTP /items/{id}").attributes
    assert made_up is not None
    assert made_up["http.request.method"] == "_OTHER"
    assert made_up["http.request.method_original"] == "MAKE"


@pytest.mark.parametrize(
    ("fields", "is_child"),
    [
        ([("traceparent", f"00-{7:032x}-{7:016x}-01")], True),
        ([("traceparent", f"cc-{7:032x}-{7:016x}-01-more")], True),
        ([("traceparent", f"ff-{7:032x}-{7:016x}-01")], False),
        ([("traceparent", f"00-{0:032x}-{7:016x}-01")], False),
        ([("traceparent", f"00-{7:032x}-{0:016x}-01")], False),
        ([("traceparent", f"00-{7:032x}-{7:016x}-01-more")], False),
        ([("traceparent", f"00-{'AB' * 16}-{7:016x}-01")], False),
        ([("traceparent", f"00-{7:032x}-{7:016x}-01")] * 2, False),
        ([("traceparent", f"cc-{7:032x}-{7:016x}-01-x")] * 2, False),
    ],
)
async def test_the_parent_is_read_as_the_recommendation_says(
    client: httpx.AsyncClient,
    recorded: Recorded,
    fields: list[tuple[str, str]],
    is_child: bool,  # noqa: FBT001 - a case of the table
) -> None:
    """And kept in the event exactly where it is read; `tracestate` goes with it."""
    await client.get("/items/foo", headers=[*fields, ("tracestate", "a=b")])

    span = recorded.one("GET /items/{id}")
    assert span.context is not None
    assert (parent_of(span) == 7) == is_child
    assert (span.context.trace_id == 7) == is_child
    assert span.context.trace_state.get("a") == ("b" if is_child else None)


async def test_a_request_within_a_span_is_a_part_of_it(
    client: httpx.AsyncClient, recorded: Recorded
) -> None:
    """As in an application that has the store in it and is instrumented: one is the server's."""
    with recorded.tracer.start_as_current_span("outer", kind=SpanKind.SERVER):
        await client.get("/items/foo", headers={"traceparent": f"00-{7:032x}-{7:016x}-01"})

    inner = recorded.one("GET /items/{id}")
    assert parent_of(inner) == id_of(recorded.one("outer"))
    assert inner.kind is SpanKind.INTERNAL


async def test_routes_that_were_added_have_spans_too(app: ItemStore, recorded: Recorded) -> None:
    """One each, named after the route; what the handler does is a part of it."""

    @app.get("/prices/{item}")
    async def price(item: str) -> str:
        with recorded.tracer.start_as_current_span("looking it up"):
            return item

    async with client_of(app) as client:
        assert (await client.get("/prices/tea")).status_code == 200

    assert way_to(recorded, "looking it up") == ["GET /prices/{item}", "looking it up"]
    span = recorded.one("GET /prices/{item}")
    assert span.attributes is not None
    assert span.attributes["http.route"] == "/prices/{item}"
    assert span.attributes["http.response.status_code"] == 200


async def test_what_runs_by_itself_is_in_no_trace(app: ItemStore, recorded: Recorded) -> None:
    """Followers look at the log all the time: nobody asked for that."""
    async with app.router.lifespan_context(app), client_of(app) as client:
        await client.put("/items/foo", json={})
        await asyncio.sleep(0.5)

    roots = {span.name for span in recorded.spans if span.parent is None}
    assert roots == {"PUT /items/{id}"}


async def test_a_query_is_a_part_of_its_request(serve: Serve, recorded: Recorded) -> None:
    """The time that the processes for queries take is in it; no part of the query is."""
    client = serve(model="any")
    await client.put("/items/dune", json={"price_cents": 899})
    recorded.clear()

    answer = await client.get("/items", params={"where": "@.price_cents < 1000"})

    assert answer.json()["total"] == 1
    assert way_to(recorded, "query") == ["GET /items", "query"]
    assert "price_cents" not in " ".join(span.to_json() for span in recorded.spans)


@pytest.mark.parametrize("is_disabled", [False, True])
async def test_a_provider_that_is_configured_late_is_found(
    app: ItemStore, monkeypatch: pytest.MonkeyPatch, *, is_disabled: bool
) -> None:
    """Also after the first requests; one that is turned off makes no spans."""
    monkeypatch.setattr(spans, "tracer", None)
    monkeypatch.setattr(spans, "LOOK_SECONDS", 0.0)
    monkeypatch.setenv("OTEL_SDK_DISABLED", str(is_disabled).lower())
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    async with client_of(app) as client:
        await client.get("/items/foo")
        assert spans.tracer is None
        monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
        await client.get("/items/foo")

    names = [span.name for span in exporter.get_finished_spans()]
    assert ("GET /items/{id}" in names) is not is_disabled
    assert (spans.tracer is None) is is_disabled


async def test_a_line_of_the_log_says_which_span_it_is_from(
    app: ItemStore, recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is recorded: a line that is logged by itself has no ids of a trace."""
    monkeypatch.setattr(current_trace, "ids", spans.ids)
    formatter = JsonLines()
    lines: list[dict[str, object]] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.extend(lines_of(formatter.format(record)))

    logger, kept = logging.getLogger("shop"), Kept()
    logger.addHandler(kept)

    @app.get("/prices")
    async def prices() -> None:
        logger.warning("A price is missing")

    async with client_of(app) as client:
        await client.get("/prices")
    logger.warning("The shop is closed")
    logger.removeHandler(kept)

    within, alone = lines
    span = recorded.one("GET /prices").get_span_context()
    assert span is not None
    assert within["trace_id"] == trace.format_trace_id(span.trace_id)
    assert within["span_id"] == trace.format_span_id(span.span_id)
    assert {"trace_id", "span_id"}.isdisjoint(alone)
