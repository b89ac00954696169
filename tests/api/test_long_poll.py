"""`wait`: a page of the log that waits for an event where there is none."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest

from tests.api.conftest import SEVERAL

pytestmark = pytest.mark.partitions(1, SEVERAL)


async def test_a_wait_ends_with_the_event_that_comes(client: httpx.AsyncClient) -> None:
    """At once, not when the time is over."""
    waiting = asyncio.create_task(client.get("/events?wait=30"))
    await asyncio.sleep(0.05)

    await client.put("/items/foo", json={})

    answer = await asyncio.wait_for(waiting, timeout=5)
    assert [event["subject"] for event in answer.json()] == ["foo"]


async def test_a_wait_without_an_event_ends_with_an_empty_page(client: httpx.AsyncClient) -> None:
    """200, no events, and no link to a next page, after the time that was asked for."""
    start = time.monotonic()

    answer = await client.get("/events?wait=0.2")

    assert 0.2 <= time.monotonic() - start < 2
    assert (answer.status_code, answer.json()) == (200, [])
    assert "link" not in answer.headers


async def test_events_that_do_not_pass_do_not_prolong_a_wait(client: httpx.AsyncClient) -> None:
    """A busy log does not hold back a client that waits for an item that does not change."""
    waiting = asyncio.create_task(client.get("/events?wait=0.3&item=quiet"))
    start = time.monotonic()

    while not waiting.done() and time.monotonic() - start < 5:
        await client.put("/items/busy", json={})

    assert time.monotonic() - start < 2
    assert (await waiting).json() == []


@pytest.mark.parametrize("wait", ["1e-308", "1e-9", "0.000001", "0.001"])
async def test_a_wait_that_ends_while_the_engine_answers_ends_all_the_same(
    client: httpx.AsyncClient, wait: str
) -> None:
    """A timeout and a reply in the same moment: neither is lost."""
    await client.put("/items/foo", json={})

    answer = await asyncio.wait_for(client.get(f"/events?item=quiet&wait={wait}"), timeout=5)

    assert answer.json() == []


async def test_the_next_page_waits_as_long_as_this_one(client: httpx.AsyncClient) -> None:
    """By a link that says so as the client did."""
    for _ in range(3):
        await client.put("/items/foo", json={})
    for wait in ("5", "0.5"):
        answer = await client.get(f"/events?wait={wait}&limit=1")
        assert f"wait={wait}" in answer.links["next"]["url"].split("&")
