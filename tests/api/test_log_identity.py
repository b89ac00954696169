"""Which log an answer is of: a consumer of two of them is told so, and never waits in silence."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from itemstore.api.app import ItemStore
from itemstore.eventlog.log_id import known_identity
from tests.api.conftest import Serve, problem

LINES = {"accept": "application/jsonl"}
STREAM = {"accept": "text/event-stream"}
AHEAD = "999999999999999-0"


@pytest.fixture
async def filled(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client of a store with three events."""
    for size in range(3):
        await client.put("/items/foo", json={"size": size})
    return client


async def here(client: httpx.AsyncClient) -> tuple[str, str]:
    """The id of the log and its last position."""
    page = await client.get("/events?limit=1000")
    return page.headers["log-id"], page.json()[-1]["id"]


async def test_every_answer_of_the_feed_says_which_log_it_is_of(filled: httpx.AsyncClient) -> None:
    """Pages, lines and an item's own events, each time the same."""
    answers = [
        await filled.get("/events"),
        await filled.get("/events?after=0-0&limit=1"),
        await filled.get("/events", headers=LINES),
        await filled.get("/items/foo/events"),
    ]
    [log] = {answer.headers["log-id"] for answer in answers}
    assert len(log) == 16


async def test_the_next_page_is_of_the_same_log(filled: httpx.AsyncClient) -> None:
    """The link carries the id along, so that it is refused by another one."""
    log, _ = await here(filled)
    for path in ("/events?limit=2", "/items/foo/events?limit=2"):
        page = await filled.get(path)
        following = page.links["next"]["url"]
        assert f"log={log}" in following
        assert len((await filled.get(following)).json()) == 1


async def test_all_processes_have_the_same_log(serve: Serve) -> None:
    """The first to ask gives it its id."""
    answers = await asyncio.gather(*(serve().get("/events") for _ in range(5)))
    assert len({answer.headers["log-id"] for answer in answers}) == 1


@pytest.mark.parametrize("headers", [{}, LINES, STREAM], ids=["page", "lines", "stream"])
@pytest.mark.parametrize(
    "path", ["/events?wait=30&after=", "/items/foo/events?after=", "/events?item=foo&after="]
)
async def test_a_position_from_ahead_of_the_log_is_refused(
    filled: httpx.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    """409 at once, with the id of the log and its end; also where the page would wait."""
    log, end = await here(filled)
    if path.startswith("/items"):
        headers = {}
    answer = problem(await filled.get(path + AHEAD, headers=headers), 409, "other-log")
    assert (answer["log"], answer["end"]) == (log, end)
    assert end in answer["detail"]


async def test_a_last_event_id_from_ahead_of_the_log_is_refused(filled: httpx.AsyncClient) -> None:
    """A browser that comes back to a store of which an older backup was brought back."""
    answer = await filled.get("/events", headers=STREAM | {"last-event-id": AHEAD})
    assert problem(answer, 409, "other-log")["log"] == (await here(filled))[0]


@pytest.mark.parametrize("path", ["/events", "/items/foo/events"])
async def test_a_position_of_another_log_is_refused(filled: httpx.AsyncClient, path: str) -> None:
    """409, even where this log has the same position."""
    log, end = await here(filled)
    assert (await filled.get(f"{path}?after={end}&log={log}")).status_code == 200
    answer = problem(await filled.get(f"{path}?after={end}&log=0123456789abcdef"), 409, "other-log")
    assert (answer["log"], answer["end"]) == (log, end)


async def test_an_emptied_engine_has_another_log(
    filled: httpx.AsyncClient, redis: FakeAsyncRedis
) -> None:
    """What was read before is of another one, whether this one is longer by now or not."""
    log, end = await here(filled)
    await redis.flushall()
    problem(await filled.get(f"/events?after={end}"), 409, "other-log")
    await filled.put("/items/foo", json={})
    page = await filled.get("/events")
    assert page.headers["log-id"] != log
    problem(await filled.get(f"/events?after={page.json()[0]['id']}&log={log}"), 409, "other-log")


async def test_a_wait_ends_when_another_log_takes_the_place_of_this_one(
    filled: httpx.AsyncClient, redis: FakeAsyncRedis
) -> None:
    """409 within a second or so, and not an empty page at the end of the time."""
    _, end = await here(filled)
    waiting = asyncio.create_task(filled.get(f"/events?after={end}&wait=30"))
    await asyncio.sleep(0.05)
    await redis.flushall()
    async with asyncio.timeout(10):
        answer = await waiting
    problem(answer, 409, "other-log")


async def test_a_log_gets_another_id_by_hand(
    filled: httpx.AsyncClient, redis: FakeAsyncRedis
) -> None:
    """What an operator does after bringing an older backup back (docs/operations.md)."""
    log, end = await here(filled)
    await redis.hdel("itemstore:layout", "log")
    assert (await here(filled))[0] != log
    problem(await filled.get(f"/events?after={end}&log={log}"), 409, "other-log")


async def test_a_position_whose_entry_was_taken_out_by_hand_is_no_other_logs(
    filled: httpx.AsyncClient, redis: FakeAsyncRedis
) -> None:
    """The log has given it, so a consumer may go on from there."""
    _, end = await here(filled)
    entries: Any = await redis.xdel("items:events", end)
    assert entries == 1
    assert (await filled.get(f"/events?after={end}")).status_code == 200


async def test_many_streams_ask_once_which_log_it_is(
    app: ItemStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each wants to know every second; asked by all, the engine had no connection for others."""
    assert app.context is not None
    known_log, asked = app.context.store.feed.identity, []

    async def counted(*arguments: Any) -> str | None:
        asked.append(arguments)
        return await known_identity(*arguments)

    monkeypatch.setattr("itemstore.eventlog.log_id.LOOK", 0.0)
    known = await known_log.lately()
    monkeypatch.setattr("itemstore.eventlog.log_id.known_identity", counted)
    assert {*await asyncio.gather(*(known_log.lately() for _ in range(50)))} == {known}
    assert len(asked) == 1
