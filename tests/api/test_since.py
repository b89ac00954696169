"""`since`: a feed that begins at a time."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from tests.api.conftest import problem
from tests.api.history import CREATED, UPDATED, position_at, walked, write_history

NOON = "2020-05-01T12:00:00"

POSITIONS = [position_at(NOON, milliseconds) for milliseconds in (-1000, -1, 0, 1, 1000)]


@pytest.fixture
async def aged(client: httpx.AsyncClient, redis: FakeAsyncRedis) -> httpx.AsyncClient:
    """A store whose events happened around a noon of 2020."""
    await write_history(
        redis,
        [
            (position, UPDATED if number else CREATED, "foo", b'{"size":%d}' % number)
            for number, position in enumerate(POSITIONS)
        ],
    )
    return client


@pytest.mark.parametrize(
    ("since", "first"),
    [
        ("1965-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00Z", 0),
        ("2020-05-01T11:59:59.999Z", 1),
        (f"{NOON}Z", 2),
        (f"{NOON}.000z", 2),
        ("2020-05-01T14:00:00+02:00", 2),
        (f"{NOON}.001Z", 3),
        ("2020-05-01T12:00:02Z", 5),
        ("2999-01-01T00:00:00Z", 5),
    ],
)
async def test_a_feed_begins_at_a_time(aged: httpx.AsyncClient, since: str, first: int) -> None:
    """With the first event of that time or later, in pages and in lines, of the log or an item."""
    for query in ("limit=2", "limit=2&item=foo"):
        url = f"/events?{query}&{httpx.QueryParams(since=since)}"
        assert [event["id"] for event in await walked(aged, url)] == POSITIONS[first:]
        lines = (await aged.get(url, headers={"accept": "application/jsonl"})).text.splitlines()
        assert [json.loads(line)["id"] for line in lines] == POSITIONS[first:]


async def test_of_a_time_and_a_position_the_later_one_counts(aged: httpx.AsyncClient) -> None:
    """So that a reader that goes on with the same URL gets nothing twice."""
    for number, after in enumerate(POSITIONS):
        page = await aged.get(f"/events?since={NOON}Z&after={after}")
        assert [event["id"] for event in page.json()] == POSITIONS[max(2, number + 1) :]


@pytest.mark.parametrize("accept", ["*/*", "application/jsonl", "text/event-stream"])
@pytest.mark.parametrize(
    "since", ["", "yesterday", "2020-05-01", NOON, f"{NOON} Z", "2020-02-30T12:00:00Z", "1-0"]
)
async def test_what_is_no_time_is_refused(
    client: httpx.AsyncClient, since: str, accept: str
) -> None:
    """422 with the parameter's name and an example."""
    answer = await client.get("/events", params={"since": since}, headers={"accept": accept})
    [error] = problem(answer, 422, "invalid-parameter")["errors"]
    assert error["parameter"] == "since"
    assert "RFC 3339" in error["detail"]


@pytest.mark.parametrize("accept", ["*/*", "application/jsonl", "text/event-stream"])
async def test_a_time_whose_events_were_removed_is_gone(
    aged: httpx.AsyncClient, redis: FakeAsyncRedis, accept: str
) -> None:
    """410, as for a position; a later time is not."""
    await redis.xtrim("items:events", maxlen=2, approximate=False)
    answer = await aged.get(f"/events?since={NOON}Z", headers={"accept": accept})
    problem(answer, 410, "gone")
    page = await aged.get("/events?since=2020-05-01T12:00:01Z")
    assert [event["id"] for event in page.json()] == POSITIONS[4:]


async def test_a_time_to_come_is_waited_for(aged: httpx.AsyncClient) -> None:
    """What happens before it is not shown."""
    waiting = asyncio.create_task(aged.get("/events?since=2999-01-01T00:00:00Z&wait=0.5"))
    await asyncio.sleep(0.1)
    await aged.put("/items/foo", json={})
    answer = await asyncio.wait_for(waiting, timeout=5)
    assert (answer.status_code, answer.json()) == (200, [])
