"""`/events` for a token that is bound: what is inside, in every form, none of it twice or lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis
from hypothesis import given, settings
from hypothesis import strategies as st

from itemstore.api.app import create_app
from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.store.scope import Scope, scope_of
from itemstore.store.settings import Settings
from tests.api.bearers import bearer
from tests.api.conftest import SEVERAL, client_of, problem

pytestmark = pytest.mark.partitions(1, SEVERAL)

EU = Scope(prefixes=("eu/",))
LINES = {"accept": "application/jsonl"}


@pytest.fixture
async def bound(partition: Partition, whole: dict[str, str]) -> dict[str, str]:
    """The header of a token for ids that begin with eu/."""
    return await bearer(partition, "bound", EU)


@pytest.fixture
async def mixed(client: httpx.AsyncClient, whole: dict[str, str]) -> httpx.AsyncClient:
    """A store with twelve events, of which three are inside, with many outside between them."""
    for item in ("us/1", "eu/1", "us/2", "us/3", "us/4", "eu/2", "us/5", "us/6"):
        await put(client, item, whole)
    await client.delete("/items/eu%2F1", headers=whole)
    for item in ("us/7", "us/8", "eu"):
        await put(client, item, whole)
    return client


async def put(client: httpx.AsyncClient, item: str, headers: dict[str, str]) -> str:
    """Writes an item; the event's position."""
    answer = await client.put(f"/items/{item.replace('/', '%2F')}", json={}, headers=headers)
    position: str = answer.headers["event-id"]
    return position


def kinds(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """What happened to which item."""
    return [(event["type"], event["subject"]) for event in events]


INSIDE = [("ItemCreated", "eu/1"), ("ItemCreated", "eu/2"), ("ItemDeleted", "eu/1")]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_the_pages_of_the_feed_are_what_is_inside(
    mixed: httpx.AsyncClient, bound: dict[str, str], limit: int
) -> None:
    """Each goes on exactly after the one before."""
    seen: list[dict[str, Any]] = []
    url = f"/events?limit={limit}"
    while True:
        answer = await mixed.get(url, headers=bound)
        assert len(answer.json()) <= limit
        seen += answer.json()
        if "next" not in answer.links:
            break
        url = answer.links["next"]["url"]
    assert kinds(seen) == INSIDE


async def test_json_lines_are_what_is_inside(
    mixed: httpx.AsyncClient, bound: dict[str, str]
) -> None:
    """To the end of the log."""
    answer = await mixed.get("/events", headers=bound | LINES)
    assert kinds([json.loads(line) for line in answer.text.splitlines()]) == INSIDE


@pytest.mark.parametrize(
    ("query", "inside"),
    [
        ("type=ItemDeleted", [2]),
        ("type=ItemUpdated", []),
        ("item=eu/1", [0, 2]),
        ("item=eu/1&type=ItemDeleted", [2]),
        ("item=us/1", []),
        ("item=us/1&type=ItemCreated", []),
        ("item=eu", []),
    ],
)
@pytest.mark.parametrize("form", [{}, LINES])
async def test_a_filter_narrows_what_is_inside(
    mixed: httpx.AsyncClient,
    bound: dict[str, str],
    *,
    query: str,
    inside: list[int],
    form: dict[str, str],
) -> None:
    """And never shows more; what it names outside is not told from what is not there."""
    answer = await mixed.get(f"/events?{query}", headers=bound | form)
    events = [json.loads(line) for line in answer.text.splitlines()] if form else answer.json()
    assert kinds(events) == [INSIDE[number] for number in inside]


async def test_a_long_poll_passes_over_what_is_outside(
    mixed: httpx.AsyncClient, bound: dict[str, str], whole: dict[str, str], partitions: int
) -> None:
    """It waits on, and ends with the first event inside; nothing between is lost."""
    everything = (await mixed.get("/events?limit=1000", headers=whole)).json()
    ids = [event["id"] for event in everything]
    end = ids[-1] if partitions == 1 else ",".join(ids)  # of each partition the last one counts
    poll = asyncio.create_task(mixed.get(f"/events?after={end}&wait=20", headers=bound))
    for item in ("us/1", "us/2"):
        await asyncio.sleep(0.05)
        await put(mixed, item, whole)
        assert not poll.done()
    position = await put(mixed, "eu/3", whole)
    answer = await asyncio.wait_for(poll, 10)
    assert [event["id"] for event in answer.json()] == [position]


@pytest.mark.partitions(1)
async def test_a_position_outside_is_a_place_to_go_on_from(
    mixed: httpx.AsyncClient, bound: dict[str, str], whole: dict[str, str]
) -> None:
    """A position is a place in the log, whoever may read what is there."""
    everything = (await mixed.get("/events?limit=1000", headers=whole)).json()
    for number, event in enumerate(everything):
        answer = await mixed.get(f"/events?after={event['id']}", headers=bound)
        after = [each for each in everything[number + 1 :] if each["subject"].startswith("eu/")]
        assert answer.json() == after


async def test_the_tag_of_a_page_is_of_its_scope(
    mixed: httpx.AsyncClient, partition: Partition, bound: dict[str, str], whole: dict[str, str]
) -> None:
    """A client with two tokens is not told by one that what the other shows is the same."""
    tags = {}
    us = await bearer(partition, "us", Scope(prefixes=("us/",)))
    for name, headers in (("whole", whole), ("bound", bound), ("us", us)):
        tags[name] = (await mixed.get("/events", headers=headers)).headers["etag"]
    assert len(set(tags.values())) == 3
    for name, status in (("bound", 304), ("whole", 200), ("us", 200)):
        headers = bound | {"if-none-match": tags[name]}
        assert (await mixed.get("/events", headers=headers)).status_code == status


async def test_a_page_that_looks_through_many_events_outside_ends_and_goes_on(
    mixed: httpx.AsyncClient,
    bound: dict[str, str],
    partitions: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may have nothing on it, and says where to go on all the same."""
    monkeypatch.setattr("itemstore.api.resources.event_search.SCANNED", 2)
    seen: list[dict[str, Any]] = []
    url, pages = "/events", 0
    while True:
        answer = await mixed.get(url, headers=bound)
        seen += answer.json()
        pages += 1
        if "next" not in answer.links:
            break
        url = answer.links["next"]["url"]
    assert kinds(seen) == INSIDE
    assert pages >= (6 if partitions == 1 else 3)  # it looks in all of them at once


async def test_a_revoked_scope_opens_no_feed(
    mixed: httpx.AsyncClient, bound: dict[str, str]
) -> None:
    """The name alone is nothing."""
    wrong = {"authorization": bound["authorization"] + "x"}
    problem(await mixed.get("/events", headers=wrong), 401, "unauthorized")


FEW = st.text(st.sampled_from("ab/é"), min_size=1, max_size=3)


@pytest.mark.parametrize("number", [1, SEVERAL])
@settings(max_examples=15)
@given(
    st.lists(FEW, max_size=12), st.lists(FEW, min_size=1, max_size=4), st.integers(1, 4),
)  # fmt: skip
def test_any_pages_are_exactly_the_filtered_log(
    number: int, ids: list[str], prefixes: list[str], limit: int
) -> None:
    """Any ids, any prefixes, any limit; in the order of each partition."""
    first = Keys(partition=None if number == 1 else 0)

    async def walked() -> tuple[list[str], list[str]]:
        redis = FakeAsyncRedis()
        tokens = Partition(redis, first)
        headers = await bearer(tokens, "bound", scope_of({"prefixes": prefixes}))
        whole = await bearer(tokens, "whole", Scope())
        seen: list[str] = []
        async with client_of(create_app(Settings(partitions=number), redis=redis)) as client:
            written = [await put(client, item.replace("é", "%C3%A9"), whole) for item in ids]
            url = f"/events?limit={limit}"
            while url:
                answer = await client.get(url, headers=headers)
                seen += [event["id"] for event in answer.json()]
                url = answer.links.get("next", {}).get("url", "")
        inside = [
            position
            for position, item in zip(written, ids, strict=True)
            if item.startswith(tuple(prefixes))
        ]
        return seen, inside

    seen, inside = asyncio.run(walked())
    assert sorted(seen, key=partition_of_event) == sorted(inside, key=partition_of_event)


def partition_of_event(event_id: str) -> str:
    """What stands behind the position; nothing in a store of one."""
    return event_id.partition("@")[2]


@pytest.fixture
async def kinds_of_items(
    redis: FakeAsyncRedis, settings: Settings, whole: dict[str, str]
) -> AsyncIterator[httpx.AsyncClient]:
    """A store with three collections, and events of the same ids in all of them."""
    collections = {"orders": None, "notes": None, "people": None}
    async with client_of(create_app(settings, redis=redis, collections=collections)) as client:
        for item in ("eu%2F1", "us%2F1", "eu%2F2"):
            for name in collections:
                answer = await client.put(f"/{name}/{item}", json={}, headers=whole)
                assert answer.status_code == 201
        for name in collections:
            await client.delete(f"/{name}/eu%2F1", headers=whole)
        yield client


def places(events: list[dict[str, Any]]) -> list[str]:
    """Where each happened."""
    return [f"{event['source']}/{event['subject']}" for event in events]


SCOPES = {
    "orders": Scope(frozenset({"orders"})),
    "orders and notes": Scope(frozenset({"orders", "notes"})),
    "eu": EU,
    "eu in notes and people": Scope(frozenset({"notes", "people"}), ("eu/",)),
    "nothing that is there": Scope(frozenset({"products"})),
}


def is_inside(scope: Scope, event: dict[str, Any]) -> bool:
    """By what the event says."""
    return scope.may_touch(event["source"].removeprefix("/"), event["subject"])


@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
@pytest.mark.parametrize(
    ("query", "chosen"),
    [
        ({}, lambda _: True),
        ({"source": "/orders"}, lambda event: event["source"] == "/orders"),
        ({"source": "/people"}, lambda event: event["source"] == "/people"),
        ({"item": "eu/1"}, lambda event: event["subject"] == "eu/1"),
        ({"item": "us/1"}, lambda event: event["subject"] == "us/1"),
        ({"type": "ItemDeleted"}, lambda event: event["type"] == "ItemDeleted"),
        (
            {"source": "/notes", "item": "eu/1", "type": "ItemDeleted"},
            lambda event: (event["source"], event["type"]) == ("/notes", "ItemDeleted"),
        ),
    ],
)
async def test_the_feed_of_all_collections_has_what_is_inside(
    kinds_of_items: httpx.AsyncClient,
    partition: Partition,
    whole: dict[str, str],
    *,
    scope: Scope,
    query: dict[str, str],
    chosen: Callable[[dict[str, Any]], bool],
) -> None:
    """In the order of the whole, under every filter, on pages and as lines.

    To name a collection that is outside is refused: the answer would be empty for ever.
    """
    client = kinds_of_items
    everything = (await client.get("/events?limit=1000", headers=whole)).json()
    assert len(everything) == 12
    bound = await bearer(partition, "bound", scope)
    inside = [each for each in everything if is_inside(scope, each) and chosen(each)]
    seen: list[dict[str, Any]] = []
    answer = await client.get("/events", params={**query, "limit": 2}, headers=bound)
    if "source" in query and not scope.sees(query["source"].removeprefix("/")):
        problem(answer, 403, "forbidden")
        return
    while True:
        seen += answer.json()
        if "next" not in answer.links:
            break
        answer = await client.get(answer.links["next"]["url"], headers=bound)
    assert seen == inside
    lines = await client.get("/events", params=query, headers=bound | LINES)
    assert [json.loads(line) for line in lines.text.splitlines()] == inside
