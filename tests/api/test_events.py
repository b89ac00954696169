"""`/events` as pages and as JSON lines, in the shape that CloudEvents gives an event."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from fakeredis import FakeAsyncRedis

from tests.api.conftest import SEVERAL, Events, problem
from tests.api.history import walked

pytestmark = pytest.mark.partitions(1, SEVERAL)


LINES = {"accept": "application/jsonl"}


@pytest.fixture
async def busy(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """A store with 24 events of three items: each made, changed six times, deleted."""
    for number in range(7):
        for item in ("a", "b%2Fc", "%C3%A9"):
            await client.put(f"/items/{item}", json={"size": number})
    for item in ("a", "b%2Fc", "%C3%A9"):
        await client.delete(f"/items/{item}")
    return client


async def test_an_event_has_the_members_of_cloudevents(client: httpx.AsyncClient) -> None:
    """And the item's version; `data` is the body, byte by byte."""
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    created = await client.put(
        "/items/b%2F%C3%A9", content=b'{ "size": 6 }',
        headers={"content-type": "application/json", "traceparent": trace},
    )  # fmt: skip
    answer = await client.get("/events")
    [event] = answer.json()
    time = event.pop("time")
    assert event == {
        "specversion": "1.0",
        "id": created.headers["event-id"],
        "source": "/items",
        "type": "ItemCreated",
        "subject": "b/é",
        "itemversion": 1,
        "traceparent": trace,
        "datacontenttype": "application/json",
        "data": {"name": None, "size": 6},
    }
    assert time[10] == "T"
    assert time[-5] == "."
    assert time[-1] == "Z"
    assert created.content in answer.content


async def test_every_event_validates_with_the_sdk_of_cloudevents(
    busy: httpx.AsyncClient, events: Events
) -> None:
    """One by one, as a line, in a batch, and as a structured HTTP message."""
    recorded = await events()
    batch = (await busy.get("/events?limit=1000")).json()
    texts = (await busy.get("/events", headers=LINES)).text.splitlines()
    assert len(batch) == len(texts) == len(recorded) == 24
    for original, member, text in zip(recorded, batch, texts, strict=True):
        assert json.loads(text) == member
        event = JSONFormat().read(CloudEvent, text)
        message = HTTPMessage({"content-type": "application/cloudevents+json"}, text.encode())
        assert from_http_event(message).get_attributes() == event.get_attributes()
        assert event.get_id() == original.id
        assert event.get_subject() == original.item
        assert event.get_type() == original.type
        assert event.get_time() == original.time
        assert event.get_extension("itemversion") == original.version
        assert json.loads(JSONFormat().write(event)) | {"time": member["time"]} == member


@pytest.mark.parametrize("wanted", ["", "&item=a", "&item=a&wait=60"])
async def test_a_page_looks_through_so_many_events_and_says_where_it_stopped(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    """Empty with a link, however rare a type is, in the log and in the history of one item."""
    monkeypatch.setattr("itemstore.api.resources.event_search.SCANNED", 20)
    for number in range(50):
        await client.put("/items/a", json={"size": number})
    await client.delete("/items/a")

    first = await client.get(f"/events?type=ItemDeleted&limit=1{wanted}")
    found = await walked(client, f"/events?type=ItemDeleted&limit=1{wanted.partition('&wait')[0]}")

    assert first.json() == []
    assert "next" in first.links
    assert [event["itemversion"] for event in found] == [51]


@pytest.mark.parametrize("limit", [1, 5, 23, 24, 25])
@pytest.mark.parametrize(
    "wanted",
    ["", "&type=ItemDeleted", "&item=b%2Fc", "&item=%C3%A9&type=ItemUpdated", "&item=nothing"],
)
async def test_the_links_lead_through_all_events_once(
    busy: httpx.AsyncClient, limit: int, wanted: str
) -> None:
    """In the order of the log, whatever is filtered and however large a page is."""
    found = await walked(busy, f"/events?limit={limit}{wanted}")
    query = httpx.QueryParams(wanted)
    log = (await busy.get("/events?limit=1000")).json()
    assert found == [
        event
        for event in log
        if event["type"] == query.get("type", event["type"])
        and event["subject"] == query.get("item", event["subject"])
    ]


async def test_events_that_come_meanwhile_are_on_the_last_page(busy: httpx.AsyncClient) -> None:
    """Who follows the links never misses one."""
    first = await busy.get("/events?limit=20")
    created = await busy.put("/items/late", json={})
    found = first.json() + await walked(busy, first.links["next"]["url"])
    assert len(found) == 25
    assert found[-1]["id"] == created.headers["event-id"]


@pytest.mark.partitions(1)
async def test_a_filter_looks_through_a_large_log_a_part_at_a_time(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page may be empty and still have a link; all that pass are found."""
    monkeypatch.setattr("itemstore.api.resources.event_search.SCANNED", 100)
    for number in range(350):
        await client.put(f"/items/{number % 175}", json={})
    await client.delete("/items/3")
    first = await client.get("/events?type=ItemDeleted")
    assert first.json() == []
    assert [event["subject"] for event in await walked(client, first.links["next"]["url"])] == ["3"]


async def test_json_lines_go_to_the_end_of_the_log(busy: httpx.AsyncClient) -> None:
    """All of it in one answer, which no cache keeps; filters and `after` count."""
    answer = await busy.get("/events", headers=LINES)
    assert answer.headers["content-type"] == "application/jsonl"
    assert answer.headers["cache-control"] == "no-store"
    log = [json.loads(line) for line in answer.text.splitlines()]
    assert log == (await busy.get("/events?limit=1000")).json()
    rest = await busy.get(f"/events?type=ItemDeleted&after={log[21]['id']}", headers=LINES)
    assert [json.loads(line) for line in rest.text.splitlines()] == log[22:]


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "application/cloudevents-batch+json"),
        ("application/json", "application/cloudevents-batch+json"),
        ("application/json, text/event-stream", "application/cloudevents-batch+json"),
        ("text/event-stream;q=0", "application/cloudevents-batch+json"),
        ("application/jsonl;q=0.2, application/json;q=0.1", "application/jsonl"),
        ("application/x-ndjson", "application/jsonl"),
        ("text/event-stream, application/jsonl;q=0.9", "text/event-stream"),
        ("text/*", "text/event-stream"),
    ],
)
async def test_accept_says_in_which_form_the_log_comes(
    client: httpx.AsyncClient, accept: str, media_type: str
) -> None:
    """Its weights count (RFC 9110 §12.5.1); the answer varies with it."""
    answer = await client.head("/events", headers={"accept": accept})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == media_type
    assert answer.headers["vary"] == "accept"


@pytest.mark.parametrize("accept", ["*/*", "application/jsonl", "text/event-stream"])
@pytest.mark.parametrize("after", ["yesterday", "1", "-", "1-x", " 1-1", "0x1-1", "1" * 21 + "-1"])
async def test_a_malformed_position_is_refused(
    client: httpx.AsyncClient, accept: str, after: str
) -> None:
    """400 as a problem, before any stream begins."""
    answer = await client.get("/events", params={"after": after}, headers={"accept": accept})
    problem(answer, 400, "malformed-cursor")


async def test_a_malformed_last_event_id_is_refused(client: httpx.AsyncClient) -> None:
    """400: what it resumed from is not of this log."""
    headers = {"accept": "text/event-stream", "last-event-id": "17"}
    problem(await client.get("/events", headers=headers), 400, "malformed-cursor")


@pytest.mark.partitions(1)
async def test_after_the_end_there_is_nothing_yet(busy: httpx.AsyncClient) -> None:
    """200, no events and no link: the position may be asked for again."""
    end = (await busy.get("/events?limit=1000")).json()[-1]["id"]
    page = await busy.get(f"/events?after={end}")
    assert (page.status_code, page.json()) == (200, [])
    assert "link" not in page.headers
    assert (await busy.get(f"/events?after={end}", headers=LINES)).content == b""


async def test_before_the_start_is_the_start(busy: httpx.AsyncClient) -> None:
    """A position before the first event that was ever there has all events after it."""
    for after in ("0-0", "0-1", "1-0"):
        assert len((await busy.get(f"/events?after={after}&limit=1000")).json()) == 24


@pytest.mark.partitions(1)
@pytest.mark.parametrize("accept", ["*/*", "application/jsonl", "text/event-stream"])
async def test_after_a_position_that_was_trimmed_away_the_log_has_a_hole(
    busy: httpx.AsyncClient, redis: FakeAsyncRedis, accept: str
) -> None:
    """410 in every form, also by Last-Event-ID; from its new start on the log can be read."""
    positions = [event["id"] for event in (await busy.get("/events?limit=1000")).json()]
    await redis.xtrim("items:events", maxlen=10, approximate=False)
    for after in ("0-1", positions[0], positions[13]):
        answer = await busy.get(f"/events?after={after}", headers={"accept": accept})
        assert problem(answer, 410, "gone")["detail"].endswith(f"{after}.")
    headers = {"accept": "text/event-stream", "last-event-id": positions[3]}
    problem(await busy.get("/events", headers=headers), 410, "gone")
    for url in ("/events", "/events?after=0-0"):
        assert [event["id"] for event in (await busy.get(url)).json()] == positions[14:]
    assert len((await busy.get(f"/events?after={positions[14]}")).json()) == 9


@pytest.mark.partitions(1)
async def test_an_entry_that_is_no_event_is_named(
    busy: httpx.AsyncClient, redis: FakeAsyncRedis
) -> None:
    """500 `store-damaged` with its position: somebody wrote to the stream by hand."""
    position: Any = await redis.xadd("items:events", {"hello": "world"})
    answer = await busy.get("/events?limit=1000")
    assert position.decode() in problem(answer, 500, "store-damaged")["detail"]


@pytest.mark.parametrize(
    "wrong",
    [
        "limit=0", "limit=1001", "limit=x", "wait=-1", "wait=61", "wait=nan", "type=ItemMoved",
        "type=itemcreated", "before=1-1", "after=1-1&after=1-2", "order=desc",
    ],
)  # fmt: skip
async def test_a_parameter_that_is_not_valid_is_refused(
    client: httpx.AsyncClient, wrong: str
) -> None:
    """422 with the parameter's name: a typo is not the whole log."""
    content = problem(await client.get(f"/events?{wrong}"), 422, "invalid-parameter")
    assert content["errors"][0]["parameter"] == wrong.partition("=")[0]


async def test_a_wait_with_a_filter_ends_with_the_event_that_passes(
    client: httpx.AsyncClient,
) -> None:
    """Not with one that does not; the page links to what comes after."""
    waiting = asyncio.create_task(client.get("/events?wait=30&type=ItemDeleted"))
    await asyncio.sleep(0.05)
    await client.put("/items/foo", json={})
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await client.delete("/items/foo")
    answer = await asyncio.wait_for(waiting, timeout=5)
    assert [event["type"] for event in answer.json()] == ["ItemDeleted"]


async def test_a_wait_where_there_are_events_does_not_wait(busy: httpx.AsyncClient) -> None:
    """The page comes at once."""
    answer = await asyncio.wait_for(busy.get("/events?wait=30"), timeout=5)
    assert len(answer.json()) == 24
