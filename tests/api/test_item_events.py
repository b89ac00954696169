"""`/items/{id}/events`: what happened to one item."""

from __future__ import annotations

import httpx
import pytest

from tests.api.conftest import SEVERAL, Events, problem
from tests.api.history import walked

pytestmark = pytest.mark.partitions(1, SEVERAL)


@pytest.fixture
async def busy(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """A store with eight events of `a/b` among others: made, changed six times, deleted."""
    for number in range(7):
        await client.put("/items/a%2Fb", json={"size": number})
        await client.put("/items/other", json={})
    await client.delete("/items/a%2Fb")
    return client


async def test_an_item_has_its_own_events_oldest_first(busy: httpx.AsyncClient) -> None:
    """Those of the log, without those of others, also where the item is deleted."""
    history = (await busy.get("/items/a%2Fb/events")).json()
    log = (await busy.get("/events")).json()
    assert history == [event for event in log if event["subject"] == "a/b"]
    assert [event["itemversion"] for event in history] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert history[-1]["type"] == "ItemDeleted"
    assert "data" not in history[-1]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 9])
@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_pages_in_both_directions_give_every_event_once(
    busy: httpx.AsyncClient, order: str, limit: int
) -> None:
    """Whatever the size of a page; the last one has no link."""
    history = await walked(busy, f"/items/a%2Fb/events?order={order}&limit={limit}")
    versions = [event["itemversion"] for event in history]
    assert versions == sorted(range(1, 9), reverse=order == "desc")


@pytest.mark.partitions(1)
async def test_after_goes_on_from_a_position_in_either_direction(busy: httpx.AsyncClient) -> None:
    """Of another item as well: a position is a place in the whole log."""
    log = (await busy.get("/events")).json()
    for place, event in enumerate(log):
        before = [each["id"] for each in log[:place] if each["subject"] == "a/b"]
        later = [each["id"] for each in log[place + 1 :] if each["subject"] == "a/b"]
        for order, expected in (("asc", later), ("desc", before[::-1])):
            url = f"/items/a%2Fb/events?order={order}&after={event['id']}"
            assert [each["id"] for each in (await busy.get(url)).json()] == expected


async def test_a_history_after_its_end_is_empty(busy: httpx.AsyncClient) -> None:
    """A page without events and without a link, in either direction from the outside."""
    end = (await busy.get("/events?limit=1000")).json()[-1]["id"]
    for url in (
        f"/items/a%2Fb/events?after={end}",
        "/items/a%2Fb/events?after=0-0&order=desc",
    ):
        page = await busy.get(url)
        assert (page.status_code, page.json()) == (200, [])
        assert "link" not in page.headers


async def test_what_never_existed_has_no_history(client: httpx.AsyncClient) -> None:
    """404, and nothing is made of it."""
    problem(await client.get("/items/foo/events"), 404, "item-not-found")


@pytest.mark.parametrize("after", ["yesterday", "1", "1-", "-1", "1-1-1", "\uff11-1", ""])
async def test_a_malformed_position_is_refused(client: httpx.AsyncClient, after: str) -> None:
    """400, with a sentence that says what a position looks like."""
    await client.put("/items/foo", json={})
    answer = await client.get("/items/foo/events", params={"after": after})
    assert "<milliseconds>-<number>" in problem(answer, 400, "malformed-cursor")["detail"]


async def test_a_head_of_a_history_has_the_headers_alone(busy: httpx.AsyncClient) -> None:
    """As on every GET route."""
    head, get = await busy.head("/items/a%2Fb/events"), await busy.get("/items/a%2Fb/events")
    assert head.content == b""
    assert head.headers == get.headers


async def test_reading_history_makes_none(busy: httpx.AsyncClient, events: Events) -> None:
    """The log is as it was."""
    before = await events()
    await walked(busy, "/items/a%2Fb/events?limit=3")
    assert await events() == before
