"""`/events` of a store with several collections: one log of all, or of those that are named."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from random import Random
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from itemstore.api.app import ItemStore, create_app
from itemstore.store.settings import Settings
from tests.api.conftest import client_of, problem
from tests.api.history import walked

LINES = {"accept": "application/jsonl"}

NAMES = ("orders", "products", "notes")

Event = dict[str, Any]


@pytest.fixture
def app(redis: FakeAsyncRedis) -> ItemStore:
    """A store with three collections."""
    return create_app(Settings(), redis=redis, collections=dict.fromkeys(NAMES))


@pytest.fixture
async def busy(app: ItemStore) -> AsyncIterator[httpx.AsyncClient]:
    """One in which things happened in turn, some of them to items of the same id."""
    random = Random(7)
    async with client_of(app) as client:
        for number in range(60):
            path = f"/{random.choice(NAMES)}/{random.choice('ab')}"
            if random.random() < 0.3:
                await client.delete(path)
            else:
                await client.put(path, json={"n": number})
        yield client


async def log_of(client: httpx.AsyncClient) -> list[Event]:
    """All events, from the logs of the collections."""
    logs = [(await client.get(f"/events?source=/{name}&limit=1000")).json() for name in NAMES]
    return sorted((event for log in logs for event in log), key=place)


def place(event: Event) -> tuple[int, ...]:
    """What events come in the order of."""
    return tuple(map(int, event["id"].split("-")))


def passing(query: str) -> Callable[[Event], bool]:
    """Whether an event is one that a query asks for."""
    wanted = httpx.QueryParams(query)

    def passes(event: Event) -> bool:
        return (
            ("source" not in wanted or event["source"] in wanted["source"].split(","))
            and event["type"] == wanted.get("type", event["type"])
            and event["subject"] == wanted.get("item", event["subject"])
        )

    return passes


async def test_all_logs_are_one_in_the_order_of_what_happened(busy: httpx.AsyncClient) -> None:
    """Each event once, under its collection's path; no two of them have one position."""
    events = (await busy.get("/events?limit=1000")).json()
    assert events == await log_of(busy)
    assert {event["source"] for event in events} == {f"/{name}" for name in NAMES}
    assert len({event["id"] for event in events}) == len(events) > 40


QUERIES = (
    "", "&source=/orders", "&source=/notes,/orders", "&type=ItemDeleted", "&item=a",
    "&source=/products&item=b", "&item=a&type=ItemDeleted", "&source=/orders&type=ItemUpdated",
    "&item=nothing",
)  # fmt: skip


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("limit", [1, 7, 1000])
async def test_the_links_lead_through_all_that_is_asked_for(
    busy: httpx.AsyncClient, query: str, limit: int
) -> None:
    """Whatever is filtered and however large a page is; no event twice, none left out."""
    events = [event for event in await log_of(busy) if passing(query)(event)]
    assert await walked(busy, f"/events?limit={limit}{query}") == events


@pytest.mark.parametrize("query", QUERIES)
async def test_from_any_position_on_a_page_and_lines_have_the_rest(
    busy: httpx.AsyncClient, query: str
) -> None:
    """Also from a position of an event that is not asked for: it is one of the whole store."""
    log = await log_of(busy)
    for number in (0, 11, 29, len(log) - 1):
        rest = [event for event in log[number + 1 :] if passing(query)(event)]
        url = f"/events?limit=1000&after={log[number]['id']}{query}"
        assert (await busy.get(url)).json() == rest
        lines = (await busy.get(url, headers=LINES)).text.splitlines()
        assert [json.loads(line) for line in lines] == rest


async def test_a_collection_that_is_not_there_is_refused_with_those_that_are(
    busy: httpx.AsyncClient,
) -> None:
    """In every form; a name without its slash, and nothing between commas, are none either."""
    for accept in ("*/*", "application/jsonl", "text/event-stream"):
        for source in ("/items", "orders", "/orders,", "", "/orders/a", "/orders, /notes"):
            answer = await busy.get(
                "/events", params={"source": source}, headers={"accept": accept}
            )
            [error] = problem(answer, 422, "invalid-parameter")["errors"]
            assert error["parameter"] == "source"
            assert error["detail"].endswith("there are /orders, /products, /notes.")


async def test_the_feed_of_one_collection_reads_no_other_log(
    busy: httpx.AsyncClient, redis: FakeAsyncRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does the tag of its page."""
    after = (await log_of(busy))[20]["id"]
    execute: Any = redis.execute_command
    asked: set[Any] = set()

    async def noted(*command: Any, **options: Any) -> Any:
        asked.update(command)
        return await execute(*command, **options)

    monkeypatch.setattr(redis, "execute_command", noted)
    for query in ("", "&item=a", "&type=ItemDeleted"):
        url = f"/events?source=/orders&after={after}{query}"
        for headers in ({}, LINES, {"if-none-match": '"x"'}):
            assert (await busy.get(url, headers=headers)).status_code == 200
    assert "orders:events" in asked
    assert not asked & {"products:events", "notes:events"}


async def test_the_tag_of_a_page_is_that_of_the_logs_that_it_reads(busy: httpx.AsyncClient) -> None:
    """304 until something happens in one of these."""
    urls = ["/events", "/events?source=/orders", "/events?source=/orders,/products"]
    tags = [(await busy.get(url)).headers["etag"] for url in urls]

    async def statuses() -> list[int]:
        return [
            (await busy.get(url, headers={"if-none-match": tag})).status_code
            for url, tag in zip(urls, tags, strict=True)
        ]

    assert await statuses() == [304, 304, 304]
    await busy.put("/notes/a", json={})
    assert await statuses() == [200, 304, 304]
    await busy.put("/products/a", json={})
    assert await statuses() == [200, 304, 200]
    await busy.put("/orders/a", json={})
    assert await statuses() == [200, 200, 200]


async def test_a_position_that_the_store_has_not_given_is_another_logs(
    busy: httpx.AsyncClient,
) -> None:
    """Whatever is read; the last one of another collection is this store's."""
    end = (await busy.put("/notes/z", json={})).headers["event-id"]
    for url in ("/events?after=", "/events?source=/orders&after=", "/orders/a/events?after="):
        assert (await busy.get(url + end)).status_code == 200
        answer = await busy.get(f"{url}{int(end.split('-')[0]) + 10**9}-0")
        assert problem(answer, 409, "other-log")["end"] == end


async def test_what_one_log_has_lost_harms_no_reader_of_others(
    busy: httpx.AsyncClient, redis: FakeAsyncRedis
) -> None:
    """410 where the log that lost it is read; not from a position after that."""
    log = await log_of(busy)
    orders = [event["id"] for event in log if event["source"] == "/orders"]
    await redis.xtrim("orders:events", maxlen=3, approximate=False)
    for accept in ("*/*", "application/jsonl"):
        for source in ("", "&source=/orders", "&source=/orders,/notes"):
            url = f"/events?after={log[0]['id']}{source}"
            problem(await busy.get(url, headers={"accept": accept}), 410, "gone")
            there = await busy.get(f"/events?after={orders[-3]}{source}")
            assert there.status_code == 200
        url = f"/events?source=/products,/notes&after={log[0]['id']}"
        assert (await busy.get(url, headers={"accept": accept})).status_code == 200


async def test_the_events_and_versions_of_an_item_are_those_of_its_collection(
    busy: httpx.AsyncClient,
) -> None:
    """Items of the same id in others have their own."""
    log = await log_of(busy)
    for name in NAMES:
        events = (await busy.get(f"/{name}/a/events?limit=1000")).json()
        assert events == [
            event for event in log if (event["source"], event["subject"]) == (f"/{name}", "a")
        ]
        versions = await busy.get(f"/{name}/a/versions", headers={"accept": "application/json"})
        assert [each["event"] for each in versions.json()["versions"]] == [
            event["id"] for event in events
        ]


async def test_a_wait_ends_with_what_it_is_for(busy: httpx.AsyncClient) -> None:
    """Not with what happens in other collections, or to items of other ids."""
    for query, path in (("source=/orders", "/orders/x"), ("item=b", "/notes/b")):
        after = (await log_of(busy))[-1]["id"]
        waiting = asyncio.create_task(busy.get(f"/events?wait=30&after={after}&{query}"))
        await asyncio.sleep(0.05)
        for _ in range(5):
            await busy.put("/products/a", json={})
        await asyncio.sleep(0.05)
        assert not waiting.done()
        created = await busy.put(path, json={})
        answer = await asyncio.wait_for(waiting, timeout=5)
        assert [event["id"] for event in answer.json()] == [created.headers["event-id"]]


async def test_a_wait_for_a_quiet_collection_asks_the_engine_little(
    busy: httpx.AsyncClient, asked: list[str]
) -> None:
    """What happens in others is seen in memory: a longer wait asks for a look or two more."""
    told = []
    for seconds in (0.01, 0.01, 0.5):
        del asked[:]
        answer = await busy.get(f"/events?wait={seconds}&source=/notes&item=never")
        assert answer.json() == []
        told.append(len(asked))
    assert told[2] < told[1] + 5
